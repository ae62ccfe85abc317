"""What the app and the command line both draw, as Rich renderables."""
