"""Sequential data and its tasks: drills."""

from random import Random
from typing import Any

from quizzes.content.sequences.sequence_tasks.formulas import (
    BIO_SPANS,
    BIO_TAGS,
    NER_BILSTM,
    TAG_COUNT,
    Span,
    find_spans,
    locate,
    write_tags,
)
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step

# Words of a sentence, in which {PER} and so on are names.
TEMPLATES = [
    "{PER} was born in {LOC}",
    "{PER} met {PER} in {LOC}",
    "{ORG} opened an office in {LOC}",
    "{PER} left {ORG} last year",
    "yesterday {ORG} hired {PER} in {LOC}",
    "{LOC} is far from {LOC}",
    "{PER} works for {ORG} in {LOC}",
]
NAMES = {
    "PER": ["Ada Lovelace", "Barack Obama", "Marie Curie", "Grace Hopper", "Alan Turing", "Plato", "Jean Paul Sartre"],
    "LOC": ["Hawaii", "New York", "San Jose", "Paris", "New South Wales", "Berlin", "South Africa"],
    "ORG": ["Acme", "General Electric", "United Airlines", "Bell Labs", "New York Times", "Siemens"],
}
TYPES = tuple(NAMES)
IO_TAGS = ["O", *TYPES]
BIO_LABELS = ["O", *(f"{prefix}-{type}" for type in TYPES for prefix in "BI")]


def _sentence(rng: Random) -> tuple[str, list[str]]:
    """Return a sentence and its entities, each as its type and its words."""
    words, entities = [], []
    for word in rng.choice(TEMPLATES).split():
        if word.startswith("{"):
            type = word.strip("{}")
            name = rng.choice([name for name in NAMES[type] if f"{type} {name}" not in entities])
            entities.append(f"{type} {name}")
            word = name
        words.append(word)
    return " ".join(words), entities


def _tag_steps(sentence: str, entities: list[str], bio: list[str], io: list[str]) -> list[Step]:
    return [
        Step(f"Mark the first word of each entity with B and its type: {'; '.join(entities)}."),
        Step(f"The further words of an entity get I, all others O: {' '.join(bio)}."),
        Step(f"In IO tags, every word of an entity has its type alone: {' '.join(io)}."),
    ]


def _wrong_bio(first: str, later: str) -> Any:
    """Return a function that tags entities with other prefixes."""

    def tag(sentence: str, entities: list[str]) -> list[str]:
        tags = write_tags(locate(sentence, entities), len(sentence.split()), "BIO")
        return [tag.replace("B-", f"{first}-") if tag[0] == "B" else tag.replace("I-", f"{later}-") for tag in tags]

    return tag


@drill(
    BIO_TAGS,
    tier=1,
    asks=("bio", "io"),
    steps=_tag_steps,
    prompt="Sentence: {sentence}\n"
    "Entities: {listing}\n"
    "What are the BIO tags (bio) and the IO tags (io) of the words? The tags of BIO are O and B-X, I-X for each type "
    "X, those of IO are O and X.\n"
    "Conventions: BIO is IOB2, so every entity begins with a B tag.",
    hints=(
        "Which words begin an entity, and which continue one?",
        "In BIO, the first word of an entity gets B, each further word I. IO has no prefix. All other words get O.",
        "First step: write O under every word that belongs to no entity.",
    ),
    mistakes=[
        Mistake(
            "inside-at-the-start",
            {"bio": _wrong_bio("I", "I")},
            "You began entities with I. In IOB2, the first word of every entity gets B.",
        ),
        Mistake(
            "begin-everywhere",
            {"bio": _wrong_bio("B", "B")},
            "You gave every word of an entity B. Only its first word begins it; the further words get I.",
        ),
        Mistake(
            "first-words-only",
            {"io": lambda sentence, entities: _first_words(sentence, entities)},
            "You tagged the first word of each entity only. In IO, every word of an entity has its type.",
        ),
    ],
)
def bio_tags(rng: Random) -> Inputs:
    """BIO and IO tags of a sentence"""
    sentence, entities = _sentence(rng)
    bio = write_tags(locate(sentence, entities), len(sentence.split()), "BIO")
    if bio.count("O") < 2 or all(tag[0] != "I" for tag in bio):
        raise UndefinedValue("an entity must have several words")
    return dict(sentence=sentence, entities=entities, listing="; ".join(entities), labels=BIO_LABELS + IO_TAGS[1:])


