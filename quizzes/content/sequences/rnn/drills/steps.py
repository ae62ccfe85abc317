"""Vanilla RNN and BPTT: drills about single steps and whole small networks."""

from math import atanh
from random import Random

from quizzes.content.sequences.rnn.formulas import CHAR_RNN, RNN_STEP, RNN_TWO_STEPS, RNN_VECTOR_STEP
from quizzes.drill import Inputs, Mistake, drill, one_of
from quizzes.expressions.tree import UndefinedValue

NO_TANH = "You left out tanh. The hidden state is tanh of the weighted sum, so it is between -1 and 1."


def _tenths(rng: Random, low: int, high: int) -> float:
    """Return a number from low to high tenths, with a random sign."""
    return rng.choice([-1, 1]) * rng.randint(low, high) / 10


@drill(
    RNN_TWO_STEPS,
    id="rnn-step",
    tier=1,
    asks=("h1", "h2"),
    prompt="An RNN with one hidden unit computes h_t = tanh(w_x x_t + w_h h_(t-1) + b) with w_x = {w_x}, w_h = {w_h}, "
    "and b = {b}. It starts at h_0 = {h0} and reads x_1 = {x1}, then x_2 = {x2}.\n"
    "What are the hidden states h1 and h2?",
    hint="Which hidden state does step 2 read, and which weights does it use?",
    mistakes=[
        Mistake(
            "state-not-updated",
            "h = tanh(w_x*x + w_h*0 + b)",
            "You used h_0 in step 2. Each step reads the hidden state of the step before, so use h1.",
        ),
        Mistake("no-tanh", "h = w_x*x + w_h*h_prior + b", NO_TANH),
        Mistake(
            "weights-swapped",
            "h = tanh(w_h*x + w_x*h_prior + b)",
            "You swapped the weights. w_x multiplies the input, and w_h the previous hidden state.",
        ),
        Mistake(
            "bias-once",
            "h = tanh(w_x*x + w_h*h_prior)",
            "You left out the bias. All steps use the same weights and the same bias, so add b in each.",
        ),
        Mistake(
            "sigmoid",
            "h = sigmoid(w_x*x + w_h*h_prior + b)",
            "You used the sigmoid. The activation here is tanh, whose values are between -1 and 1.",
        ),
    ],
)
def rnn_step(rng: Random) -> Inputs:
    """Two steps of an RNN"""
    x1, x2 = (rng.choice([-1, 1]) * rng.choice([0.5, 1, 1.5, 2]) for _ in range(2))
    return dict(w_x=_tenths(rng, 2, 9), w_h=_tenths(rng, 2, 9), b=_tenths(rng, 1, 4), h0=0, x1=x1, x2=x2)


@drill(
    RNN_STEP,
    id="rnn-step:unknown",
    tier=2,
    asks=one_of("w_h", "w_x", "b"),
    prompt="One step of an RNN computes h_t = tanh(w_x x_t + w_h h_(t-1) + b). The input weight is {w_x}, the "
    "recurrent weight {w_h}, and the bias {b}. For the input x_t = {x} and the previous state h_(t-1) = {h_prior}, "
    "the new state is h_t = {h}.",
    hint="Which function undoes tanh? Apply it to the new state first.",
    mistakes=[
        Mistake("no-tanh", "h = w_x*x + w_h*h_prior + b", "You left out tanh. Apply its inverse to h_t first."),
        Mistake(
            "sigmoid",
            "h = sigmoid(w_x*x + w_h*h_prior + b)",
            "You inverted the sigmoid. The activation here is tanh, so use its inverse, artanh.",
        ),
        Mistake(
            "sign-of-bias",
            "h = tanh(w_x*x + w_h*h_prior - b)",
            "The sign of the bias is reversed. The bias is added inside tanh.",
        ),
        Mistake(
            "values-swapped",
            "h = tanh(w_x*h_prior + w_h*x + b)",
            "You swapped input and state. w_x multiplies the input, and w_h the previous hidden state.",
        ),
    ],
)
def rnn_step_unknown(rng: Random) -> Inputs:
    """Weight or bias of an RNN from one step"""
    w_x, w_h, b = _tenths(rng, 2, 9), _tenths(rng, 2, 9), _tenths(rng, 1, 4)
    x, h_prior = rng.choice([-2, -1, 1, 2]), _tenths(rng, 2, 8)
    if abs(w_x * x + w_h * h_prior + b) > atanh(0.9):
        raise UndefinedValue("tanh is too flat there to be inverted with few digits")
    return dict(w_x=w_x, w_h=w_h, b=b, x=x, h_prior=h_prior)


