"""Masked autoencoder: drills about masking, the loss, parameters and costs."""

from random import Random
from typing import Any

from quizzes.content.vision_transformers.mae.formulas import (
    MAE_COST,
    MAE_LOSS,
    MAE_PARAMS,
    MAE_SHUFFLE,
    MAE_TARGET,
    MAE_TOKENS,
    MAE_VISIBLE,
)
from quizzes.drill import Inputs, Mistake, drill, one_of
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step


@drill(
    MAE_TOKENS,
    id="mae-visible",
    tier=1,
    asks=("v", "m", "enc", "dec"),
    prompt="A masked autoencoder divides an image of size {image}x{image} into patches of size {patch}x{patch}, and "
    "masks the share r = {r} of them. Encoder and decoder also have a class token.\n"
    "How many patches are visible (v), and how many does the loss average over (m)? How many tokens does the encoder "
    "process (enc), and how many the decoder (dec)?",
    hint="Which patches does the encoder see? Which ones must the decoder output?",
    mistakes=[
        Mistake("masked-for-visible", "v = floor(N*r)", "Those are masked. The share 1 - r of the patches is visible."),
        Mistake("loss-on-all", "m = N", "The loss is computed on masked patches only."),
        Mistake("loss-on-visible", "m = v", "The visible patches are the input. The loss is on the masked ones."),
        Mistake(
            "encoder-sees-all", "enc = N + cls", "The encoder processes visible patches only, and the class token."
        ),
        Mistake("class-token-left-out", "enc = v; dec = N", "You left out the class token."),
        Mistake(
            "masked-in-decoder",
            "dec = m + cls",
            "The decoder also processes the encoded visible patches, so it has a token for every patch.",
        ),
    ],
)
def mae_visible(rng: Random) -> Inputs:
    """Visible and masked patches"""
    patch = rng.choice([4, 8, 14, 16, 32])
    image, r = patch * rng.choice([4, 6, 8, 10, 12, 14, 16, 20]), rng.choice([0.25, 0.4, 0.5, 0.6, 0.75, 0.8, 0.9])
    return dict(image=image, patch=patch, r=r)


@drill(
    MAE_VISIBLE,
    id="mae-visible:inverse",
    tier=1,
    asks=one_of("v", "r", "N"),
    prompt="A masked autoencoder divides an image into N = {N} patches and masks the share r = {r} of them. {v} "
    "patches "
    "are visible.",
    hint="Which share of the patches is visible?",
    mistakes=[
        Mistake("masked-for-visible", "v = N*r", "r is the masked share. The visible share is 1 - r."),
        Mistake("divided", "v = N/(1 + r)", "You divided by 1 + r. Multiply by 1 - r."),
        Mistake("ratio-of-both", "v = N*(1 - r)/r", "You divided by the masked share. Both shares are of all patches."),
        Mistake("with-class-token", "v = N*(1 - r) + 1", "You added the class token. It is not a patch."),
    ],
    digits={"r": 4},
)
def mae_visible_inverse(rng: Random) -> Inputs:
    """Mask ratio"""
    r = rng.choice([0.2, 0.25, 0.4, 0.6, 0.75, 0.8, 0.9])
    N = rng.choice([4, 6, 8, 10, 12, 14, 15, 16, 20, 24]) ** 2
    if (N * round(100 * r)) % 100:
        raise UndefinedValue("the number of visible patches must be an integer")
    return dict(N=N, r=r)


@drill(
    MAE_LOSS,
    id="mae-visible:loss",
    tier=1,
    asks=("count", "L"),
    prompt="A masked autoencoder reconstructs the patches of an image with the mean squared errors err = {err}. The "
    "mask is {mask} (1 for a masked patch).\n"
    "Over how many patches does the loss average (count), and what is the loss L?",
    hint="Which patches does the encoder not see?",
    mistakes=[
        Mistake(
            "all-patches", "L = mean(i, err[i])", "You averaged over all patches. The loss is on masked patches only."
        ),
        Mistake(
            "divided-by-all",
            "L = sum(i, mask[i]*err[i])/len(err)",
            "You divided by the number of all patches. Divide by the number of masked ones.",
        ),
        Mistake(
            "visible-patches",
            "L = sum(i, (1 - mask[i])*err[i])/(len(err) - count)",
            "Those are the visible patches, which are the input.",
        ),
        Mistake("sum-for-mean", "L = sum(i, mask[i]*err[i])", "You added up the errors. The loss is their mean."),
        Mistake(
            "visible-counted",
            "count = len(err) - sum(i, mask[i])",
            "You counted the zeros of the mask. 1 means masked.",
        ),
    ],
)
def mae_loss(rng: Random) -> Inputs:
    """Loss on masked patches"""
    n = rng.choice([6, 8])
    masked = rng.choice([k for k in range(2, n) if 2 * k != n])
    mask = [1] * masked + [0] * (n - masked)
    rng.shuffle(mask)
    return dict(err=[rng.randint(2, 40) / 20 if bit else rng.randint(20, 80) / 20 for bit in mask], mask=mask)


