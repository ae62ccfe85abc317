"""Batch norm in training and evaluation, its parameters, its folding, and its relatives."""

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

UNBIASED = "Batch norm normalises with the variance divided by m, not by m - 1."
EPSILON_OUTSIDE = "epsilon is added to the variance, under the root, not to the standard deviation."
BY_VARIANCE = "Divide by the root of variance plus epsilon, not by the variance."
Y_WRONG = {
    "by-variance": ("y[i] = gamma*(x[i] - mu)/(v + epsilon) + beta", BY_VARIANCE),
    "epsilon-outside": ("y[i] = gamma*(x[i] - mu)/(sqrt(v) + epsilon) + beta", EPSILON_OUTSIDE),
}


def _channel(rng: Random) -> list[int]:
    """Four or five whole values with a whole mean from 1 up."""
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
    prompt="One channel of batch norm in training mode sees the values x = {x}. Scale gamma = {gamma}, shift beta = "
    "{beta}; "
    "epsilon = {epsilon} is added to the variance under the root (it is large here, so that its place shows).\n"
    "What are the mean mu, the variance v (divided by the number of values) and the output y?",
    hint="First to mean 0 and variance 1 by the batch's own statistics, then scale and shift.",
)
def bn_forward(rng: Random) -> dict[str, Any]:
    """Batch norm in training mode"""
    return dict(x=_channel(rng)) | _affine(rng)


bn_forward.mistake("unbiased", "v = sum(i, (x[i] - mu)^2)/(m - 1)", UNBIASED)
bn_forward.mistake(
    "mean-not-taken-away", "v = mean(i, x[i]^2)", "A variance is the mean square of the distances from the mean."
)
bn_forward.mistake("by-variance", *Y_WRONG["by-variance"])
bn_forward.mistake("epsilon-outside", *Y_WRONG["epsilon-outside"])
bn_forward.mistake(
    "shift-before-scale",
    "y[i] = gamma*((x[i] - mu)/sqrt(v + epsilon) + beta)",
    "The shift comes last: gamma multiplies the normalised value alone.",
)
bn_forward.mistake(
    "affine-left-out",
    "y[i] = (x[i] - mu)/sqrt(v + epsilon)",
    "The normalised values are still to be scaled and shifted.",
)
BATCH_NORM = """
bn = torch.nn.BatchNorm1d(1, eps=epsilon, momentum=None)  # no momentum: after one batch, that batch's statistics
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
    prompt="Batch norm in training mode gets the batch X = {X}, a row for each sample and a column for each feature. "
    "Scale gamma = {gamma}, shift beta = {beta}, epsilon = {epsilon} (added to the variance, under the root).\n"
    "What are the means mu, the variances v (divided by the number of values) and the output Y?",
    hint="Every feature is normalised by itself, over the samples of the batch.",
)
def bn_features(rng: Random) -> dict[str, Any]:
    """Batch norm of a batch with two features"""
    samples = rng.choice([3, 4])
    X = [[rng.randint(-3, 6), rng.randint(0, 12)] for _ in range(samples)]
    gamma, beta = ([rng.choice(choice) for _ in range(2)] for choice in ([1, 2, 0.5, 3], [0, 1, -1, 2]))
    return dict(X=X, gamma=gamma, beta=beta, epsilon=rng.choice([0.1, 0.5, 1]))


bn_features.mistake(
    "per-sample",
    "mu[n] = mean(k, X[n, k]); v[n] = mean(k, (X[n, k] - mean(j, X[n, j]))^2); "
    "Y[i, k] = gamma[k]*(X[i, k] - mean(j, X[i, j]))/sqrt(mean(j, (X[i, j] - mean(h, X[i, h]))^2) + epsilon) + beta[k]",
    "That is layer norm: batch norm takes each feature (a column) over the samples, not each sample over its features.",
)
bn_features.mistake("unbiased", "v[k] = sum(i, (X[i, k] - mu[k])^2)/(m - 1)", UNBIASED)
bn_features.mistake("by-variance", "Y[i, k] = gamma[k]*(X[i, k] - mu[k])/(v[k] + epsilon) + beta[k]", BY_VARIANCE)
bn_features.mistake(
    "epsilon-outside", "Y[i, k] = gamma[k]*(X[i, k] - mu[k])/(sqrt(v[k]) + epsilon) + beta[k]", EPSILON_OUTSIDE
)
bn_features.torch(
    """
