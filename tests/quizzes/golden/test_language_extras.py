"""TF-IDF, n-grams, CTC and error rates: values computed by hand, scikit-learn, PyTorch and sacrebleu."""

from fractions import Fraction
from math import exp, log
from random import Random

import pytest

from quizzes.formulas import get
from tests.quizzes.golden.values import approx
from workbench.errors import UserError

TEXT = "the cat sat. the dog sat. a cat ran"

GOLDEN = [
    ("tfidf", dict(tf=3, N=100, df=5), {"w": 8.9872}),
    ("ngram-laplace", dict(c12=3, c1=10, V=20), {"P": "2/15"}),
    ("ngram-text", dict(text=TEXT, first="the", second="cat"), {"c12": 1, "c1": 2, "V": 7, "P_ml": "1/2", "P": "2/9"}),
    ("ngram-text", dict(text=TEXT, first="<s>", second="the"), {"c12": 2, "c1": 3, "P": "3/10"}),
    ("ngram-text", dict(text=TEXT, first="sat", second="</s>"), {"c12": 2, "c1": 2, "P_ml": 1, "P": "1/3"}),
    ("ctc-collapse", dict(path="a a - a b b"), {"y": "aab"}),
    ("ctc-collapse", dict(path="aa-abb"), {"y": "aab"}),
    ("ctc-paths", dict(P=[[0.5, 0.5], [0.4, 0.6]]), {"count": 3, "p": "4/5"}),
    ("edit-distance", dict(reference="kitten", hypothesis="sitting", unit="characters"), {"d": 3, "E": "1/2"}),
    ("word-error-rate", dict(S=1, D=1, I=0, N=5), {"E": 0.4}),
    ("perplexity", dict(p=[0.25, 0.25, 0.25]), {"H": 1.3863, "PP": 4, "bits": 2}),
]


@pytest.mark.parametrize(("name", "inputs", "expected"), GOLDEN)
def test_golden_values(name, inputs, expected):
    values = get(name).solve(**inputs)
    assert {key: values[key] for key in expected} == {key: approx(value) for key, value in expected.items()}


def test_weights_of_documents_match_scikit_learn():
    text = pytest.importorskip("sklearn.feature_extraction.text")
    rng = Random(0)
    for _ in range(20):
        documents = [" ".join(rng.choices("red green blue cat".split(), k=rng.randint(1, 8))) for _ in range(4)]
        model = text.TfidfVectorizer(norm=None, token_pattern=r"\S+").fit(documents)
        rows = get("tfidf-table").solve(documents=documents, variant="smooth")["table"]
        assert [row["term"] for row in rows] == model.get_feature_names_out().tolist()
        assert [row["idf"] for row in rows] == pytest.approx(model.idf_.tolist())
        expected = model.transform(documents).toarray().T.tolist()
        assert [[row[f"document {k}"] for k in range(1, 5)] for row in rows] == [pytest.approx(row) for row in expected]


def test_probability_of_labels_matches_pytorch():
    torch = pytest.importorskip("torch")
    rng = Random(0)
    for _ in range(40):
        steps, labels = rng.randint(1, 6), "".join(rng.choices("ab", k=rng.randint(1, 3)))
        P = []
        for _ in range(steps):
            cuts = sorted(rng.sample(range(1, 100), 2))
            P.append([cuts[0] / 100, (cuts[1] - cuts[0]) / 100, (100 - cuts[1]) / 100])
        targets = torch.tensor([[" ab".index(label) for label in labels]])
        sizes = torch.tensor([steps]), torch.tensor([len(labels)])
        logs = torch.tensor(P, dtype=torch.float64).log()[:, None]
        loss = torch.nn.functional.ctc_loss(logs, targets, *sizes, reduction="sum").item()
        inputs = dict(P=P, symbols=["-", "a", "b"], labels=labels)
        if loss == float("inf"):
            with pytest.raises(UserError):
                get("ctc-probability").solve(**inputs)
        else:
            assert get("ctc-probability").solve(**inputs)["L"] == pytest.approx(loss)


def test_probabilities_after_a_word_add_up_to_1():
    vocabulary = ["the", "cat", "sat", "dog", "a", "ran", "</s>"]
    for first in ("<s>", "the", "cat"):
        for lam in (0, 1, Fraction(1, 2)):
            values = [get("ngram-text").solve(text=TEXT, first=first, second=word, lam=lam) for word in vocabulary]
            assert sum(value["P"] for value in values) == 1 and values[0]["V"] == len(vocabulary)


def test_perplexity_of_a_sentence_is_that_of_its_bigrams():
    pairs = ["<s> the", "the cat", "cat ran", "ran </s>"]
    solved = [get("ngram-text").solve(text=TEXT, first=pair.split()[0], second=pair.split()[1]) for pair in pairs]
    values = get("ngram-perplexity").solve(text=TEXT, sentence="the cat ran")
    assert values["p"] == solved[0]["P"] * solved[1]["P"] * solved[2]["P"] * solved[3]["P"]
    assert values["PP"] == pytest.approx(exp(-sum(log(value["P"]) for value in solved) / 4))
    again = get("perplexity").solve(p=[value["P"] for value in solved])
    assert values["PP"] == pytest.approx(again["PP"]) and values["H"] == pytest.approx(again["H"])
    long = get("ngram-perplexity").solve(text=TEXT, sentence=" ".join(["the cat ran"] * 300))
    assert 1 < long["PP"] < 10


@pytest.mark.parametrize(
    ("name", "inputs", "sentence"),
    [
        ("ngram-perplexity", dict(text=TEXT, sentence="the zebra"), "'zebra' is not in the training text"),
        ("ngram-perplexity", dict(text=TEXT, sentence="the sat", lam=0), "'the' is never followed by 'sat'"),
        ("ngram-text", dict(text=" . ", first="a", second="b"), "The text has no words"),
        ("perplexity", dict(p=[0.5, 0]), r"infinite, because p\[2\] is 0"),
        ("ctc-collapse", dict(path=" "), "Give a path such as aa-abb"),
        ("ctc-probability", dict(P=[[0.5, 0.4]], symbols=["-", "a"], labels="a"), "must add up to 1, not to 0.9"),
        ("ctc-probability", dict(P=[[0.5, 0.5]], symbols=["-", "a"], labels="b"), "symbols other than the blank"),
        ("edit-distance", dict(reference="", hypothesis="a"), "The reference is empty"),
        ("tfidf-table", dict(documents=["a", " "]), "A document has no words"),
    ],
)
def test_unusable_inputs_are_one_sentence(name, inputs, sentence):
    with pytest.raises(UserError, match=sentence) as error:
        get(name).solve(**inputs)
    assert "\n" not in str(error.value)
