"""When to ask what: the FSRS schedule, and a session of questions."""
