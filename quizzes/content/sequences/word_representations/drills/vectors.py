"""One-hot, Word2Vec, GloVe, t-SNE: drills about vectors and their sizes."""

from random import Random
from typing import Any

from quizzes.content.sequences.word_representations.formulas import (
    ANALOGY,
    COSINE,
    EMBEDDING_PARAMS,
    NAMES,
    PADDED_MEAN,
    WORD2VEC_SIZE,
    combine,
    cosine,
    most_similar,
)
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step


@drill(
    EMBEDDING_PARAMS,
    tier=1,
    asks="P",
    prompt="An embedding layer maps each of {V} words to a vector of {d} values. How many parameters does it have?",
    hint="The layer is a table. How many rows does it have, and how many values per row?",
    mistakes=[
        Mistake("bias", "P = V*d + d", "You added a bias. An embedding layer looks up a row, and has no bias."),
        Mistake("bias-per-word", "P = V*(d + 1)", "You added a bias per word. An embedding layer has no bias."),
        Mistake("squared", "P = d^2", "You used a d x d matrix. The table has one row per word."),
        Mistake("added", "P = V + d", "You added the sizes. The table has V rows of d values, so multiply."),
    ],
)
def embedding_params(rng: Random) -> Inputs:
    """Parameters of an embedding layer"""
    V = rng.choice([400, 1000, 5000, 8000, 10_000, 20_000, 30_522, 50_000, 50_257])
    return dict(V=V, d=rng.choice([16, 50, 64, 100, 128, 300, 512, 768]))


@drill(
    WORD2VEC_SIZE,
    id="embedding-params:word2vec",
    tier=2,
    asks=("P", "M"),
    prompt="Skip-gram with negative sampling is trained on a vocabulary of {V} words, with vectors of {d} values. "
    "Every word has an input vector and an output vector.\n"
    "How many parameters does the model have (P), and how much memory M do they need in fp32?\n"
    "Conventions: 1 MB = 10^6 bytes.",
    hint="How many tables of word vectors are there? How many bytes does a value in fp32 have?",
    mistakes=[
        Mistake(
            "one-table",
            "P = V*d; M = 4*V*d/1000000",
            "You counted one table. A word has one vector as center word and another as context word.",
        ),
        Mistake("biases", "P = 2*V*(d + 1)", "You added biases. The scores are plain dot products."),
        Mistake("bits", "M = 32*P/1000000", "You counted bits. A value in fp32 has 4 bytes."),
        Mistake("binary-megabytes", "M = 4*P/2^20", "You divided by 2^20. That gives MiB; 1 MB is 10^6 bytes here."),
    ],
)
def word2vec_size(rng: Random) -> Inputs:
    """Parameters and memory of word2vec"""
    V = rng.choice([400, 1000, 5000, 8000, 10_000, 20_000, 50_000, 100_000, 400_000])
    return dict(V=V, d=rng.choice([25, 50, 64, 100, 128, 200, 300]))


def _vector(rng: Random, size: int, largest: int = 3) -> list[int]:
    return [rng.choice([-1, 1, 1]) * rng.randint(0, largest) for _ in range(size)]


@drill(
    COSINE,
    id="cosine-analogy",
    tier=1,
    asks="c",
    visualization="table u v",
    prompt="Two words have the vectors u = {u} and v = {v}. What is the cosine similarity of the words?",
    hint="Divide the dot product by what makes the result independent of the lengths of the vectors.",
    mistakes=[
        Mistake("not-normalized", "c = p", "That is the dot product. Divide it by the norms of both vectors."),
        Mistake("one-norm", "c = p/n_u", "You divided by one norm. Divide by the norms of both vectors."),
        Mistake(
            "no-roots",
            "c = p/(n_u^2*n_v^2)",
            "You divided by the squared norms. The norm is the square root of the sum of squares.",
        ),
        Mistake(
            "norms-added",
            "c = p/(n_u + n_v)",
            "You divided by the sum of the norms. Divide by their product.",
        ),
        Mistake(
            "distance",
            "c = sqrt(sum(i, (u[i] - v[i])^2))",
            "That is the Euclidean distance. The cosine is the dot product divided by both norms.",
        ),
    ],
)
def cosine_analogy(rng: Random) -> Inputs:
    """Cosine similarity of two word vectors"""
    size = rng.choice([2, 3, 3, 4])
    u, v = _vector(rng, size), _vector(rng, size)
    if sum(x * y for x, y in zip(u, v, strict=True)) == 0 or u == v:
        raise UndefinedValue("the cosine must not be 0 or 1")
    return dict(u=u, v=v)


