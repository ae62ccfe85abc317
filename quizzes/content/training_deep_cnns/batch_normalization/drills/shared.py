"""Batch normalization: helpers of several files of drills."""

BY_VARIANCE = "You divided by the variance. Divide by the square root of variance plus epsilon."
