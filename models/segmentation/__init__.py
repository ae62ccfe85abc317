"""Networks that segment images: a class, an instance, or both, for each pixel."""
