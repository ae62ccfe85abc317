"""Byte-pair encoding: drills."""

from random import Random
from typing import Any

from quizzes.content.beyond.language_extras.byte_pairs import (
    count_pairs,
    count_tokens,
    encode,
    merge_pair,
    merges_of,
    split_words,
)
from quizzes.content.beyond.language_extras.formulas import (
    BPE,
    BPE_ENCODE,
    BPE_PROGRAM,
    BPE_SIZE,
    COUNT_LINE,
    PAIR_COUNT,
    PAIR_LINE,
    read_merges,
    word_counts,
)
from quizzes.drill import Inputs, Mistake, drill, one_of
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step

WORD_LISTS = [
    ["low", "lower", "newest", "widest"],
    ["hug", "pug", "pun", "bun", "hugs"],
    ["hat", "that", "then", "ten"],
    ["sing", "ring", "rings", "king"],
    ["cat", "cats", "hat", "chat"],
    ["old", "older", "cold", "holder"],
    ["tea", "team", "meat", "steam"],
    ["not", "note", "tone", "stone"],
    ["band", "hand", "sand", "hands"],
    ["rest", "best", "rested", "nest"],
]


def _words(rng: Random, size: int) -> dict[str, Any]:
    words = rng.sample(rng.choice(WORD_LISTS), size)
    counts = [rng.randint(2, 9) for _ in words]
    listing = ", ".join(f"{word} ({count})" for word, count in zip(words, counts, strict=True))
    return dict(words=words, counts=counts, listing=listing)


def _merges(words: list[str], counts: list[Any], k: int) -> list[str]:
    corpus = split_words(word_counts(words, counts))
    return ["".join(pair) for pair, _, _ in merges_of(corpus, k)]


def _unweighted(words: list[str], counts: list[Any], k: int) -> list[str]:
    return _merges(words, [1] * len(words), k)


def _not_recounted(words: list[str], counts: list[Any], k: int) -> list[str]:
    pairs = count_pairs(split_words(word_counts(words, counts)))
    return ["".join(pair) for pair, _ in pairs.most_common(k)]


def _rarest(words: list[str], counts: list[Any], k: int) -> list[str]:
    return _merges(words, [1 + max(counts) - count for count in counts], k)


def _training_steps(k: int, words: list[str], counts: list[Any], table: Any, before: int, **_: Any) -> list[Step]:
    steps = [Step("Split the words into characters. Each word counts as often as it occurs.", [f"before = {before}"])]
    for number, (pair, count, after) in enumerate(merges_of(split_words(word_counts(words, counts)), k), 1):
        split = ", ".join(" ".join(tokens) for tokens in after)
        text = f"Merge {number}: the most frequent pair is {' '.join(pair)}, with {count} occurrences. Now: {split}."
        steps.append(Step(text, [f"after = {count_tokens(after)}"]))
    return steps


@drill(
    BPE,
    id="bpe-merge",
    tier=2,
    asks=("count", "merges", "after"),
    prompt="Byte-pair encoding is trained on a text with these words and numbers of occurrences: {listing}. It starts "
    "from "
    "characters.\n"
    "How often does the first merged pair occur (count)? Which tokens do the first {k} merges make (merges, in order)? "
    "How many tokens does the text have after these merges (after)?\n"
    "Conventions: pairs never span two words; of pairs that are equally frequent, the one that occurs first is merged, "
    "reading the words in the order above from left to right.",
    hints=(
        "A pair counts once for each occurrence of each word that has it. What must be counted again after a merge?",
        "Count all pairs of adjacent tokens, weighted by the words' occurrences; merge the most frequent pair "
        "everywhere; "
        "repeat.",
        "First step: list the pairs of characters of every word, and add up the occurrences of the words.",
    ),
    steps=_training_steps,
    mistakes=[
        Mistake(
            "words-not-weighted",
            {"merges": _unweighted},
            "You counted each word once. A pair counts as often as its words occur.",
        ),
        Mistake(
            "not-counted-again",
            {"merges": _not_recounted},
            "You merged the most frequent pairs of the first count. After each merge, the pairs must be counted again.",
        ),
        Mistake(
            "per-word",
            {"count": lambda words, counts, k: max(count_pairs(split_words(dict.fromkeys(words, 1))).values())},
            "You counted words, not their occurrences in the text.",
        ),
        Mistake(
            "one-per-merge",
            {"after": lambda words, counts, k: sum(len(w) * c for w, c in zip(words, counts, strict=True)) - k},
            "A merge shortens the text by one token per occurrence of the pair.",
        ),
        Mistake(
            "different-words",
            {"after": lambda words, counts, k: sum(len(encode(word, _pairs(words, counts, k))) for word in words)},
            "You added up the tokens of the different words. Each word counts as often as it occurs.",
        ),
    ],
)
def bpe_merge(rng: Random) -> Inputs:
    """Training byte-pair encoding"""
    values = _words(rng, rng.choice([3, 4]))
    k = rng.choice([2, 3])
    words, counts = values["words"], values["counts"]
    merged = [*_merges(words, counts, k), *_unweighted(words, counts, k), *_not_recounted(words, counts, k)]
    extra = [
        *_rarest(words, counts, k),
        *("".join(pair) for pair in count_pairs(split_words(word_counts(words, counts)))),
    ]
    labels = sorted({*merged, *extra[:3]})
    if len(_merges(words, counts, k)) < k:
        raise UndefinedValue("there must be enough pairs")
    return dict(values, k=k, labels=labels)


