"""ViT: drills about tokens, parameters, MACs and memory."""

from random import Random

from quizzes.content.vision_transformers.vit.formulas import (
    VIT_EMBEDDING,
    VIT_LAYER_COST,
    VIT_MEMORY,
    VIT_PARAMS,
    VIT_PATCHES,
    VIT_SCALING,
    VIT_TOKENS,
)
from quizzes.drill import Inputs, Mistake, drill, one_of

CLASS_TOKEN_LEFT_OUT = "You left out the class token. It is one more token, in front of the patches."

NOT_SQUARED = "You counted the patches along one side only. The patches cover the height and the width."

SIZES = [
    (224, 16),
    (224, 32),
    (384, 16),
    (384, 32),
    (32, 4),
    (64, 8),
    (96, 8),
    (96, 16),
    (128, 16),
    (256, 16),
    (512, 32),
]


@drill(
    VIT_TOKENS,
    tier=1,
    asks=("N", "T", "D"),
    prompt="A ViT divides an image of height {H} and width {W} with {C} channels into patches of size {P}x{P}. It has "
    "one class token (cls = {cls}).\n"
    "How many patches (N) and how many tokens (T) are there? How many values D does a flattened patch have?",
    hint="How many patches fit along the height, and how many along the width?",
    mistakes=[
        Mistake("class-token-left-out", "T = N", CLASS_TOKEN_LEFT_OUT),
        Mistake("not-squared", "N = H/P", NOT_SQUARED),
        Mistake("sides-added", "N = H/P + W/P", "You added both counts. Rows of patches times patches per row."),
        Mistake("channels-left-out", "D = P^2", "You left out the channels. Each pixel of a patch has one value each."),
        Mistake("size-for-area", "D = P*C", "You used the patch size once. A patch has P^2 pixels."),
    ],
)
def vit_tokens_params(rng: Random) -> Inputs:
    """Patches and tokens"""
    P = rng.choice([4, 8, 14, 16, 32])
    H, W = (P * rng.randint(3, 20) for _ in range(2))
    return dict(H=H, W=rng.choice([H, W]), P=P, C=rng.choice([2, 3, 3, 4]), cls=1)


@drill(
    VIT_PATCHES,
    id="vit-tokens-params:inverse",
    tier=1,
    asks=one_of("T", "n", "P"),
    prompt="A ViT with a class token divides an image of size {n}x{n} into patches of size {P}x{P}. It has {T} tokens.",
    hint="Which of the tokens is not a patch? How many patches are there along one side?",
    mistakes=[
        Mistake("class-token-left-out", "T = (n/P)^2", CLASS_TOKEN_LEFT_OUT),
        Mistake("not-squared", "T = n/P + 1", NOT_SQUARED),
        Mistake("sides-added", "T = 2*n/P + 1", "You added rows and columns. Multiply them: (n/P)^2 patches."),
        Mistake("size-for-area", "T = n^2/P + 1", "You divided the area by the patch size. A patch has the area P^2."),
        Mistake(
            "count-for-size",
            "T = P^2 + 1",
            "You mixed up the patch size and the number of patches along a side, which is n/P.",
        ),
    ],
)
def vit_patches(rng: Random) -> Inputs:
    """Tokens of a square image"""
    P = rng.choice([4, 7, 8, 14, 16, 32])
    return dict(n=P * rng.randint(3, 24), P=P)


