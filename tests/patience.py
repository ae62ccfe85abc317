"""How long a test waits for what must come: a busy machine may need minutes, and only a hung program needs more."""

PATIENCE = 900  # seconds
