"""The command line: a file a noun, each imported only when its command is called."""
