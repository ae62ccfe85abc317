"""Weight initialization: drills."""

from random import Random

from quizzes.content.training_deep_cnns.initialization.formulas import INIT_HE, INIT_XAVIER
from quizzes.drill import Inputs, Mistake, drill

BOUND = "This is not the bound of a uniform distribution. Its variance from -a to a is a^2/3, so a = sqrt(3 V)."


STANDARD_DEVIATION = "You gave the standard deviation. V is the variance, so square it."


VARIANCE = "You gave the variance. The standard deviation is its square root."


@drill(
    INIT_HE,
    id="init-xavier-he:he",
    tier=2,
    asks=("fan_in", "V", "sd", "a"),
    decimals=6,
    prompt="A convolution from C_in = {C_in} to C_out = {C_out} channels with kernel size k = {k} is followed by "
    "ReLU. It is initialized with He (Kaiming) initialization.\n"
    "What are fan_in, the variance V and the standard deviation sd of the weights, and the bound a if the weights are "
    "drawn from a uniform distribution from -a to a with the same variance?\n"
    "Conventions: by fan_in, with the gain for ReLU.",
    hint="How many inputs does one output value depend on? Why does ReLU need a factor 2 in the variance?",
    mistakes=[
        Mistake(
            "k-left-out",
            "fan_in = C_in",
            "You left out the kernel size. An output value depends on k^2 pixels of every input channel, so fan_in = "
            "k^2 C_in.",
        ),
        Mistake(
            "fan-out",
            "fan_in = k^2*C_out",
            "That is fan_out. fan_in counts the inputs of an output value, so use the input channels, k^2 C_in.",
        ),
        Mistake(
            "gain-left-out",
            "V = 1/fan_in",
            "You left out the gain. ReLU halves the mean square, so the variance must be 2/fan_in.",
        ),
        Mistake(
            "xavier",
            "V = 2/(k^2*C_in + k^2*C_out)",
            "That is the variance of Xavier initialization. He initialization divides 2 by fan_in alone.",
        ),
        Mistake("deviation-for-variance", "V = sqrt(2/fan_in)", STANDARD_DEVIATION),
        Mistake("variance-for-deviation", "sd = V", VARIANCE),
        Mistake("deviation-for-bound", "a = sd", BOUND),
        Mistake("bound-without-root", "a = 3*V", BOUND),
    ],
)
def init_he(rng: Random) -> Inputs:
    """He initialization of a convolution"""
    C_in, C_out = rng.sample([8, 16, 32, 48, 64, 96, 128], 2)
    return dict(k=rng.choice([3, 3, 5, 7]), C_in=rng.choice([3, C_in, C_in]), C_out=C_out)


@drill(
    INIT_XAVIER,
    id="init-xavier-he:xavier",
    tier=2,
    asks=("V", "sd", "a"),
    decimals=6,
    prompt="A linear layer with n_in = {n_in} inputs and n_out = {n_out} outputs is followed by tanh. It is "
    "initialized with Xavier (Glorot) initialization.\n"
    "What are the variance V and the standard deviation sd of the weights, and the bound a if the weights are drawn "
    "from a uniform distribution from -a to a with the same variance?\n"
    "Conventions: gain 1.",
    hint="Xavier initialization balances the forward and the backward pass. Which two numbers does it depend on?",
    mistakes=[
        Mistake(
            "he",
            "V = 2/n_in",
            "That is the variance of He initialization, for ReLU. Xavier initialization divides 2 by inputs plus "
            "outputs.",
        ),
        Mistake(
            "inputs-alone",
            "V = 1/n_in",
            "You used the inputs only, which balances only the forward pass. Xavier initialization uses 2/(n_in + "
            "n_out).",
        ),
        Mistake(
            "sum-for-mean",
            "V = 1/(n_in + n_out)",
            "You divided by the sum. The variance is 1 over the mean of inputs and outputs, so V = 2/(n_in + n_out).",
        ),
        Mistake("deviation-for-variance", "V = sqrt(2/(n_in + n_out))", STANDARD_DEVIATION),
        Mistake("variance-for-deviation", "sd = V", VARIANCE),
        Mistake("deviation-for-bound", "a = sd", BOUND),
        Mistake("bound-without-root", "a = 3*V", BOUND),
    ],
)
def init_xavier(rng: Random) -> Inputs:
    """Xavier initialization of a linear layer"""
    n_in, n_out = rng.sample([10, 20, 32, 50, 64, 100, 128, 200, 256, 300, 400, 512], 2)
    return dict(n_in=n_in, n_out=n_out)
