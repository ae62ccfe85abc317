"""The time limit for waiting in tests: a busy machine may need minutes, and only a program that hangs needs more."""

PATIENCE = 900  # seconds
