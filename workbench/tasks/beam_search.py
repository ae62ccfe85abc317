"""Decoding: greedy, and by beam search, with any network that predicts the next token of a target.

A network is given by its method `step(tokens, state)`, which returns the logits (N, vocabulary) of the next token and
the new state, a tuple of tensors whose first dimension is the sample.

Greedy decoding takes the most probable token at each step, which need not begin the most probable text. Beam search
(Sutskever et al. 2014, section 3.2) keeps several partial texts, the beams: it extends each by every token, and keeps
those with the largest sums of log probabilities. A text that ends is complete, and leaves the beam. The score of a
complete text is its sum of log probabilities, divided by length^alpha: without this length normalization (alpha = 0),
shorter texts win, because every further token has a probability below 1.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

State = tuple[Tensor, ...]
Step = Callable[[Tensor, State], tuple[Tensor, State]]


@dataclass(frozen=True)
class Hypothesis:
    """A text that a beam search returned.

    Attributes:
        tokens: Its tokens, with the one that ends it.
        log_probability: The sum of the log probabilities (natural log) of its tokens.
        score: The sum, divided by the number of tokens to the power of alpha.
        is_complete: Whether it ends, rather than being cut at the largest length.
    """

    tokens: tuple[int, ...]
    log_probability: float
    score: float
    is_complete: bool


@torch.inference_mode()
def decode(
    step: Step, state: State, start: int, end: int, max_length: int, choose: Callable[[Tensor], Tensor] | None = None
) -> Tensor:
    """Return a text (N, length) for each sample: at each step the most probable token, or one that `choose` returns.

    Args:
        step: The network.
        state: Its state before the first step, of N samples.
        start: The token that is read first.
        end: The token that ends a text; tokens after it mean nothing.
        max_length: The largest number of tokens.
        choose: Returns a token (N,) for logits (N, vocabulary).
    """
    count, device = len(state[0]), state[0].device
    token = torch.full((count,), start, device=device)
    has_ended = torch.zeros(count, dtype=torch.bool, device=device)
    tokens = []
    for _ in range(max_length):
        logits, state = step(token, state)
        token = choose(logits) if choose else logits.argmax(dim=1)
        tokens.append(token)
        has_ended |= token == end
        if has_ended.all():
            break
    return torch.stack(tokens, dim=1)


@torch.inference_mode()
def beam_search(
    step: Step, state: State, start: int, end: int, max_length: int, beams: int, alpha: float = 0.0
) -> list[Hypothesis]:
    """Return the best texts for one sample, at most `beams` of them, the best first.

    Args:
        step: The network.
        state: Its state before the first step, of one sample.
        start: The token that is read first.
        end: The token that ends a text.
        max_length: The largest number of tokens; beams that have not ended by then are cut.
        beams: The number of beams, and of complete texts that are kept.
        alpha: The power of the length by which sums are divided; 0 for no normalization.
    """
    live: list[tuple[int, ...]] = [()]  # partial texts, the most probable first
    sums = torch.zeros(1, dtype=torch.float64)  # of their log probabilities
    last = torch.tensor([start], device=state[0].device)
    finished: list[Hypothesis] = []
    for length in range(1, max_length + 1):
        logits, state = step(last, state)
        log_probabilities = logits.double().log_softmax(dim=1).cpu()
        candidates = sums[:, None] + log_probabilities  # (beams, vocabulary)
        best = candidates.flatten().topk(min(beams, candidates.numel()))
        rows, tokens = best.indices // candidates.shape[1], best.indices % candidates.shape[1]
        extended = [(*live[row], token) for row, token in zip(rows.tolist(), tokens.tolist(), strict=True)]
        keep = []
        for k, (text, total) in enumerate(zip(extended, best.values.tolist(), strict=True)):
            if text[-1] == end or length == max_length:
                finished.append(Hypothesis(text, total, total / length**alpha, text[-1] == end))
            elif total > -math.inf:
                keep.append(k)
        finished = sorted(finished, key=lambda hypothesis: -hypothesis.score)[:beams]
        if not keep or _is_decided(finished, best.values[keep[0]].item(), beams, max_length, alpha):
            break
        live, sums = [extended[k] for k in keep], best.values[keep]
        last = tokens[keep].to(last.device)
        state = tuple(part.index_select(0, rows[keep].to(part.device)) for part in state)
    return finished


def _is_decided(finished: list[Hypothesis], largest_sum: float, beams: int, max_length: int, alpha: float) -> bool:
    """Return whether no partial text can become better than a finished one.

    Its sum can only fall, and is divided by at most the power of the largest length.
    """
    return len(finished) == beams and largest_sum / max_length**alpha <= finished[-1].score
