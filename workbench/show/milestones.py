"""Networks and ideas that those of the registry build on and that aren't there themselves; a family that is, counts."""

from typing import Any

MILESTONES: dict[str, dict[str, Any]] = {
    "perceptron": dict(
        year=1958,
        paper="Rosenblatt, Psychological Review 65(6)",
        idea="A neuron that learns from examples: each wrong answer moves its weights towards the right one.",
    ),
    "neocognitron": dict(
        year=1980,
        paper="Fukushima, Biological Cybernetics 36(4)",
        idea="Layers that look for features everywhere take turns with layers that forget where exactly they were.",
    ),
    "alexnet": dict(
        year=2012,
        paper="Krizhevsky, Sutskever, Hinton, NIPS 25",
        idea="A far larger convolutional network, with ReLU, dropout and GPUs, learns from a million pictures.",
        builds_on=("lenet5",),
    ),
    "vgg": dict(
        year=2014,
        paper="arXiv:1409.1556",
        idea="Only 3x3 convolutions, and many of them: depth instead of large filters.",
        builds_on=("alexnet",),
    ),
    "googlenet": dict(
        year=2014,
        paper="arXiv:1409.4842",
        idea="Filters of several sizes side by side in every block, made affordable by 1x1 convolutions before them.",
        builds_on=("alexnet",),
    ),
    "depthwise-separable": dict(
        year=2014,
        paper="Sifre, PhD thesis, École Polytechnique",
        idea="A convolution in two steps: each channel is filtered by itself, then the channels are combined.",
    ),
    "transformer": dict(
        year=2017,
        paper="arXiv:1706.03762",
        idea="Attention alone: every place asks all others what they hold, without recurrence or convolution.",
    ),
    "senet": dict(
        year=2017,
        paper="arXiv:1709.01507",
        idea="A block's channels are weighed anew by what all of them see over the whole picture.",
        builds_on=("resnet",),
    ),
    "mnasnet": dict(
        year=2018,
        paper="arXiv:1807.11626",
        idea="A search over blocks of MobileNet's kind, for accuracy and for the time measured on a phone.",
        builds_on=("mobilenet-v2",),
    ),
    "vit": dict(
        year=2020,
        paper="arXiv:2010.11929",
        idea="A picture is cut into patches, and a transformer reads them like words.",
        builds_on=("transformer",),
    ),
    "swin": dict(
        year=2021,
        paper="arXiv:2103.14030",
        idea="Attention within windows that move from layer to layer, over maps that shrink with depth.",
        builds_on=("vit",),
    ),
}
