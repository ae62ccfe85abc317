"""The user's own text as byte pairs: `text-bpe:PATH`, a file in UTF-8.

The tokenizer is trained on the text. `text-bpe:PATH:TOKENIZER` uses another one: a `tokenizer.json`, or a folder with
`vocab.json` and `merges.txt`, such as GPT-2's.
"""

from functools import lru_cache
from pathlib import Path

from workbench.data import byte_pairs, text_file, tokenizer_files
from workbench.data.byte_pairs import BytePairs
from workbench.data.dataset import DataSet
from workbench.errors import UserError
from workbench.untrusted import printable

PREFIX = "text-bpe:"
SIZE = 512  # tokens of a tokenizer that is trained on the text, at most


def info(name: str) -> DataSet:
    """Return the description of a text. The name in it holds the whole paths: it is valid in any folder.

    Raises:
        UserError: If there is no such file, or it can't be learned from, or the tokenizer can't be read.
    """
    file, other = _find(name)
    content = load(name)
    size = tokenizer(name).size
    whose = f"tokenizer {other}" if other else f"{size} byte pairs; {byte_pairs.TIE_RULE}"
    return DataSet(
        name=f"{PREFIX}{file}" + (f":{other}" if other else ""),
        title=f"the next byte pair of {printable(file.name)}",
        row="one character of a text",
        samples=len(content),
        shape=(),
        target="the next byte pair",
        source=f"{file} ({whose})",
        licence="your own",
        declared_modality="byte-pairs",
        sizes=dict(vocabulary=size),
    )


def load(name: str) -> str:
    """Return a text. Raises as `info` does."""
    return text_file.load(f"{text_file.PREFIX}{_find(name)[0]}")


def tokenizer(name: str) -> BytePairs:
    """Return the tokenizer of a text. Raises as `info` does."""
    _, other = _find(name)
    return tokenizer_files.read(other) if other else train(load(name))


def state(name: str) -> list[object]:
    """Return what tells that a text or its tokenizer has changed. Raises as `info` does."""
    file, other = _find(name)
    return [*text_file.state_of(file), *(tokenizer_files.state(other) if other else [])]


@lru_cache(maxsize=2)
def train(content: str) -> BytePairs:
    """Return a tokenizer that is trained on a text."""
    return byte_pairs.train(content, SIZE)


def _find(name: str) -> tuple[Path, Path | None]:
    """Return the file of a name and the path of its tokenizer, None if it has none of its own."""
    head, _, tail = name.removeprefix(PREFIX).rpartition(":")
    try:
        if head and not Path(name.removeprefix(PREFIX)).expanduser().exists():
            return text_file.find(PREFIX + head, PREFIX), Path(tail).expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:  # of a path that can't be one
        if isinstance(error, UserError):
            raise
    return text_file.find(name, PREFIX), None
