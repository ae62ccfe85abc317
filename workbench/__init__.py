"""The app and the command line, and everything they use except `quizzes` and `models`."""
