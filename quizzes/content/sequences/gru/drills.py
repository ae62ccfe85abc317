"""GRU: drills."""

from random import Random

from quizzes.content.sequences.gru.formulas import GRU_RESET, GRU_STEP, GRU_TWO_STEPS, GRU_UPDATE
from quizzes.drill import Inputs, Mistake, drill, one_of

CONVENTIONS = (
    "Conventions: weights in the order r, z, n; n = tanh(w_x x + r (w_h h_(t-1))); "
    "h = (1 - z) n + z h_(t-1), as in PyTorch."
)

Z_SWAPPED = "You exchanged z and 1 - z. In the convention here, z is the fraction of the old state that is kept."


def _tenths(rng: Random, low: int, high: int) -> float:
    """Return a number from low to high tenths, with a random sign."""
    return rng.choice([-1, 1]) * rng.randint(low, high) / 10


def _weights(rng: Random) -> dict[str, list[float]]:
    """Return weights in which the gates differ."""
    while True:
        w_x, w_h = ([_tenths(rng, 1, 9) for _ in range(3)] for _ in range(2))
        if (w_x[0], w_h[0]) != (w_x[1], w_h[1]):
            return dict(w_x=w_x, w_h=w_h)


@drill(
    GRU_STEP,
    tier=2,
    asks=("r", "z", "n", "h"),
    prompt="A GRU with one unit receives x = {x}; its previous state is h_(t-1) = {h_prior}. The input weights are "
    "w_x = {w_x}, and the recurrent weights w_h = {w_h}. All biases are 0 (b = {b}, b_n = {b_n}).\n"
    "What are the reset gate r, the update gate z, the candidate n, and the new hidden state h?\n" + CONVENTIONS,
    hint="Both gates read x and the previous state. Which gate acts inside the candidate, and which mixes old and new?",
    mistakes=[
        Mistake("z-exchanged", "h = z*n + (1 - z)*h_prior", Z_SWAPPED),
        Mistake(
            "reset-outside-tanh",
            "n = r*tanh(w_x[3]*x + b[3] + w_h[3]*h_prior + b_n)",
            "You applied the reset gate after tanh. It multiplies the part of the previous state inside tanh.",
        ),
        Mistake(
            "reset-on-input",
            "n = tanh(r*(w_x[3]*x + b[3]) + w_h[3]*h_prior + b_n)",
            "You applied the reset gate to the input. It multiplies the part of the previous state.",
        ),
        Mistake(
            "no-reset",
            "n = tanh(w_x[3]*x + b[3] + w_h[3]*h_prior + b_n)",
            "You left out the reset gate. It multiplies the part of the previous state inside tanh.",
        ),
        Mistake(
            "update-gate-in-candidate",
            "n = tanh(w_x[3]*x + b[3] + z*(w_h[3]*h_prior + b_n))",
            "You used the update gate in the candidate. That is the place of the reset gate.",
        ),
        Mistake(
            "added-without-mixing",
            "h = n + z*h_prior",
            "You left out 1 - z. The new state is a weighted mean of candidate and old state.",
        ),
    ],
)
def gru_step(rng: Random) -> Inputs:
    """One step of a GRU"""
    return dict(x=rng.choice([-2, -1, 1, 2]), h_prior=_tenths(rng, 2, 9), b=[0, 0, 0], b_n=0, **_weights(rng))


@drill(
    GRU_TWO_STEPS,
    id="gru-step:two-steps",
    tier=3,
    asks=("h1", "h2"),
    prompt="A GRU with one unit starts at h_0 = {h0} and reads x_1 = {x1}, then x_2 = {x2}. The input weights are "
    "w_x = {w_x}, and the recurrent weights w_h = {w_h}. All biases are 0 (b = {b}, b_n = {b_n}).\n"
    "What are the hidden states h1 and h2?\n" + CONVENTIONS,
    hint="Compute both gates, the candidate, and the new state of step 1. Step 2 reads that state.",
    mistakes=[
        Mistake("z-exchanged", "h = z*n + (1 - z)*h_prior", Z_SWAPPED),
        Mistake(
            "candidate-only",
            "h = n",
            "You used the candidate as the new state. The update gate mixes it with the old state.",
        ),
        Mistake(
            "old-state-dropped",
            "h = (1 - z)*n",
            "You dropped the old state. Add z times the previous hidden state.",
        ),
        Mistake(
            "reset-in-mixing",
            "h = (1 - r)*n + r*h_prior",
            "You used the reset gate to mix. The update gate mixes candidate and old state.",
        ),
    ],
)
def gru_two_steps(rng: Random) -> Inputs:
    """Two steps of a GRU"""
    x1, x2 = rng.choice([-2, -1, 1, 2]), rng.choice([-1, -0.5, 0.5, 1])
    return dict(x1=x1, x2=x2, h0=_tenths(rng, 2, 9), b=[0, 0, 0], b_n=0, **_weights(rng))