def _pairs(words: list[str], counts: list[Any], k: int) -> list[tuple[str, str]]:
    return [pair for pair, _, _ in merges_of(split_words(word_counts(words, counts)), k)]


def _characters(words: list[str], counts: list[Any], pair: str) -> int:
    """Return the number of occurrences of the first character of the pair."""
    return sum(word.count(pair[0]) * int(count) for word, count in zip(words, counts, strict=True))


@drill(
    PAIR_COUNT,
    id="bpe-merge:pair",
    tier=1,
    asks=("n", "before", "after"),
    prompt="A text has these words and numbers of occurrences: {listing}. In byte-pair encoding, it is first split "
    "into "
    "characters.\n"
    "How often does the pair ({pair}) occur in the text (n)? How many tokens does the text have before (before) and "
    "after "
    "that pair is merged (after)?",
    hint="How often does each word contain the pair, and how often does the word occur?",
    mistakes=[
        Mistake(
            "words-not-weighted",
            {"n": lambda words, counts, pair: sum(pair.replace(" ", "") in word for word in words)},
            "You counted words. Each counts as often as it occurs in the text.",
        ),
        Mistake(
            "one-character",
            {"n": _characters},
            "You counted the first character. Both must be next to each other, in this order.",
        ),
        Mistake(
            "different-words",
            {"before": lambda words, counts, pair: sum(map(len, words))},
            "You counted each word once. Multiply by its number of occurrences.",
        ),
        Mistake("both-removed", "after = before - 2*n", "Two tokens become one, so one is lost per occurrence."),
        Mistake("one-removed", "after = before - 1", "Every occurrence of the pair is merged."),
    ],
)
def pair_count(rng: Random) -> Inputs:
    """Occurrences of a pair"""
    values = _words(rng, 4)
    pairs = count_pairs(split_words(word_counts(values["words"], values["counts"])))
    first, second = rng.choice([pair for pair in pairs if pair[0] != pair[1]])
    return dict(values, pair=f"{first} {second}")


def _reversed_order(word: str, merges: list[str]) -> list[str]:
    return list(encode(word, read_merges(merges[::-1])))


def _longest_match(word: str, merges: list[str]) -> list[str]:
    """Return the tokens if the longest token is taken from the left each time."""
    vocabulary = {*word, *("".join(pair) for pair in read_merges(merges))}
    tokens, start = [], 0
    while start < len(word):
        end = next(end for end in range(len(word), start, -1) if word[start:end] in vocabulary)
        tokens.append(word[start:end])
        start = end
    return tokens


def _first_merge_only(word: str, merges: list[str]) -> list[str]:
    return list(merge_pair(tuple(word), read_merges(merges)[0]))


def _encoding_steps(word: str, merges: list[str], **_: Any) -> list[Step]:
    tokens, steps = tuple(word), []
    for pair in read_merges(merges):
        merged = merge_pair(tokens, pair)
        text = f"Merge ({' '.join(pair)}): {' '.join(merged)}."
        steps.append(Step(text if merged != tokens else f"The pair ({' '.join(pair)}) does not occur."))
        tokens = merged
    return steps


@drill(
    BPE_ENCODE,
    id="bpe-merge:apply",
    tier=1,
    asks=("tokens", "n"),
    prompt="Byte-pair encoding has learned these merges, in this order: {listing}. It starts from characters.\n"
    "Into which tokens is the word {word} split (tokens, in order), and how many are these (n)?",
    hints=(
        "Begin with the characters. Which merge is tried first?",
        "In the order in which they were learned, each merge joins its pair wherever the pair occurs.",
        "First step: split the word into characters, and apply the first merge whose pair is in it.",
    ),
    steps=_encoding_steps,
    mistakes=[
        Mistake(
            "reversed-order",
            {"tokens": _reversed_order},
            "You applied the merges from last to first. They are applied in the order in which they were learned.",
        ),
        Mistake(
            "longest-match",
            {"tokens": _longest_match},
            "You took the longest token from the left. Byte-pair encoding applies the merges in their order.",
        ),
        Mistake(
            "first-merge-only",
            {"tokens": _first_merge_only},
            "You applied the first merge only. Later merges join its result further.",
        ),
        Mistake("characters", {"n": lambda word, merges: len(word)}, "Those are the characters before any merge."),
        Mistake(
            "merges-subtracted",
            {"n": lambda word, merges: len(word) - len(merges)},
            "Not every merge occurs in the word, and one may occur twice.",
        ),
    ],
)
def bpe_encode(rng: Random) -> Inputs:
    """Applying merges"""
    words = rng.choice(WORD_LISTS)
    counts = [rng.randint(1, 9) for _ in words]
    pairs = _pairs(words, counts, rng.choice([3, 4, 5]))
    merges = [" ".join(pair) for pair in pairs]
    stems = [*words, words[0] + words[-1], words[1] + words[2]]
    word = rng.choice([*(stem for stem in stems if len(stem) > 4), words[0] + words[1]])
    results = [encode(word, pairs), _reversed_order(word, merges), _longest_match(word, merges)]
    if len(results[0]) == len(word):
        raise UndefinedValue("a merge must occur")
    others = [*results[1:], _first_merge_only(word, merges)]
    if len({*results[0]}) == len(results[0]) and any(len({*tokens}) < len(tokens) for tokens in others):
        raise UndefinedValue("a repeated token would show that an answer is incorrect")
    labels = sorted({token for tokens in results for token in tokens} | {*_first_merge_only(word, merges)} | {*word})
    return dict(word=word, merges=merges, labels=labels, listing=", ".join(f"({merge})" for merge in merges))