# Words a, b, c, of which a is to b as c is to the first candidate in everyday language; the vectors decide.
WORDS = [
    ("man", "king", "woman", "queen", "prince", "apple"),
    ("Paris", "France", "Rome", "Italy", "Spain", "river"),
    ("walk", "walked", "swim", "swam", "ran", "table"),
    ("big", "bigger", "cold", "colder", "warm", "chair"),
    ("cat", "cats", "dog", "dogs", "horse", "blue"),
    ("France", "Paris", "Japan", "Tokyo", "Kyoto", "green"),
]


def _pick(excluded: tuple[str, ...], **vectors: Any) -> str:
    rows = {name: vectors[name] for name in NAMES}
    return most_similar(rows, combine(rows["a"], rows["b"], rows["c"]), excluded)


def _by_dot_product(**vectors: Any) -> str:
    target = combine(vectors["a"], vectors["b"], vectors["c"])
    return max("def", key=lambda name: sum(x * y for x, y in zip(vectors[name], target, strict=True)))


def _analogy_steps(t: list[float], word: str, s: float, **values: Any) -> list[Step]:
    cosines = {values[f"word_{name}"]: cosine(values[name], t) for name in "def"}
    listed = ", ".join(f"{name}: {value:.4f}" for name, value in cosines.items())
    return [
        Step("Subtract the first vector from the second, and add the third.", [f"t = {value_list(t)}"]),
        Step(f"Compute the cosine of t and each other word. {listed}."),
        Step(f"The largest cosine belongs to {values[f'word_{word}']}.", [f"s = {s:.4f}"]),
    ]


def value_list(values: list[float]) -> str:
    """Write a vector as in a question."""
    return f"[{', '.join(f'{value:g}' for value in values)}]"


@drill(
    ANALOGY,
    id="cosine-analogy:analogy",
    tier=2,
    asks=("t", "word", "s"),
    steps=_analogy_steps,
    prompt="Word vectors: {word_a} = {a}, {word_b} = {b}, {word_c} = {c}, {word_d} = {d}, {word_e} = {e}, {word_f} = "
    "{f}.\n"
    "{word_a} is to {word_b} as {word_c} is to which word? What are the target vector t, the word, and the cosine s of "
    "its vector and t?\n"
    "Conventions: largest cosine; {word_a}, {word_b}, and {word_c} are excluded.",
    hints=(
        "Which difference leads from the first word to the second? Add it to the third.",
        "t = b - a + c. The word is the one whose vector has the largest cosine with t, apart from the three.",
        "First step: subtract {a} from {b}, number by number.",
    ),
    mistakes=[
        Mistake(
            "difference-reversed",
            {"t": lambda a, b, c, **_: [x - y + z for x, y, z in zip(a, b, c, strict=True)]},
            "You reversed the difference. Subtract the first vector from the second, then add the third.",
        ),
        Mistake(
            "added",
            {"t": lambda a, b, c, **_: [x + y + z for x, y, z in zip(a, b, c, strict=True)]},
            "You added all three vectors. The first one is subtracted.",
        ),
        Mistake(
            "inputs-not-excluded",
            {"word": lambda **vectors: _pick((), **vectors)},
            "That is one of the three words in the question. They are excluded.",
        ),
        Mistake(
            "dot-product",
            {"word": _by_dot_product},
            "That word has the largest dot product. The cosine divides by the norms, so long vectors don't win.",
        ),
        Mistake(
            "not-normalized",
            {"s": lambda **v: _dot_of_best(**v)},
            "That is the dot product. Divide it by the norms of both vectors.",
        ),
    ],
)
def word_analogy(rng: Random) -> Inputs:
    """Analogy of word vectors"""
    texts = dict(zip((f"word_{name}" for name in NAMES), rng.choice(WORDS), strict=True))
    vectors = {name: [rng.randint(-2, 4) for _ in range(3)] for name in NAMES}
    target = combine(vectors["a"], vectors["b"], vectors["c"])
    # The long vectors are easy to tell apart from the close ones.
    if not any(target) or not all(any(v) for v in vectors.values()):
        raise UndefinedValue("a zero vector has no direction")
    cosines = sorted((cosine(vectors[name], target) for name in "def"), reverse=True)
    if cosines[0] - cosines[1] < 0.02 or cosines[0] < 0.3:
        raise UndefinedValue("one word must be clearly the closest")
    return vectors | texts


def _dot_of_best(**vectors: Any) -> Any:
    target = combine(vectors["a"], vectors["b"], vectors["c"])
    best = _pick(("a", "b", "c"), **vectors)
    return sum(x * y for x, y in zip(vectors[best], target, strict=True))


