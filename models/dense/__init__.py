"""Networks of dense layers only."""
