"""Prediction of the next byte pair of stories: what a network is trained on before it answers or summarizes."""

from workbench.tasks.characters import LanguageModeling

TASK = LanguageModeling(
    data="stories",
    title="predict the next byte pair of a story",
    inputs=dict(tokens="int64[length]"),
    outputs=dict(logits="float32[length, vocabulary]"),
    metrics=dict(perplexity="min", bits_per_character="min", accuracy="max"),
)
