"""Autoencoders: networks that encode an image as a few numbers, and decode these into an image again."""
