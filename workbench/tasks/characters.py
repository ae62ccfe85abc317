"""Prediction of the next character of a text."""

from workbench.tasks.language_modeling import LanguageModeling

TASK = LanguageModeling(
    data="help-topics",
    title="predict the next character of a text",
    inputs=dict(tokens="int64[length]"),
    outputs=dict(logits="float32[length, vocabulary]"),
    metrics=dict(perplexity="min", bits_per_character="min", accuracy="max"),
    accepts="text",
)
