"""Transformers that read and write text."""
