"""Networks and ideas that those of the registry build on and that aren't there themselves."""

from typing import Any

MILESTONES: dict[str, dict[str, Any]] = {
    "perceptron": dict(
        year=1958,
        paper="Rosenblatt, Psychological Review 65(6)",
        idea="A neuron that learns from examples: each wrong answer moves its weights towards the right one.",
    ),
    "network-in-network": dict(
        year=2013,
        paper="arXiv:1312.4400",
        idea="A small network slides where a filter did, which is 1x1 convolutions; the scores are means over maps.",
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
