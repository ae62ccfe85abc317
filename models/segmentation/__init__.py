"""Networks that segment images: a class for each pixel, or a mask for each object."""
