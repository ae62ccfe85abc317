"""Tags of named entities: the entities of a sequence of tags, as conlleval and seqeval define them.

BIO tags: `B-PER` begins an entity of the type PER, `I-PER` continues it, and `O` is outside of all entities. IO tags
have no `B-`. An entity begins at `B-`, and at `I-` after `O` or after another type; so tags of either scheme, or of a
network that mixes them up, always have entities. IO can't express that an entity follows another one of its type.

conlleval is the script of the CoNLL-2000 and CoNLL-2003 shared tasks.
"""

from collections.abc import Sequence

Entity = tuple[str, int, int]  # its type, its first word, and the word after its last


def split_tag(tag: str) -> tuple[str, str]:
    """Return the prefix and the type of a tag: `B-PER` is (B, PER), and `O` is (O, empty)."""
    prefix, _, kind = tag.partition("-")
    return prefix, kind


def entities(tags: Sequence[str]) -> list[Entity]:
    """Return the entities of a sentence's tags."""
    result: list[Entity] = []
    start, kind = 0, ""  # of the entity that is open; without a type, none is
    for k, tag in enumerate([*tags, "O"]):
        prefix, own = split_tag(tag)
        if kind and (prefix in ("B", "O") or own != kind):
            result.append((kind, start, k))
            kind = ""
        if not kind and prefix != "O":
            start, kind = k, own
    return result


def to_io(tag: str) -> str:
    """Return the IO tag for a BIO tag."""
    return "I" + tag[1:] if tag.startswith("B-") else tag


def is_tag(text: str) -> bool:
    """Return whether a text is `O`, or `B-` or `I-` with a type."""
    prefix, kind = split_tag(text)
    return text == "O" or (prefix in ("B", "I") and bool(kind))


def sort_key(tag: str) -> tuple[str, str]:
    """Return the key by which tags are ordered: `O` first, then by type, `B-` before `I-`."""
    prefix, kind = split_tag(tag)
    return kind, prefix
