"""Sequential data and its tasks: formulas."""

import re
from typing import Any, NamedTuple

from quizzes.content.sequences.shared import HIDDEN_SIZE
from quizzes.formula import Formula
from quizzes.symbols import Int, Labels, Rational, Real, Table, Text, Texts
from workbench.errors import UserError

RAMSHAW = (
    "Ramshaw & Marcus, Text chunking using transformation-based learning, 1995, in the variant IOB2, where every "
    "entity begins with a B tag"
)
CONLL = (
    "Tjong Kim Sang & De Meulder, Introduction to the CoNLL-2003 shared task, 2003: an entity is correct only if it is "
    "an exact match of the corresponding entity"
)
TAG = re.compile(r"(?:([BI])-)?([A-Za-z]\w*)")


class Span(NamedTuple):
    """An entity: its type, and the positions of its first and last word, from 1."""

    type: str
    first: int
    last: int


def find_spans(tags: list[str]) -> list[Span]:
    """Return the entities of BIO or IO tags. An I tag that continues nothing begins an entity, as in conlleval.

    Raises:
        UserError: If a tag can't be read.
    """
    spans: list[Span] = []
    previous = ""
    for position, tag in enumerate(tags, 1):
        match = TAG.fullmatch(tag)
        if not match:
            raise UserError(f"{tag[:30]!r} is not a tag. Write O, B-PER or I-PER, or PER for IO tags.")
        prefix, type = match.groups()
        if tag == "O":
            previous = ""
            continue
        if prefix == "B" or type != previous:
            spans.append(Span(type, position, position))
        else:
            spans[-1] = spans[-1]._replace(last=position)
        previous = type
    return spans


def write_tags(spans: list[Span], length: int, scheme: str) -> list[str]:
    """Return the tags of entities.

    Args:
        spans: The entities.
        length: The number of words.
        scheme: BIO or IO.
    """
    tags = ["O"] * length
    for type, first, last in spans:
        for position in range(first, last + 1):
            prefix = ("B-" if position == first else "I-") if scheme == "BIO" else ""
            tags[position - 1] = prefix + type
    return tags


def locate(sentence: str, entities: list[str]) -> list[Span]:
    """Return the spans of entities such as "PER Barack Obama" in a sentence, in which they occur in order.

    Raises:
        UserError: If one does not occur there.
    """
    words, spans, start = sentence.split(), [], 0
    for entity in entities:
        type, *name = entity.split()
        places = (k for k in range(start, len(words) - len(name) + 1) if words[k : k + len(name)] == name)
        at = next(places, None)
        if at is None or not name:
            raise UserError(
                f"The sentence has no {entity[:40]!r}. Write each entity as its type and its words, such as PER Barack "
                "Obama, in the order of the sentence."
            )
        spans.append(Span(type, at + 1, at + len(name)))
        start = at + len(name)
    return spans


def _tag(sentence: str, entities: list[str]) -> dict[str, Any]:
    spans, length = locate(sentence, entities), len(sentence.split())
    return {"bio": write_tags(spans, length, "BIO"), "io": write_tags(spans, length, "IO")}


BIO_TAGS = Formula(
    "bio-tags",
    "",
    title="BIO and IO tags of a sentence",
    source=RAMSHAW,
    procedure=_tag,
    procedure_outputs="bio io",
    sentence=Text(meaning="sentence, words separated by spaces"),
    entities=Texts(meaning="entities in order, each as its type and its words"),
    bio=Labels(meaning="BIO tags, one per word"),
    io=Labels(meaning="IO tags, one per word"),
)


def _decode(tags: str) -> dict[str, Any]:
    words = tags.replace(",", " ").split()
    if not words:
        raise UserError("tags must have at least one tag.")
    spans = find_spans(words)
    io = write_tags(spans, len(words), "IO")
    return {
        "n": len(spans),
        "bio": write_tags(spans, len(words), "BIO"),
        "io": io,
        "m": len(find_spans(io)),
        "spans": [dict(type=s.type, first=s.first, last=s.last) for s in spans],
    }


