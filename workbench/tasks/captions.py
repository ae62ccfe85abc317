"""Sentences about images of two shapes."""

from workbench.tasks.captioning import Captioning

TASK = Captioning(
    data="scene-captions",
    title="describe an image in a sentence",
    inputs=dict(image="float32[3, 32, 32]", captions="int64[captions, length]"),
    outputs=dict(logits="float32[captions, length, vocabulary]"),
    metrics=dict(bleu="max", exact="max", names="max"),
)
