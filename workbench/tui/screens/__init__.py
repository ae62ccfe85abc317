"""The screens, a file each, with the stylesheet of each beside it."""
