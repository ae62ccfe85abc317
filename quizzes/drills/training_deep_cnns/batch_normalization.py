"""Batch norm in training and evaluation mode, its parameters and folding; layer, group and instance norm."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.normalization import (
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


@drill(
    BN_FORWARD,
    tier=2,
    asks="mu v y",
    visualization="number-line x",
    prompt="A batch norm layer in training mode receives the values x = {x} in one channel. The scale is gamma = "
    "{gamma}, the shift is beta = {beta}, and epsilon = {epsilon}.\n"
    "What are the mean mu, the variance v and the output y?\n"
    "Conventions: v is divided by the number of values m; epsilon is added to the variance, inside the square root.",
    hint="Which statistics give the values mean 0 and variance 1? Then scale and shift.",
)
def bn_forward(rng: Random) -> dict[str, Any]:
    """Batch norm in training mode"""
    return dict(x=_channel(rng)) | _affine(rng)


bn_forward.mistake("unbiased", "v = sum(i, (x[i] - mu)^2)/(m - 1)", UNBIASED)
bn_forward.mistake(
    "mean-not-taken-away",
    "v = mean(i, x[i]^2)",
    "You did not subtract the mean. The variance is the mean of the squared differences from the mean.",
)
bn_forward.mistake("by-variance", *Y_MISTAKES["by-variance"])
bn_forward.mistake("epsilon-outside", *Y_MISTAKES["epsilon-outside"])
bn_forward.mistake(
    "shift-before-scale",
    "y[i] = gamma*((x[i] - mu)/sqrt(v + epsilon) + beta)",
    "You added beta before scaling. gamma multiplies only the normalized value, so add beta last.",
)
bn_forward.mistake(
    "affine-left-out",
    "y[i] = (x[i] - mu)/sqrt(v + epsilon)",
    "You left out gamma and beta. Multiply the normalized values by gamma, then add beta.",
)
BATCH_NORM = """
# Without momentum, the running statistics after one batch are those of the batch.
bn = torch.nn.BatchNorm1d(1, eps=epsilon, momentum=None)
bn.weight.data.fill_(gamma), bn.bias.data.fill_(beta)
y = bn(x[:, None])[:, 0]
mu, v = bn.running_mean[0], bn.running_var[0] * (len(x) - 1) / len(x)
"""
bn_forward.torch(BATCH_NORM)


@drill(
    BN_BATCH,
    id="bn-forward:features",
    tier=2,
    asks="mu v Y",
    visualization="matrices X",
    prompt="A batch norm layer in training mode receives the batch X = {X}. Rows are samples and columns are "
    "features. The scale is gamma = {gamma}, the shift is beta = {beta}, and epsilon = {epsilon}.\n"
    "What are the means mu, the variances v and the output Y?\n"
    "Conventions: v is divided by the number of samples m; epsilon is added to the variance, inside the square root.",
    hint="Does batch norm average over rows or over columns?",
)
def bn_features(rng: Random) -> dict[str, Any]:
    """Batch norm of two features"""
    samples = rng.choice([3, 4])
    X = [[rng.randint(-3, 6), rng.randint(0, 12)] for _ in range(samples)]
    gamma, beta = ([rng.choice(choice) for _ in range(2)] for choice in ([1, 2, 0.5, 3], [0, 1, -1, 2]))
    return dict(X=X, gamma=gamma, beta=beta, epsilon=rng.choice([0.1, 0.5, 1]))


bn_features.mistake(
    "per-sample",
    "mu[n] = mean(k, X[n, k]); v[n] = mean(k, (X[n, k] - mean(j, X[n, j]))^2); Y[i, k] = gamma[k]*(X[i, k] - mean(j, "
    "X[i, j]))/sqrt(mean(j, (X[i, j] - mean(h, X[i, h]))^2) + epsilon) + beta[k]",
    "That is layer norm, over the features of a sample. Batch norm normalizes each feature (column) over the samples.",
)
bn_features.mistake("unbiased", "v[k] = sum(i, (X[i, k] - mu[k])^2)/(m - 1)", UNBIASED)
bn_features.mistake("by-variance", "Y[i, k] = gamma[k]*(X[i, k] - mu[k])/(v[k] + epsilon) + beta[k]", BY_VARIANCE)
bn_features.mistake(
    "epsilon-outside", "Y[i, k] = gamma[k]*(X[i, k] - mu[k])/(sqrt(v[k]) + epsilon) + beta[k]", EPSILON_OUTSIDE
)
bn_features.torch(
    """
