"""Pairs of texts: the datasets made by code, their tokens and splits, and the user's own files."""

import datetime
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.layers.tokens import END, FIRST, PAD, UNKNOWN
from workbench import data
from workbench.data import dates, number_words, pairs, reversal
from workbench.errors import UserError

NAMES = [name for name in data.names() if data.info(name).modality == "pairs"]
MODULES = {"dates": dates, "number-words": number_words, "reversal": reversal}


@pytest.fixture
def write(tmp_path):
    def write(content, name="pairs.tsv"):
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return f"pairs:{file}"

    return write


def rows(count=100, separator="\t"):
    return "".join(f"word {k}{separator}mot {k}\n" for k in range(count))


@pytest.mark.parametrize("name", NAMES)
def test_a_dataset_is_what_it_declares(name):
    info, content = data.info(name), MODULES[name].load()
    assert (info.kind, info.shape, info.classes, info.samples) == ("translation", (), (), len(content))
    assert dict(info.sizes) == pairs.sizes(content)
    assert len(set(content)) == len(content) and MODULES[name].load() == content
    assert len({source for source, _ in content}) == len(content)  # no source of the test set is in the training set


@pytest.mark.parametrize("name", NAMES)
def test_splits_have_each_pair_once_and_depend_on_the_seed(name):
    characters, content = data.vocabularies(name), MODULES[name].load()
    tests = []
    for seed in (0, 1):
        splits = data.load(name, seed)
        texts = {
            split: [
                tuple(pairs.decode(text.tolist(), known) for text, known in zip(pair, characters, strict=True))
                for pair in zip(*columns, strict=True)
            ]
            for split, columns in splits.items()
        }
        # Only one number has a z, which is unknown if that is not in the training set.
        everything = [tuple(text.replace("\ufffd", "z") for text in pair) for part in texts.values() for pair in part]
        assert sorted(everything) == sorted(content)
        held_out = data.held_out(len(content))
        assert {split: len(texts[split]) for split in held_out} == held_out
        tests.append(texts["test"])
        for source, target in splits.values():
            for column in (source, target):
                assert column.dtype == np.int64 and ((column == END).sum(axis=1) == 1).all()
                assert (column[np.arange(len(column)), (column != PAD).sum(axis=1) - 1] == END).all()
    assert tests[0] != tests[1]


MONTHS = {month: k for k, month in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}


def read_date(text):
    """Read a date by its words: an independent way."""
    if "/" in text:
        month, day, year = map(int, text.split("/"))
    elif "." in text:
        day, month, year = map(int, text.split("."))
    else:
        words = re.findall(r"[a-z]+|\d+", text.lower())
        month = next(MONTHS[word[:3]] for word in words if word[:3] in MONTHS and word != "monday")
        day, year = (int(word) for word in words if word.isdecimal())
    return datetime.date(year, month, day)


def test_dates_are_those_of_their_sources():
    for source, target in dates.load():
        day = datetime.date.fromisoformat(target)
        assert read_date(source) == day
        if "day" in source:
            assert source.startswith(day.strftime("%A"))
    assert {len(dates.formats(day)) for day in (dates.FIRST_DAY, dates.LAST_DAY)} == {10}
    ordinals = {1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 11: "11th", 12: "12th", 13: "13th", 21: "21st", 22: "22nd"}
    assert {number: dates.ordinal(number) for number in ordinals} == ordinals
    assert (dates.ordinal(23), dates.ordinal(30), dates.ordinal(31)) == ("23rd", "30th", "31st")


def test_numbers_in_words_are_read_back_and_come_in_both_directions():
    units = {word: k for k, word in enumerate(number_words.ONES)}
    units |= {word: 10 * k for k, word in enumerate(number_words.TENS, 2)}

    def read(words):
        hundreds, separator, rest = words.rpartition(" hundred")
        hundreds = 100 * units[hundreds] if separator else 0
        return hundreds + sum(units[word] for word in rest.removeprefix(" and ").split("-") if word)

    content = number_words.load()
    for words, digits in content[:1000]:
        assert read(words) == int(digits)
    assert content[1000:] == [(digits, words) for words, digits in content[:1000]]
    assert dict(content)["three hundred and five"] == "305" and dict(content)["40"] == "forty"


def test_reversed_words_have_4_to_16_letters_about_equally_often():
    content = reversal.load()
    assert all(target == source[::-1] and set(source) <= set("abcdefghijkl") for source, target in content)
    counts = np.bincount([len(source) for source, _ in content])
    assert counts[:4].sum() == 0 and len(counts) == 17 and counts[4:].min() > 500 and counts[4:].max() < 730