@drill(
    MAE_TARGET,
    id="mae-visible:target",
    tier=2,
    asks=("mu", "var", "t", "L"),
    prompt="A masked autoencoder predicts normalized pixels. A masked patch has the pixels x = {x}, and the decoder "
    "outputs y = {y} for it.\n"
    "What are the mean mu and the variance var of the patch, its target t, and the loss L of the patch?\n"
    "Conventions: the variance divides by the number of pixels minus 1, as in the official code; eps = {eps}.",
    hint="By which two numbers is each pixel of the patch normalized?",
    mistakes=[
        Mistake(
            "divided-by-n",
            "var = mean(i, (x[i] - mu)^2)",
            "You divided by the number of pixels. The official code divides by that number minus 1.",
        ),
        Mistake("not-centered", "t[i] = x[i]/sqrt(var + eps)", "Subtract the mean of the patch first."),
        Mistake("divided-by-variance", "t[i] = (x[i] - mu)/(var + eps)", "Divide by the standard deviation."),
        Mistake("raw-pixels", "L = mean(i, (y[i] - x[i])^2)", "The decoder predicts the normalized pixels."),
        Mistake("sum-for-mean", "L = sum(i, (y[i] - t[i])^2)", "You added up the squared errors. Take their mean."),
    ],
)
def mae_target(rng: Random) -> Inputs:
    """Normalized pixels"""
    x = [rng.randint(0, 20) / 20 for _ in range(4)]
    if len(set(x)) < 3 or abs(sum(x)) < 0.5:
        raise UndefinedValue("the pixels must differ")
    return dict(x=x, y=[rng.randint(-15, 15) / 10 for _ in range(4)], eps=0)


def _largest(noise: list[Any], k: int) -> list[int]:
    return sorted(range(len(noise)), key=lambda i: -noise[i])[:k]


def _first(noise: list[Any], k: int) -> list[int]:
    return list(range(k))


def _order(noise: list[Any], k: int) -> list[int]:
    return sorted(range(len(noise)), key=lambda i: noise[i])


def _shuffle_steps(
    noise: list[float], k: int, keep: list[int], restore: list[int], mask: list[int], **_: Any
) -> list[Step]:
    order = sorted(range(len(noise)), key=lambda i: noise[i])
    return [
        Step(f"Sort the patches by their noise: {order}."),
        Step(f"Keep the first {k}.", [f"keep = {[int(i) for i in keep]}"]),
        Step("For each patch, look up its position in the sorted list.", [f"restore = {[int(i) for i in restore]}"]),
        Step(f"Patches at position {k} or later are masked.", [f"mask = {[int(i) for i in mask]}"]),
    ]


@drill(
    MAE_SHUFFLE,
    id="mae-visible:shuffle",
    tier=2,
    asks=("keep", "restore", "mask"),
    decimals=None,
    prompt="A masked autoencoder draws a random number for each patch: noise = {noise}. It sorts the patches by "
    "increasing noise and keeps the first k = {k} as visible ones.\n"
    "Which patches are visible, in the sorted order (keep)? At which position of the sorted list is each patch "
    "(restore), so that the decoder can undo the shuffle? What is the mask (mask, 1 for masked)?\n"
    "Conventions: patches and positions are numbered from 0.",
    hints=(
        "restore is the inverse of the sorting: for each patch, how many others have less noise?",
        "The patches with the least noise stay visible; the place of a patch in the sorted order is its restore index.",
        "First step: sort the noise values, and write down the indices of their patches.",
    ),
    steps=_shuffle_steps,
    mistakes=[
        Mistake("largest-noise", {"keep": _largest}, "You kept the largest noise. The smallest ones stay visible."),
        Mistake("first-patches", {"keep": _first}, "Those are the first patches of the image. The choice is random."),
        Mistake(
            "order-for-inverse",
            {"restore": _order},
            "That is the sorted order itself. restore gives the position of each patch in it.",
        ),
        Mistake(
            "mask-inverted",
            {"mask": lambda noise, k: [int(sum(a < b for a in noise) < k) for b in noise]},
            "You inverted the mask. 1 means masked.",
        ),
        Mistake(
            "mask-shuffled",
            {"mask": lambda noise, k: [0] * k + [1] * (len(noise) - k)},
            "That is the mask in the sorted order. Give it in the order of the image.",
        ),
    ],
)
def mae_shuffle(rng: Random) -> Inputs:
    """Random masking"""
    count = rng.choice([5, 6])
    noise = [value / 100 for value in rng.sample(range(1, 100), count)]
    return dict(noise=noise, k=rng.choice([2, 3]))