@drill(
    GRU_UPDATE,
    id="gru-step:update",
    tier=1,
    asks=one_of("h", "z", "n", "h_prior"),
    prompt="In a GRU, the update gate is {z}, and the candidate is {n}. The hidden state changes from {h_prior} to "
    "{h}.\nConventions: the update gate is the fraction of the old state that is kept, as in PyTorch.",
    hint="The new state is a weighted mean of candidate and old state. Which of them does the update gate multiply?",
    mistakes=[
        Mistake("z-exchanged", "h = z*n + (1 - z)*h_prior", Z_SWAPPED),
        Mistake(
            "added-without-mixing",
            "h = n + z*h_prior",
            "You left out the factor 1 - update gate. It multiplies the candidate.",
        ),
        Mistake(
            "sign-of-candidate",
            "h = z*h_prior - (1 - z)*n",
            "You subtracted the candidate's part. The new state is the sum of both parts.",
        ),
    ],
)
def gru_update(rng: Random) -> Inputs:
    """Update gate of a GRU"""
    n, h_prior = (rng.choice([-1, 1]) * rng.randint(5, 95) / 100 for _ in range(2))
    return dict(z=rng.choice([k for k in range(10, 91) if k != 50]) / 100, n=n, h_prior=h_prior)


@drill(
    GRU_RESET,
    id="gru-step:reset",
    tier=3,
    asks=("a", "c"),
    prompt="A GRU has two units. In its candidate, the part that comes from the input is u = {u}. The reset gates are "
    "r = {r}, the previous state is h_(t-1) = {h_prior}, and the recurrent weights are W_h = {W_h}.\n"
    "What is the candidate with the reset gate after the matrix, a = tanh(u + r * (W_h h_(t-1))), and before it, c = "
    "tanh(u + W_h (r * h_(t-1)))?\n"
    "Conventions: * is element-wise; no biases.",
    hint="The reset gate of a unit multiplies a row of W_h in one case, and a column in the other. Which is which?",
    mistakes=[
        Mistake(
            "places-exchanged",
            "a[i] = tanh(u[i] + sum(j, W_h[i, j]*r[j]*h_prior[j])); "
            "c[i] = tanh(u[i] + r[i]*sum(j, W_h[i, j]*h_prior[j]))",
            "You exchanged the two. After the matrix, the gate multiplies the unit's sum; before it, each state.",
        ),
        Mistake(
            "reset-on-input",
            "a[i] = tanh(r[i]*(u[i] + sum(j, W_h[i, j]*h_prior[j])))",
            "You applied the reset gate to the input too. It multiplies the recurrent part alone.",
        ),
        Mistake(
            "transposed",
            "a[i] = tanh(u[i] + r[i]*sum(j, W_h[j, i]*h_prior[j])); "
            "c[i] = tanh(u[i] + sum(j, W_h[j, i]*r[j]*h_prior[j]))",
            "You used the columns of W_h. Each unit uses its row.",
        ),
        Mistake(
            "no-reset",
            "a[i] = tanh(u[i] + sum(j, W_h[i, j]*h_prior[j])); c[i] = tanh(u[i] + sum(j, W_h[i, j]*h_prior[j]))",
            "You left out the reset gate. Multiply by it where the formula has r.",
        ),
        Mistake(
            "no-tanh",
            "a[i] = u[i] + r[i]*sum(j, W_h[i, j]*h_prior[j]); c[i] = u[i] + sum(j, W_h[i, j]*r[j]*h_prior[j])",
            "You left out tanh. Apply it to the whole sum.",
        ),
    ],
)
def gru_reset(rng: Random) -> Inputs:
    """Reset gate after or before the recurrent matrix"""
    W_h = [[rng.choice([-2, -1, -0.5, 0.5, 1, 2]) for _ in range(2)] for _ in range(2)]
    while W_h[0][1] == W_h[1][0]:
        W_h[0][1] = rng.choice([-2, -1, -0.5, 0.5, 1, 2])
    u, h_prior = ([_tenths(rng, 1, 8) for _ in range(2)] for _ in range(2))
    return dict(u=u, r=[k / 10 for k in rng.sample(range(1, 10), 2)], h_prior=h_prior, W_h=W_h)
