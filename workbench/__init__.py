"""The workbench: the app and the command line, and everything they use besides `quizzes` and `models`."""
