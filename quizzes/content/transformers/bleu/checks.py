"""BLEU: the drills' answers computed by PyTorch or another library."""

from typing import Any


def bleu_full(candidate: str, references: list[str]) -> dict[str, Any]:
    from fractions import Fraction

    from sacrebleu.metrics import BLEU as SacreBLEU

    score = SacreBLEU(tokenize="none", smooth_method="none").corpus_score([candidate], [[r] for r in references])
    p1, p2, p3, p4 = (str(Fraction(hit, total)) for hit, total in zip(score.counts, score.totals, strict=True))
    BP, BLEU = score.bp, score.score / 100
    return dict(p1=p1, p2=p2, p3=p3, p4=p4, BP=BP, BLEU=BLEU)