def _first_words(sentence: str, entities: list[str]) -> list[str]:
    spans = [span._replace(last=span.first) for span in locate(sentence, entities)]
    return write_tags(spans, len(sentence.split()), "IO")


def _span_steps(n: int, io: list[str], m: int, **_: Any) -> list[Step]:
    return [
        Step("Every B tag begins an entity, so count them.", [f"n = {n}"]),
        Step(f"Drop the prefixes: {' '.join(io)}."),
        Step("In IO tags, neighbors of one type form one run, so count the runs of one type.", [f"m = {m}"]),
    ]


@drill(
    BIO_SPANS,
    id="bio-tags:entities",
    tier=2,
    asks=("n", "io", "m"),
    steps=_span_steps,
    prompt="A tagger outputs these BIO tags: {tags}\n"
    "How many entities are there (n)? What are the tags in the IO scheme (io), and how many entities do those show "
    "(m)?\nConventions: in IO, neighboring words of one type are read as one entity.",
    hints=(
        "What does B tell you that IO tags can't?",
        "Each B begins an entity. IO drops the prefixes, so entities of one type that touch become one.",
        "First step: count the B tags.",
    ),
    mistakes=[
        Mistake(
            "counts-words",
            {"n": lambda tags: sum(tag != "O" for tag in tags.split())},
            "You counted words. An entity is a B tag with the I tags after it.",
        ),
        Mistake(
            "merged",
            {"n": lambda tags: len(find_spans([tag.rpartition("-")[2] for tag in tags.split()]))},
            "You merged entities that touch. A B tag always begins a new entity.",
        ),
        Mistake(
            "nothing-lost",
            {"m": lambda tags: len(find_spans(tags.split()))},
            "You kept entities apart that touch. Without B, neighbors of one type look like one entity.",
        ),
        Mistake(
            "types-counted",
            {"m": lambda tags: len({tag for tag in tags.split() if tag != "O"})},
            "You counted different tags. Count the runs of words of one type.",
        ),
    ],
)
def bio_entities(rng: Random) -> Inputs:
    """Entities in BIO and in IO tags"""
    tags, spans = [], 0
    touching = rng.randint(1, 2)
    type = rng.choice(TYPES)
    for _ in range(touching + 1):  # entities of one type that touch
        tags += [f"B-{type}"] + [f"I-{type}"] * rng.randint(0, 1)
    other = rng.choice([t for t in TYPES if t != type])
    blocks = [tags, ["O"] * rng.randint(1, 2), [f"B-{other}"] + [f"I-{other}"] * rng.randint(0, 2), ["O"]]
    rng.shuffle(blocks)
    tags = [tag for block in blocks for tag in block]
    spans = len(find_spans(tags))
    if spans == len(find_spans([tag.rpartition("-")[2] for tag in tags])):
        raise UndefinedValue("two entities must touch")
    return dict(tags=" ".join(tags), labels=IO_TAGS)


@drill(
    TAG_COUNT,
    id="bio-tags:count",
    tier=1,
    asks=("n_io", "n_bio", "P"),
    prompt="A tagger knows K = {K} entity types. How many tags are there in the IO scheme (n_io) and in the BIO scheme "
    "(n_bio)? A linear layer with bias maps h = {h} features of each word to the BIO tags. How many parameters P does "
    "it have?",
    hint="Which tags does one type have in each scheme? Which tag belongs to no type?",
    mistakes=[
        Mistake("no-outside", "n_io = K; n_bio = 2*K", "You left out the tag O of words outside of any entity."),
        Mistake("outside-per-type", "n_bio = 3*K", "You counted O once per type. There is one tag O for all."),
        Mistake("io-for-bio", "n_bio = K + 1", "That is the number of IO tags. BIO has B and I for each type."),
        Mistake("no-bias", "P = h*n_bio", "You left out the bias. It adds one parameter per tag."),
        Mistake("io-head", "P = (h + 1)*(K + 1)", "You used the IO tags. The layer has one output per BIO tag."),
    ],
)
def bio_tag_count(rng: Random) -> Inputs:
    """Number of tags of a tagger"""
    return dict(K=rng.choice([2, 3, 4, 5, 6, 7, 8, 9, 10, 18]), h=rng.choice([32, 64, 100, 128, 200, 256, 512]))


