"""LSTM: drills about the cell."""

from random import Random

from quizzes.content.sequences.lstm.formulas import FORGET_FRACTION, LSTM_STATE, LSTM_STEP, LSTM_TWO_STEPS
from quizzes.drill import Inputs, Mistake, drill, one_of

ORDER = "Conventions: weights and biases in PyTorch's order i, f, g, o."

GATES_SWAPPED = "You swapped the gates. The forget gate multiplies the old cell state, the input gate the candidate."
NO_TANH = "You left out tanh. The output gate multiplies tanh of the cell state."


def _tenths(rng: Random, low: int, high: int) -> float:
    """Return a number from low to high tenths, with a random sign."""
    return rng.choice([-1, 1]) * rng.randint(low, high) / 10


def _weights(rng: Random) -> dict[str, list[float]]:
    """Return weights and biases in which no gate is like another one."""
    while True:
        w_x, w_h = ([_tenths(rng, 1, 9) for _ in range(4)] for _ in range(2))
        if len(set(zip(w_x, w_h, strict=True))) == 4:
            return dict(w_x=w_x, w_h=w_h, b=[rng.choice([0, 0, 0.5]), rng.choice([0.5, 1]), 0, rng.choice([0, 0.5])])


@drill(
    LSTM_STEP,
    tier=2,
    asks=("i", "f", "g", "o", "c", "h"),
    prompt="An LSTM with one unit receives x = {x}; its previous states are h_(t-1) = {h_prior} and c_(t-1) = "
    "{c_prior}. The input weights are w_x = {w_x}, the recurrent weights w_h = {w_h}, and the biases b = {b}.\n"
    "What are the input gate i, the forget gate f, the candidate g, the output gate o, the new cell state c, and the "
    "new hidden state h?\n" + ORDER,
    hint="Which three of the four blocks are gates between 0 and 1? What does each gate multiply?",
    mistakes=[
        Mistake("gates-swapped", "c = i*c_prior + f*g", GATES_SWAPPED),
        Mistake("no-tanh-at-output", "h = o*c", NO_TANH),
        Mistake(
            "sigmoid-for-candidate",
            "g = sigmoid(w_x[3]*x + w_h[3]*h_prior + b[3])",
            "You used the sigmoid for the candidate. It is not a gate, so its activation is tanh.",
        ),
        Mistake(
            "tanh-for-gates",
            "i = tanh(w_x[1]*x + w_h[1]*h_prior + b[1]); f = tanh(w_x[2]*x + w_h[2]*h_prior + b[2]); "
            "o = tanh(w_x[4]*x + w_h[4]*h_prior + b[4])",
            "You used tanh for a gate. Gates are between 0 and 1, so their activation is the sigmoid.",
        ),
        Mistake(
            "reads-cell-state",
            "o = sigmoid(w_x[4]*x + w_h[4]*(f*c_prior + i*g) + b[4])",
            "You used the new cell state in the output gate. Without peepholes, gates read x and h_(t-1) alone.",
        ),
        Mistake(
            "old-state-replaced",
            "c = i*g",
            "You dropped the old cell state. Add the forget gate times c_(t-1).",
        ),
    ],
)
def lstm_step(rng: Random) -> Inputs:
    """One step of an LSTM"""
    states = dict(h_prior=_tenths(rng, 2, 8), c_prior=_tenths(rng, 2, 15))
    return dict(x=rng.choice([-2, -1, 1, 2]), **states, **_weights(rng))


@drill(
    LSTM_TWO_STEPS,
    id="lstm-step:two-steps",
    tier=3,
    asks=("c1", "h1", "c2", "h2"),
    prompt="An LSTM with one unit starts at h_0 = {h0} and c_0 = {c0} and reads x_1 = {x1}, then x_2 = {x2}. The input "
    "weights are w_x = {w_x}, the recurrent weights w_h = {w_h}, and the biases b = {b}.\n"
    "What are the cell state and the hidden state after each step (c1, h1, c2, h2)?\n" + ORDER,
    hint="Compute the four gates of step 1, then both states. Which of them does step 2 read?",
    mistakes=[
        Mistake("gates-swapped", "c = i*c_prior + f*g", GATES_SWAPPED),
        Mistake("no-tanh-at-output", "h = o*c", NO_TANH),
        Mistake(
            "no-output-gate",
            "h = tanh(c)",
            "You left out the output gate. The hidden state is the output gate times tanh of the cell state.",
        ),
        Mistake(
            "cell-state-reset",
            "c = f*0 + i*g",
            "You dropped the old cell state. It is carried from step to step, times the forget gate.",
        ),
    ],
)
def lstm_two_steps(rng: Random) -> Inputs:
    """Two steps of an LSTM"""
    x1, x2 = rng.choice([-2, -1, 1, 2]), rng.choice([-1, -0.5, 0.5, 1])
    return dict(x1=x1, x2=x2, h0=0, c0=0, **_weights(rng))


