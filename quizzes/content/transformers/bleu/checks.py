"""Checks of the drills about BLEU."""

from typing import Any


def bleu_full(candidate: str, references: list[str]) -> dict[str, Any]:
    from fractions import Fraction

    from sacrebleu.metrics.bleu import BLEU

    metric = BLEU(tokenize="none", smooth_method="none")
    score = metric.corpus_score([candidate], [[reference] for reference in references])
    p1, p2, p3, p4 = (str(Fraction(count, total)) for count, total in zip(score.counts, score.totals, strict=True))
    return dict(p1=p1, p2=p2, p3=p3, p4=p4, BP=score.bp, BLEU=score.score / 100)
