"""Fully connected against convolutional: drills."""

from random import Random

from quizzes.content.cnn.fc_vs_cnn.formulas import FC_AFTER_FLATTEN, FC_VS_CONV
from quizzes.drill import Inputs, Mistake, drill, one_of


@drill(
    FC_AFTER_FLATTEN,
    tier=1,
    asks=one_of("P", "C"),
    visualization="flow: {H}x{W}x{C} > flatten > ? values > dense > {u}",
    prompt="A feature map of shape {H}x{W}x{C} (HxWxC) is flattened and fed to a dense layer of {u} neurons with "
    "biases. The number of parameters of the dense layer is {P}.",
    hint="How many inputs does each neuron have?",
    mistakes=[
        Mistake(
            "no-positions",
            "P = (C + 1)*u",
            "You left out the positions. Flattening keeps them all, so each neuron has height x width x channels "
            "weights.",
        ),
        Mistake(
            "one-side",
            "P = (H*C + 1)*u",
            "You left out the width. The feature map has height x width positions, so multiply by the width too.",
        ),
        Mistake("no-bias", "P = H*W*C*u", "You left out the biases. Every neuron has one, so add 1 for each neuron."),
        Mistake(
            "bias-for-each-input",
            "P = H*W*C*(u + 1)",
            "You counted one bias per input. Biases belong to the neurons, so add one per neuron.",
        ),
    ],
)
def fc_after_flatten(rng: Random) -> Inputs:
    """Parameters of a dense layer after flattening"""
    H = rng.choice([4, 5, 6, 7, 8, 14])
    return dict(
        H=H,
        W=rng.choice([w for w in (4, 5, 6, 7, 8, 10, 12, 14) if w != H]) if rng.random() < 0.5 else H,
        C=rng.choice([3, 16, 32, 64, 128, 256, 512]),
        u=rng.choice([10, 64, 84, 100, 120, 128, 256, 512, 1000, 4096]),
    )


@drill(
    FC_VS_CONV,
    tier=2,
    asks=("D", "P"),
    prompt="The input is an image of shape {H}x{W}x{C} (HxWxC). Compare a dense layer of {u} neurons on the flattened "
    "image with a convolution with {u} filters of size {f}x{f}. Both have biases.\n"
    "How many parameters do the dense layer (D) and the convolution (P) have?",
    hint="How many weights does one neuron have, and how many does one filter have? Add the bias, then multiply.",
    mistakes=[
        Mistake(
            "dense-no-channels",
            "D = (H*W + 1)*u",
            "You left out the channels. A neuron has one weight per channel of each pixel, so multiply by the number "
            "of "
            "channels.",
        ),
        Mistake(
            "dense-no-bias", "D = H*W*C*u", "You left out the biases. Every neuron has one, so add 1 for each neuron."
        ),
        Mistake(
            "filter-no-channels",
            "P = (f^2 + 1)*u",
            "You left out the channels. A filter spans all of them, so multiply the kernel area by their number.",
        ),
        Mistake(
            "filter-no-bias", "P = f^2*C*u", "You left out the biases. Every filter has one, so add 1 for each filter."
        ),
        Mistake(
            "filter-at-every-pixel",
            "P = (f^2*C + 1)*u*H*W",
            "You multiplied by the number of positions. All positions share the weights of a filter, so leave that "
            "factor out.",
        ),
    ],
)
def fc_vs_conv_params(rng: Random) -> Inputs:
    """Parameters of a dense layer and a convolution"""
    H = rng.choice([28, 32, 48, 64, 96, 100, 128, 200, 224, 256, 300])
    return dict(
        H=H,
        W=rng.choice([H, H, 2 * H]),
        C=rng.choice([3, 3, 4]),
        f=rng.choice([3, 5, 7, 11]),
        u=rng.choice([10, 16, 32, 64, 100, 128]),
    )
