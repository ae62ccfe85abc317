"""The claims of the notes, a file per chapter."""
