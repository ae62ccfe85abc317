"""Where a person meets the questions of `quizzes` and the networks of `models`."""


class BadInput(ValueError):
    """Something a person or a file brought can't be used; the message is one sentence that says what to do."""
