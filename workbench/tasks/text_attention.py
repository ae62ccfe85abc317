"""The attention of a transformer to a text, by layer and head, as the answer to a question."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from models.layers.dot_product_attention import recorded_attention
from workbench.data.words import UNKNOWN
from workbench.errors import UserError
from workbench.tasks import attention_maps

CLS, SEP, MASK = "[CLS]", "[SEP]", "[MASK]"
QUESTIONS = {name: f"of a transformer's attention: {text}" for name, text in attention_maps.QUESTIONS.items()}


def is_requested(question: Mapping[str, str]) -> bool:
    """Return whether a question is about attention."""
    return bool(QUESTIONS.keys() & question.keys())


def label(sentence: Sequence[str], unknown: Sequence[str]) -> list[str]:
    """Return the words of a sentence as a network that adds [CLS] and [SEP] reads them."""
    return [CLS, *(UNKNOWN if word in unknown else word for word in sentence), SEP]


def select(network: nn.Module, run: Callable[[], Any], question: Mapping[str, str], part: str = "") -> Tensor:
    """Return the weights (queries, keys) of the layer and the head of a question.

    Args:
        network: The network.
        run: Runs the network on one sample.
        question: The question.
        part: What the name of an attention contains to be one of the layers.

    Raises:
        UserError: If the network has no such layer or head.
    """
    with recorded_attention(network) as weights:
        run()
    selection = {name: heads for name, heads in weights.items() if part in name}
    if not selection:
        raise UserError("This network has no layers of heads. Leave out layer and head, or ask a transformer.")
    return attention_maps.select_for(selection, question)


@torch.inference_mode()
def visualize(
    network: nn.Module, run: Callable[[], Any], labels: Sequence[str], question: Mapping[str, str]
) -> dict[str, Any]:
    """Return the attention of each token (row) to each token (column) as a visualization. Raises as `select` does."""
    weights = select(network, run, question)
    rows = weights.double().cpu().numpy().round(4).tolist()
    return {"kind": "attention", "rows": list(labels), "columns": list(labels), "weights": rows}
