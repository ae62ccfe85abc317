"""Texts: the help topics and the user's own; their tokens, their splits, and every way in which a file is unusable."""

import os
import sys
from collections import Counter
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import data
from workbench.data import text, text_file
from workbench.errors import UserError

ALPHABET = "abcdefghijklmnopqrstuvwxyz .\n"


def random_text(length=2000, alphabet=ALPHABET, seed=0):
    return "".join(np.random.default_rng(seed).choice(list(alphabet), length))


@pytest.fixture
def write(tmp_path):
    def write(content, name="notes.txt"):
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return f"text:{file}"

    return write


def test_help_topics_are_what_they_declare():
    info = data.info("help-topics")
    assert (info.kind, info.modality, info.shape, info.classes) == ("language modeling", "text", (), ())
    splits = data.load("help-topics", seed=1)
    assert sum(len(tokens) for (tokens,) in splits.values()) == info.samples
    characters = data.vocabulary("help-topics")
    assert len(characters) <= info.sizes["vocabulary"] and characters[1:].isascii()
    assert set(ALPHABET.upper() + ALPHABET + "0123456789") < set(characters)


def test_help_topics_have_each_paragraph_once():
    from pydoc_data.topics import topics

    from workbench.data import help_topics

    content = help_topics.load()
    counts = Counter(" ".join(paragraph.split()) for paragraph in content.split("\n\n"))
    assert max(counts.values()) == 1
    topic = topics["assert"].strip()
    assert topic in content
    everything = Counter(" ".join(part.split()) for topic in topics.values() for part in topic.strip().split("\n\n"))
    assert sum(count > 1 for count in everything.values()) > 100  # as published, many come again


def test_without_pythons_help_topics_another_text_is_suggested(monkeypatch):
    from workbench.data import help_topics

    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(UserError, match="text:PATH"):
        help_topics.load.__wrapped__()


def test_splits_are_blocks_of_the_text_and_hold_it_once(write):
    content = random_text(20_000)
    name = write(content)
    characters, seen = data.vocabulary(name), set()
    blocks = [content[1000 * k : 1000 * (k + 1)] for k in range(20)]
    for seed in range(3):
        splits = {split: text.decode(tokens, characters) for split, (tokens,) in data.load(name, seed).items()}
        assert {split: len(part) // 1000 for split, part in splits.items()} == dict(train=14, validation=2, test=4)
        places = {
            split: [blocks.index(part[k : k + 1000]) for k in range(0, len(part), 1000)]
            for split, part in splits.items()
        }
        assert all(numbers == sorted(numbers) for numbers in places.values())
        assert sorted(chain(*places.values())) == list(range(20))
        seen.add(tuple(places["test"]))
        again = data.load(name, seed)
        assert all(text.decode(again[split][0], characters) == part for split, part in splits.items())
    assert len(seen) == 3


def test_a_character_is_unknown_unless_it_is_frequent_in_training(write):
    content = random_text(4000, alphabet="ab")
    content = content[:1000] + "é" * 150 + content[1150:]  # within the blocks 5 and 6 of 200 characters
    content = content[:2010] + "xyzzy" + content[2015:]
    name = write(content)
    assert data.vocabulary(name) == text.UNKNOWN + "abé"
    outcomes = set()
    for seed in range(60):
        splits = data.load(name, seed)
        train = splits["train"][0]
        in_training = Counter(train.tolist())
        held_out = np.concatenate([splits["validation"][0], splits["test"][0]])
        assert in_training[3] + in_training[0] + (held_out == 3).sum() + (held_out == 0).sum() == 155
        outcomes.add((in_training[3] > 0, bool((held_out == 3).any())))
        if not in_training[3]:
            assert not (held_out == 3).any() and (held_out == 0).sum() >= 150
    assert {known for known, _ in outcomes} == {True, False}


def test_a_vocabulary_has_the_most_frequent_characters_in_unicodes_order():
    content = "c" * 9 + "b" * 5 + "d" * 5 + "a" * 3 + "e" * 2 + text.UNKNOWN * 50
    assert text.vocabulary(content, 100) == text.UNKNOWN + "abcd"
    assert text.vocabulary(content, 4) == text.UNKNOWN + "bcd"
    assert text.vocabulary(content, 3) == text.UNKNOWN + "bc"  # of equally frequent ones, the first


@given(st.text(max_size=50), st.text(min_size=2, max_size=20))
def test_decoding_gives_what_was_encoded_and_marks_what_is_unknown(content, known):
    characters = text.UNKNOWN + "".join(sorted(set(known) - {text.UNKNOWN}))
    if len(characters) < 3:
        return
    tokens = text.encode(content, characters)
    assert tokens.dtype == np.int64 and len(tokens) == len(content)
    expected = "".join(character if character in characters else text.UNKNOWN for character in content)
    assert text.decode(tokens, characters) == expected


def test_lone_surrogates_of_a_command_line_are_unknown():
    assert text.encode("a\udcffb", text.UNKNOWN + "ab").tolist() == [1, 0, 2]


def test_a_text_is_read_in_any_folder_and_again_after_a_change(write, tmp_path, monkeypatch):
    name = write("\ufeff" + random_text(1500).replace("\n", "\r\n"))
    monkeypatch.chdir(tmp_path)
    info = data.info("text:notes.txt")
    assert (info.name, info.samples, info.modality, info.licence) == (name, 1500, "text", "your own")
    assert info.sizes == {"vocabulary": len(ALPHABET) + 1} and "\r" not in data.vocabulary(name)
    state = data.fingerprint(name)
    monkeypatch.chdir("/")
    assert data.info(info.name) == info and data.fingerprint(name) == state
    write(random_text(1501))
    assert data.info(name).samples == 1501 and data.fingerprint(name) != state


def test_the_description_of_a_text_shows_nothing_of_it_and_no_terminal_codes(write):
    info = data.info(write("secret " * 300, name="my\x1b[31mnotes.txt"))
    assert "secret" not in repr(info)
    assert "\x1b" not in info.title


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "notes.txt is empty"),
        (" \n\t " * 500, "notes.txt is empty"),
        (random_text(999), "notes.txt has 999 characters, too few"),
        ("a" * 2000, "only one distinct character"),
        ("".join(map(chr, range(1000, 3000))), "fewer than 2 characters that occur 3 times"),
        (random_text().encode() + b"\n\xffabc", r"byte 2,001 \(in line [\d,]+\) is 0xff. Save it again as UTF-8"),
        (b"a\nb\nc\xe9" + b"a" * 1000, r"byte 5 \(in line 3\) is 0xe9"),
        (random_text().encode("utf-16"), r"byte 0 \(in line 1\) is 0xff"),
        ("añb".encode("latin-1") * 500, r"byte 1 \(in line 1\) is 0xf1"),
    ],
)  # fmt: skip
def test_unusable_texts_are_rejected_in_a_sentence(write, content, message):
    for use in (data.info, data.load):
        with pytest.raises(UserError, match=message) as rejection:
            use(write(content))
        assert len(str(rejection.value).splitlines()) == 1


