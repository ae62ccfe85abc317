"""The named entities of the sentences of a grammar, with BIO tags."""

from workbench.tasks.tagging import Tagging

TASK = Tagging(
    data="entities",
    title="tag the named entities of a sentence (BIO)",
    inputs=dict(words="int64[length]"),
    outputs=dict(logits="float32[length, classes]"),
    metrics=dict(f1="max", precision="max", recall="max", accuracy="max"),
    accepts="tags",
)
