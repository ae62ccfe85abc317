"""He and Xavier initialization."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.training_deep_cnns import INIT_HE, INIT_XAVIER

BOUND = "The bound is sqrt(3 V): a uniform distribution on -a to a has the variance a^2/3."


@drill(
    INIT_HE,
    id="init-xavier-he:he",
    tier=2,
    asks="fan_in V sd a",
    decimals=6,
    prompt="A convolution with {k} x {k} filters from {C_in} to {C_out} channels is followed by a ReLU. It is "
    "initialized "
    "after He (Kaiming) by fan_in, with the gain of ReLU.\n"
    "What is fan_in, what are the variance V and the standard deviation sd of the weights, and the bound a if they are "
    "drawn from the uniform distribution on -a to a of the same variance?",
    hint="fan_in counts the inputs of one output value; ReLU halves the mean square, and a 2 in the variance makes up "
    "for it.",
)
def init_he(rng: Random) -> dict[str, Any]:
    """He initialization of a convolution"""
    C_in, C_out = rng.sample([8, 16, 32, 48, 64, 96, 128], 2)
    return dict(k=rng.choice([3, 3, 5, 7]), C_in=rng.choice([3, C_in, C_in]), C_out=C_out)


init_he.mistake(
    "k-left-out", "fan_in = C_in", "One output value sees k x k pixels of every input channel: fan_in is k^2 C_in."
)
init_he.mistake(
    "fan-out",
    "fan_in = k^2*C_out",
    "That is fan_out, which torchvision's ResNets choose; fan_in goes by the input channels, k^2 C_in.",
)
init_he.mistake(
    "gain-left-out",
    "V = 1/fan_in",
    "That keeps the variance of linear layers; with ReLU, which halves the mean square, it takes 2/fan_in.",
)
init_he.mistake(
    "xavier",
    "V = 2/(k^2*C_in + k^2*C_out)",
    "That is Xavier's variance, 2/(fan_in + fan_out); He divides 2 by fan_in alone.",
)
init_he.mistake(
    "deviation-for-variance", "V = sqrt(2/fan_in)", "That is the standard deviation; its square is asked here."
)
init_he.mistake("variance-for-deviation", "sd = V", "The standard deviation is the root of the variance.")
init_he.mistake("deviation-for-bound", "a = sd", BOUND)
init_he.mistake("bound-without-root", "a = 3*V", BOUND)
init_he.torch(
    """
from torch.nn import init

def scale(fill, unit):  # what `fill` multiplies the same random numbers by
    torch.manual_seed(0)
    filled = fill(torch.empty(C_out, C_in, k, k), nonlinearity="relu")
    torch.manual_seed(0)
    return (filled / unit(torch.empty(C_out, C_in, k, k))).median()

fan_in = init._calculate_fan_in_and_fan_out(torch.empty(C_out, C_in, k, k))[0]
sd = scale(init.kaiming_normal_, torch.Tensor.normal_)
a = scale(init.kaiming_uniform_, lambda weight: weight.uniform_(-1, 1))
V = sd**2
"""
)


@drill(
    INIT_XAVIER,
    id="init-xavier-he:xavier",
    tier=2,
    asks="V sd a",
    decimals=6,
    prompt="A linear layer with {n_in} inputs and {n_out} outputs is followed by tanh. It is initialized after Xavier "
    "(Glorot), with gain 1.\n"
    "What are the variance V and the standard deviation sd of the weights, and the bound a if they are drawn from the "
    "uniform distribution on -a to a of the same variance?",
    hint="Xavier is a compromise between the forward and the backward pass: it goes by the inputs and the outputs.",
)
def init_xavier(rng: Random) -> dict[str, Any]:
    """Xavier initialization of a linear layer"""
    n_in, n_out = rng.sample([10, 20, 32, 50, 64, 100, 128, 200, 256, 300, 400, 512], 2)
    return dict(n_in=n_in, n_out=n_out)


init_xavier.mistake(
    "he", "V = 2/n_in", "That is He's variance, made for ReLU; Xavier divides 2 by inputs plus outputs."
)
init_xavier.mistake(
    "inputs-alone", "V = 1/n_in", "That keeps the forward pass alone; Xavier averages the inputs and the outputs."
)
init_xavier.mistake(
    "sum-for-mean",
    "V = 1/(n_in + n_out)",
    "The variance is 1 over the mean of inputs and outputs, which is 2/(n_in + n_out).",
)
init_xavier.mistake(
    "deviation-for-variance", "V = sqrt(2/(n_in + n_out))", "That is the standard deviation; its square is asked here."
)
init_xavier.mistake("variance-for-deviation", "sd = V", "The standard deviation is the root of the variance.")
init_xavier.mistake("deviation-for-bound", "a = sd", BOUND)
init_xavier.mistake("bound-without-root", "a = 3*V", BOUND)
init_xavier.torch(
    """
from torch.nn import init

def scale(fill, unit):  # what `fill` multiplies the same random numbers by
    torch.manual_seed(0)
    filled = fill(torch.empty(n_out, n_in))
    torch.manual_seed(0)
    return (filled / unit(torch.empty(n_out, n_in))).median()

sd = scale(init.xavier_normal_, torch.Tensor.normal_)
a = scale(init.xavier_uniform_, lambda weight: weight.uniform_(-1, 1))
V = sd**2
"""
)