@drill(
    VIT_EMBEDDING,
    id="vit-tokens-params:embedding",
    tier=2,
    asks=("N", "E", "positions"),
    prompt="A ViT reads images of size {image}x{image} with {channels} channels. Each patch of size {patch}x{patch} is "
    "projected to a token of width {width} (with bias). It has a class token and a learned position per token.\n"
    "What are the number of patches N, and the numbers of parameters of the patch embedding (E) and of the positional "
    "embeddings (positions)?",
    hint="The patch embedding is a dense layer. How many inputs does it have?",
    mistakes=[
        Mistake(
            "channels-left-out",
            "E = patch^2*width + width",
            "You left out the channels. Each filter spans all of them.",
        ),
        Mistake("bias-left-out", "E = patch^2*channels*width", "You left out the bias, one per output."),
        Mistake(
            "whole-image",
            "E = image^2*channels*width + width",
            "You connected the whole image. The projection is shared: it maps one patch to one token.",
        ),
        Mistake(
            "per-patch",
            "E = N*(patch^2*channels*width + width)",
            "The projection is shared by all patches. Count it once.",
        ),
        Mistake("no-class-position", "positions = N*width", "The class token has a position too: N + 1 in all."),
        Mistake("one-number-each", "positions = N + 1", "Each position is a vector of the token's width."),
    ],
)
def vit_embedding(rng: Random) -> Inputs:
    """Parameters of the patch embedding"""
    image, patch = rng.choice(SIZES)
    return dict(
        image=image, patch=patch, channels=rng.choice([2, 3, 3, 4]), width=rng.choice([48, 64, 96, 192, 384, 768, 1024])
    )


@drill(
    VIT_PARAMS,
    id="vit-tokens-params:total",
    tier=3,
    asks=("block", "tokens", "P"),
    prompt="A ViT has images of size {image}x{image} with {channels} channels, patches of size {patch}x{patch}, tokens "
    "of width {width}, {layers} blocks with MLP ratio {mlp}, {classes} classes and one class token (cls = {cls}).\n"
    "What are the numbers of parameters of one block (block), of the class token and the positions (tokens), and of "
    "the whole network (P)?\n"
    "Conventions: all layers have biases; learned positions; a layer normalization after the last block; the head is "
    "one dense layer.",
    hints=(
        "Which dense layers does a block have? How many layer normalizations are there in all?",
        "A block has 4(d^2 + d) parameters in attention, 2 m d^2 + (m + 1) d in the MLP, and 4d in two layer "
        "normalizations.",
        "First step: compute the parameters of one block, then those of the patch embedding and of the positions.",
    ),
    mistakes=[
        Mistake(
            "biases-left-out",
            "block = (4 + 2*mlp)*width^2 + 4*width",
            "You left out the biases of the dense layers: 4 in attention, and m + 1 times the width in the MLP.",
        ),
        Mistake(
            "norms-left-out",
            "block = (4 + 2*mlp)*width^2 + (5 + mlp)*width",
            "You left out the two layer normalizations, of 2 d parameters each.",
        ),
        Mistake(
            "no-output-projection",
            "block = (3 + 2*mlp)*width^2 + (8 + mlp)*width",
            "You left out the output projection of attention. It follows the concatenated heads.",
        ),
        Mistake("no-class-position", "tokens = N*width + cls*width", "The class token has a position too."),
        Mistake(
            "last-norm-left-out",
            "P = embedding + tokens + layers*block + head",
            "You left out the layer normalization before the head.",
        ),
        Mistake("head-left-out", "P = embedding + tokens + layers*block + 2*width", "You left out the head."),
    ],
)
def vit_params(rng: Random) -> Inputs:
    """Parameters of a ViT"""
    image, patch = rng.choice(SIZES)
    return dict(
        image=image,
        patch=patch,
        width=rng.choice([48, 64, 96, 128, 192, 256, 384]),
        layers=rng.choice([2, 3, 4, 6, 8, 12]),
        mlp=rng.choice([2, 3, 4, 4]),
        channels=rng.choice([2, 3, 3, 4]),
        classes=rng.choice([10, 20, 100]),
        cls=1,
    )


