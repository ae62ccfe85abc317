"""Networks that detect objects: where they are, and of which class."""
