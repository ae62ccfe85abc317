"""Byte pairs against the library tokenizers and a brute force, and every way in which a file is unusable."""

import json
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, pre_tokenizers, trainers
from tokenizers.models import BPE

from workbench import data
from workbench.data import byte_pairs, tokenizer_files
from workbench.data.byte_pairs import ALPHABET, CHARACTERS, BytePairs, split_words
from workbench.errors import UserError

# Characters without a category, whose category may change, and halves of pairs are left out.
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cn")) | st.sampled_from("  \n\tabt'sLé1².🙂Ⅷ़"), max_size=60)
SENTENCES = " it's the cat's hat, and they'll see 12 of 1,234 cats  in\n\n hats naïve 猫と帽子 🙂🙂 ".split(" ")


def library(merges=(), vocabulary=None):
    """The same tokenizer of the library."""
    vocabulary = vocabulary or {character: token for token, character in enumerate(ALPHABET)}
    tokenizer = Tokenizer(BPE(vocab=dict(vocabulary), merges=[tuple(pair) for pair in merges]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


@pytest.fixture(scope="module")
def trained():
    text = " ".join(SENTENCES * 3) + data.tokenizer("help-topics-bpe").decode(range(256, 512)) * 2
    return byte_pairs.train(text, 400)


@pytest.fixture(scope="module")
def pair(trained):
    return trained, library(trained.merges, trained.vocabulary)


@given(TEXTS)
@settings(deadline=None, max_examples=300)
def test_random_texts_are_encoded_and_decoded_as_by_the_library(pair, text):
    ours, theirs = pair
    tokens = theirs.encode(text).ids
    assert ours.encode(text).tolist() == tokens
    assert ours.decode(tokens) == theirs.decode(tokens, skip_special_tokens=False) == text


@given(st.lists(st.integers(0, 399), max_size=20))
@settings(deadline=None)
def test_random_tokens_are_decoded_as_by_the_library(pair, tokens):
    ours, theirs = pair
    tokens = [token for token in tokens if token < ours.size]
    assert ours.decode(tokens) == theirs.decode(tokens, skip_special_tokens=False)


@given(TEXTS)
@settings(deadline=None)
def test_texts_are_split_into_words_as_by_the_library(text):
    theirs = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str(text)
    assert split_words(text) == [text[start:end] for _, (start, end) in theirs]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=8), st.text("abc", max_size=14))
@settings(deadline=None, max_examples=300)
def test_merges_in_any_order_are_those_of_the_library(indices, text):
    vocabulary = {character: token for token, character in enumerate(ALPHABET)}
    names, merges = list("abc"), []
    for left, right in indices:
        merge = names[left % len(names)], names[right % len(names)]
        if merge not in merges:
            merges.insert(left % (len(merges) + 1), merge)
            vocabulary.setdefault("".join(merge), len(vocabulary))
            names.append("".join(merge))
    ours, theirs = BytePairs(vocabulary, merges), library(merges, vocabulary)
    assert ours.encode(text).tolist() == theirs.encode(text).ids


def brute_force(text, size):
    """Count all pairs again for each merge."""
    words = Counter(split_words(text))
    sequences = {word: [CHARACTERS[byte] for byte in word.encode()] for word in words}
    numbers, merges = {character: token for token, character in enumerate(ALPHABET)}, []
    while len(numbers) < size:
        counts = Counter()
        for word, tokens in sequences.items():
            for pair in pairwise(tokens):
                counts[pair] += words[word]
        # Of equally frequent pairs, the one with the smallest numbers.
        best = min(counts, key=lambda pair: (-counts[pair], *(numbers[token] for token in pair)), default=None)
        if best is None or counts[best] < 2:
            break
        merges.append(best)
        numbers.setdefault("".join(best), len(numbers))
        for tokens in sequences.values():
            k = 0
            while k < len(tokens) - 1:
                if (tokens[k], tokens[k + 1]) == best:
                    tokens[k : k + 2] = ["".join(best)]
                k += 1
    return merges


@given(st.text("aab c\n1é", max_size=80))
@settings(deadline=None, max_examples=200)
def test_training_is_that_of_a_brute_force_and_of_the_library(text):
    ours = byte_pairs.train(text, 290)
    assert ours.merges == brute_force(text, 290)
    theirs = library()
    options = dict(vocab_size=290, min_frequency=2, initial_alphabet=ALPHABET, show_progress=False)
    theirs.train_from_iterator([text], trainers.BpeTrainer(**options))
    model = json.loads(theirs.to_str())["model"]
    assert [tuple(merge) for merge in model["merges"]] == ours.merges and model["vocab"] == ours.vocabulary


def test_the_tie_rule_is_stated():
    # "ab" and "cd" occur twice each: a and b have smaller numbers.
    assert byte_pairs.train("cd cd ab ab", 257).merges == [("a", "b")]
    assert byte_pairs.TIE_RULE == "of equally frequent pairs, the one with the smallest numbers is merged"


def test_gpt2s_characters_for_bytes_are_those_of_the_library():
    assert sorted(CHARACTERS) == sorted(pre_tokenizers.ByteLevel.alphabet()) == ALPHABET
    theirs = library()
    for byte in range(128):
        assert theirs.id_to_token(theirs.encode(chr(byte)).ids[0]) == CHARACTERS[byte]


def test_characters_are_counted_where_they_begin(trained):
    text = " ".join(SENTENCES)
    assert trained.characters()[trained.encode(text)].sum() == len(text)
    assert trained.label(trained.encode("é")[0]) in ("é", "0xc3")