bn = torch.nn.BatchNorm1d(2, eps=epsilon, momentum=None)  # no momentum: after one batch, that batch's statistics
bn.weight.data, bn.bias.data = gamma, beta
Y = bn(X)
mu, v = bn.running_mean, bn.running_var * (len(X) - 1) / len(X)
"""
)


@drill(
    BN_RUNNING,
    tier=2,
    asks="R_mean R_var",
    prompt="Batch norm, as in PyTorch, has the running mean {R_mean0} and the running variance {R_var0} in one "
    "channel. In "
    "training mode a batch with the values x = {x} comes. The momentum is alpha = {alpha}: the weight of the new "
    "batch. The "
    "running variance is fed with the unbiased variance of the batch (divided by m - 1).\n"
    "What are the running mean R_mean and the running variance R_var afterwards?",
    hint="Keep 1 - alpha of the old value and add alpha of the new one.",
)
def bn_running_stats(rng: Random) -> dict[str, Any]:
    """Running statistics of batch norm"""
    return dict(x=_channel(rng)) | _statistics(rng)


def _statistics(rng: Random) -> dict[str, Any]:
    start = rng.choice([(0, 1), (0, 1), (-2, 4), (-1, 3), (0.5, 2)])
    return dict(alpha=rng.choice([0.1, 0.1, 0.2, 0.05]), R_mean0=start[0], R_var0=start[1])


REVERSED = "alpha is the weight of the new batch here: the old value keeps 1 - alpha."
bn_running_stats.mistake(
    "momentum-reversed",
    "R_mean = alpha*R_mean0 + (1 - alpha)*mu; R_var = alpha*R_var0 + (1 - alpha)*v*m/(m - 1)",
    REVERSED,
)
bn_running_stats.mistake(
    "biased-variance",
    "R_var = (1 - alpha)*R_var0 + alpha*v",
    "The running variance takes the unbiased variance, divided by m - 1; only the normalisation itself divides by m.",
)
bn_running_stats.mistake(
    "old-not-decayed",
    "R_mean = R_mean0 + alpha*mu; R_var = R_var0 + alpha*v*m/(m - 1)",
    "The old value is multiplied by 1 - alpha, so that the two weights add up to 1.",
)
bn_running_stats.mistake(
    "batch-alone",
    "R_mean = mu; R_var = v*m/(m - 1)",
    "Those are the statistics of this batch: the running ones move only by alpha of the way there.",
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
    prompt="One channel of a batch norm layer, as in PyTorch: gamma = {gamma}, beta = {beta}, epsilon = {epsilon} "
    "(added to "
    "the variance, under the root), momentum alpha = {alpha} (the weight of the new batch), running mean {R_mean0} and "
    "running variance {R_var0} so far.\n"
    "In training mode the values x = {x} come. Give their mean mu, their variance v (divided by the number m of "
    "values), "
    "the output y, and the running statistics R_mean and R_var afterwards (the running variance takes the unbiased "
    "variance, divided by m - 1). Then the layer is switched to evaluation mode: what does it give for the same "
    "values (z)?",
    hint="Training normalises with the batch and updates the running statistics; evaluation uses those and changes "
    "nothing.",
)
def bn_train_then_eval(rng: Random) -> dict[str, Any]:
    """Batch norm: train, then evaluate"""
    return dict(x=_channel(rng)) | _affine(rng) | _statistics(rng)


bn_train_then_eval.mistake("unbiased", "v = sum(i, (x[i] - mu)^2)/(m - 1)", UNBIASED)
bn_train_then_eval.mistake("by-variance", *Y_WRONG["by-variance"])
bn_train_then_eval.mistake("epsilon-outside", *Y_WRONG["epsilon-outside"])
bn_train_then_eval.mistake(
    "running-statistics-in-training",
    "y[i] = gamma*(x[i] - R_mean0)/sqrt(R_var0 + epsilon) + beta",
    "Training mode normalises with the statistics of the batch itself; the running ones are for evaluation.",
)
bn_train_then_eval.mistake(
    "momentum-reversed",
    "R_mean = alpha*R_mean0 + (1 - alpha)*mu; R_var = alpha*R_var0 + (1 - alpha)*v*m/(m - 1)",
    REVERSED,
)
bn_train_then_eval.mistake(
    "biased-variance",
    "R_var = (1 - alpha)*R_var0 + alpha*v",
    "The running variance takes the unbiased variance, divided by m - 1; only the normalisation itself divides by m.",
)
bn_train_then_eval.mistake(
    "batch-statistics-in-evaluation",
    "z[i] = gamma*(x[i] - mu)/sqrt(v + epsilon) + beta",
    "In evaluation the batch's own statistics are not used: normalise with the running mean and variance.",
)
bn_train_then_eval.mistake(
    "statistics-before-the-update",
    "z[i] = gamma*(x[i] - R_mean0)/sqrt(R_var0 + epsilon) + beta",
    "The training pass has moved the running statistics: use them as they are afterwards.",
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
    prompt="A batch norm for images gets batches of {N} x {C} x {H} x {W} (images, channels, height, width). How many "
    "trained parameters P does it have, how many numbers B in the buffers that it keeps without training them "
    "(PyTorch's counter of batches left out), and over how many values M is each mean taken in training mode?",
    hint="Everything is kept once for each channel; the statistics run over all that shares the channel.",
)
def bn_params_count(rng: Random) -> dict[str, Any]:
    """Parameters, buffers and statistics of batch norm"""
    side = rng.choice([7, 8, 14, 16, 28, 32, 56])
    return dict(N=rng.choice([4, 8, 16, 32, 64]), C=rng.choice([16, 24, 32, 48, 64, 96, 128, 256, 512]), H=side, W=side)


bn_params_count.mistake(
    "buffers-counted",
    "P = 4*C",
    "Running mean and variance are buffers, not trained: gamma and beta are the only parameters, 2 for each channel.",
)
bn_params_count.mistake(
    "per-pixel",
    "P = 2*C*H*W; B = 2*C*H*W",
    "All places of a channel share one scale, one shift and one pair of statistics: 2 for each channel.",
)
bn_params_count.mistake(
    "one-of-two",
    "P = C; B = C",
    "There are two for each channel: scale and shift among the parameters, mean and variance in the buffers.",
)
bn_params_count.mistake(
    "single-image", "M = H*W", "That is instance norm: batch norm takes the mean over all images of the batch as well."
)
bn_params_count.mistake(
    "batch-alone", "M = N", "All places of the images count as values of a channel: the mean runs over N, H and W."
)
bn_params_count.mistake(
    "channels-too", "M = N*C*H*W", "Each channel has its own mean: the channels are not averaged together."
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
    visualization="flow: {C_in} channels > {k} x {k} convolution > {C_out} channels > batch norm > {C_out} channels",
    prompt="A block is a convolution with {k} x {k} filters from {C_in} to {C_out} channels, without bias, and a "
    "batch norm "
    "with scale and shift. How many trained parameters do the convolution (P_conv), the batch norm (P_bn) and both "
    "together (P) have?",
    hint="The batch norm's shift does the work that the convolution's bias would do.",
)
def conv_block_params(rng: Random) -> dict[str, Any]:
    """Parameters of a convolution with batch norm"""
    return dict(
        k=rng.choice([1, 3, 3, 5, 7]),
        C_in=rng.choice([3, 16, 32, 64, 128]),
        C_out=rng.choice([16, 24, 32, 64, 96, 256]),
    )


conv_block_params.mistake(
    "bias-kept",
    "P_conv = (k^2*C_in + 1)*C_out",
    "This convolution has no bias: the batch norm would take it away again with the mean, and beta stands in for it.",
)
conv_block_params.mistake(
    "input-channels-left-out", "P_conv = k^2*C_out", "Each filter reaches through all input channels: k^2 C_in weights."
)
conv_block_params.mistake(
    "buffers-counted",
    "P_bn = 4*C_out",
    "Running means and variances are buffers, not trained: 2 for each channel remain.",
)
conv_block_params.mistake(
    "input-channels-normalised", "P_bn = 2*C_in", "The batch norm stands behind the convolution: it has C_out channels."
)
conv_block_params.mistake("one-of-two", "P_bn = C_out", "Each channel has a scale and a shift: two parameters.")
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
    prompt="A neuron W x + b with W = {W}, b = {b} is followed by batch norm in evaluation mode: running mean mu = "
    "{mu}, "
    "running variance v = {v}, gamma = {gamma}, beta = {beta}, epsilon = {epsilon} (added to the variance, under the "
    "root).\n"
    "Which weight W_folded and bias b_folded do the work of both in one neuron?",
    hint="Write gamma (W x + b - mu)/sqrt(v + epsilon) + beta, and sort it by x.",
)
def bn_fold(rng: Random) -> dict[str, Any]:
    """Folding batch norm into a weight"""
    v, epsilon = rng.choice([(3, 1), (8, 1), (0.75, 0.25), (2, 0.25), (6, 0.25), (5, 1), (1, 0.5)])
    W = rng.choice([-1, 1]) * rng.randint(2, 12) / 4
    mu, b = rng.sample([-2, -1, -0.5, 0.5, 1, 1.5, 2, 3], 2)
    return dict(
        W=W, b=b, mu=mu, v=v, gamma=rng.choice([0.5, 1.5, 2, 3, -2]), beta=rng.choice([-1, 0.5, 2]), epsilon=epsilon
    )


bn_fold.mistake(
    "epsilon-left-out",
    "W_folded = W*gamma/sqrt(v); b_folded = (b - mu)*gamma/sqrt(v) + beta",
    "Batch norm divides by sqrt(v + epsilon): the folded weight and bias must do the same.",
)
bn_fold.mistake(
    "by-variance",
    "W_folded = W*gamma/(v + epsilon); b_folded = (b - mu)*gamma/(v + epsilon) + beta",
    BY_VARIANCE,
)
bn_fold.mistake(
    "mean-left-out",
    "b_folded = b*gamma/sqrt(v + epsilon) + beta",
    "The running mean is taken away before scaling: the bias becomes (b - mu) gamma/sqrt(v + epsilon) + beta.",
)
bn_fold.mistake(
    "bias-not-scaled",
    "b_folded = b - mu + beta",
    "b - mu goes through the batch norm too: it is scaled by gamma/sqrt(v + epsilon).",
)
bn_fold.mistake(
    "shift-left-out", "b_folded = (b - mu)*gamma/sqrt(v + epsilon)", "The shift beta joins the folded bias."
)
bn_fold.torch(
    """