# Without momentum, the running statistics after one batch are those of the batch.
bn = torch.nn.BatchNorm1d(2, eps=epsilon, momentum=None)
bn.weight.data, bn.bias.data = gamma, beta
Y = bn(X)
mu, v = bn.running_mean, bn.running_var * (len(X) - 1) / len(X)
"""
)


@drill(
    BN_RUNNING,
    tier=2,
    asks="R_mean R_var",
    prompt="A batch norm layer in training mode has the running mean {R_mean0} and the running variance {R_var0} in "
    "one channel. It receives a batch with the values x = {x} in this channel. The momentum is alpha = {alpha}.\n"
    "What are the new running mean R_mean and running variance R_var?\n"
    "Conventions: as in PyTorch, alpha is the weight of the new batch, and the running variance uses the unbiased "
    "variance (divided by m - 1 for m values).",
    hint="Each running statistic is a weighted mean of its old value and the value of the batch. What are the weights?",
)
def bn_running_stats(rng: Random) -> dict[str, Any]:
    """Running statistics of batch norm"""
    return dict(x=_channel(rng)) | _statistics(rng)


def _statistics(rng: Random) -> dict[str, Any]:
    start = rng.choice([(0, 1), (0, 1), (-2, 4), (-1, 3), (0.5, 2)])
    return dict(alpha=rng.choice([0.1, 0.1, 0.2, 0.05]), R_mean0=start[0], R_var0=start[1])


bn_running_stats.mistake(
    "momentum-reversed",
    MOMENTUM_REVERSED,
    REVERSED,
)
bn_running_stats.mistake(
    "biased-variance",
    BIASED_VARIANCE,
    BIASED,
)
bn_running_stats.mistake(
    "old-not-decayed",
    "R_mean = R_mean0 + alpha*mu; R_var = R_var0 + alpha*v*m/(m - 1)",
    "You kept the full old value. The two weights add up to 1, so multiply the old value by 1 - alpha.",
)
bn_running_stats.mistake(
    "batch-alone",
    "R_mean = mu; R_var = v*m/(m - 1)",
    "You used the batch statistics alone. The old value has the weight 1 - alpha and the batch the weight alpha.",
)
bn_running_stats.torch(
    """
bn = torch.nn.BatchNorm1d(1, momentum=alpha)
bn.running_mean.fill_(R_mean0), bn.running_var.fill_(R_var0)
bn(x[:, None])
R_mean, R_var = bn.running_mean[0], bn.running_var[0]
"""
)


@drill(
    BN_TRAIN_EVAL,
    id="bn-forward:train-then-eval",
    tier=3,
    asks="mu v y R_mean R_var z",
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
)
def bn_train_then_eval(rng: Random) -> dict[str, Any]:
    """Batch norm in training, then in evaluation mode"""
    return dict(x=_channel(rng)) | _affine(rng) | _statistics(rng)


bn_train_then_eval.mistake("unbiased", "v = sum(i, (x[i] - mu)^2)/(m - 1)", UNBIASED)
bn_train_then_eval.mistake("by-variance", *Y_MISTAKES["by-variance"])
bn_train_then_eval.mistake("epsilon-outside", *Y_MISTAKES["epsilon-outside"])
bn_train_then_eval.mistake(
    "running-statistics-in-training",
    "y[i] = gamma*(x[i] - R_mean0)/sqrt(R_var0 + epsilon) + beta",
    "You used the running statistics in training mode. Training mode normalizes with the statistics of the batch.",
)
bn_train_then_eval.mistake(
    "momentum-reversed",
    MOMENTUM_REVERSED,
    REVERSED,
)
bn_train_then_eval.mistake(
    "biased-variance",
    BIASED_VARIANCE,
    BIASED,
)
bn_train_then_eval.mistake(
    "batch-statistics-in-evaluation",
    "z[i] = gamma*(x[i] - mu)/sqrt(v + epsilon) + beta",
    "You used the batch statistics in evaluation mode. Evaluation mode normalizes with the running mean and variance.",
)
bn_train_then_eval.mistake(
    "statistics-before-the-update",
    "z[i] = gamma*(x[i] - R_mean0)/sqrt(R_var0 + epsilon) + beta",
    "You used the old running statistics. The training pass has updated them, so use R_mean and R_var.",
)
bn_train_then_eval.torch(
    """
