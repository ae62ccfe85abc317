"""Fully connected against convolutional layers."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.cnn_costs import FC_AFTER_FLATTEN, FC_VS_CONV


@drill(
    FC_AFTER_FLATTEN,
    tier=1,
    asks="P | C",
    visualization="flow: {H} x {W} x {C} > flatten > ? values > dense > {u}",
    prompt="A map of {H} x {W} x {C} (height x width x depth) is flattened and passes a dense layer of {u} neurons, "
    "each with a bias. The layer has {P} parameters.",
    hint="Every neuron is connected to every value of the map.",
)
def fc_after_flatten(rng: Random) -> dict[str, Any]:
    """A dense layer on a flattened map"""
    H = rng.choice([4, 5, 6, 7, 8, 14])
    return dict(
        H=H,
        W=rng.choice([w for w in (4, 5, 6, 7, 8, 10, 12, 14) if w != H]) if rng.random() < 0.5 else H,
        C=rng.choice([3, 16, 32, 64, 128, 256, 512]),
        u=rng.choice([10, 64, 84, 100, 120, 128, 256, 512, 1000, 4096]),
    )


fc_after_flatten.mistake(
    "no-positions",
    "P = (C + 1)*u",
    "Flattening keeps every position: a neuron has H W C weights, and not one for each channel only.",
)
fc_after_flatten.mistake(
    "one-side", "P = (H*C + 1)*u", "A map has two sides: H W positions, and C values at each of them."
)
fc_after_flatten.mistake("no-bias", "P = H*W*C*u", "Every neuron has a bias beside its weights: add 1 for each.")
fc_after_flatten.mistake(
    "bias-for-each-input",
    "P = H*W*C*(u + 1)",
    "Biases belong to the neurons, u in all, and not to the values that come in.",
)
fc_after_flatten.torch(
    """
x = torch.empty(1, C, H, W, device="meta").flatten(1)
P = sum(w.numel() for w in torch.nn.Linear(x.shape[1], u, device="meta").parameters())
"""
)


@drill(
    FC_VS_CONV,
    tier=2,
    asks="D P",
    prompt="A colour image of {H} x {W} x {C} (height x width x depth) can go into a dense layer of {u} neurons or "
    "into a convolution with {u} filters of {f} x {f}. Both have biases. How many parameters does the dense layer "
    "have (D), and how many the convolution (P)?",
    hint="Count the weights of one neuron and of one filter, add the bias, then multiply.",
)
def fc_vs_conv_params(rng: Random) -> dict[str, Any]:
    """A dense layer against a convolution"""
    H = rng.choice([28, 32, 48, 64, 96, 100, 128, 200, 224, 256, 300])
    return dict(
        H=H,
        W=rng.choice([H, H, 2 * H]),
        C=rng.choice([3, 3, 4]),
        f=rng.choice([3, 5, 7, 11]),
        u=rng.choice([10, 16, 32, 64, 100, 128]),
    )


fc_vs_conv_params.mistake(
    "dense-no-channels", "D = (H*W + 1)*u", "A neuron has a weight for each channel of each pixel: H W C in all."
)
fc_vs_conv_params.mistake("dense-no-bias", "D = H*W*C*u", "Every neuron has a bias beside its weights: add 1 for each.")
fc_vs_conv_params.mistake(
    "filter-no-channels", "P = (f^2 + 1)*u", "A filter reaches through all channels: f^2 C weights, not f^2."
)
fc_vs_conv_params.mistake(
    "filter-no-bias", "P = f^2*C*u", "Every filter has a bias beside its weights: add 1 for each."
)
fc_vs_conv_params.mistake(
    "filter-at-every-pixel",
    "P = (f^2*C + 1)*u*H*W",
    "All positions share one filter's weights: the size of the image plays no part.",
)
fc_vs_conv_params.torch(
    """
dense = torch.nn.Linear(torch.empty(1, C, H, W, device="meta").flatten(1).shape[1], u, device="meta")
convolution = torch.nn.Conv2d(C, u, f, device="meta")
D, P = (sum(w.numel() for w in layer.parameters()) for layer in (dense, convolution))
"""
)
