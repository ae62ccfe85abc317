"""The probabilities of the next token of a text, and the attention in it."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from models.layers.dot_product_attention import recorded_attention
from workbench.data.text import Tokenizer
from workbench.errors import UserError
from workbench.tasks import attention_maps
from workbench.tasks.base import Visualization, device_of, evaluation_mode
from workbench.tasks.sampling import SampleRequest, restrict

DEFAULT_COUNT, MOST = 10, 1000  # tokens that are shown by default, and at most
MAX_PICKS = 100


def read_prompt(network: Any, prompts: Tensor) -> tuple[Tensor, Any]:
    """Return the logits (N, vocabulary) of the next token and the cache, after prompts (N, length), 1 token or more."""
    if hasattr(network, "prefill"):
        logits, cache = network.prefill(prompts)
        return logits, cache
    cache = None
    for token in prompts.unbind(dim=1):
        logits, cache = network.step(token, cache)
    return logits, cache


def check_generates(network: nn.Module) -> None:
    """Check that a network can generate a text.

    Raises:
        UserError: If it can't.
    """
    if not hasattr(network, "step"):
        raise UserError("This network can't generate a text: it has no method step.")


def read_places(text: str) -> list[int]:
    """Return the places of tokens among the most probable ones, from 1, that a text such as `3,1` lists.

    Raises:
        UserError: If it is not such a list.
    """
    words = text.replace(",", " ").split()
    if not all(word.isascii() and word.isdecimal() and len(word) < 8 and int(word) > 0 for word in words):
        raise UserError(f"pick must be places among the most probable tokens, such as 1 or 3,1, not {text[:40]!r}.")
    if len(words) > MAX_PICKS:
        raise UserError(f"pick can have at most {MAX_PICKS} places, not {len(words)}. Add the text to the prompt.")
    return [int(word) for word in words]


@torch.inference_mode()
def predict(
    network: Any, tokenizer: Tokenizer, tokens: Tensor, request: SampleRequest, count: int, places: Sequence[int]
) -> Visualization:
    """Return the most probable next tokens after a prompt, and after the tokens that are picked.

    Args:
        network: The network.
        tokenizer: What turned the prompt into tokens.
        tokens: The tokens of the prompt (length,).
        request: The temperature, top-k and top-p that are applied, and the prompt.
        count: The number of tokens to return.
        places: The place of each token that is picked, among the most probable ones at that step, from 1.

    Raises:
        UserError: If the network can't generate, or there is no such place.
    """
    check_generates(network)
    picked: list[int] = []
    with evaluation_mode(network):
        logits, cache = read_prompt(network, tokens[None].to(device_of(network)))
        for place in places:
            order, probabilities = _ranked(logits, tokenizer, request)
            if place > int((probabilities > 0).sum()):
                raise UserError(
                    f"There is no token at place {place} to pick: {int((probabilities > 0).sum()):,} tokens can follow."
                )
            picked.append(int(order[place - 1]))
            logits, cache = network.step(torch.tensor(picked[-1:], device=logits.device), cache)
        order, probabilities = _ranked(logits, tokenizer, request)
    size = min(count, int((probabilities > 0).sum()))
    return {
        "kind": "next-token",
        "prompt": request.prompt,
        "picked": [tokenizer.label(token) for token in picked],
        "text": request.prompt + tokenizer.decode(picked),
        "tokens": [tokenizer.label(token) for token in order[:size].tolist()],
        "probabilities": probabilities[:size].tolist(),
        "temperature": request.temperature,
        "top_k": request.top_k,
        "top_p": request.top_p,
    }


def _ranked(logits: Tensor, tokenizer: Tokenizer, request: SampleRequest) -> tuple[Tensor, Tensor]:
    """Return all tokens that can follow, the most probable first, and their probabilities."""
    logits = logits[:, tokenizer.first : tokenizer.size].double().cpu()
    if request.temperature == 0:
        logits = restrict(logits, top_k=1)
    else:
        logits = restrict(logits / request.temperature, request.top_k, request.top_p)
    probabilities, order = logits.softmax(dim=1)[0].sort(descending=True, stable=True)
    return order + tokenizer.first, probabilities


@torch.inference_mode()
def attention(network: nn.Module, tokenizer: Tokenizer, prompt: str, question: Mapping[str, str]) -> Visualization:
    """Return the weights by which each token of a prompt (row) attends to the tokens (columns), in one layer.

    Raises:
        UserError: If the prompt is empty or longer than the context, or the network has no such layer or head.
    """
    if not prompt:
        raise UserError("There is no text to show the attention of. Give one: prompt=TEXT.")
    tokens = torch.from_numpy(tokenizer.encode(prompt))
    with evaluation_mode(network), recorded_attention(network) as weights:
        network(tokens[None].to(device_of(network)))
    if not weights:
        raise UserError("This network has no attention to show. Choose a run of one that has, such as gpt.")
    labels = [tokenizer.label(token) for token in tokens.tolist()]
    matrix = attention_maps.select_for(weights, question)
    return {
        "kind": "attention",
        "rows": labels,
        "columns": labels,
        "weights": matrix.double().cpu().numpy().round(4).tolist(),
    }
