"""Networks of dense layers alone."""