@drill(
    BPE_SIZE,
    id="bpe-merge:vocabulary",
    tier=1,
    asks=one_of("V", "k", "b"),
    prompt="A byte-pair tokenizer has b = {b} base tokens, k = {k} merges and s = {s} special tokens. Its vocabulary "
    "has V "
    "= {V} tokens.",
    hint="How many tokens does one merge add? Are the base tokens removed?",
    mistakes=[
        Mistake("base-left-out", "V = k + s", "You left out the base tokens. They stay in the vocabulary."),
        Mistake("special-left-out", "V = b + k", "You left out the special tokens."),
        Mistake("two-per-merge", "V = b + 2*k + s", "A merge adds one token. Its two parts are there already."),
        Mistake("parts-removed", "V = b - k + s", "The parts of a merge stay in the vocabulary, so it grows."),
    ],
)
def bpe_size(rng: Random) -> Inputs:
    """Vocabulary size"""
    return dict(b=rng.choice([26, 64, 100, 128, 256, 256]), k=2 * rng.randint(50, 25000), s=rng.randint(1, 5) * 2)


@drill(
    BPE_PROGRAM,
    id="debug-bpe-count",
    tier=3,
    asks=("line", "printed", "fixed"),
    visualization="code program",
    prompt="This program should print the first pair that byte-pair encoding merges, for the words {listing} with "
    "their "
    "numbers of occurrences. Which line is incorrect (line)? Which pair does the program print (printed), and which "
    "after "
    "the correction (fixed)? Write a pair as two letters, such as ab.\n"
    "Conventions: max returns the first of several equal ones, and pairs are stored in the order of their first "
    "occurrence.",
    hints=(
        "What does a word contribute to the count of a pair? Which characters are a pair?",
        "A pair is two adjacent characters. It counts as often as the words that have it occur.",
        "First step: count the pairs of adjacent characters, weighted by the numbers of occurrences.",
    ),
    steps=lambda line, printed, fixed, **_: [
        Step(
            f"Line {line} counts each word once, whatever its number of occurrences."
            if line == COUNT_LINE
            else f"Line {line} pairs each character with the one after the next."
        ),
        Step(f"So the program prints {printed}."),
        Step(f"Counting adjacent characters, weighted by the occurrences of the words, gives {fixed}."),
    ],
    mistakes=[
        Mistake(
            "other-line",
            {"line": lambda line, **_: COUNT_LINE if line == PAIR_LINE else PAIR_LINE},
            "That line is correct. Check which characters are paired, and how much each word contributes.",
        ),
        Mistake("blames-max", {"line": 7}, "max with key=counts.get returns the most frequent pair, as it should."),
        Mistake(
            "already-correct",
            {"printed": lambda words, counts, line: _merges(words, counts, 1)[0]},
            "That is the correct pair. The program counts something else.",
        ),
        Mistake(
            "as-printed",
            {"fixed": lambda words, counts, line: _printed(words, counts, line)},
            "That is what the incorrect program prints.",
        ),
    ],
)
def debug_bpe_count(rng: Random) -> Inputs:
    """Counting pairs"""
    values = _words(rng, rng.choice([3, 4]))
    words, counts = values["words"], values["counts"]
    line = rng.choice([PAIR_LINE, COUNT_LINE])
    second = "word[2:]" if line == PAIR_LINE else "word[1:]"
    amount = "1" if line == COUNT_LINE else "n"
    numbers = ", ".join(f'"{word}": {count}' for word, count in zip(words, counts, strict=True))
    program = f"""
from collections import Counter
words = {{{numbers}}}
counts = Counter()
for word, n in words.items():
    for pair in zip(word, {second}):
        counts[pair] += {amount}
print(*max(counts, key=counts.get), sep="")
""".strip()
    if _printed(words, counts, line) == _merges(words, counts, 1)[0]:
        raise UndefinedValue("the mistake must show")
    return dict(values, line=line, program=program)


def _printed(words: list[str], counts: list[Any], line: int) -> Any:
    return BPE_PROGRAM.evaluate(dict(words=words, counts=counts, line=line))["printed"]
