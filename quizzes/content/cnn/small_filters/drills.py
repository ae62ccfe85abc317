"""Stacked 3x3 filters: drills."""

from random import Random

from quizzes.content.cnn.small_filters.formulas import SMALL_FILTERS
from quizzes.drill import Inputs, Mistake, drill


@drill(
    SMALL_FILTERS,
    id="stack-3x3-vs-5x5",
    tier=2,
    asks=("r", "W", "B", "q"),
    decimals=2,
    prompt="A stack has L = {L} convolutions with 3x3 kernels, all at stride 1 with C = {C} input and output "
    "channels. A single convolution with C input and output channels has the same receptive field size r.\n"
    "What are the receptive field size r of the stack, its number of weights W, the number of weights B of the single "
    "convolution, and the percentage q of B that the stack saves?\n"
    "Conventions: no biases.",
    hint="By how many pixels does each 3x3 layer enlarge the receptive field?",
    mistakes=[
        Mistake(
            "three-a-layer",
            "r = 3*L",
            "You added 3 pixels per layer. Adjacent windows overlap, so each layer adds 2 pixels and r = 2L + 1.",
        ),
        Mistake(
            "no-centre",
            "r = 2*L",
            "You left out the center pixel. The receptive field has 1 pixel before any layer, so r = 2L + 1.",
        ),
        Mistake(
            "one-layer",
            "W = 9*C^2",
            "You counted one layer. Every layer of the stack has its own weights, so multiply by L.",
        ),
        Mistake(
            "stack-channels-once",
            "W = 9*L*C",
            "You counted the channels once. Each of the C filters spans C input channels, so a layer has 9 C^2 "
            "weights.",
        ),
        Mistake(
            "large-channels-once",
            "B = r^2*C",
            "You counted the channels once. Each of the C filters spans C input channels, so B = r^2 C^2.",
        ),
        Mistake(
            "stack-biases",
            "W = 9*L*C^2 + L*C",
            "You counted biases. The convention here is no biases, so count the weights only.",
        ),
        Mistake(
            "large-biases",
            "B = r^2*C^2 + C",
            "You counted biases. The convention here is no biases, so count the weights only.",
        ),
        Mistake(
            "share-that-stays",
            "q = 100*W/B",
            "You gave the fraction that the stack still has. The saving is the rest, so subtract from 100.",
        ),
        Mistake(
            "of-the-stack",
            "q = 100*(B/W - 1)",
            "You divided by the weights of the stack. The saving is relative to the single convolution, so divide B "
            "- W by B.",
        ),
    ],
)
def stack_3x3_vs_5x5(rng: Random) -> Inputs:
    """Stack of 3x3 convolutions and one large kernel"""
    return dict(L=rng.choice([2, 2, 3, 3, 4, 5]), C=rng.choice([8, 16, 24, 32, 48, 64, 96, 128, 256, 512]))