@drill(
    COSINE,
    id="cosine-analogy:norms",
    tier=1,
    asks=("p", "n_u", "n_v", "c"),
    prompt="The word vectors are u = {u} and v = {v}. What are their dot product p, their norms n_u and n_v, and their "
    "cosine similarity c?",
    hint="Square the values of a vector, add them, and take the square root to find its norm.",
    mistakes=[
        Mistake(
            "l1-norm",
            "n_u = sum(i, abs(u[i])); n_v = sum(i, abs(v[i]))",
            "You added absolute values. The norm is the square root of the sum of squares.",
        ),
        Mistake(
            "no-root",
            "n_u = sum(i, u[i]^2); n_v = sum(i, v[i]^2)",
            "You left out the square root. The norm is the square root of the sum of squares.",
        ),
        Mistake("sum-of-norms", "c = p/(n_u + n_v)", "You divided by the sum of the norms. Divide by their product."),
        Mistake(
            "signs-ignored",
            "p = sum(i, abs(u[i]*v[i]))",
            "You left out the signs. Products with a negative sign reduce the dot product.",
        ),
    ],
)
def cosine_norms(rng: Random) -> Inputs:
    """Dot product, norms and cosine of two word vectors"""
    return cosine_analogy.generate(rng)


def _masked_steps(line: int, bug: str, **_: object) -> list[Step]:
    reasons = {
        "padding": "mean(1) divides by the padded length. Sum the masked vectors, and divide by the number of words.",
        "batch": "mask.sum() counts the words of the whole batch. mask.sum(1) counts those of each sentence.",
    }
    return [
        Step(f"Line {line} divides by the wrong number of words. {reasons[bug]}"),
        Step("Every word id is its own vector, and the padding is 0: add the ids of a sentence, then divide."),
    ]


@drill(
    PADDED_MEAN,
    id="debug-padded-mean",
    tier=2,
    asks=("line", "fix", "prints", "fixed"),
    visualization="code program",
    steps=_masked_steps,
    prompt="This program should represent each sentence by the mean of its word vectors. The ids are {ids}, and 0 is "
    "the padding. One line is wrong.\n"
    "What is the number of that line, and how should it read (fix)? What does the program print as it is (prints), and "
    "after the correction (fixed)?",
    hints=(
        "By how many words must each sum be divided?",
        "The mean of a sentence is the sum of its word vectors divided by the number of its words. The padding "
        "does not count.",
        "First step: add the ids of each row; they are the word vectors.",
    ),
    mistakes=[
        Mistake(
            "mask-line",
            {"line": lambda line, **_: line - 1},
            "The mask is correct: it is 1 for words and 0 for the padding. Look at how it is used.",
        ),
        Mistake(
            "padding-line",
            {"line": lambda line, **_: line - 4},
            "padding_idx is correct: it keeps the vector of the padding from being trained.",
        ),
        Mistake(
            "sum-for-mean",
            {"fixed": lambda ids, **_: [sum(row) for row in ids]},
            "Those are the sums. Divide each by the number of words of the sentence.",
        ),
        Mistake(
            "padding-counted",
            {"fixed": lambda ids, **_: [sum(row) / len(row) for row in ids]},
            "You counted the padding as words. Divide by the number of ids that are not 0.",
        ),
        Mistake(
            "works-as-intended",
            {"prints": lambda ids, **_: [sum(row) / sum(1 for id in row if id) for row in ids]},
            "That is what the corrected program prints. Divide as the wrong line does.",
        ),
    ],
)
def debug_padded_mean(rng: Random) -> Inputs:
    """Mean of padded sentences"""
    length, count = rng.choice([4, 5]), rng.choice([2, 2, 3])
    lengths = rng.sample(range(1, length + 1), count)
    lengths[rng.randrange(count)] = length
    ids = [[rng.randint(1, 9) for _ in range(n)] + [0] * (length - n) for n in lengths]
    if len(set(lengths)) == 1 or any(sum(row) % n for row, n in zip(ids, lengths, strict=True)):
        raise UndefinedValue("the lengths must differ, and the means be integers")
    bug = rng.choice(["padding", "batch"])
    name = rng.choice(["avg", "mean", "sentences"])
    right = f"{name} = (e * mask).sum(1) / mask.sum(1)"
    wrong = {"padding": f"{name} = (e * mask).mean(1)", "batch": f"{name} = (e * mask).sum(1) / mask.sum()"}[bug]
    start = rng.choice([[], ["import torch"], ["import torch", "from torch import nn"]])
    lines = [
        *start,
        f"ids = torch.tensor({ids})",
        "emb = nn.Embedding(10, 1, padding_idx=0)",
        "emb.weight.data = torch.arange(10.).view(10, 1)  # word i has the vector (i)",
        "e = emb(ids)",
        "mask = (ids != 0).unsqueeze(-1)",
        wrong,
        f"print({name}.flatten().tolist())",
    ]
    fixes = [right, f"{name} = (e * mask).sum(dim=1) / mask.sum(dim=1)", f"{name} = e.sum(1) / mask.sum(1)"]
    fixes.append(f"{name} = e.sum(dim=1) / mask.sum(dim=1)")
    return dict(ids=ids, bug=bug, line=len(start) + 6, fix=fixes, program="\n".join(lines))
