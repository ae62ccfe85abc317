"""Symbols and helpers of formulas of several topics: classification."""

from quizzes.symbols import Real

ZERO_LN_ZERO = "0 ln 0 counts as 0, its limit."


SAMPLE_LOSS = Real(meaning="loss of the sample")
