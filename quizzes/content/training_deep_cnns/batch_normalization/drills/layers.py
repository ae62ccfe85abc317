"""Batch normalization: drills about parameters and folding."""

from random import Random

from quizzes.content.training_deep_cnns.batch_normalization.drills.shared import BY_VARIANCE
from quizzes.content.training_deep_cnns.batch_normalization.formulas import BN_FOLD, BN_PARAMS, CONV_BN
from quizzes.drill import Inputs, Mistake, drill

BUFFERS = "You counted the running statistics. They are buffers and not trained, so each channel has 2 parameters."


@drill(
    BN_PARAMS,
    tier=1,
    asks=("P", "B", "M"),
    prompt="A batch norm layer for images receives batches of N = {N} images with C = {C} channels of size HxW = "
    "{H}x{W}.\n"
    "How many trainable parameters P and buffer values B does it have, and over how many values M is each mean "
    "computed in training mode?\n"
    "Conventions: PyTorch's counter num_batches_tracked is not counted.",
    hint="How many parameters and buffer values does each channel have? Which values share a channel?",
    mistakes=[
        Mistake("buffers-counted", "P = 4*C", BUFFERS),
        Mistake(
            "per-pixel",
            "P = 2*C*H*W; B = 2*C*H*W",
            "You counted every pixel. All pixels of a channel share their parameters and statistics, so count 2 per "
            "channel.",
        ),
        Mistake(
            "one-of-two",
            "P = C; B = C",
            "You counted one value per channel. There are two, scale and shift or mean and variance, so multiply by 2.",
        ),
        Mistake(
            "single-image",
            "M = H*W",
            "That is instance norm. Batch norm also averages over the images of the batch, so multiply by N.",
        ),
        Mistake(
            "batch-alone",
            "M = N",
            "You counted the images only. Every pixel of a channel is a value, so multiply by H W.",
        ),
        Mistake(
            "channels-too",
            "M = N*C*H*W",
            "You averaged over the channels too. Each channel has its own mean, so do not multiply by C.",
        ),
    ],
)
def bn_params_count(rng: Random) -> Inputs:
    """Parameters, buffers and statistics of batch norm"""
    size = rng.choice([7, 8, 14, 16, 28, 32, 56])
    return dict(N=rng.choice([4, 8, 16, 32, 64]), C=rng.choice([16, 24, 32, 48, 64, 96, 128, 256, 512]), H=size, W=size)


@drill(
    CONV_BN,
    id="bn-params-count:conv-block",
    tier=1,
    asks=("P_conv", "P_bn", "P"),
    visualization="flow: {C_in} channels > {k}x{k} convolution > {C_out} channels > batch norm > {C_out} channels",
    prompt="A block consists of a convolution without bias, from C_in = {C_in} to C_out = {C_out} channels with "
    "kernel size k = {k}, followed by batch norm with scale and shift.\n"
    "How many trainable parameters do the convolution (P_conv), the batch norm layer (P_bn) and the block (P) have?",
    hint="What does each channel of the batch norm layer learn? Does the convolution need a bias as well?",
    mistakes=[
        Mistake(
            "bias-kept",
            "P_conv = (k^2*C_in + 1)*C_out",
            "You counted a bias. This convolution has none, because batch norm subtracts it with the mean and beta "
            "replaces "
            "it.",
        ),
        Mistake(
            "input-channels-left-out",
            "P_conv = k^2*C_out",
            "You left out the input channels. Each filter spans all of them, so it has k^2 C_in weights.",
        ),
        Mistake("buffers-counted", "P_bn = 4*C_out", BUFFERS),
        Mistake(
            "input-channels-normalised",
            "P_bn = 2*C_in",
            "You used the input channels. Batch norm follows the convolution, so it has C_out channels.",
        ),
        Mistake(
            "one-of-two",
            "P_bn = C_out",
            "You counted one parameter per channel. Each channel has a scale and a shift, so multiply by 2.",
        ),
    ],
)
def conv_block_params(rng: Random) -> Inputs:
    """Parameters of a convolution followed by batch norm"""
    return dict(
        k=rng.choice([1, 3, 3, 5, 7]),
        C_in=rng.choice([3, 16, 32, 64, 128]),
        C_out=rng.choice([16, 24, 32, 64, 96, 256]),
    )


@drill(
    BN_FOLD,
    tier=1,
    asks=("W_folded", "b_folded"),
    prompt="A neuron W x + b with W = {W} and b = {b} is followed by batch norm in evaluation mode. The running mean "
    "is mu = {mu}, the running variance is v = {v}, gamma = {gamma}, beta = {beta}, and epsilon = {epsilon}. Batch "
    "norm is folded into the neuron.\n"
    "What are the folded weight W_folded and the folded bias b_folded?\n"
    "Conventions: epsilon is added to the variance, inside the square root.",
    hint="Write out gamma (W x + b - mu)/sqrt(v + epsilon) + beta. Which factor multiplies x?",
    mistakes=[
        Mistake(
            "epsilon-left-out",
            "W_folded = W*gamma/sqrt(v); b_folded = (b - mu)*gamma/sqrt(v) + beta",
            "You left out epsilon. Batch norm divides by sqrt(v + epsilon), so the folded weight and bias do the same.",
        ),
        Mistake(
            "by-variance",
            "W_folded = W*gamma/(v + epsilon); b_folded = (b - mu)*gamma/(v + epsilon) + beta",
            BY_VARIANCE,
        ),
        Mistake(
            "mean-left-out",
            "b_folded = b*gamma/sqrt(v + epsilon) + beta",
            "You left out the running mean. It is subtracted before scaling, so use b - mu instead of b.",
        ),
        Mistake(
            "bias-not-scaled",
            "b_folded = b - mu + beta",
            "You did not scale the bias. b - mu is normalized too, so multiply it by gamma/sqrt(v + epsilon).",
        ),
        Mistake(
            "shift-left-out",
            "b_folded = (b - mu)*gamma/sqrt(v + epsilon)",
            "You left out the shift. beta is part of the folded bias, so add it.",
        ),
    ],
)
def bn_fold(rng: Random) -> Inputs:
    """Batch norm folded into a neuron"""
    v, epsilon = rng.choice([(3, 1), (8, 1), (0.75, 0.25), (2, 0.25), (6, 0.25), (5, 1), (1, 0.5)])
    W = rng.choice([-1, 1]) * rng.randint(2, 12) / 4
    mu, b = rng.sample([-2, -1, -0.5, 0.5, 1, 1.5, 2, 3], 2)
    return dict(
        W=W, b=b, mu=mu, v=v, gamma=rng.choice([0.5, 1.5, 2, 3, -2]), beta=rng.choice([-1, 0.5, 2]), epsilon=epsilon
    )
