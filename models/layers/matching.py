"""Matching of predictions with objects, one to one: Kuhn, The Hungarian method for the assignment problem (1955).

    match(cost)   the pairs with the smallest total cost

DETR learns by it: each object is matched with one prediction, and all other predictions should find nothing.
"""

import numpy as np
import torch
from torch import Tensor


def match(cost: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows and the columns of the pairs whose total cost is the smallest possible.

    Each row and each column is in at most one pair, and there are as many pairs as rows or columns, whichever are
    fewer. Computed on the CPU by SciPy, in cubic time.

    Args:
        cost: The cost of each pair, (rows, columns).

    Returns:
        Rows (pairs,), in ascending order, and columns (pairs,), int64, on the device of the costs.

    Raises:
        ValueError: If a cost is not finite, as the outputs of a network that diverged are.
    """
    from scipy.optimize import linear_sum_assignment  # here, because SciPy takes long to import

    costs = cost.detach().cpu().double().numpy()
    if not np.isfinite(costs).all():
        raise ValueError("every cost must be finite")
    rows, columns = linear_sum_assignment(costs)
    return torch.as_tensor(rows, device=cost.device), torch.as_tensor(columns, device=cost.device)