bn = torch.nn.BatchNorm1d(1, eps=epsilon, momentum=alpha)
bn.weight.data.fill_(gamma), bn.bias.data.fill_(beta)
bn.running_mean.fill_(R_mean0), bn.running_var.fill_(R_var0)
y = bn(x[:, None])[:, 0]
R_mean, R_var = bn.running_mean[0].item(), bn.running_var[0].item()
z = bn.eval()(x[:, None])[:, 0]
v, mu = torch.var_mean(x, correction=0)
"""
)


@drill(
    BN_PARAMS,
    tier=1,
    asks="P B M",
    prompt="A batch norm layer for images receives batches of N = {N} images with C = {C} channels of size HxW = "
    "{H}x{W}.\n"
    "How many trainable parameters P and buffer values B does it have, and over how many values M is each mean "
    "computed in training mode?\n"
    "Conventions: PyTorch's counter num_batches_tracked is not counted.",
    hint="How many parameters and buffer values does each channel have? Which values share a channel?",
)
def bn_params_count(rng: Random) -> dict[str, Any]:
    """Parameters, buffers and statistics of batch norm"""
    size = rng.choice([7, 8, 14, 16, 28, 32, 56])
    return dict(N=rng.choice([4, 8, 16, 32, 64]), C=rng.choice([16, 24, 32, 48, 64, 96, 128, 256, 512]), H=size, W=size)


bn_params_count.mistake(
    "buffers-counted",
    "P = 4*C",
    BUFFERS,
)
bn_params_count.mistake(
    "per-pixel",
    "P = 2*C*H*W; B = 2*C*H*W",
    "You counted every pixel. All pixels of a channel share their parameters and statistics, so count 2 per channel.",
)
bn_params_count.mistake(
    "one-of-two",
    "P = C; B = C",
    "You counted one value per channel. There are two, scale and shift or mean and variance, so multiply by 2.",
)
bn_params_count.mistake(
    "single-image",
    "M = H*W",
    "That is instance norm. Batch norm also averages over the images of the batch, so multiply by N.",
)
bn_params_count.mistake(
    "batch-alone", "M = N", "You counted the images only. Every pixel of a channel is a value, so multiply by H W."
)
bn_params_count.mistake(
    "channels-too",
    "M = N*C*H*W",
    "You averaged over the channels too. Each channel has its own mean, so do not multiply by C.",
)
bn_params_count.torch(
    """
bn = torch.nn.BatchNorm2d(C)
P = sum(p.numel() for p in bn.parameters())
B = sum(b.numel() for name, b in bn.named_buffers() if name != "num_batches_tracked")
M = torch.zeros(1).expand(N, C, H, W).select(1, 0).numel()
"""
)


@drill(
    CONV_BN,
    id="bn-params-count:conv-block",
    tier=1,
    asks="P_conv P_bn P",
    visualization="flow: {C_in} channels > {k}x{k} convolution > {C_out} channels > batch norm > {C_out} channels",
    prompt="A block consists of a convolution without bias, from C_in = {C_in} to C_out = {C_out} channels with "
    "kernel size k = {k}, followed by batch norm with scale and shift.\n"
    "How many trainable parameters do the convolution (P_conv), the batch norm layer (P_bn) and the block (P) have?",
    hint="What does each channel of the batch norm layer learn? Does the convolution need a bias as well?",
)
def conv_block_params(rng: Random) -> dict[str, Any]:
    """Parameters of a convolution followed by batch norm"""
    return dict(
        k=rng.choice([1, 3, 3, 5, 7]),
        C_in=rng.choice([3, 16, 32, 64, 128]),
        C_out=rng.choice([16, 24, 32, 64, 96, 256]),
    )


conv_block_params.mistake(
    "bias-kept",
    "P_conv = (k^2*C_in + 1)*C_out",
    "You counted a bias. This convolution has none, because batch norm subtracts it with the mean and beta replaces "
    "it.",
)
conv_block_params.mistake(
    "input-channels-left-out",
    "P_conv = k^2*C_out",
    "You left out the input channels. Each filter spans all of them, so it has k^2 C_in weights.",
)
conv_block_params.mistake(
    "buffers-counted",
    "P_bn = 4*C_out",
    BUFFERS,
)
conv_block_params.mistake(
    "input-channels-normalised",
    "P_bn = 2*C_in",
    "You used the input channels. Batch norm follows the convolution, so it has C_out channels.",
)
conv_block_params.mistake(
    "one-of-two",
    "P_bn = C_out",
    "You counted one parameter per channel. Each channel has a scale and a shift, so multiply by 2.",
)
conv_block_params.torch(
    """