def test_files_that_are_not_texts_are_rejected_in_a_sentence(write, tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    for name, message in [
        ("text:", "is a folder"),
        (f"text:{tmp_path}", "is a folder. Give a text file in it"),
        (f"text:{tmp_path}/pipe", "not an ordinary file"),
        ("text:nowhere.txt", "There is no file nowhere.txt. Write text:PATH"),
        ("text:~nobody-of-that-name/x.txt", "can't be read"),
        ("text:" + "x" * 5000, "can't be read"),
        ("text:a\0b", r"a\?b"),
        ("text:\x1b[31m", r"\?\[31m"),
        ("notes.txt", "write text:notes.txt"),
    ]:
        for use in (data.info, data.load, data.fingerprint):
            with pytest.raises(UserError, match=message) as rejection:
                use(name)
            assert str(rejection.value).isprintable()
    monkeypatch.setattr(text_file, "MAX_BYTES", 100)
    with pytest.raises(UserError, match="MB"):
        data.info(write(random_text()))


def test_a_training_set_of_one_character_suggests_another_seed(write):
    name = write("a" * 1900 + "b" * 100)
    outcomes = set()
    for seed in range(60):
        try:
            outcomes.add(len(np.unique(data.load(name, seed)["train"][0])))
        except UserError as rejection:
            assert f"With seed {seed}," in str(rejection)
            outcomes.add("rejected")
    assert outcomes == {2, "rejected"}


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda each: (each * 40).encode()))
def test_any_file_is_a_text_or_is_rejected(write, content):
    name = write(content)
    try:
        splits = data.load(name, seed=0)
    except UserError as rejection:
        assert len(str(rejection).splitlines()) == 1
    else:
        assert sum(len(tokens) for (tokens,) in splits.values()) == data.info(name).samples
        assert all(tokens.min() >= 0 and tokens.max() < len(data.vocabulary(name)) for (tokens,) in splits.values())