@drill(
    VIT_LAYER_COST,
    id="vit-tokens-params:macs",
    tier=2,
    asks=("linear", "attention", "share"),
    prompt="A block of a ViT processes {N} tokens of width {d} with an MLP ratio of 4.\n"
    "How many MACs do the projections and the MLP take (linear), and how many the attention scores and the weighted "
    "sum of the values (attention)? What share of their sum is attention (share)?\n"
    "Conventions: biases, softmax and normalization are not counted.",
    hint="Which products are between tokens and weights, and which are between tokens and tokens?",
    mistakes=[
        Mistake("mlp-left-out", "linear = 4*N*d^2", "You left out the MLP. With ratio 4 it takes 8 N d^2."),
        Mistake("projections-left-out", "linear = 8*N*d^2", "You left out the four projections of attention: 4 N d^2."),
        Mistake("scores-only", "attention = N^2*d", "The weighted sum of the values takes N^2 d as well."),
        Mistake("flops", "attention = 4*N^2*d", "Those are FLOPs. One MAC is counted once here."),
        Mistake("linear-in-tokens", "attention = 2*N*d", "Every token is compared with every token, so use N^2."),
        Mistake("ratio-for-share", "share = attention/linear", "The share is of the sum of both."),
    ],
)
def vit_layer_cost(rng: Random) -> Inputs:
    """MACs of a block"""
    return dict(
        N=rng.choice([50, 64, 65, 144, 196, 197, 256, 257, 577, 784, 1024]),
        d=rng.choice([64, 96, 128, 192, 256, 384, 512, 768]),
    )


@drill(
    VIT_SCALING,
    id="vit-tokens-params:scaling",
    tier=1,
    asks=one_of("t", "a", "f"),
    prompt="Height and width of the images of a ViT grow by the factor {f}; the patch size stays the same. The number "
    "of patches grows by the factor {t}, and the number of attention weights by the factor {a}.",
    hint="How does the number of patches depend on the area? How many pairs of patches are there?",
    mistakes=[
        Mistake("not-squared", "t = f; a = f^2", "The number of patches grows with the area, f^2."),
        Mistake(
            "linear-attention", "a = f^3", "Attention has a weight per pair of patches: the square of their number."
        ),
        Mistake("doubled-exponent", "t = f^4; a = f^8", "The patches grow with f^2, and the pairs with f^4."),
        Mistake("factor-doubled", "t = 2*f; a = 4*f", "Factors of height and width multiply: f*f."),
    ],
)
def vit_scaling(rng: Random) -> Inputs:
    """Larger images"""
    return dict(f=rng.randint(2, 30))


@drill(
    VIT_MEMORY,
    id="vit-tokens-params:memory",
    tier=2,
    asks=("T", "A", "MiB"),
    prompt="A ViT with {layers} blocks of {heads} heads reads {batch} images of size {image}x{image} in patches of "
    "size {patch}x{patch}, with a class token (cls = {cls}). For backpropagation, it stores every attention weight as "
    "a number of {size} bytes.\n"
    "What are the number of tokens T, the number of attention weights A, and their memory in MiB (MiB)?\n"
    "Conventions: 1 MiB = 2^20 bytes.",
    hint="How large is the attention matrix of one head, and how many heads are there in all blocks?",
    mistakes=[
        Mistake("class-token-left-out", "T = (image/patch)^2", CLASS_TOKEN_LEFT_OUT),
        Mistake("one-head", "A = batch*layers*T^2", "Each head has an attention matrix of its own."),
        Mistake("one-layer", "A = batch*heads*T^2", "Each block has attention matrices of its own."),
        Mistake("not-squared", "A = batch*layers*heads*T", "Each token attends to all tokens: T^2 weights per head."),
        Mistake("megabytes", "MiB = bytes/10^6", "Those are MB. One MiB has 2^20 bytes."),
        Mistake("bytes-left-out", "MiB = A/2^20", "You left out the bytes per number."),
    ],
)
def vit_memory(rng: Random) -> Inputs:
    """Memory of attention weights"""
    image, patch = rng.choice(SIZES)
    return dict(
        image=image,
        patch=patch,
        layers=rng.choice([4, 6, 8, 12, 24]),
        heads=rng.choice([3, 4, 6, 12, 16]),
        batch=rng.choice([2, 4, 8, 16, 32]),
        size=rng.choice([2, 4]),
        cls=1,
    )