conv, bn = torch.nn.Conv2d(C_in, C_out, k, bias=False), torch.nn.BatchNorm2d(C_out)
P_conv, P_bn = (sum(p.numel() for p in layer.parameters()) for layer in (conv, bn))
P = sum(p.numel() for p in torch.nn.Sequential(conv, bn).parameters())
"""
)


@drill(
    BN_FOLD,
    tier=1,
    asks="W_folded b_folded",
    prompt="A neuron W x + b with W = {W} and b = {b} is followed by batch norm in evaluation mode. The running mean "
    "is mu = {mu}, the running variance is v = {v}, gamma = {gamma}, beta = {beta}, and epsilon = {epsilon}. Batch "
    "norm is folded into the neuron.\n"
    "What are the folded weight W_folded and the folded bias b_folded?\n"
    "Conventions: epsilon is added to the variance, inside the square root.",
    hint="Write out gamma (W x + b - mu)/sqrt(v + epsilon) + beta. Which factor multiplies x?",
)
def bn_fold(rng: Random) -> dict[str, Any]:
    """Batch norm folded into a neuron"""
    v, epsilon = rng.choice([(3, 1), (8, 1), (0.75, 0.25), (2, 0.25), (6, 0.25), (5, 1), (1, 0.5)])
    W = rng.choice([-1, 1]) * rng.randint(2, 12) / 4
    mu, b = rng.sample([-2, -1, -0.5, 0.5, 1, 1.5, 2, 3], 2)
    return dict(
        W=W, b=b, mu=mu, v=v, gamma=rng.choice([0.5, 1.5, 2, 3, -2]), beta=rng.choice([-1, 0.5, 2]), epsilon=epsilon
    )


bn_fold.mistake(
    "epsilon-left-out",
    "W_folded = W*gamma/sqrt(v); b_folded = (b - mu)*gamma/sqrt(v) + beta",
    "You left out epsilon. Batch norm divides by sqrt(v + epsilon), so the folded weight and bias do the same.",
)
bn_fold.mistake(
    "by-variance",
    "W_folded = W*gamma/(v + epsilon); b_folded = (b - mu)*gamma/(v + epsilon) + beta",
    BY_VARIANCE,
)
bn_fold.mistake(
    "mean-left-out",
    "b_folded = b*gamma/sqrt(v + epsilon) + beta",
    "You left out the running mean. It is subtracted before scaling, so use b - mu instead of b.",
)
bn_fold.mistake(
    "bias-not-scaled",
    "b_folded = b - mu + beta",
    "You did not scale the bias. b - mu is normalized too, so multiply it by gamma/sqrt(v + epsilon).",
)
bn_fold.mistake(
    "shift-left-out",
    "b_folded = (b - mu)*gamma/sqrt(v + epsilon)",
    "You left out the shift. beta is part of the folded bias, so add it.",
)
bn_fold.torch(
    """
from torch.nn.utils.fusion import fuse_linear_bn_weights

weight, bias, mean, variance, scale, shift = (torch.tensor([float(value)]) for value in (W, b, mu, v, gamma, beta))
weight, bias = fuse_linear_bn_weights(weight[None], bias, mean, variance, epsilon, scale, shift)
W_folded, b_folded = weight[0, 0].detach(), bias[0].detach()
"""
)


@drill(
    LAYER_NORM,
    id="ln-in-gn:layer-norm",
    tier=2,
    asks="mu v Y",
    visualization="matrices X",
    prompt="Layer norm over the features, with scale 1, shift 0 and epsilon = {epsilon}, receives the batch X = {X}. "
    "Rows are samples and columns are features.\n"
    "What are the means mu, the variances v and the output Y?\n"
    "Conventions: v is divided by the number of features; epsilon is added to the variance, inside the square root.",
    hint="Does layer norm average over rows or over columns?",
)
def layer_norm(rng: Random) -> dict[str, Any]:
    """Layer norm of two samples"""
    features = rng.choice([3, 4])
    return dict(X=[[rng.randint(-3, 8) for _ in range(features)] for _ in range(2)], epsilon=0)


layer_norm.mistake(
    "across-the-batch",
    "mu[k] = mean(n, X[n, k]); v[k] = mean(n, (X[n, k] - mean(j, X[j, k]))^2); Y[n, k] = (X[n, k] - mean(j, X[j, "
    "k]))/sqrt(mean(j, (X[j, k] - mean(h, X[h, k]))^2) + epsilon)",
    "That is batch norm, over the samples. Layer norm normalizes each sample (row) over its features.",
)
layer_norm.mistake(
    "unbiased",
    "v[n] = sum(k, (X[n, k] - mu[n])^2)/(d - 1)",
    "You divided by one less than the number of features. Layer norm uses the biased variance, so divide by their "
    "number.",
)
layer_norm.mistake(
    "by-variance",
    "Y[n, k] = (X[n, k] - mu[n])/(v[n] + epsilon)",
    BY_VARIANCE,
)
layer_norm.mistake(
    "mean-only", "Y[n, k] = X[n, k] - mu[n]", "You only subtracted the mean. Divide by the standard deviation as well."
)
layer_norm.torch(
    """
