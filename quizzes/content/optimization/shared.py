"""Symbols and helpers of formulas of several topics: optimization."""

from typing import Any

from quizzes.symbols import Real

# One step of an optimizer.
GRADIENT_STEP: dict[str, Any] = dict(
    theta_prior=Real(meaning="parameter before the step"),
    g=Real(meaning="gradient"),
    eta=Real(0, meaning="learning rate", default=0.01),
    theta=Real(meaning="updated parameter"),
)