@given(st.text(min_size=1, max_size=30), st.text(max_size=30))
def test_decoding_returns_what_was_encoded_and_marks_what_is_unknown(text, other):
    characters = "".join(sorted(set(text)))
    tokens = pairs.encode(other, characters)
    assert tokens[-1] == END and len(tokens) == len(other) + 1 and min(tokens) >= END
    expected = "".join(character if character in characters else "\ufffd" for character in other)
    assert pairs.decode([*tokens, PAD, FIRST], characters) == expected


def test_characters_that_the_training_set_lacks_are_unknown_in_all_splits():
    content = [("ab" * (k % 5 + 1), "xy") for k in range(60)]
    content[7], content[8] = ("abq", "xz"), ("ba", "xz")
    outcomes = set()
    for seed in range(30):
        splits = pairs.split(content, dict(validation=6, test=12), seed)
        characters = pairs.vocabularies(content)
        is_known = bool((splits["train"][0] == pairs.encode("q", characters.source)[0]).any())
        unknown = sum(int((column == UNKNOWN).sum()) for column in (splits["validation"][0], splits["test"][0]))
        assert (splits["train"][0] != UNKNOWN).all() and unknown == int(not is_known)
        outcomes.add(is_known)
    assert outcomes == {True, False}


def test_a_file_of_pairs_is_read_in_any_folder_and_again_after_a_change(write, tmp_path, monkeypatch):
    name = write("\ufeffSource\tTarget\r\n" + rows().replace("\n", "\r\n") + "\n" + rows(3))
    monkeypatch.chdir(tmp_path)
    info = data.info("pairs:pairs.tsv")
    assert (info.name, info.samples, info.modality, info.licence) == (name, 100, "pairs", "your own")
    assert dict(info.sizes) == pairs.sizes([(f"word {k}", f"mot {k}") for k in range(100)])
    assert data.vocabularies(name) == (" 0123456789dorw", " 0123456789mot")
    state = data.fingerprint(name)
    write(rows(101))
    assert data.info(name).samples == 101 and data.fingerprint(name) != state


def test_commas_quotation_marks_and_tabs_separate_as_in_csv_and_tsv(write):
    comma = write('"one, two",zwei\n' + rows(100, separator=","), "pairs.csv")
    assert {*"one, two"} < set(data.vocabularies(comma).source)
    tab = write('say "hi", you\tsag "hallo"\n' + rows())
    assert {'"', ","} < set(data.vocabularies(tab).source) and '"' in data.vocabularies(tab).target


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "pairs.tsv is empty. Write a source, a tab or a comma"),
        (" \n\n", "pairs.tsv is empty"),
        (rows(99), "99 different pairs, too few .* at least 100"),
        ("a\tb\n" * 100, "1 different pair, too few"),
        ("a line\n" * 100, "Line 1 of pairs.tsv has 1 column. Each line needs two"),
        (rows() + "a\tb\tc\n", "Line 101 of pairs.tsv has 3 columns"),
        (rows() + "a\t\n", "Line 101 of pairs.tsv has no target"),
        (rows() + "\tb\n", "Line 101 of pairs.tsv has no source"),
        (rows() + "a\t" + "b" * 201, "The target in line 101 of pairs.tsv has 201 characters, and at most 200"),
        ("".join(f"{k}\tsame\n" for k in range(100)), "All targets of pairs.tsv are the same"),
        (rows(100, ",") + 'a,"b', "Line 101 of pairs.tsv is not CSV"),
        (rows().encode() + b"\xff\tb", r"byte [\d,]+ \(in line 101\) is 0xff. Save it again as UTF-8"),
        (rows().encode("utf-16"), "not a text in UTF-8"),
    ],
)
def test_unusable_files_are_rejected_in_a_sentence(write, content, message):
    for use in (data.info, data.load):
        with pytest.raises(UserError, match=message) as rejection:
            use(write(content))
        assert len(str(rejection.value).splitlines()) == 1


def test_files_that_are_not_pairs_are_rejected_in_a_sentence(tmp_path):
    for name, message in [
        ("pairs:", "is a folder"),
        ("pairs:nowhere.tsv", "There is no file nowhere.tsv. Write pairs:PATH"),
        ("pairs:\x1b[31m", r"\?\[31m"),
        ("pairs:a\0b", r"a\?b"),
    ]:
        for use in (data.info, data.load, data.fingerprint):
            with pytest.raises(UserError, match=message) as rejection:
                use(name)
            assert str(rejection.value).isprintable()


@given(st.binary(max_size=200) | st.text(max_size=40).map(lambda each: (f"{each}\n" * 100 + rows(100)).encode()))
def test_any_file_is_pairs_or_is_rejected(tmp_path_factory, content):
    file = tmp_path_factory.getbasetemp() / "any.tsv"
    file.write_bytes(content)
    try:
        splits = data.load(f"pairs:{file}", seed=0)
    except UserError as rejection:
        assert len(str(rejection).splitlines()) == 1
    else:
        assert sum(len(source) for source, _ in splits.values()) == data.info(f"pairs:{file}").samples
