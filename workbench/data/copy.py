"""The copying problem: symbols have to be repeated after a pause.

A sequence begins with 4 symbols of 8. Blanks follow, then a token that asks for the symbols, and 4 more blanks, at
which the network has to return the symbols in their order. Each one is remembered over all steps but 4. To guess has a
cross-entropy of log 8 = 2.08 per symbol.

The setup is that of Arjovsky, Shah, Bengio, Unitary evolution recurrent neural networks, arXiv:1511.06464 (2016), with
4 symbols instead of 10.
"""

import numpy as np

SET = dict(
    title="the symbols at the start of a sequence, repeated after a pause",
    row="one sequence of 20 tokens, 4 of them symbols",
    samples=10_000,
    shape=(20,),
    target="symbols",
    source="made by code, after Arjovsky et al. 2016",
    licence="MIT",
    synthetic=True,
    modality="memory",
    sizes=dict(steps=20, vocabulary=10),
)
BLANK, GO = 0, 9  # tokens 1 to 8 are the symbols
SYMBOLS, KINDS = 4, 8  # symbols of a sequence, and different ones
MIN_STEPS = 2 * SYMBOLS + 1


def load(steps: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Return sequences (10,000, steps) and their symbols (10,000, 4), tokens from 0 to 9."""
    symbols = np.random.default_rng(0).integers(1, KINDS + 1, (10_000, SYMBOLS))
    return sequences(symbols, steps), symbols


def sequences(symbols: np.ndarray, steps: int) -> np.ndarray:
    """Return the sequence (N, steps) for each row of symbols (N, 4)."""
    tokens = np.full((len(symbols), steps), BLANK)
    tokens[:, :SYMBOLS] = symbols
    tokens[:, -SYMBOLS - 1] = GO
    return tokens
