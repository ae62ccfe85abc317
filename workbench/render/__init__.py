"""Rich renderables and text that the app and the command line share."""
