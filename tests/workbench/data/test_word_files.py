"""Sentences of the user's own: CoNLL files, CSV files of texts with labels, and texts as words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import data, tasks
from workbench.data import contexts, words
from workbench.data.entity_tags import entities
from workbench.errors import UserError

TAGGED = "Anna B-PER\nsaw O\nNew B-LOC\nYork I-LOC\n. O\n\nhe O\nsmiled O\n\n"


def test_words_and_punctuation_marks_are_split():
    assert words.split_words("It wasn't GOOD, was it?") == ["it", "wasn't", "good", ",", "was", "it", "?"]
    assert words.build_vocabulary([["b", "a", "a"], ["b", "c"]]) == ("<pad>", "<unk>", "a", "b")
    assert words.encode([["a", "x"], ["b"]], ("<pad>", "<unk>", "a", "b")).tolist() == [[2, 1], [3, 0]]


def test_a_conll_file_is_read(tmp_path):
    file = tmp_path / "tags.conll"
    file.write_text("-DOCSTART- O\n\n" + TAGGED * 12)
    info, splits = data.info(f"conll:{file}"), data.load(f"conll:{file}")
    assert info.classes == ("O", "B-LOC", "I-LOC", "B-PER") and info.samples == 24 and info.kind == "tagging"
    tokens, tags = (np.concatenate([columns[k] for columns in splits.values()]) for k in (0, 1))
    vocabulary = data.word_vocabulary(f"conll:{file}")
    rows = {
        (tuple(words.decode(row.tolist(), vocabulary)), tuple(info.classes[tag] for tag in numbers if tag >= 0))
        for row, numbers in zip(tokens, tags, strict=True)
    }
    assert rows == {
        (("Anna", "saw", "New", "York", "."), ("B-PER", "O", "B-LOC", "I-LOC", "O")),
        (("he", "smiled"), ("O", "O")),
    }
    assert tasks.info(f"conll:{file}").metrics["f1"] == "max"


def test_an_i_tag_after_o_is_accepted_and_further_columns_are_ignored(tmp_path):
    file = tmp_path / "iob.conll"
    file.write_text("U.N. NNP I-NP I-ORG\nofficial NN I-NP O\n\n" * 20)
    assert data.info(f"conll:{file}").classes == ("O", "I-ORG")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty. Write a word and its tag"),
        ("Anna\n", "Line 1 of bad.txt has no tag after 'Anna'"),
        ("Anna PER\n", "The tag 'PER' in line 1 of bad.txt is not O, B-type or I-type"),
        ("Anna B-\n", "is not O, B-type or I-type"),
        (TAGGED, "Sentences in bad.txt: 2. At least 20"),
        ("he O\nsmiled O\n\n" * 30, "all tags are O"),
        ("he O\n" * 500, "more than 400 words"),
        ("he B-PER\n\nhe O\n\n" * 30, "only one distinct word"),
    ],
)
def test_a_bad_conll_file_is_one_sentence(tmp_path, content, message):
    (tmp_path / "bad.txt").write_text(content)
    with pytest.raises(UserError, match=message):
        data.info(f"conll:{tmp_path / 'bad.txt'}")


def test_a_csv_file_of_texts_is_read(tmp_path):
    file = tmp_path / "reviews.csv"
    file.write_text("label,text\n" + 'good,"I liked it, really"\nbad,I hated it\n' * 15)
    info, splits = data.info(f"sentences:{file}"), data.load(f"sentences:{file}")
    assert info.classes == ("bad", "good") and info.samples == 30 and info.target == "label"
    vocabulary = data.word_vocabulary(f"sentences:{file}")
    tokens, labels = (np.concatenate([columns[k] for columns in splits.values()]) if k else None for k in (0, 1))
    texts = {
        (" ".join(words.decode(row.tolist(), vocabulary)), info.classes[label])
        for columns in splits.values()
        for row, label in zip(*columns, strict=True)
    }
    assert texts == {("i liked it , really", "good"), ("i hated it", "bad")} and tokens is None and len(labels) == 30


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("text,label,more\na b,x,1\n", "has 3 columns. Give two, text and label"),
        ("text,label\na b,x\n", "Rows in bad.csv: 1. At least 20"),
        ("text,label\n" + "a b,x\n" * 30, "is 'x' in every row. Give two or more classes"),
        ("text,label\n" + "a b,x\n" * 29 + "a b,y\n", "Class 'y' .* has too few rows, 1"),
        ("text,label\n" + "a b,x\n,y\n" * 15, "Line 3 of bad.csv has no 'text'"),
        ("text,label\n" + "a b,x\nb a,\n" * 15, "Line 3 of bad.csv has no 'label'"),
        ("text,label\n" + "a,x\na,y\n" * 15, "only one distinct word"),
    ],
)
def test_a_bad_csv_file_is_one_sentence(tmp_path, content, message):
    (tmp_path / "bad.csv").write_text(content)
    with pytest.raises(UserError, match=message):
        data.info(f"sentences:{tmp_path / 'bad.csv'}")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"caf\xe9 is open", "is not a text in UTF-8"),
        (b"the cat sat .", "has 1 sentences of two or more words"),
        (b"the the . " * 3 + b"\n", "sentences of two or more words"),
        (b"the the the\n" * 50, "only one distinct word"),
        (b"the cat sat\n" * 50, "has 3 words that occur 2 times or more"),
    ],
)
def test_a_bad_text_is_one_sentence(tmp_path, content, message):
    (tmp_path / "bad.txt").write_bytes(content)
    with pytest.raises(UserError, match=message):
        data.info(f"words:{tmp_path / 'bad.txt'}")


def test_a_missing_file_names_the_prefix():
    for prefix in ("conll", "sentences", "words"):
        with pytest.raises(UserError, match=f"There is no file nowhere. Write {prefix}:PATH"):
            data.info(f"{prefix}:nowhere")


def entities_by_conlleval(tags):
    """Return the entities by the rules of conlleval's endOfChunk and startOfChunk, as its Perl source has them."""
    found, start = [], None
    previous, previous_type = "O", ""
    for k, tag in enumerate([*tags, "O"]):
        prefix, _, kind = tag.partition("-")
        ends = (previous, prefix) in {("B", "B"), ("B", "O"), ("I", "B"), ("I", "O")}
        ends = ends or (previous != "O" and previous_type != kind)
        begins = (previous, prefix) in {("B", "B"), ("I", "B"), ("O", "B"), ("O", "I")}
        begins = begins or (prefix != "O" and previous_type != kind)
        if ends and start is not None:
            found.append((previous_type, start, k))
            start = None
        if begins:
            start = k
        previous, previous_type = prefix, kind
    return found


