"""Checks of the drills about BLEU."""

from typing import Any


def bleu_full(candidate: str, references: list[str]) -> dict[str, Any]:
    from fractions import Fraction

    from sacrebleu.metrics.bleu import BLEU

    metric = BLEU(tokenize="none", smooth_method="none")
    score = metric.corpus_score([candidate], [[reference] for reference in references])
    p1, p2, p3, p4 = (str(Fraction(count, total)) for count, total in zip(score.counts, score.totals, strict=True))
    return dict(p1=p1, p2=p2, p3=p3, p4=p4, BP=score.bp, BLEU=score.score / 100)


def _scores(candidates: list[str], references: list[list[str]], order: int) -> Any:
    """Return sacrebleu's score, with its counts, of candidates with lists of references."""
    from sacrebleu.metrics.bleu import BLEU

    metric = BLEU(max_ngram_order=order, tokenize="none", smooth_method="none")
    return metric.corpus_score(candidates, [list(column) for column in zip(*references, strict=True)])


def _from_counts(counts: list[int], totals: list[int], c: int, r: int) -> float:
    from sacrebleu.metrics.bleu import BLEU

    return float(BLEU.compute_bleu(counts, totals, c, r, smooth_method="none", max_ngram_order=len(counts)).score) / 100


def bleu_clip(candidate: str, references: list[str], n: int) -> dict[str, Any]:
    from fractions import Fraction

    score = _scores([candidate], [references], n)
    m, w = score.counts[n - 1], score.totals[n - 1]
    return dict(m=m, w=w, p=str(Fraction(m, w)))


def bleu_clip_bigrams(candidate: str, references: list[str], n: int) -> dict[str, Any]:
    return bleu_clip(candidate, references, n)


def repeated_word(k: int, m: int) -> dict[str, Any]:
    score = _scores([" ".join(["the"] * k)], [[" ".join(["the"] * m + ["end"])]], 1)
    from fractions import Fraction

    return dict(p=str(Fraction(score.counts[0], score.totals[0])), k=k, m=m)


def brevity_penalty(c: int, r: int) -> dict[str, Any]:
    return dict(BP=_from_counts([c], [c], c, r), r=r)


def bleu_precisions(p: list[float], c: int, r: int) -> dict[str, Any]:
    counts, totals = [round(10_000 * value) for value in p], [10_000] * len(p)
    return dict(BP=_from_counts([1], [1], c, r), BLEU=_from_counts(counts, totals, c, r))


def bleu_inverse(p1: float, p2: float, c: int, r: int) -> dict[str, Any]:
    counts = [round(1e12 * p) for p in (p1, p2)]
    return dict(B=_from_counts(counts, [10**12] * 2, c, r), p1=p1, p2=p2)


def bleu_corpus(c1: int, a1: int, b1: int, c2: int, a2: int, b2: int) -> dict[str, float]:
    B1, B2 = _from_counts([a1, b1], [c1, c1 - 1], c1, c1), _from_counts([a2, b2], [c2, c2 - 1], c2, c2)
    c = c1 + c2
    return dict(B1=B1, B2=B2, average=(B1 + B2) / 2, B=_from_counts([a1 + a2, b1 + b2], [c, c - 2], c, c))


def derive_bleu_length(r: int) -> dict[str, Any]:
    words = [f"w{k}" for k in range(r)]
    cuts = sorted({2, r // 2 + 1, r - 1})
    extra = [*range(1, 4), r, 2 * r][: len(cuts)]

    def score(candidate: list[str]) -> float:
        return float(_scores([" ".join(candidate)], [[" ".join(words)]], 2).score) / 100

    return dict(
        B_cut=[score(words[:c]) for c in cuts],
        B_long=[score([*words, *["x"] * k]) for k in extra],
        c=cuts,
        k=extra,
    )


def diagnose_bleu_zero(candidate: str, reference: str) -> dict[str, Any]:
    from fractions import Fraction

    score = _scores([candidate], [[reference]], 4)
    positive = [k for k in range(1, 5) if _scores([candidate], [[reference]], k).score > 0]
    problem = "words" if not positive else "short" if score.totals[3] == 0 else "order"
    return dict(p1=str(Fraction(score.counts[0], score.totals[0])), k=max(positive, default=0), problem=problem)


def debug_bleu_clip(candidate: str, references: list[str], program: str) -> dict[str, Any]:
    from fractions import Fraction

    score = _scores([candidate], [references], 1)
    m, w = score.counts[0], score.totals[0]
    if "len(counts)" in program:
        return dict(line=7, printed=str(Fraction(m, len(set(candidate.split())))), fixed=str(Fraction(m, w)))
    summed = _scores([candidate], [[" ".join(references)]], 1).counts[0]  # of one text that has the words of both
    return dict(line=6, printed=str(Fraction(summed, w)), fixed=str(Fraction(m, w)))


def decide_bleu_candidate(reference: str, first: str, second: str, third: str) -> dict[str, Any]:
    scores = [float(_scores([candidate], [[reference]], 2).score) / 100 for candidate in (first, second, third)]
    return dict(B1=scores[0], B2=scores[1], B3=scores[2], best=1 + scores.index(max(scores)))
