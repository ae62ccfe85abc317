"""Checks of the drills about encoders, decoders and search."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def beam_search(words: list[str], start: Tensor, P: Tensor, k: int) -> dict[str, Any]:
    first = int(start.argmax())
    greedy = [first, int(P[first].argmax())]
    # All pairs whose first word is among the k best.
    joint = start.log()[:, None] + P.log()
    firsts = start.topk(k).indices
    best = int(joint[firsts].flatten().argmax())
    beam = [int(firsts[best // len(words)]), best % len(words)]
    return dict(
        greedy=[words[word] for word in greedy],
        p_greedy=start[greedy[0]] * P[greedy[0], greedy[1]],
        beam=[words[word] for word in beam],
        lnp=joint[beam[0], beam[1]],
    )


def beam_step(l1: float, l2: float, N: Tensor) -> dict[str, Any]:
    S = torch.tensor([float(l1), float(l2)])[:, None] + N.log()
    best = S.flatten().topk(2).indices.tolist()
    return dict(S=S, keep=[f"{position // 3 + 1}{'abc'[position % 3]}" for position in best])


def beam_cost(V: int, k: int, T: int) -> dict[str, int]:
    def count(width: int) -> int:
        hypotheses, scored = 1, 0
        for _ in range(T):
            scored += hypotheses * V
            hypotheses = min(width, hypotheses * V)
        return scored

    sequences = 1
    for _ in range(T):
        sequences *= V
    return dict(n_greedy=count(1), n_beam=count(k), n_all=sequences)


def decide_length_penalty(n_A: int, l_A: float, n_B: int, l_B: float, a1: float, a2: float) -> dict[str, Any]:
    from scipy.optimize import brentq

    def lead(alpha: float) -> float:
        return float(l_A / n_A**alpha - l_B / n_B**alpha)

    tie = brentq(lead, 0, 2, xtol=1e-14)
    w1, w2 = (1 if lead(alpha) > 0 else 2 for alpha in (a1, a2))
    return dict(tie=tie, w1=w1, w2=w2)


def bleu_short_outputs(p: list[float], c1: int, r1: int, q: list[float], c2: int, r2: int) -> dict[str, Any]:
    from sacrebleu.metrics.bleu import BLEU

    def score(precisions: list[float], c: int, r: int) -> float:
        counts, totals = [round(10_000 * value) for value in precisions], [10_000] * 4
        return float(BLEU.compute_bleu(counts, totals, c, r, smooth_method="none").score) / 100

    problem = "repeated" if c2 > r2 else "early" if q == p else "order"
    return dict(B1=score(p, c1, r1), B2=score(q, c2, r2), problem=["early", "order", "repeated"].index(problem) + 1)


def debug_teacher_forcing(ids: list[int], V: int, g: float, program: str) -> dict[str, Any]:
    tgt = torch.tensor([ids])
    results = []
    for dec_in, gold in ((tgt, tgt), (tgt[:, :-1], tgt[:, 1:])):
        logits = g * F.one_hot(dec_in, V).double()
        loss = F.cross_entropy(logits.transpose(1, 2), gold, ignore_index=0)
        results.append((loss.item(), int((gold != 0).sum())))
    line = next(k for k, text in enumerate(program.splitlines(), 1) if text.endswith("= tgt, tgt"))
    (printed, count), (fixed, fixed_count) = results
    return dict(line=line, printed=printed, count=count, fixed=fixed, fixed_count=fixed_count)


def debug_class_dimension(B: int, T: int, V: int, program: str) -> dict[str, Any]:
    tgt = torch.randint(3, V, (B, T))
    dec_in, gold = tgt[:, :-1], tgt[:, 1:]
    logits = F.one_hot(dec_in, V).float()
    try:
        F.cross_entropy(logits, gold, ignore_index=0)
    except (RuntimeError, ValueError):
        line = next(k for k, text in enumerate(program.splitlines(), 1) if "cross_entropy" in text)
    # The shape with which the same call raises nothing.
    expected = torch.zeros(logits.shape[0], logits.shape[2], dtype=torch.long)
    F.cross_entropy(logits, expected)
    return dict(line=line, expects=list(expected.shape), gets=list(gold.shape))


def chain_beam_bleu(words: list[str], a: Tensor, N: Tensor, U: Tensor, ref: str) -> dict[str, Any]:
    from sacrebleu.metrics.bleu import BLEU

    sentences = a[:, None, None] * N[:, :, None] * U[None]  # the probabilities of all eight
    pairs = (a[:, None] * N).flatten()
    best_pairs = pairs.topk(2).indices.tolist()
    first = int(a.argmax())
    noun = int(N[first].argmax())
    greedy = (first, noun, int(U[noun].argmax()))
    beam = max(((i // 2, i % 2, v) for i in best_pairs for v in (0, 1)), key=lambda at: float(sentences[at]))

    metric = BLEU(max_ngram_order=2, tokenize="none", smooth_method="none")

    def score(at: tuple[int, ...]) -> float:
        text = " ".join(words[2 * k + choice] for k, choice in enumerate(at))
        return float(metric.corpus_score([text], [[ref]]).score) / 100

    return dict(
        p_greedy=sentences[greedy],
        hyps=["ABCD"[k] for k in best_pairs],
        p_beam=sentences[beam],
        B_greedy=score(greedy),
        B_beam=score(beam),
        PP=torch.exp(-sentences[beam].log() / 3),
    )