def test_a_long_word_takes_no_longer_than_its_length(trained):
    assert trained.decode(trained.encode("ab" * 100_000)) == "ab" * 100_000


def test_the_splits_are_the_blocks_of_the_characters():
    pieces = {split: tokens for split, (tokens,) in data.load("help-topics-bpe", seed=4).items()}
    tokenizer = data.tokenizer("help-topics-bpe")
    assert tokenizer.size == data.info("help-topics-bpe").sizes["vocabulary"]
    characters = data.vocabulary("help-topics")
    for split, (tokens,) in data.load("help-topics", seed=4).items():
        text = tokenizer.decode(pieces[split])
        assert len(text) == len(tokens) and len(pieces[split]) < 0.6 * len(text)
        assert all(token == 0 or characters[token] == each for token, each in zip(tokens, text, strict=True))


# Files


@pytest.fixture
def save(tmp_path, trained):
    """Write the files of a tokenizer in both formats, and return their folder."""

    def save(change=lambda content: content):
        model = {"type": "BPE", "vocab": trained.vocabulary, "merges": [" ".join(pair) for pair in trained.merges]}
        splits = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
        added = [{"id": trained.size, "content": "<|endoftext|>", "special": True}]
        content = change({"model": model, "pre_tokenizer": splits, "added_tokens": added})
        (tmp_path / "one").mkdir()
        (tmp_path / "two").mkdir()
        (tmp_path / "one" / "tokenizer.json").write_text(json.dumps(content))
        (tmp_path / "two" / "vocab.json").write_text(json.dumps(content["model"]["vocab"]))
        lines = ["#version: 0.2", *content["model"]["merges"], ""]
        (tmp_path / "two" / "merges.txt").write_text("\n".join(map(str, lines)))
        return tmp_path

    return save


def test_both_formats_are_read(save, trained):
    folder, text = save(), " ".join(SENTENCES)
    paths = ["one", "one/tokenizer.json", "two", "two/vocab.json", "two/merges.txt"]
    tokenizers = {path: tokenizer_files.read(folder / path) for path in paths}
    for path, tokenizer in tokenizers.items():
        assert tokenizer.encode(text).tolist() == trained.encode(text).tolist(), path
    assert tokenizers["one"].size == trained.size + 1 and tokenizers["two"].size == trained.size
    assert tokenizers["one"].decode([trained.size]) == "<|endoftext|>"


def changed(**values):
    return lambda content: {**content, **values}


def with_model(**values):
    return lambda content: {**content, "model": {**content["model"], **values}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_model(type="Unigram"), "is a tokenizer of type 'Unigram': use one of type 'BPE'"),
        (with_model(vocab={"a": 1}), "there is no token for byte 0x00"),
        (with_model(vocab={}), "has no vocabulary"),
        (with_model(vocab={"a": -1}), "has a token without a number"),
        (with_model(vocab={"a": 1, "b": 1}), "has two tokens with one number"),
        (with_model(merges=["zz zzz"]), "can't be used .*there is no token 'zz"),
        (with_model(merges=["a"]), "is not a pair of tokens"),
        (changed(pre_tokenizer={"type": "Metaspace"}), "doesn't split texts as GPT-2 does"),
        (changed(normalizer={"type": "Lowercase"}), "doesn't split texts as GPT-2 does"),
    ],
)
def test_damaged_tokenizers_are_one_sentence(save, change, message):
    folder = save(change)
    with pytest.raises(UserError, match=message):
        tokenizer_files.read(folder / "one")
    if "GPT-2" not in message and "Unigram" not in message:
        with pytest.raises(UserError, match=message):
            tokenizer_files.read(folder / "two")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "is not JSON"),
        (b"[1, 2]", "has no 'model'"),
        (b"\xff\xfe", "is not a text in UTF-8"),
        (b"[" * 100_000, "is not"),
        (b'{"model": 5}', "has no 'model'"),
    ],
)
def test_other_files_are_one_sentence(tmp_path, content, message):
    (tmp_path / "tokenizer.json").write_bytes(content)
    with pytest.raises(UserError, match=message):
        tokenizer_files.read(tmp_path)


def test_a_folder_without_a_tokenizer_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match=r"give a tokenizer\.json, or a folder with vocab\.json and merges\.txt"):
        tokenizer_files.read(tmp_path)


def test_a_text_of_your_own_has_its_own_tokenizer_or_another(save, tmp_path):
    folder = save()
    file = tmp_path / "notes.txt"
    file.write_text("the cat and the hat are in the house.\n" * 60)
    own, other = f"text-bpe:{file}", f"text-bpe:{file}:{folder / 'two'}"
    assert data.info(own).sizes["vocabulary"] == data.tokenizer(own).size > 256
    assert data.info(other).sizes["vocabulary"] == tokenizer_files.read(folder / "two").size
    assert data.info(own).name == own and data.info(other).name == other
    for name in (own, other):
        splits = data.load(name, seed=0)
        assert data.tokenizer(name).decode(splits["train"][0]).startswith("the cat") or len(splits) == 3
        assert data.fingerprint(name) != data.fingerprint("help-topics-bpe")
    assert data.fingerprint(own) != data.fingerprint(other)
    with pytest.raises(UserError, match="There is no tokenizer at"):
        data.info(f"text-bpe:{file}:{tmp_path / 'nowhere'}")
    with pytest.raises(UserError, match="There is no file nowhere"):
        data.info("text-bpe:nowhere.txt")
