"""Self-attention and positional encoding: drills about positions."""

from random import Random

from quizzes.content.transformers.self_attention.formulas import (
    POSITION_SHIFT,
    POSITION_SIMILARITY,
    POSITIONAL_ENCODING,
    WAVELENGTH,
)
from quizzes.drill import Inputs, Mistake, derive, drill, one_of

I_FOR_2I = "You used i/d as exponent. It is 2i/d, because each pair has two values."


@drill(
    POSITIONAL_ENCODING,
    tier=1,
    asks=("w", "P"),
    prompt="A Transformer of width d = {d} uses the original sinusoidal positional encoding, with the base {base}. "
    "What "
    "are the angles w of its pairs at position {pos}, and the encoding P?\n"
    "Conventions: positions count from 0; angles are in radians; sines and cosines alternate, a sine first.",
    hint="How many pairs of values are there? A sine and a cosine share one angle.",
    mistakes=[
        Mistake("i-for-2i", "w[i] = pos/base^((i - 1)/d) for i = 1..d/2", I_FOR_2I),
        Mistake(
            "counted-from-1",
            "w[i] = pos/base^(2*i/d) for i = 1..d/2",
            "You counted the pairs from 1. The first pair has i = 0, so its angle is the position.",
        ),
        Mistake(
            "degrees",
            "P[k] = where(floor(k/2) = k/2, cos(w[floor((k + 1)/2)]*pi/180), sin(w[floor((k + 1)/2)]*pi/180)) "
            "for k = 1..d",
            "You used degrees. The angles are in radians.",
        ),
        Mistake(
            "swapped",
            "P[k] = where(floor(k/2) = k/2, sin(w[floor((k + 1)/2)]), cos(w[floor((k + 1)/2)])) for k = 1..d",
            "You swapped sine and cosine. Even indices from 0 have the sine.",
        ),
        Mistake(
            "halves",
            "P[k] = where(k <= d/2, sin(w[where(k <= d/2, k, 1)]), cos(w[where(k <= d/2, 1, k - d/2)])) for k = 1..d",
            "You wrote all sines first. Here sines and cosines alternate.",
        ),
    ],
)
def positional_encoding(rng: Random) -> Inputs:
    """Positional encoding"""
    return dict(pos=rng.randint(1, 40), d=rng.choice([4, 4, 6]), base=rng.choice([100, 1000, 10000, 10000]))


@drill(
    WAVELENGTH,
    id="positional-encoding:wavelength",
    tier=1,
    asks=one_of("lam", "base"),
    digits={"lam": 6},
    prompt="In a sinusoidal positional encoding of width d = {d} with the base {base}, the pair i = {i} (counted from "
    "0) repeats after {lam} positions.",
    hint="A sine repeats when its angle has grown by 2 pi. By how much does the angle grow per position?",
    mistakes=[
        Mistake("i-for-2i", "lam = 2*pi*base^(i/d)", I_FOR_2I),
        Mistake("no-2-pi", "lam = base^(2*i/d)", "That is the reciprocal of the frequency. Multiply by 2 pi."),
        Mistake("half-period", "lam = pi*base^(2*i/d)", "After pi, the sine has the opposite sign. A period is 2 pi."),
        Mistake(
            "frequency",
            "lam = 2*pi/base^(2*i/d)",
            "You multiplied by the frequency. The wavelength is 2 pi divided by it.",
        ),
    ],
)
def positional_wavelength(rng: Random) -> Inputs:
    """Wavelength of a positional encoding"""
    d = rng.choice([16, 32, 64, 96, 128, 256, 512, 768])
    return dict(d=d, i=rng.randint(d // 8, d // 2 - 2), base=rng.choice([100, 500, 1000, 10000, 10000]))


@drill(
    POSITION_SHIFT,
    id="positional-encoding:shift",
    tier=3,
    asks=one_of(derive("u"), derive("v")),
    prompt="One pair of a sinusoidal positional encoding has the frequency w = {w}: at position p, it holds s = "
    "sin(w p) and c = cos(w p). Derive a value of the pair at position p + {k}, as asked below: u is the sine and v "
    "the "
    "cosine. Answer in terms of s and c.",
    hints=(
        "The angle grows by the same amount from any position. Which formulas give the sine and the cosine of a sum?",
        "sin(x + y) = sin x cos y + cos x sin y, and cos(x + y) = cos x cos y - sin x sin y.",
        "First step: the angle grows by w times the number of positions.",
    ),
    mistakes=[
        Mistake(
            "sign",
            "u = s*cos(w*k) - c*sin(w*k); v = c*cos(w*k) + s*sin(w*k)",
            "The sign is reversed: that is the pair as many positions earlier.",
        ),
        Mistake(
            "added",
            "u = s + sin(w*k); v = c + cos(w*k)",
            "The sine of a sum is not the sum of the sines.",
        ),
        Mistake(
            "frequency-forgotten",
            "u = s*cos(k) + c*sin(k); v = c*cos(k) - s*sin(k)",
            "You left out the frequency. The angle grows by w per position.",
        ),
        Mistake(
            "parts-swapped",
            "u = s*sin(w*k) + c*cos(w*k); v = c*sin(w*k) - s*cos(w*k)",
            "You swapped the sine and the cosine of the shift. A shift of 0 must leave the pair as it is.",
        ),
    ],
)
def positional_shift(rng: Random) -> Inputs:
    """Positional encoding of a shifted position"""
    return dict(w=rng.choice([0.1, 0.2, 0.25, 0.3, 0.5]), k=rng.choice([-4, -3, -2, 2, 3, 4, 5, 6, 7, 8]))


@drill(
    POSITION_SIMILARITY,
    id="positional-encoding:similarity",
    tier=2,
    asks="r",
    prompt="A sinusoidal positional encoding has the width d = {d} and the base {base}. What is the dot product of the "
    "encodings of the positions {p} and {q}?\n"
    "Conventions: angles in radians.",
    hint="A pair adds sin x sin y + cos x cos y. Which single cosine is that?",
    mistakes=[
        Mistake(
            "sum-of-positions",
            "r = sum(i = 0..d/2 - 1, cos((q + p)/base^(2*i/d)))",
            "You added the positions. sin x sin y + cos x cos y is the cosine of the difference.",
        ),
        Mistake(
            "i-for-2i",
            "r = sum(i = 0..d/2 - 1, cos((q - p)/base^(i/d)))",
            I_FOR_2I,
        ),
        Mistake("first-pair", "r = cos(q - p)", "You used the first pair only. Add up all pairs."),
        Mistake(
            "cosines-only",
            "r = sum(i = 0..d/2 - 1, cos(p/base^(2*i/d))*cos(q/base^(2*i/d)))",
            "You left out the sines.",
        ),
        Mistake(
            "mean",
            "r = sum(i = 0..d/2 - 1, cos((q - p)/base^(2*i/d)))*2/d",
            "You divided by the number of pairs. A dot product is a sum.",
        ),
    ],
)
def positional_similarity(rng: Random) -> Inputs:
    """Dot product of positional encodings"""
    p = rng.randint(0, 30)
    return dict(p=p, q=p + rng.randint(1, 12), d=rng.choice([4, 6, 8]), base=rng.choice([100, 10000]))