v, mu = torch.var_mean(X, dim=1, correction=0)
Y = F.layer_norm(X, X.shape[1:], eps=epsilon)
"""
)


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
    hint="Which values share a mean and a variance?",
)
def group_norm(rng: Random) -> dict[str, Any]:
    """Group norm of one sample"""
    channels, pixels = 4, rng.choice([2, 2, 3])
    return dict(
        X=[[rng.randint(0, 9) for _ in range(pixels)] for _ in range(channels)], G=2, epsilon=0, channels=channels
    )


group_norm.mistake(
    "each-channel-alone",
    {"Y": lambda X, G, epsilon: normalize(X, channel_groups(len(X), len(X)), epsilon)},
    "That is instance norm, one channel at a time. Group norm normalizes all channels of a group together.",
)
group_norm.mistake(
    "all-channels-together",
    {"Y": lambda X, G, epsilon: normalize(X, channel_groups(len(X), 1), epsilon)},
    "That is layer norm, all channels together. In group norm each group has its own mean and variance.",
)
group_norm.mistake(
    "every-other-channel",
    {"Y": lambda X, G, epsilon: normalize(X, [range(g, len(X), G) for g in range(G)], epsilon)},
    "You put every other channel in a group. Groups are adjacent channels, the first two and then the next two.",
)
group_norm.mistake(
    "unbiased",
    {"Y": lambda X, G, epsilon: normalize(X, channel_groups(len(X), G), epsilon, correction=1)},
    "You used the unbiased variance. Group norm divides by the number of values.",
)
group_norm.torch("Y = F.group_norm(X[None], G, eps=epsilon)[0]")


@drill(
    NORM_SIZES,
    id="ln-in-gn:sizes",
    tier=1,
    asks="M_layer M_instance M_group P_layer P_group",
    prompt="A batch of N = {N} images with C = {C} channels of size HxW = {H}x{W} is normalized with PyTorch, with "
    "scale and shift. Compare layer norm over each image (normalized_shape=[{C}, {H}, {W}]), instance norm, and group "
    "norm with G = {G} groups.\n"
    "Over how many values is each mean computed (M_layer, M_instance, M_group), and how many parameters do layer norm "
    "and group norm have (P_layer, P_group)?",
    hint="None of the three averages over the batch. How many channels share a mean?",
)
def norm_sizes(rng: Random) -> dict[str, Any]:
    """Averages of layer, instance and group norm"""
    size, C = rng.choice([4, 7, 8, 14, 16, 28]), rng.choice([16, 32, 48, 64, 96])
    return dict(N=rng.choice([6, 10, 12, 20, 32]), C=C, H=size, W=size, G=rng.choice([2, 4, 8]))


norm_sizes.mistake(
    "batch-too",
    "M_layer = N*C*H*W; M_instance = N*H*W; M_group = N*c*H*W",
    "You averaged over the batch too. All three average within one image, so do not multiply by N.",
)
norm_sizes.mistake(
    "groups-for-their-size",
    "M_group = G*H*W",
    "You used G as the group size. G is the number of groups, so a group has C/G channels and C/G H W values.",
)
norm_sizes.mistake(
    "pixels-left-out",
    "M_layer = C; M_group = c",
    "You counted the channels only. Every pixel of a channel is a value, so multiply by H W.",
)
norm_sizes.mistake(
    "layer-norm-per-channel",
    "P_layer = 2*C",
    "You counted parameters per channel. PyTorch's layer norm has a scale and a shift per element, so P_layer = 2 C H "
    "W.",
)
norm_sizes.mistake(
    "one-of-two",
    "P_layer = C*H*W; P_group = C",
    "You counted the scale only. There is a shift too, so multiply by 2.",
)
norm_sizes.mistake(
    "group-norm-per-group",
    "P_group = 2*G",
    "You counted parameters per group. Group norm has a scale and a shift per channel, so P_group = 2 C.",
)
norm_sizes.torch(
    """
image = torch.zeros(1).expand(C, H, W)
M_layer, M_instance = image.numel(), image[0].numel()
M_group = image.chunk(G)[0].numel()
layer, group = torch.nn.LayerNorm([C, H, W]), torch.nn.GroupNorm(G, C)
P_layer, P_group = (sum(p.numel() for p in norm.parameters()) for norm in (layer, group))
"""
)
