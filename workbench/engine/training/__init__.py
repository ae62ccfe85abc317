"""Training: the state of a run, its updates, what it reports and what it saves. Only the worker imports this."""
