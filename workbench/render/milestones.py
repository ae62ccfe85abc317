"""Networks and ideas that the registry's families build on and that are not in the registry themselves."""

from typing import Any

MILESTONES: dict[str, dict[str, Any]] = {
    "perceptron": dict(
        year=1958,
        paper="Rosenblatt, Psychological Review 65(6)",
        contribution="A neuron that learns from examples: each wrong answer moves its weights toward the correct one.",
    ),
    "network-in-network": dict(
        year=2013,
        paper="arXiv:1312.4400",
        contribution="A small network, made of 1x1 convolutions, slides over the input in place of a linear kernel. "
        "Global average pooling computes the class scores.",
        builds_on=("alexnet",),
    ),
    "depthwise-separable": dict(
        year=2014,
        paper="Sifre, PhD thesis, École Polytechnique",
        contribution="A convolution in two steps: each channel is filtered by itself, then a 1x1 convolution combines "
        "the channels.",
    ),
    "senet": dict(
        year=2017,
        paper="arXiv:1709.01507",
        contribution="Squeeze-and-excitation: a block rescales its channels by factors that are computed from the "
        "global average of each channel.",
        builds_on=("resnet",),
    ),
    "mnasnet": dict(
        year=2018,
        paper="arXiv:1807.11626",
        contribution="A search over MobileNet-like blocks for high accuracy and low latency, measured on a phone.",
        builds_on=("mobilenet-v2",),
    ),
}
