"""Prediction of the next byte pair of a text."""

from workbench.tasks.language_modeling import LanguageModeling

TASK = LanguageModeling(
    data="help-topics-bpe",
    title="predict the next byte pair of a text",
    inputs=dict(tokens="int64[length]"),
    outputs=dict(logits="float32[length, vocabulary]"),
    metrics=dict(perplexity="min", bits_per_character="min", accuracy="max"),
    accepts="byte-pairs",
)