BIO_SPANS = Formula(
    "bio-spans",
    "",
    title="Entities of BIO or IO tags, and the tags in the other scheme",
    source=RAMSHAW,
    conventions="An I tag that continues no entity of its type begins one, as in conlleval. IO tags have no prefix, so "
    "neighbors of one type are one entity.",
    procedure=_decode,
    procedure_outputs="n bio io m spans",
    tags=Text(meaning="tags, separated by spaces"),
    n=Int(meaning="number of entities"),
    bio=Labels(meaning="BIO tags"),
    io=Labels(meaning="IO tags"),
    m=Int(meaning="number of entities that the IO tags show"),
    spans=Table(meaning="type, first and last word of each entity"),
)


TAG_COUNT = Formula(
    "bio-tag-count",
    """
    n_io = K + 1
    n_bio = 2*K + 1
    P = (h + 1)*n_bio
    """,
    title="Number of tags, and parameters of a tagger's linear head",
    source="derivation: IO has a tag per entity type and O; BIO has B and I per type, and O; the head has h weights "
    "and a bias per tag",
    K=Int(1, 1000, "number of entity types"),
    h=HIDDEN_SIZE,
    n_io=Int(meaning="number of IO tags"),
    n_bio=Int(meaning="number of BIO tags"),
    P=Int(meaning="number of parameters of the head with BIO tags"),
)


def compare(gold: str, pred: str, **_: Any) -> dict[str, int]:
    """Count equal tags, entities, and exact matches.

    Raises:
        UserError: If there is not one predicted tag per correct one.
    """
    true, predicted = gold.replace(",", " ").split(), pred.replace(",", " ").split()
    if not true or len(true) != len(predicted):
        raise UserError(f"gold has {len(true)} tags and pred has {len(predicted)}. Give one tag per word in both.")
    gold_spans, pred_spans = find_spans(true), find_spans(predicted)
    return {
        "T": len(true),
        "equal": sum(a == b for a, b in zip(true, predicted, strict=True)),
        "n_gold": len(gold_spans),
        "n_pred": len(pred_spans),
        "TP": len({*gold_spans} & {*pred_spans}),
    }


COUNTS: dict[str, Any] = dict(
    gold=Text(meaning="correct tags, separated by spaces"),
    pred=Text(meaning="predicted tags, separated by spaces"),
    T=Int(meaning="number of tags"),
    equal=Int(meaning="number of equal tags"),
    n_gold=Int(meaning="number of correct entities"),
    n_pred=Int(meaning="number of predicted entities"),
    TP=Int(meaning="number of entities that match in type and both ends"),
)


ENTITY_F1 = Formula(
    "entity-f1",
    """
    acc = equal/T
    P = where(n_pred = 0, 0, TP/max(n_pred, 1))
    R = where(n_gold = 0, 0, TP/max(n_gold, 1))
    F1 = where(n_gold + n_pred = 0, 0, 2*TP/max(n_gold + n_pred, 1))
    """,
    title="Token accuracy, and precision, recall and F1 of entities",
    source=CONLL,
    conventions="As in conlleval and seqeval: a value without entities to divide by is 0.",
    procedure=compare,
    procedure_outputs="T equal n_gold n_pred TP",
    **COUNTS,
    acc=Rational(meaning="token accuracy"),
    P=Rational(meaning="precision of entities"),
    R=Rational(meaning="recall of entities"),
    F1=Rational(meaning="F1 of entities"),
)


NER_BILSTM = Formula(
    "ner-bilstm",
    """
    n = 2*K + 1
    P = V*d + 2*4*(h*(d + h) + 2*h) + (2*h + 1)*n
    L = ln(n)
    acc = equal/T
    F1 = 2*TP/(n_gold + n_pred)
    """,
    title="A BiLSTM tagger: tags, parameters, first loss, accuracy and entity F1",
    source=f"derivation: embedding V d, an LSTM of 4 (h (d + h) + 2h) per direction as in PyTorch, a head on 2h "
    f"features; uniform logits cost ln n; {CONLL}",
    procedure=compare,
    procedure_outputs="T equal n_gold n_pred TP",
    V=Int(1, 10000000, "vocabulary size"),
    d=Int(1, 100000, "dimension of the word vectors"),
    h=HIDDEN_SIZE,
    K=Int(1, 1000, "number of entity types"),
    **COUNTS,
    n=Int(meaning="number of tags"),
    P=Int(meaning="number of parameters"),
    L=Real(0, meaning="cross-entropy at uniform logits", unit="nats"),
    acc=Real(0, 1, "token accuracy"),
    F1=Real(0, 1, "F1 of entities"),
)
