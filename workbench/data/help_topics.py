"""350,000 characters of English prose about Python, with examples: the help topics of `help()`, by Python's authors.

They come with Python's standard library; each version has its own, a little longer than needed here. Some passages are
part of several topics. They are used once: otherwise a network could learn passages of the test set by heart. License:
PSF License Version 2.
"""

from functools import cache

from workbench.errors import UserError

SIZE = 350_000  # characters
SET = dict(
    title="the next character of Python's help",
    row="one character of a text",
    samples=350_000,
    shape=(),
    target="the next character",
    source="Python Software Foundation, help topics of the Python Language Reference (pydoc_data.topics)",
    licence="PSF License Version 2",
    modality="text",
    sizes=dict(vocabulary=96),
)
# Typographic characters are few: without them, the text is in ASCII.
ASCII = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "--", "…": "..."})


@cache
def load() -> str:
    """Return the first 350,000 characters of the topics in order, without the paragraphs that occurred before.

    Raises:
        UserError: If this Python comes without them.
    """
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise UserError(
            "help-topics is part of Python's standard library, but missing from this Python. Use text:PATH."
        ) from None
    paragraphs: dict[str, str] = {}
    for topic in topics.values():
        for paragraph in topic.strip().split("\n\n"):
            paragraphs.setdefault(" ".join(paragraph.split()), paragraph)
    return "\n\n".join(paragraphs.values()).translate(ASCII)[:SIZE]
