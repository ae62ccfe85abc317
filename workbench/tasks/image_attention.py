"""Attention over an image: how much a vision transformer's layers take of each patch, and how alike positions are."""

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.dot_product_attention import recorded_attention
from models.layers.windows import split_windows
from models.vision.swin import WindowAttention
from workbench.errors import UserError
from workbench.tasks import attention_maps
from workbench.tasks.base import Visualization, evaluation_mode

# Fields of a question about attention -> what they mean.
QUESTIONS = {
    **{name: f"of a vision transformer: {meaning}" for name, meaning in attention_maps.QUESTIONS.items()},
    "rollout": "of a vision transformer: yes, for the attention of all layers together, rolled out",
    "token": "row,column of a patch, from 0, whose attention is shown; default: what the classes are read from",
}


def is_asked(question: Mapping[str, str]) -> bool:
    """Return whether a question is about attention."""
    return bool(question.keys() & QUESTIONS.keys())


@torch.inference_mode()
def attention(network: nn.Module, image: Tensor, question: Mapping[str, str]) -> dict[str, Any]:
    """Return which patches a network attends to in an image (1, channels, height, width), as plain data.

    Returns:
        `weights`, a row of weights for each row of patches, and what they are of in words, as `about`.

    Raises:
        UserError: If the network has no attention, or no such layer, head or patch.
    """
    with evaluation_mode(network), recorded_attention(network) as weights:
        network(image)
    if not weights:
        raise UserError(f"{type(network).__name__} has no attention: ask a vision transformer, such as vit-b16.")
    maps = {name: _over_all_tokens(network, name, each) for name, each in weights.items()}
    if question.get("rollout", "no").strip().lower() not in ("yes", "no"):
        raise UserError(f"rollout must be yes or no, not {question['rollout'][:40]!r}.")
    if question.get("rollout", "no").strip().lower() == "yes":
        if len({each.shape[2] for each in maps.values()}) > 1:
            raise UserError("Attention can't be rolled out through layers that merge tokens: choose one by layer=1.")
        selection, about = attention_maps.rollout(maps), "all layers, rolled out"
    else:
        selection = attention_maps.select_for(maps, question)
        layer, head = (question.get(name, "").strip() for name in ("layer", "head"))
        about = f"layer {layer or len(maps)}, {f'head {head}' if head not in ('', '0') else 'mean of the heads'}"
    size = int(len(selection) ** 0.5)
    has_class_token = size**2 != len(selection)
    if "token" in question:
        row, column = read_token(question["token"], size)
        received, reader = selection[has_class_token + row * size + column], f"patch {row},{column}"
    elif has_class_token and getattr(network, "pool", "token") == "token":
        received, reader = selection[0], "the class token"
    else:
        received, reader = selection[has_class_token:].mean(dim=0), "the mean of all patches"
    grid = received[has_class_token:].view(size, size)
    return {"weights": grid.double().numpy().round(5).tolist(), "about": f"{about}: what {reader} attends to"}


def read_token(text: str, size: int) -> tuple[int, int]:
    """Return the row and the column that a text such as `2,3` stands for.

    Raises:
        UserError: If there is no such patch among size x size ones.
    """
    parts = [part.strip() for part in text.split(",")]
    numbers = [int(part) if part.isascii() and part.isdigit() and len(part) < 6 else size for part in parts]
    if len(numbers) != 2 or max(numbers) >= size:
        raise UserError(f"token must be row,column of {size}x{size} patches, from 0, not {text[:40]!r}.")
    return numbers[0], numbers[1]


def _over_all_tokens(network: nn.Module, name: str, weights: Tensor) -> Tensor:
    """Return weights as those of all tokens (N, num_heads, tokens, tokens); 0 between tokens of different windows."""
    layer = network.get_submodule(name.rpartition(".")[0])
    if not isinstance(layer, WindowAttention):
        return weights
    size, window = layer.grid_size, layer.window_size
    places = torch.arange(size**2).view(1, size, size)
    shifted = places.roll((-layer.shift, -layer.shift), dims=(1, 2))
    members = split_windows(shifted, window)  # (windows, window**2), the tokens of each window
    full = weights.new_zeros(weights.shape[1], size**2, size**2)
    for tokens, own in zip(members, weights[: len(members)], strict=True):
        full[:, tokens[:, None], tokens] = own
    return full[None]


def draw_over(pixels: Tensor, weights: list[list[float]], caption: str) -> Visualization:
    """Return an image from 0 to 1 and, next to it, the weights in its size, the largest in white."""
    grid = torch.tensor(weights)
    lit = F.interpolate((grid / grid.max())[None, None], size=pixels.shape[1:], mode="nearest")[0]
    images = [pixels, lit.expand(pixels.shape)]
    rows = [(each[0] if len(each) != 3 else each.permute(1, 2, 0)).double().round(decimals=3) for each in images]
    return {"kind": "image-attention", "caption": caption, "images": [each.tolist() for each in rows]}


def visualize_positions(network: nn.Module) -> list[Visualization]:
    """Return how alike the positions of patches are, if a network has embeddings of them.

    Each tile is a patch; its pixels are the cosine similarities of its embedding to those of all patches, from -1
    (dark) to 1 (bright). A line separates tiles.
    """
    embeddings, size = getattr(network, "pos_embed", None), getattr(network, "grid_size", 0)
    if not isinstance(embeddings, Tensor) or embeddings.shape[1] != size**2 + 1:
        return []
    vectors = F.normalize(embeddings[0, 1:].detach().float().cpu(), dim=1)
    similarities = (vectors @ vectors.T + 1) / 2
    tiles = F.pad(similarities.view(size, size, size, size), (0, 1, 0, 1), value=0.5)
    rows = tiles.transpose(1, 2).flatten(2).flatten(0, 1)[:-1, :-1]
    caption = f"similarity of the {size}x{size} positions to each other: a tile per patch, bright where alike"
    return [{"kind": "positions", "caption": caption, "images": [rows.double().numpy().round(3).tolist()]}]