@drill(
    MAE_COST,
    id="mae-visible:cost",
    tier=2,
    asks=("encoder", "decoder", "speedup"),
    prompt="A masked autoencoder has {N} patches and masks the share r = {r} of them. The encoder has {L} blocks of "
    "width "
    "d = {d}, the decoder {L_dec} blocks of width {d_dec}. A block of width d costs 12 n d^2 + 2 n^2 d MACs for n "
    "tokens "
    "(no class token).\n"
    "How many MACs do the encoder (encoder) and the decoder (decoder) take? How many times cheaper are both together "
    "than the encoder alone on all patches (speedup)?",
    hint="How many tokens does the encoder process, and how many the decoder?",
    mistakes=[
        Mistake(
            "masked-for-visible",
            "encoder = L*(12*(N - v)*d^2 + 2*(N - v)^2*d)",
            "You counted the masked patches. The encoder processes the visible ones.",
        ),
        Mistake("all-patches", "encoder = L*(12*N*d^2 + 2*N^2*d)", "The encoder doesn't process masked patches."),
        Mistake(
            "decoder-on-visible",
            "decoder = L_dec*(12*v*d_dec^2 + 2*v^2*d_dec)",
            "The decoder has a token for every patch, masked ones included.",
        ),
        Mistake(
            "one-block", "encoder = 12*v*d^2 + 2*v^2*d; decoder = 12*N*d_dec^2 + 2*N^2*d_dec", "That is one block."
        ),
        Mistake("decoder-left-out", "speedup = full/encoder", "You left out the decoder."),
        Mistake(
            "inverse-share", "speedup = 1/(1 - r)", "That ignores the decoder and the quadratic part of attention."
        ),
    ],
)
def mae_cost(rng: Random) -> Inputs:
    """Cost of encoder and decoder"""
    return dict(
        N=rng.choice([64, 144, 196, 256, 400]),
        r=rng.choice([0.25, 0.5, 0.75]),
        d=rng.choice([192, 256, 384, 512, 768]),
        L=rng.choice([6, 8, 12]),
        d_dec=rng.choice([96, 128, 160, 224]),
        L_dec=rng.choice([1, 2, 3, 4]),
    )


@drill(
    MAE_PARAMS,
    id="mae-visible:params",
    tier=3,
    asks=("embed", "head", "decoder"),
    prompt="A masked autoencoder has images of size {image}x{image} with {channels} channels, patches of size "
    "{patch}x{patch}, an encoder of {layers} blocks of width {width}, and a decoder of {layers_dec} blocks of width "
    "{width_dec}. The decoder has a dense layer from the encoder's width, a mask token, positions for all patches and "
    "the class token, its blocks, a layer normalization, and a dense layer that outputs the pixels of a patch.\n"
    "How many parameters do the first dense layer (embed), the last one (head), and the whole decoder (decoder) have?\n"
    "Conventions: dense layers have biases; MLPs have the ratio 4, so a block of width d has 12d^2 + 13d parameters; "
    "the fixed positions are counted.",
    hints=(
        "Which numbers does the decoder output for one patch? How many mask tokens are learned?",
        "A dense layer from a to b has (a + 1) b parameters. The mask token is one vector, shared by all masked "
        "patches.",
        "First step: count the values of a patch, patch^2 times the number of channels.",
    ),
    mistakes=[
        Mistake("bias-left-out", "embed = width*width_dec; head = width_dec*pixels", "You left out the biases."),
        Mistake(
            "reversed", "embed = width*width_dec + width", "The bias has the size of the output, the decoder's width."
        ),
        Mistake("one-channel", "head = (width_dec + 1)*patch^2", "You left out the channels of the pixels."),
        Mistake("whole-image", "head = (width_dec + 1)*image^2*channels", "Each token outputs its own patch."),
        Mistake(
            "a-mask-token-each",
            "decoder = embed + (N + 1 + N)*width_dec + layers_dec*(12*width_dec^2 + 13*width_dec) + 2*width_dec + head",
            "There is one mask token. Masked patches share it and differ by their positions.",
        ),
        Mistake(
            "mask-token-left-out",
            "decoder = embed + (N + 1)*width_dec + layers_dec*(12*width_dec^2 + 13*width_dec) + 2*width_dec + head",
            "You left out the mask token, a learned vector.",
        ),
    ],
)
def mae_params(rng: Random) -> Inputs:
    """Parameters of the decoder"""
    patch = rng.choice([4, 8, 16])
    return dict(
        image=patch * rng.choice([4, 6, 8, 14]),
        patch=patch,
        width=rng.choice([96, 128, 192, 256]),
        layers=rng.choice([4, 6, 12]),
        width_dec=rng.choice([48, 64, 80]),
        layers_dec=rng.choice([1, 2, 4]),
        channels=rng.choice([2, 3, 3]),
    )
