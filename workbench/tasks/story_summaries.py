"""Summaries of stories."""

from workbench.tasks.completions import Completions

TASK = Completions(
    data="story-summaries",
    title="summarize a story",
    inputs=dict(tokens="int64[length]"),
    outputs=dict(logits="float32[length, vocabulary]"),
    metrics=dict(rouge_l="max", exact_match="max", token_accuracy="max"),
)
