"""Batch normalization: drills about layer and group normalization."""

from random import Random
from typing import Any

from quizzes.content.training_deep_cnns.batch_normalization.drills.shared import BY_VARIANCE
from quizzes.content.training_deep_cnns.batch_normalization.formulas import (
    GROUP_NORM,
    LAYER_NORM,
    NORM_SIZES,
    channel_groups,
    normalize,
)
from quizzes.drill import Inputs, Mistake, drill
from quizzes.question import Step


def _group_steps(X: list[Any], G: int, epsilon: float, Y: list[Any]) -> list[Step]:
    steps = []
    for group in channel_groups(len(X), G):
        values = [value for channel in group for value in X[channel]]
        mean = sum(values) / len(values)
        variance = sum((value - mean) ** 2 for value in values) / len(values)
        names = ", ".join(str(channel + 1) for channel in group)
        statistics = f"mean {mean:.6g} and variance {variance:.6g} over {len(values)} values"
        steps.append(
            Step(f"Channels {names}: {statistics}. Subtract the mean, then divide by sqrt(variance + epsilon).")
        )
    return steps


@drill(
    LAYER_NORM,
    id="ln-in-gn:layer-norm",
    tier=2,
    asks=("mu", "v", "Y"),
    visualization="matrices X",
    prompt="Layer norm over the features, with scale 1, shift 0 and epsilon = {epsilon}, receives the batch X = {X}. "
    "Rows are samples and columns are features.\n"
    "What are the means mu, the variances v and the output Y?\n"
    "Conventions: v is divided by the number of features; epsilon is added to the variance, inside the square root.",
    hint="Does layer norm average over rows or over columns?",
    mistakes=[
        Mistake(
            "across-the-batch",
            "mu[k] = mean(n, X[n, k]); v[k] = mean(n, (X[n, k] - mean(j, X[j, k]))^2); Y[n, k] = (X[n, k] - mean(j, "
            "X[j, "
            "k]))/sqrt(mean(j, (X[j, k] - mean(h, X[h, k]))^2) + epsilon)",
            "That is batch norm, over the samples. Layer norm normalizes each sample (row) over its features.",
        ),
        Mistake(
            "unbiased",
            "v[n] = sum(k, (X[n, k] - mu[n])^2)/(d - 1)",
            "You divided by one less than the number of features. Layer norm uses the biased variance, so divide by "
            "their "
            "number.",
        ),
        Mistake("by-variance", "Y[n, k] = (X[n, k] - mu[n])/(v[n] + epsilon)", BY_VARIANCE),
        Mistake(
            "mean-only",
            "Y[n, k] = X[n, k] - mu[n]",
            "You only subtracted the mean. Divide by the standard deviation as well.",
        ),
    ],
)
def layer_norm(rng: Random) -> Inputs:
    """Layer norm of two samples"""
    features = rng.choice([3, 4])
    return dict(X=[[rng.randint(-3, 8) for _ in range(features)] for _ in range(2)], epsilon=0)


@drill(
    GROUP_NORM,
    id="ln-in-gn:group-norm",
    tier=2,
    asks="Y",
    visualization="matrices X",
    steps=_group_steps,
    prompt="Group norm with {G} groups, scale 1, shift 0 and epsilon = {epsilon} receives one sample with {channels} "
    "channels, X = {X}. Rows are channels and columns are pixels.\n"
    "Conventions: adjacent channels form a group; the variance is divided by the number of values; epsilon is added "
    "to the variance, inside the square root.",
    hints=(
        "Which values share a mean and a variance?",
        "Use the mean and the variance of the value's own group:\n  y = (x - mean)/sqrt(variance + epsilon)",
        "First step: write down the values of the first group, all pixels of its channels. What are their "
        "mean and variance?",
    ),
    mistakes=[
        Mistake(
            "each-channel-alone",
            {"Y": lambda X, G, epsilon: normalize(X, channel_groups(len(X), len(X)), epsilon)},
            "That is instance norm, one channel at a time. Group norm normalizes all channels of a group together.",
        ),
        Mistake(
            "all-channels-together",
            {"Y": lambda X, G, epsilon: normalize(X, channel_groups(len(X), 1), epsilon)},
            "That is layer norm, all channels together. In group norm each group has its own mean and variance.",
        ),
        Mistake(
            "every-other-channel",
            {"Y": lambda X, G, epsilon: normalize(X, [range(g, len(X), G) for g in range(G)], epsilon)},
            "You put every other channel in a group. Groups are adjacent channels, the first two and then the next "
            "two.",
        ),
        Mistake(
            "unbiased",
            {"Y": lambda X, G, epsilon: normalize(X, channel_groups(len(X), G), epsilon, correction=1)},
            "You used the unbiased variance. Group norm divides by the number of values.",
        ),
    ],
)
def group_norm(rng: Random) -> Inputs:
    """Group norm of one sample"""
    channels, pixels = 4, rng.choice([2, 2, 3])
    return dict(
        X=[[rng.randint(0, 9) for _ in range(pixels)] for _ in range(channels)], G=2, epsilon=0, channels=channels
    )


@drill(
    NORM_SIZES,
    id="ln-in-gn:sizes",
    tier=1,
    asks=("M_layer", "M_instance", "M_group", "P_layer", "P_group"),
    prompt="A batch of N = {N} images with C = {C} channels of size HxW = {H}x{W} is normalized with PyTorch, with "
    "scale and shift. Compare layer norm over each image (normalized_shape=[{C}, {H}, {W}]), instance norm, and group "
    "norm with G = {G} groups.\n"
    "Over how many values is each mean computed (M_layer, M_instance, M_group), and how many parameters do layer norm "
    "and group norm have (P_layer, P_group)?",
    hint="None of the three averages over the batch. How many channels share a mean?",
    mistakes=[
        Mistake(
            "batch-too",
            "M_layer = N*C*H*W; M_instance = N*H*W; M_group = N*c*H*W",
            "You averaged over the batch too. All three average within one image, so do not multiply by N.",
        ),
        Mistake(
            "groups-for-their-size",
            "M_group = G*H*W",
            "You used G as the group size. G is the number of groups, so a group has C/G channels and C/G H W values.",
        ),
        Mistake(
            "pixels-left-out",
            "M_layer = C; M_group = c",
            "You counted the channels only. Every pixel of a channel is a value, so multiply by H W.",
        ),
        Mistake(
            "layer-norm-per-channel",
            "P_layer = 2*C",
            "You counted parameters per channel. PyTorch's layer norm has a scale and a shift per element, so "
            "P_layer = 2 C H "
            "W.",
        ),
        Mistake(
            "one-of-two",
            "P_layer = C*H*W; P_group = C",
            "You counted the scale only. There is a shift too, so multiply by 2.",
        ),
        Mistake(
            "group-norm-per-group",
            "P_group = 2*G",
            "You counted parameters per group. Group norm has a scale and a shift per channel, so P_group = 2 C.",
        ),
    ],
)
def norm_sizes(rng: Random) -> Inputs:
    """Averages of layer, instance and group norm"""
    size, C = rng.choice([4, 7, 8, 14, 16, 28]), rng.choice([16, 32, 48, 64, 96])
    return dict(N=rng.choice([6, 10, 12, 20, 32]), C=C, H=size, W=size, G=rng.choice([2, 4, 8]))