def _gates(rng: Random) -> dict[str, float]:
    i, f, o = (rng.randint(10, 90) / 100 for _ in range(3))
    return dict(i=i, f=f, g=rng.choice([-1, 1]) * rng.randint(10, 90) / 100, o=o, c_prior=_tenths(rng, 3, 20))


@drill(
    LSTM_STATE,
    id="lstm-step:state",
    tier=1,
    asks=("c", "h"),
    prompt="In an LSTM, the input gate is i = {i}, the forget gate f = {f}, the candidate g = {g}, and the output gate "
    "o = {o}. The previous cell state is c_(t-1) = {c_prior}. What are the new cell state c and the new hidden state "
    "h?",
    hint="Which gate decides about the old cell state, and which about the candidate?",
    mistakes=[
        Mistake("gates-swapped", "c = i*c_prior + f*g", GATES_SWAPPED),
        Mistake(
            "complement",
            "c = f*c_prior + (1 - f)*g",
            "You used 1 - f for the candidate. An LSTM has an input gate of its own for it.",
        ),
        Mistake(
            "forgets-instead-of-keeping",
            "c = (1 - f)*c_prior + i*g",
            "You used 1 - f. The forget gate is the fraction that is kept, so multiply by f.",
        ),
        Mistake("no-tanh-at-output", "h = o*c", NO_TANH),
        Mistake(
            "tanh-outside",
            "h = tanh(o*c)",
            "You applied tanh after the output gate. tanh comes first, then the output gate multiplies.",
        ),
    ],
)
def lstm_state(rng: Random) -> Inputs:
    """States of an LSTM from its gates"""
    return _gates(rng)


@drill(
    LSTM_STATE,
    id="lstm-step:gate",
    tier=2,
    asks=one_of("f", "i", "g", "c_prior"),
    prompt="In an LSTM, the input gate is {i}, the forget gate {f}, the candidate {g}, and the output gate {o}. They "
    "change the cell state from {c_prior} to {c}, and the new hidden state is {h}.",
    hint="Which equation has the unknown? Everything else in it has a value.",
    mistakes=[
        Mistake("gates-swapped", "c = i*c_prior + f*g", GATES_SWAPPED),
        Mistake(
            "complement",
            "c = f*c_prior + (1 - f)*g",
            "You used 1 - f for the candidate. An LSTM has an input gate of its own for it.",
        ),
        Mistake(
            "forgets-instead-of-keeping",
            "c = (1 - f)*c_prior + i*g",
            "You used 1 - f. The forget gate is the fraction that is kept, so it multiplies the old cell state.",
        ),
        Mistake(
            "sign-of-candidate",
            "c = f*c_prior - i*g",
            "You subtracted the candidate's part. The new cell state is the sum of both parts.",
        ),
    ],
)
def lstm_gate(rng: Random) -> Inputs:
    """Gate of an LSTM from its cell states"""
    return _gates(rng)


@drill(
    FORGET_FRACTION,
    id="lstm-step:forget-bias",
    tier=2,
    asks=one_of("r", "b"),
    decimals=5,
    prompt="The forget gate of an LSTM depends on its bias alone, which is {b}. Along the cell state, {n} steps back "
    "in time multiply the gradient by {r}.",
    hint="Along the cell state, each step multiplies the gradient by the forget gate. What is its value?",
    mistakes=[
        Mistake("not-raised", "r = f", "That is the factor of one step. The factors of all steps are multiplied."),
        Mistake(
            "one-step-less",
            "r = f^(n - 1)",
            "You used one factor too few. Each of the steps multiplies by the forget gate.",
        ),
        Mistake(
            "input-gate-complement",
            "f = 1 - sigmoid(b)",
            "You used 1 minus the gate. The forget gate is the fraction that is kept.",
        ),
        Mistake(
            "tanh-gate",
            "f = tanh(b)",
            "You used tanh. Gates are between 0 and 1, so their activation is the sigmoid.",
        ),
    ],
)
def lstm_forget_bias(rng: Random) -> Inputs:
    """Gradient along the cell state"""
    return dict(b=rng.randint(8, 40) / 10, n=rng.randint(5, 60))
