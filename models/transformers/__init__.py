"""Transformers: encoder and decoder, encoders alone, decoders alone."""
