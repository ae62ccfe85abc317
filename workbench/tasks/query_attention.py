"""Attention of the queries of a DETR: how much a query takes of each place of an image."""

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.detection.detr import DETR
from workbench.errors import UserError
from workbench.tasks import attention_maps
from workbench.tasks.base import Visualization, evaluation_mode

# Fields of a question about queries -> what they mean.
QUESTIONS = {
    "query": "of a DETR: the number of a query, from 1, whose attention is shown, or best for the most certain one",
    **{name: f"with query: {meaning}" for name, meaning in attention_maps.QUESTIONS.items()},
}
VISUALIZED_QUERIES = 4  # of an image in the visualizations of a run
BOX_COLOR = (1.0, 0.3, 0.3)  # the color of a query's box


def is_asked(question: Mapping[str, str]) -> bool:
    """Return whether a question is about queries."""
    return bool(question.keys() & QUESTIONS.keys())


def respond(network: nn.Module, image: Tensor, question: Mapping[str, str], classes: tuple[str, ...]) -> Visualization:
    """Return what a query predicts for a standardized image (3, height, width), and where it looks for that.

    Raises:
        UserError: If the network has no queries, or there is no such query, layer or head.
    """
    if not isinstance(network, DETR):
        raise UserError(f"{type(network).__name__} has no queries: leave query out, or ask a run of detr.")
    outputs, maps = _attend(network, image)
    flat = {name: weights.flatten(3) for name, weights in maps.items()}
    selection = attention_maps.select_for(flat, question)  # (num_queries, h*w)
    scores, labels = outputs["logits"][0].softmax(dim=1)[:, :-1].max(dim=1)
    query = _read_query(question.get("query", "best"), scores)
    grid = selection[query].view(next(iter(maps.values())).shape[3:])
    layer, head = (question.get(name, "").strip() for name in ("layer", "head"))
    about = f"layer {layer or len(maps)}, {f'head {head}' if head not in ('', '0') else 'mean of the heads'}"
    name, box = classes[labels[query]], outputs["boxes"][0, query]
    caption = f"query {query + 1}, {about}: {name} with {scores[query]:.2f}"
    (detected,) = network.detect({key: values[:, query : query + 1] for key, values in outputs.items()}, 0.0)
    return {
        "query": query + 1,
        "class": name,
        "score": round(float(scores[query]), 4),
        "box": [round(value, 1) for value in detected.boxes[0].tolist()],
        "weights": grid.double().round(decimals=5).tolist(),
        "about": f"{about}: what query {query + 1} attends to",
        "kind": "image-attention",
        "caption": caption,
        "images": [_as_list(each) for each in (draw_box(_pixels(image), box), _lit(grid, image))],
    }


def visualize(
    network: nn.Module, image: Tensor, classes: tuple[str, ...], score_threshold: float
) -> list[Visualization]:
    """Return where the queries that detect an object look in a standardized image; nothing for other detectors."""
    if not isinstance(network, DETR):
        return []
    outputs, maps = _attend(network, image)
    scores, labels = outputs["logits"][0].softmax(dim=1)[:, :-1].max(dim=1)
    weights = list(maps.values())[-1][0].mean(dim=0)  # (num_queries, h, w) of the last layer
    queries = [k for k in scores.argsort(descending=True).tolist() if scores[k] >= score_threshold][:VISUALIZED_QUERIES]
    pixels = _pixels(image)
    images = [each for k in queries for each in (draw_box(pixels, outputs["boxes"][0, k]), _lit(weights[k], image))]
    names = ", ".join(f"{k + 1} ({classes[labels[k]]} {scores[k]:.2f})" for k in queries)
    caption = f"boxes of queries {names}, each with the places that it attends to"
    return [{"kind": "image-attention", "caption": caption, "images": list(map(_as_list, images))}] if queries else []


@torch.inference_mode()
def _attend(network: DETR, image: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    size = network.input_shape[1:]
    with evaluation_mode(network):
        device = network.query_embed.weight.device
        resized = image[None].to(device)
        if resized.shape[2:] != size:
            resized = F.interpolate(resized, size=size, mode="bilinear", antialias=True)
        outputs, maps = network.attend(resized)
    return tuple({name: tensor.cpu() for name, tensor in each.items()} for each in (outputs, maps))  # type: ignore[return-value]


def _read_query(text: str, scores: Tensor) -> int:
    """Return the index of the query that a text stands for.

    Raises:
        UserError: If there is no such query.
    """
    text = text.strip()
    if text == "best":
        return int(scores.argmax())
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    if not 1 <= number <= len(scores):
        raise UserError(f"query must be best, or an integer from 1 to {len(scores)}, not {text[:40]!r}.")
    return number - 1


def draw_box(pixels: Tensor, box: Tensor) -> Tensor:
    """Return an image (3, height, width) with the border of a box: center and size, relative to the image."""
    _, height, width = pixels.shape
    x, y, w, h = box.tolist()
    left, right = (min(width - 1, max(0, round(edge * width))) for edge in (x - w / 2, x + w / 2))
    top, bottom = (min(height - 1, max(0, round(edge * height))) for edge in (y - h / 2, y + h / 2))
    drawing, color = pixels.clone(), torch.tensor(BOX_COLOR)[:, None]
    drawing[:, [top, bottom], left : right + 1] = color[:, None]
    drawing[:, top : bottom + 1, [left, right]] = color[:, None]
    return drawing


def _pixels(image: Tensor) -> Tensor:
    low, high = image.amin(), image.amax()
    return ((image - low) / (high - low).clamp(min=1e-6)).float().expand(3, -1, -1)


def _lit(grid: Tensor, image: Tensor) -> Tensor:
    """Return a map of weights (h, w) in the size of an image, the largest in white."""
    lit = F.interpolate((grid / grid.max())[None, None], size=image.shape[1:], mode="nearest")[0]
    return lit.expand(3, -1, -1)


def _as_list(image: Tensor) -> list[Any]:
    rows: list[Any] = image.permute(1, 2, 0).double().round(decimals=3).tolist()
    return rows
