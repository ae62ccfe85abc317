"""The terminal app: screens that show what `study` and `engine` hold, and widgets they share."""
