"""The corpus that a grammar writes: its size, its labels, and that its test templates are new."""

from collections import Counter

import numpy as np
import pytest

from workbench import data
from workbench.data.entity_tags import entities, is_tag
from workbench.data.grammar import RELATIONS, SIZES, categories, sentences
from workbench.data.grammar.lexicon import LISTS

EVERY = [sentence for split in SIZES for sentence in sentences(split)]
GOOD, BAD = set(LISTS["good"]), set(LISTS["bad"])


def test_it_has_thousands_of_different_sentences_and_hundreds_of_words():
    assert {split: len(sentences(split)) for split in SIZES} == {split: sum(sizes) for split, sizes in SIZES.items()}
    assert len({sentence.words for sentence in EVERY}) == len(EVERY) >= 3000
    assert len({word for sentence in EVERY for word in sentence.words}) >= 400


def test_templates_of_the_test_set_do_not_occur_in_training_but_their_words_do():
    templates = {split: {sentence.template for sentence in sentences(split)} for split in SIZES}
    assert not templates["train"] & (templates["validation"] | templates["test"])
    counts = Counter(word for sentence in sentences("train") for word in sentence.words)
    assert min(counts[word] for sentence in EVERY for word in sentence.words) >= 2


def test_every_word_has_a_tag_and_names_are_ambiguous():
    types = {}
    for sentence in EVERY:
        assert len(sentence.words) == len(sentence.tags) and all(map(is_tag, sentence.tags))
        for kind, start, end in entities(sentence.tags):
            assert sentence.tags[start] == f"B-{kind}"  # BIO: never an I- without a B-
            for word in sentence.words[start:end]:
                types.setdefault(word, set()).add(kind)
        for word, tag in zip(sentence.words, sentence.tags, strict=True):
            if tag == "O":
                types.setdefault(word, set()).add("O")
    assert {"PER", "LOC"} <= types["Washington"] and {"ORG", "LOC"} <= types["Amazon"]
    assert {"PER", "O"} <= types["May"] and {"PER", "LOC"} <= types["Jordan"]
    adjacent = [
        s
        for s in EVERY
        if any(a[0] == b[0] and a[2] == b[1] for a, b in zip(entities(s.tags), entities(s.tags)[1:], strict=False))
    ]
    assert adjacent  # where IO tags merge two entities


def clause_sentiment(words):
    """Return 1 or -1 for a clause with one adjective of sentiment; None for others."""
    adjectives = [word for word in words if word in GOOD | BAD]
    if len(adjectives) != 1 or {"and", "because"} & set(words):  # or there is another clause
        return None
    negations = sum(word in ("not", "never", "neither") for word in words)
    return (1 if adjectives[0] in GOOD else -1) * (-1) ** negations


def test_the_sentiment_is_that_of_the_clause_that_counts():
    """Worked out from the words alone, for the sentences with a simple structure."""
    checked = Counter()
    for sentence in EVERY:
        words = list(sentence.words)
        if sentence.kind == "fact":
            assert sentence.sentiment == "neutral" and not (GOOD | BAD) & set(words)
        if sentence.kind != "opinion":
            assert sentence.sentiment == "neutral"
            continue
        if "but" in words:
            words = words[words.index("but") :]
        elif words[0] == "although":
            words = words[words.index(",") :]
        elif "although" in words and "," in words and words.index(",") < words.index("although"):
            words = words[: words.index(",")]
        elif "although" in words:
            words = words[words.index(",") :]
        if (sentiment := clause_sentiment(words)) is not None:
            assert sentence.sentiment == ("positive" if sentiment > 0 else "negative"), sentence
            checked[sentence.sentiment] += 1
    assert min(checked.values()) > 500


@pytest.mark.parametrize("name", ["sentiment", "entities", "entities-io", "corpus"])
def test_a_dataset_is_what_it_declares(name):
    info, splits = data.info(name), data.load(name, seed=1)
    assert sum(len(columns[0]) for columns in splits.values()) == info.samples
    vocabulary = data.word_vocabulary(name)
    assert len(vocabulary) == info.sizes["vocabulary"] and vocabulary[:2] == ("<pad>", "<unk>")
    for tokens, *_ in splits.values():
        assert tokens.dtype == np.int64 and tokens.max() < len(vocabulary)
        lengths = (tokens > 0).sum(axis=1)
        assert all((row[:length] > 0).all() for row, length in zip(tokens, lengths, strict=True))  # padding is last


def test_tokens_are_the_words_of_the_sentences():
    vocabulary = data.word_vocabulary("entities")
    tokens, tags = data.load("entities", 0)["test"]
    classes = data.info("entities").classes
    for row, numbers, sentence in zip(tokens, tags, sentences("test"), strict=True):
        assert [vocabulary[token] for token in row if token] == list(sentence.words)
        assert [classes[tag] for tag in numbers if tag >= 0] == list(sentence.tags)


def test_io_tags_are_the_bio_tags_without_beginnings():
    (bio,), (io,) = ([data.load(name, 0)["test"][1]] for name in ("entities", "entities-io"))
    names, io_names = data.info("entities").classes, data.info("entities-io").classes
    for row, other in zip(bio, io, strict=True):
        assert [names[tag].replace("B-", "I-") for tag in row if tag >= 0] == [io_names[t] for t in other if t >= 0]


def test_pairs_are_of_known_categories_and_each_occurs_in_the_corpus():
    words = {word for sentence in sentences("train") for word in sentence.words}
    pairs = data.word_pairs("corpus")
    assert (
        pairs.keys() == RELATIONS.keys()
        and ("Italy", "Rome") in pairs["capital"]
        and ("cat", "cats") in pairs["plural"]
    )
    assert all(word in words for group in pairs.values() for pair in group for word in pair)
    assert categories()["Italy"] == "country.name" and "Washington" not in categories()  # it has several
