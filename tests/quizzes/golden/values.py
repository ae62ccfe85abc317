"""Golden values: comparing them, and evaluating mistakes."""

from fractions import Fraction

import pytest


def approx(value):
    """Return an approximate value, to the four decimal places of the table; a list element-wise.

    A text is a fraction, such as 2/15, or a label.
    """
    if isinstance(value, list):
        return [approx(v) for v in value]
    if isinstance(value, str):
        return Fraction(value) if "/" in value else value
    small = isinstance(value, float) and abs(value) < 0.01
    return pytest.approx(value, rel=1e-3) if small else pytest.approx(value, abs=6e-5)


def evaluate_with_mistake(drill, mistake, **inputs):
    """Return the answers that a mistake leads to."""
    formula = drill.formula
    values = formula.evaluate(formula.complete(inputs))
    rule = next(rule for rule in drill.mistake_rules if rule.name == mistake)
    return formula.evaluate_with_mistake(rule.replaced, values, drill.asks)