from torch.nn.utils.fusion import fuse_linear_bn_weights

one = lambda value: torch.tensor([float(value)])
weight, bias = fuse_linear_bn_weights(one(W)[None], one(b), one(mu), one(v), epsilon, one(gamma), one(beta))
W_folded, b_folded = weight[0, 0].detach(), bias[0].detach()
"""
)


@drill(
    LAYER_NORM,
    id="ln-in-gn:layer-norm",
    tier=2,
    asks="mu v Y",
    visualization="matrices X",
    prompt="Layer norm over the features, with scale 1, shift 0 and epsilon = {epsilon}, gets X = {X}, a row for each "
    "sample. What are the means mu, the variances v (divided by the number of values) and the output Y?",
    hint="Each sample is normalised by itself, over its own features.",
)
def layer_norm(rng: Random) -> dict[str, Any]:
    """Layer norm of two samples"""
    features = rng.choice([3, 4])
    return dict(X=[[rng.randint(-3, 8) for _ in range(features)] for _ in range(2)], epsilon=0)


layer_norm.mistake(
    "across-the-batch",
    "mu[k] = mean(n, X[n, k]); v[k] = mean(n, (X[n, k] - mean(j, X[j, k]))^2); "
    "Y[n, k] = (X[n, k] - mean(j, X[j, k]))/sqrt(mean(j, (X[j, k] - mean(h, X[h, k]))^2) + epsilon)",
    "That is batch norm: layer norm runs along the features of one sample, whatever else is in the batch.",
)
layer_norm.mistake(
    "unbiased",
    "v[n] = sum(k, (X[n, k] - mu[n])^2)/(d - 1)",
    "Layer norm divides the variance by the number of features, not by one less.",
)
layer_norm.mistake(
    "by-variance",
    "Y[n, k] = (X[n, k] - mu[n])/(v[n] + epsilon)",
    "Divide by the root of the variance, not by the variance.",
)
layer_norm.mistake(
    "mean-only", "Y[n, k] = X[n, k] - mu[n]", "The features are also divided by their standard deviation."
)
layer_norm.torch(
    """
