"""Batch normalization: drills."""

from random import Random
from typing import Any

from quizzes.content.training_deep_cnns.batch_normalization.formulas import (
    BN_BATCH,
    BN_FOLD,
    BN_FORWARD,
    BN_PARAMS,
    BN_RUNNING,
    BN_TRAIN_EVAL,
    CONV_BN,
    GROUP_NORM,
    LAYER_NORM,
    NORM_SIZES,
    channel_groups,
    normalize,
)
from quizzes.drill import Inputs, Mistake, drill
from quizzes.question import Step

UNBIASED = "You divided by m - 1. Batch norm normalizes with the biased variance, so divide by m."


EPSILON_OUTSIDE = "You added epsilon to the standard deviation. It is added to the variance, inside the square root."


BY_VARIANCE = "You divided by the variance. Divide by the square root of variance plus epsilon."


REVERSED = (
    "You swapped the two weights. alpha is the weight of the new batch, so the old value has the weight 1 - alpha."
)


BIASED = "You used the biased variance. The running variance uses the unbiased batch variance, so divide by m - 1."


BUFFERS = "You counted the running statistics. They are buffers and not trained, so each channel has 2 parameters."


Y_MISTAKES = {
    "by-variance": ("y[i] = gamma*(x[i] - mu)/(v + epsilon) + beta", BY_VARIANCE),
    "epsilon-outside": ("y[i] = gamma*(x[i] - mu)/(sqrt(v) + epsilon) + beta", EPSILON_OUTSIDE),
}


MOMENTUM_REVERSED = "R_mean = alpha*R_mean0 + (1 - alpha)*mu; R_var = alpha*R_var0 + (1 - alpha)*v*m/(m - 1)"


BIASED_VARIANCE = "R_var = (1 - alpha)*R_var0 + alpha*v"


def _channel(rng: Random) -> list[int]:
    """Return four or five integers with an integer mean of at least 1."""
    while True:
        x = [rng.randint(-4, 9) for _ in range(rng.choice([4, 5]))]
        if sum(x) % len(x) == 0 and sum(x) > 0 and len(set(x)) > 2:
            return x


def _affine(rng: Random) -> dict[str, Any]:
    return dict(
        gamma=rng.choice([0.5, 1.5, 2, 3, -2]),
        beta=rng.choice([-2, -1, 0.5, 1, 3]),
        epsilon=rng.choice([0.1, 0.5, 1, 2]),
    )


def _statistics(rng: Random) -> dict[str, Any]:
    start = rng.choice([(0, 1), (0, 1), (-2, 4), (-1, 3), (0.5, 2)])
    return dict(alpha=rng.choice([0.1, 0.1, 0.2, 0.05]), R_mean0=start[0], R_var0=start[1])


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
    BN_FORWARD,
    tier=2,
    asks=("mu", "v", "y"),
    visualization="number-line x",
    prompt="A batch norm layer in training mode receives the values x = {x} in one channel. The scale is gamma = "
    "{gamma}, the shift is beta = {beta}, and epsilon = {epsilon}.\n"
    "What are the mean mu, the variance v and the output y?\n"
    "Conventions: v is divided by the number of values m; epsilon is added to the variance, inside the square root.",
    hint="Which statistics give the values mean 0 and variance 1? Then scale and shift.",
    mistakes=[
        Mistake("unbiased", "v = sum(i, (x[i] - mu)^2)/(m - 1)", UNBIASED),
        Mistake(
            "mean-not-taken-away",
            "v = mean(i, x[i]^2)",
            "You did not subtract the mean. The variance is the mean of the squared differences from the mean.",
        ),
        Mistake("by-variance", *Y_MISTAKES["by-variance"]),
        Mistake("epsilon-outside", *Y_MISTAKES["epsilon-outside"]),
        Mistake(
            "shift-before-scale",
            "y[i] = gamma*((x[i] - mu)/sqrt(v + epsilon) + beta)",
            "You added beta before scaling. gamma multiplies only the normalized value, so add beta last.",
        ),
        Mistake(
            "affine-left-out",
            "y[i] = (x[i] - mu)/sqrt(v + epsilon)",
            "You left out gamma and beta. Multiply the normalized values by gamma, then add beta.",
        ),
    ],
)
def bn_forward(rng: Random) -> Inputs:
    """Batch norm in training mode"""
    return dict(x=_channel(rng)) | _affine(rng)


