"""ImageNet and evaluation: formulas."""

from typing import Any

from quizzes.formula import Formula
from quizzes.symbols import Int, Matrix, Rational, Vector
from workbench.errors import UserError


def hits_within(scores: list[Any], y: list[Any], k: int) -> int:
    """Return the number of samples whose true class (from 1) is among the k highest scores.

    Raises:
        UserError: If the classes do not match the scores, or a sample has equal scores.
    """
    if len(scores) != len(y):
        raise UserError(f"y must have length {len(scores)}, one true class per sample, not {len(y)}.")
    if any(not 1 <= true <= len(row) or len(set(row)) < len(row) for row, true in zip(scores, y, strict=True)):
        raise UserError("Classes are numbered from 1, and the scores of a sample must all differ.")
    return sum(row[true - 1] in sorted(row)[-k:] for row, true in zip(scores, y, strict=True)) if k else 0


def _hits(scores: list[Any], y: list[Any], k: int) -> dict[str, int]:
    return {"N": len(y), "hits1": hits_within(scores, y, 1), "hitsk": hits_within(scores, y, k)}


TOP_K_ERROR = Formula(
    "top-k-error",
    """
    E1 = (N - hits1)/N
    Ek = (N - hitsk)/N
    """,
    title="Top-1 and top-k error",
    source="Russakovsky et al., ImageNet Large Scale Visual Recognition Challenge, 2015 (arXiv:1409.0575)",
    procedure=_hits,
    procedure_outputs="N hits1 hitsk",
    scores=Matrix(meaning="class scores, a row per sample"),
    y=Vector(1, meaning="true class of each sample, numbered from 1"),
    k=Int(1, 1000, "number of top-scoring classes that count", default=5),
    N=Int(1, meaning="number of samples"),
    hits1=Int(0, meaning="number of samples whose true class has the highest score"),
    hitsk=Int(0, meaning="number of samples whose true class is among the k highest scores"),
    E1=Rational(meaning="top-1 error"),
    Ek=Rational(meaning="top-k error"),
)