@given(st.lists(st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]), max_size=12))
def test_entities_are_conllevals(tags):
    assert entities(tags) == entities_by_conlleval(tags)


def test_cooccurrences_are_those_of_the_definition():
    rng = np.random.default_rng(0)
    tokens = np.array([[2, 3, 4, 2, 0], [3, 3, 2, 0, 0], [4, 2, 3, 4, 3]])
    expected = np.zeros((5, 5))
    for row in tokens:
        sentence = row[row > 0]
        for i, word in enumerate(sentence):
            for j, other in enumerate(sentence):
                if i != j and abs(i - j) <= 3:
                    expected[word, other] += 1 / abs(i - j)
    np.testing.assert_allclose(contexts.cooccurrences(tokens, 5, window=3), expected)
    counts = contexts.count(tokens, 5)
    assert counts.tolist() == [0, 0, 4, 5, 3]
    np.testing.assert_allclose(
        contexts.noise(counts)[2:], np.array([4, 5, 3]) ** 0.75 / sum(k**0.75 for k in (4, 5, 3))
    )
    np.testing.assert_allclose(contexts.glove_weight(np.array([1.0, 100.0, 200.0])), [0.01**0.75, 1, 1])
    pairs = list(contexts.windows(tokens, 1, np.ones(5), rng))
    assert pairs[:3] == [(2, [3]), (3, [2, 4]), (4, [3, 2])]


def test_frequent_words_are_dropped_and_windows_vary():
    tokens = np.tile(np.arange(2, 12), (2000, 1))
    keep = np.ones(12)
    keep[2] = 0.25
    rng = np.random.default_rng(1)
    contexts_of = [context for word, context in contexts.windows(tokens, 4, keep, rng) if word == 7]
    sizes = np.bincount([len(context) for context in contexts_of])
    assert np.allclose(sizes[[2, 4, 6, 8]] / 2000, 0.25, atol=0.04)  # each size of a window is as probable
    share = sum(2 in context for context in contexts_of if len(context) == 8) / sizes[8]
    assert share == 0.0  # 5 words before it
    seen = sum(word == 2 for word, _ in contexts.windows(tokens, 4, keep, rng))
    assert seen / 2000 == pytest.approx(0.25, abs=0.04)
    expected = np.minimum(1, np.sqrt(1e-2 / np.array([0.5, 0.002])))
    np.testing.assert_allclose(contexts.keep_probability(np.array([500, 2, 498]), 1e-2)[:2], expected)
