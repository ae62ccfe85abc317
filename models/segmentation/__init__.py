"""Networks that segment images: a class or an object for each pixel."""
