"""The text of `help-topics` as 512 byte pairs, on which the tokenizer is trained."""

from workbench.data import byte_pairs_file
from workbench.data.byte_pairs import BytePairs
from workbench.data.help_topics import load as load

SET = dict(
    title="the next byte pair of Python's help",
    row="one character of a text",
    samples=350_000,
    shape=(),
    target="the next byte pair",
    source="Python Software Foundation, help topics of the Python Language Reference (pydoc_data.topics)",
    licence="PSF License Version 2",
    modality="byte-pairs",
    sizes=dict(vocabulary=512),
)


def tokenizer() -> BytePairs:
    """Return the tokenizer."""
    return byte_pairs_file.train(load())
