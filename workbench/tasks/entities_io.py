"""The named entities of the sentences of a grammar, with IO tags, which merge entities that follow each other."""

from workbench.tasks.tagging import Tagging

TASK = Tagging(
    data="entities-io",
    title="tag the named entities of a sentence (IO)",
    inputs=dict(words="int64[length]"),
    outputs=dict(logits="float32[length, classes]"),
    metrics=dict(f1="max", precision="max", recall="max", accuracy="max"),
)