@drill(
    BN_BATCH,
    id="bn-forward:features",
    tier=2,
    asks=("mu", "v", "Y"),
    visualization="matrices X",
    prompt="A batch norm layer in training mode receives the batch X = {X}. Rows are samples and columns are "
    "features. The scale is gamma = {gamma}, the shift is beta = {beta}, and epsilon = {epsilon}.\n"
    "What are the means mu, the variances v and the output Y?\n"
    "Conventions: v is divided by the number of samples m; epsilon is added to the variance, inside the square root.",
    hint="Does batch norm average over rows or over columns?",
    mistakes=[
        Mistake(
            "per-sample",
            "mu[n] = mean(k, X[n, k]); v[n] = mean(k, (X[n, k] - mean(j, X[n, j]))^2); Y[i, k] = gamma[k]*(X[i, k] - "
            "mean(j, "
            "X[i, j]))/sqrt(mean(j, (X[i, j] - mean(h, X[i, h]))^2) + epsilon) + beta[k]",
            "That is layer norm, over the features of a sample. Batch norm normalizes each feature (column) over the "
            "samples.",
        ),
        Mistake("unbiased", "v[k] = sum(i, (X[i, k] - mu[k])^2)/(m - 1)", UNBIASED),
        Mistake("by-variance", "Y[i, k] = gamma[k]*(X[i, k] - mu[k])/(v[k] + epsilon) + beta[k]", BY_VARIANCE),
        Mistake(
            "epsilon-outside", "Y[i, k] = gamma[k]*(X[i, k] - mu[k])/(sqrt(v[k]) + epsilon) + beta[k]", EPSILON_OUTSIDE
        ),
    ],
)
def bn_features(rng: Random) -> Inputs:
    """Batch norm of two features"""
    samples = rng.choice([3, 4])
    X = [[rng.randint(-3, 6), rng.randint(0, 12)] for _ in range(samples)]
    gamma, beta = ([rng.choice(choice) for _ in range(2)] for choice in ([1, 2, 0.5, 3], [0, 1, -1, 2]))
    return dict(X=X, gamma=gamma, beta=beta, epsilon=rng.choice([0.1, 0.5, 1]))


@drill(
    BN_RUNNING,
    tier=2,
    asks=("R_mean", "R_var"),
    prompt="A batch norm layer in training mode has the running mean {R_mean0} and the running variance {R_var0} in "
    "one channel. It receives a batch with the values x = {x} in this channel. The momentum is alpha = {alpha}.\n"
    "What are the new running mean R_mean and running variance R_var?\n"
    "Conventions: as in PyTorch, alpha is the weight of the new batch, and the running variance uses the unbiased "
    "variance (divided by m - 1 for m values).",
    hint="Each running statistic is a weighted mean of its old value and the value of the batch. What are the weights?",
    mistakes=[
        Mistake("momentum-reversed", MOMENTUM_REVERSED, REVERSED),
        Mistake("biased-variance", BIASED_VARIANCE, BIASED),
        Mistake(
            "old-not-decayed",
            "R_mean = R_mean0 + alpha*mu; R_var = R_var0 + alpha*v*m/(m - 1)",
            "You kept the full old value. The two weights add up to 1, so multiply the old value by 1 - alpha.",
        ),
        Mistake(
            "batch-alone",
            "R_mean = mu; R_var = v*m/(m - 1)",
            "You used the batch statistics alone. The old value has the weight 1 - alpha and the batch the weight "
            "alpha.",
        ),
    ],
)
def bn_running_stats(rng: Random) -> Inputs:
    """Running statistics of batch norm"""
    return dict(x=_channel(rng)) | _statistics(rng)


@drill(
    BN_TRAIN_EVAL,
    id="bn-forward:train-then-eval",
    tier=3,
    asks=("mu", "v", "y", "R_mean", "R_var", "z"),
    prompt="One channel of a batch norm layer has the scale gamma = {gamma}, the shift beta = {beta}, epsilon = "
    "{epsilon}, the momentum alpha = {alpha}, the running mean {R_mean0} and the running variance {R_var0}. In "
    "training mode it receives the values x = {x}. Then it is switched to evaluation mode and receives the same "
    "values again.\n"
    "What are the batch mean mu, the batch variance v, the output y in training mode, the new running mean R_mean and "
    "running variance R_var, and the output z in evaluation mode?\n"
    "Conventions: v is divided by the number of values m; epsilon is added to the variance, inside the square root; "
    "as in PyTorch, alpha is the weight of the new batch, and the running variance uses the unbiased variance "
    "(divided by m - 1).",
    hint="Which statistics does each mode normalize with? Which mode updates the running statistics?",
    mistakes=[
        Mistake("unbiased", "v = sum(i, (x[i] - mu)^2)/(m - 1)", UNBIASED),
        Mistake("by-variance", *Y_MISTAKES["by-variance"]),
        Mistake("epsilon-outside", *Y_MISTAKES["epsilon-outside"]),
        Mistake(
            "running-statistics-in-training",
            "y[i] = gamma*(x[i] - R_mean0)/sqrt(R_var0 + epsilon) + beta",
            "You used the running statistics in training mode. Training mode normalizes with the statistics of the "
            "batch.",
        ),
        Mistake("momentum-reversed", MOMENTUM_REVERSED, REVERSED),
        Mistake("biased-variance", BIASED_VARIANCE, BIASED),
        Mistake(
            "batch-statistics-in-evaluation",
            "z[i] = gamma*(x[i] - mu)/sqrt(v + epsilon) + beta",
            "You used the batch statistics in evaluation mode. Evaluation mode normalizes with the running mean and "
            "variance.",
        ),
        Mistake(
            "statistics-before-the-update",
            "z[i] = gamma*(x[i] - R_mean0)/sqrt(R_var0 + epsilon) + beta",
            "You used the old running statistics. The training pass has updated them, so use R_mean and R_var.",
        ),
    ],
)
def bn_train_then_eval(rng: Random) -> Inputs:
    """Batch norm in training, then in evaluation mode"""
    return dict(x=_channel(rng)) | _affine(rng) | _statistics(rng)


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