v, mu = torch.var_mean(X, dim=1, correction=0)
Y = F.layer_norm(X, X.shape[1:], eps=epsilon)
"""
)


def _group_steps(X: list, G: int, epsilon: float, Y: list) -> list[Step]:
    steps = []
    for group in channel_groups(len(X), G):
        values = [value for channel in group for value in X[channel]]
        mean = sum(values) / len(values)
        variance = sum((value - mean) ** 2 for value in values) / len(values)
        names = ", ".join(str(channel + 1) for channel in group)
        said = f"mean {mean:.6g}, variance {variance:.6g} over {len(values)} values"
        steps.append(
            Step(f"Channels {names}: {said}; take the mean away and divide by the root of variance + epsilon.")
        )
    return steps


@drill(
    GROUP_NORM,
    id="ln-in-gn:group-norm",
    tier=2,
    asks="Y",
    visualization="matrices X",
    steps=_group_steps,
    prompt="Group norm with {G} groups, scale 1, shift 0 and epsilon = {epsilon}, gets one sample of {channels} "
    "channels: "
    "X = {X}, a row of pixels for each channel. Neighbouring channels form a group; the variance is divided by the "
    "number "
    "of values.",
    hint="All pixels of all channels of a group share one mean and one variance.",
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
    "That is instance norm: in group norm the channels of a group are normalised together.",
)
group_norm.mistake(
    "all-channels-together",
    {"Y": lambda X, G, epsilon: normalize(X, channel_groups(len(X), 1), epsilon)},
    "That is layer norm over the sample, a single group: here each group has its own mean and variance.",
)
group_norm.mistake(
    "every-other-channel",
    {"Y": lambda X, G, epsilon: normalize(X, [range(g, len(X), G) for g in range(G)], epsilon)},
    "A group is a run of neighbouring channels: the first two, then the next two.",
)
group_norm.mistake(
    "unbiased",
    {"Y": lambda X, G, epsilon: normalize(X, channel_groups(len(X), G), epsilon, correction=1)},
    "Group norm divides the variance by the number of values, not by one less.",
)
group_norm.torch("Y = F.group_norm(X[None], G, eps=epsilon)[0]")


@drill(
    NORM_SIZES,
    id="ln-in-gn:sizes",
    tier=1,
    asks="M_layer M_instance M_group P_layer P_group",
    prompt="A batch of {N} x {C} x {H} x {W} (images, channels, height, width) is normalised as PyTorch does it, with "
    "scale "
    "and shift: by layer norm over everything in an image (normalized_shape = [{C}, {H}, {W}]), by instance norm, or "
    "by "
    "group norm with {G} groups.\n"
    "Over how many values is each mean taken (M_layer, M_instance, M_group), and how many parameters do the layer "
    "norm and the group norm have (P_layer, P_group)?",
    hint="None of the three looks beyond one image; they differ in how many channels share a mean.",
)
def norm_sizes(rng: Random) -> dict[str, Any]:
    """What layer, instance and group norm average over"""
    side, C = rng.choice([4, 7, 8, 14, 16, 28]), rng.choice([16, 32, 48, 64, 96])
    return dict(N=rng.choice([6, 10, 12, 20, 32]), C=C, H=side, W=side, G=rng.choice([2, 4, 8]))


norm_sizes.mistake(
    "batch-too",
    "M_layer = N*C*H*W; M_instance = N*H*W; M_group = N*c*H*W",
    "The mean runs within one image; the other images of the batch play no part.",
)
norm_sizes.mistake(
    "groups-for-their-size",
    "M_group = G*H*W",
    "G is the number of groups; a group holds C/G channels, and its mean runs over C/G H W values.",
)
norm_sizes.mistake(
    "pixels-left-out", "M_layer = C; M_group = c", "Every pixel of the channels counts as a value: times H W."
)
norm_sizes.mistake(
    "layer-norm-per-channel",
    "P_layer = 2*C",
    "PyTorch's layer norm has a scale and a shift for each element of normalized_shape, C H W of each.",
)
norm_sizes.mistake(
    "one-of-two",
    "P_layer = C*H*W; P_group = C",
    "There is a scale and a shift: two parameters each time.",
)
norm_sizes.mistake(
    "group-norm-per-group", "P_group = 2*G", "Scale and shift belong to each channel, not to each group: 2C."
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