@drill(
    RNN_VECTOR_STEP,
    id="rnn-step:vector",
    tier=2,
    asks=("h", "p"),
    prompt="An RNN computes h_t = tanh(W_x x_t + W_h h_(t-1) + b) and p = softmax(W_y h_t).\n"
    "W_x = {W_x}, W_h = {W_h}, b = {b}, W_y = {W_y}. The input is x_t = {x} and the previous state h_(t-1) = "
    "{h_prior}.\n"
    "What are the new hidden state h and the output probabilities p?",
    hint="Each row of a weight matrix belongs to one unit. tanh is applied to each sum, and softmax to the logits.",
    mistakes=[
        Mistake("no-tanh", "h[i] = sum(j, W_x[i, j]*x[j]) + sum(k, W_h[i, k]*h_prior[k]) + b[i]", NO_TANH),
        Mistake(
            "state-ignored",
            "h[i] = tanh(sum(j, W_x[i, j]*x[j]) + b[i])",
            "You left out the previous hidden state. Add W_h h_(t-1) inside tanh.",
        ),
        Mistake(
            "recurrent-transposed",
            "h[i] = tanh(sum(j, W_x[i, j]*x[j]) + sum(k, W_h[k, i]*h_prior[k]) + b[i])",
            "You used the columns of W_h. Each hidden unit uses its row: the sum runs over the columns.",
        ),
        Mistake(
            "logits-for-probabilities",
            "p[m] = sum(i, W_y[m, i]*h[i])",
            "Those are the logits. Softmax divides the exponential of each by the sum of all exponentials.",
        ),
        Mistake(
            "sigmoid-for-softmax",
            "p[m] = sigmoid(sum(i, W_y[m, i]*h[i]))",
            "You applied a sigmoid to each logit, so the values do not add up to 1. Use softmax.",
        ),
    ],
)
def rnn_step_vector(rng: Random) -> Inputs:
    """One step of an RNN with two hidden units"""

    def halves(rows: int, columns: int) -> list[list[float]]:
        return [[rng.choice([-1, -0.5, 0.5, 1]) for _ in range(columns)] for _ in range(rows)]

    W_h = halves(2, 2)
    while W_h[0][1] == W_h[1][0]:  # otherwise the transposed matrix is the same
        W_h = halves(2, 2)
    x, h_prior = [rng.choice([-1, 1, 2]) for _ in range(2)], [_tenths(rng, 2, 8) for _ in range(2)]
    b = [_tenths(rng, 1, 4) for _ in range(2)]
    W_y = rng.sample([[u, v] for u in (-1, -0.5, 0.5, 1) for v in (-1, -0.5, 0.5, 1)], rng.choice([2, 3]))
    return dict(W_x=halves(2, 2), W_h=W_h, b=b, W_y=W_y, x=x, h_prior=h_prior)


@drill(
    CHAR_RNN,
    id="chain-char-rnn",
    tier=3,
    asks=("h1", "h2", "L", "PP", "better", "g"),
    prompt="A character RNN knows the letters a and b, with the embeddings a = 1 and b = -1. It computes h_t = "
    "tanh(w_x x_t + w_h h_(t-1)) from h_0 = 0, and the logits (u h_t, -h_t) of (a, b), with w_x = {w_x}, w_h = {w_h} "
    "and u = {u}. It reads {text}, and the targets are {first} after the first letter and {second} after the second.\n"
    "What are the hidden states h1 and h2, the mean cross-entropy L per letter, and the perplexity PP? Is the model "
    "better than guessing both letters with probability 1/2? What is g = dL/du?\n"
    "Conventions: natural log; mean over the two letters.",
    hints=(
        "The second state depends on the first. Which logit belongs to each target?",
        "P(a) = sigmoid(u h + h), because the two logits differ by u h + h. L is the mean of -ln P(target), and PP = "
        "exp(L). The derivative of a letter's loss with respect to the first logit is P(a) - 1 if a is the target, "
        "else P(a).",
        "First step: put the embedding of the first letter into tanh; h_0 is 0.",
    ),
    mistakes=[
        Mistake(
            "state-reset",
            "h2 = tanh(w_x*x2)",
            "You restarted at 0. The second step reads the hidden state of the first step.",
        ),
        Mistake("no-tanh", "h1 = w_x*x1; h2 = w_x*x2 + w_h*h1", NO_TANH),
        Mistake(
            "sum-for-mean",
            "L = softplus(-y1*(u + 1)*h1) + softplus(-y2*(u + 1)*h2); PP = exp(2*L)",
            "You used the sum over the letters. L is the mean, so divide by 2.",
        ),
        Mistake(
            "predicts-its-input",
            "L = (softplus(-x1*(u + 1)*h1) + softplus(-x2*(u + 1)*h2))/2",
            "You used the letter that is read as its own target. The target is the next letter.",
        ),
        Mistake(
            "gradient-not-averaged",
            "g = (sigmoid((u + 1)*h1) - (y1 + 1)/2)*h1 + (sigmoid((u + 1)*h2) - (y2 + 1)/2)*h2",
            "You added the gradients of both letters. L is a mean, so divide by 2.",
        ),
        Mistake(
            "target-left-out",
            "g = (sigmoid((u + 1)*h1)*h1 + sigmoid((u + 1)*h2)*h2)/2",
            "You left out the targets. The gradient of the first logit is P(a), minus 1 if a is the target.",
        ),
    ],
)
def chain_char_rnn(rng: Random) -> Inputs:
    """A character RNN: states, loss, perplexity, gradient"""
    embedding = dict(a=1, b=-1)
    letters = [rng.choice("ab") for _ in range(3)]
    x1, x2, y2 = (embedding[letter] for letter in letters)
    weights = dict(w_x=_tenths(rng, 3, 9), w_h=_tenths(rng, 3, 9), u=rng.choice([0.5, 1, 1.5, 2, 2.5]))
    texts = dict(text="".join(letters[:2]), first=letters[1], second=letters[2])
    return dict(x1=x1, x2=x2, y1=x2, y2=y2, **weights, **texts)
