"""Symbols and sources of formulas of several vision transformers."""

from quizzes.symbols import Int

VIT_SOURCE = "Dosovitskiy et al., An Image is Worth 16x16 Words, 2020 (arXiv:2010.11929), section 3.1"

BLOCK_SOURCE = (
    "derivation: queries, keys, values and the output projection have 4(d^2 + d) parameters, an MLP of ratio m has "
    "2 m d^2 + (m + 1) d, and two layer normalizations have 4 d"
)

LAYER_COST_SOURCE = (
    "derivation: per token, the four projections take 4 d^2 MACs and an MLP of ratio m takes 2 m d^2; the scores Q K^T "
    "and the weighted sum of the values take N^2 d each, whatever the number of heads"
)

IMAGE = Int(1, 100000, "image size", unit="px")

PATCH = Int(1, 1000, "patch size", unit="px")

WIDTH = Int(1, 100000, "width of a token")

LAYERS = Int(1, 1000, "number of blocks")

MLP_RATIO = Int(1, 16, "MLP ratio: hidden width of the MLP divided by the width", default=4)

CHANNELS = Int(1, 1000, "number of image channels", default=3)

CLASSES = Int(0, 1000000, "number of classes, 0 for no head", default=1000)

CLASS_TOKEN = Int(0, 1, "1 with a class token, 0 without", default=1)

MAC_COUNTS = "Multiplications by weights and in attention; biases, normalization and softmax are not counted."
