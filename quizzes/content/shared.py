"""Symbols and helpers of formulas of several chapters."""

from quizzes.symbols import Int

KERNEL_SIZE = Int(1, 100, "kernel size", unit="px")


IN_CHANNELS = Int(1, 100000, "number of input channels")


OUT_CHANNELS = Int(1, 100000, "number of output channels")
