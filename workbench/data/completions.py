"""Prompts with the texts that complete them, as byte pairs. A completion ends with a line break."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.data.byte_pairs import BytePairs

if TYPE_CHECKING:
    import numpy as np

Completion = tuple[str, str]  # a prompt, and what completes it


def split(
    pairs: Sequence[Completion], tokenizer: BytePairs, sizes: dict[str, int], seed: int
) -> "dict[str, tuple[np.ndarray, ...]]":
    """Return for each split the tokens (N, length) of prompts and completions, and where completions begin and end.

    Args:
        pairs: All pairs.
        tokenizer: The tokenizer. Rows are filled up with token 0.
        sizes: The number of pairs of the validation and of the test set.
        seed: The seed that chooses them.

    Returns:
        Split -> tokens (N, length), and the positions at which completions begin (N,) and end (N,), int64.
    """
    import numpy as np

    prompts, completions = ([tokenizer.encode(text) for text in texts] for texts in zip(*pairs, strict=True))
    starts = np.array([len(prompt) for prompt in prompts])
    ends = starts + np.array([len(completion) for completion in completions])
    tokens = np.zeros((len(pairs), ends.max()), np.int64)
    for row, prompt, completion, end in zip(tokens, prompts, completions, ends, strict=True):
        row[:end] = np.concatenate([prompt, completion])
    order = np.random.default_rng(seed).permutation(len(pairs))
    held_out = sizes["validation"] + sizes["test"]
    rows = dict(
        train=order[held_out:], validation=order[: sizes["validation"]], test=order[sizes["validation"] : held_out]
    )
    return {name: (tokens[places], starts[places], ends[places]) for name, places in rows.items()}