def _entity_tokens(tags: str) -> list[tuple[int, str]]:
    return [(k, tag.rpartition("-")[2]) for k, tag in enumerate(tags.split()) if tag != "O"]


def _token_f1(gold: str, pred: str, **_: Any) -> float:
    """Return F1 over the words of entities."""
    true, predicted = {*_entity_tokens(gold)}, {*_entity_tokens(pred)}
    return 2 * len(true & predicted) / (len(true) + len(predicted))


def _overlap_f1(gold: str, pred: str, **_: Any) -> float:
    """Return F1 if an entity counts that overlaps a correct one of its type."""

    def overlaps(a: Span, others: list[Span]) -> bool:
        return any(a.type == b.type and a.first <= b.last and b.first <= a.last for b in others)

    true, predicted = find_spans(gold.split()), find_spans(pred.split())
    return 2 * sum(overlaps(span, true) for span in predicted) / (len(true) + len(predicted))


LSTM_SIZE = "V*d + 2*4*(h*(d + h) + 2*h)"


@drill(
    NER_BILSTM,
    id="chain-ner-bilstm",
    tier=2,
    asks=("n", "P", "L", "acc", "F1"),
    joins=("word-representations", "lstm"),
    prompt="A tagger for {K} entity types in BIO has an embedding of V = {V} words with d = {d} values, a "
    "bidirectional LSTM with hidden size h = {h} per direction, and a linear layer with bias. How many tags n are "
    "there, how many parameters P has the tagger, and what is its cross-entropy L at uniform logits?\n"
    "For the correct tags {gold} it predicts {pred}. What are the token accuracy acc and the entity F1?\n"
    "Conventions: PyTorch, so two bias vectors per block; natural log; an entity counts only if its type and both ends "
    "are correct.",
    hint="Count the tags first; the linear layer needs them. For F1, compare whole entities, not words.",
    mistakes=[
        Mistake(
            "io-tags",
            f"n = K + 1; P = {LSTM_SIZE} + (2*h + 1)*(K + 1); L = ln(K + 1)",
            "You counted IO tags. BIO has B and I for each type, and O.",
        ),
        Mistake(
            "one-bias",
            "P = V*d + 2*4*(h*(d + h) + h) + (2*h + 1)*n",
            "You counted one bias vector per block. PyTorch has two.",
        ),
        Mistake(
            "one-direction",
            "P = V*d + 4*(h*(d + h) + 2*h) + (h + 1)*n",
            "You counted one direction. A bidirectional LSTM has two, and the head reads both.",
        ),
        Mistake("base-2", "L = log2(n)", "You used the base-2 logarithm. The cross-entropy has the natural one."),
        Mistake(
            "entities-for-tokens",
            "acc = TP/n_gold",
            "That compares entities. Token accuracy is the fraction of equal tags.",
        ),
        Mistake("token-f1", {"F1": _token_f1}, "You compared words. Compare whole entities."),
        Mistake(
            "overlap-counts",
            {"F1": _overlap_f1},
            "You counted an entity that only overlaps. Its type and both ends must be correct.",
        ),
    ],
)
def chain_ner_bilstm(rng: Random) -> Inputs:
    """A BiLSTM tagger from its tags to its F1"""
    sentence, entities = _sentence(rng)
    spans, length = locate(sentence, entities), len(sentence.split())
    long_ones = [k for k, span in enumerate(spans) if span.last > span.first]
    if not long_ones:
        raise UndefinedValue("an entity must have several words")
    predicted = list(spans)
    k = rng.choice(long_ones)
    predicted[k] = predicted[k]._replace(last=predicted[k].last - 1)  # an end is wrong
    if len(spans) > 2 and rng.random() < 0.5:
        other = rng.choice([j for j in range(len(spans)) if j != k])
        type = rng.choice([t for t in TYPES if t != predicted[other].type])
        predicted[other] = predicted[other]._replace(type=type)
    gold, pred = (" ".join(write_tags(s, length, "BIO")) for s in (spans, predicted))
    if not {*spans} & {*predicted}:
        raise UndefinedValue("an entity must be correct")
    sizes = dict(V=rng.choice([400, 2000, 5000, 8000, 20_000]), d=rng.choice([25, 50, 64, 100]))
    return dict(gold=gold, pred=pred, K=rng.choice([3, 4, 5]), h=rng.choice([32, 50, 64, 100]), **sizes)
