"""BLEU, byte-pair encoding and ROUGE: values computed by hand, and sacrebleu."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quizzes.content.transformers.bleu.drills import parts
from quizzes.formulas import get
from tests.quizzes.golden.values import approx, evaluate_with_mistake
from workbench.errors import UserError

THE = dict(candidate="the the the the the the the", references=["the cat is on the mat", "there is a cat on the mat"])
MAT = dict(reference="the cat sat on the mat", candidate="the cat on a mat")
WORDS = dict(words=["low", "lower", "newest", "widest"], counts=[5, 2, 6, 3])

GOLDEN = [
    ("bleu-clip", THE, {"m": 2, "w": 7, "p": "2/7"}),
    ("bleu-from-precisions", dict(p=["9/12", "6/11", "4/10", "2/9"], c=12, r=15), {"BP": 0.7788, "BLEU": 0.3401}),
    ("bleu-from-precisions", dict(p=[0.8, 0.5, 0.3, 0.2], c=12, r=15), {"BP": 0.7788, "BLEU": 0.3065}),
    ("brevity-penalty", dict(c=12, r=15), {"BP": 0.7788}),
    ("brevity-penalty", dict(c=15, r=12), {"BP": 1}),
    ("rouge-n", MAT, {"R": "4/6", "P": "4/5", "F": "8/11"}),
    ("rouge-n", dict(MAT, n=2), {"R": "1/5", "P": "1/4"}),
    ("rouge-l", MAT, {"R": "4/6", "P": "4/5"}),
    ("bpe", dict(WORDS, k=2), {"count": 9, "merges": ["es", "est"], "before": 79, "after": 61}),
    ("bpe", dict(WORDS, k=4), {"merges": ["es", "est", "lo", "low"]}),
    ("bpe-vocabulary", dict(b=256, k=50000, s=1), {"V": 50257}),
    ("bpe-encode", dict(word="lowest", merges=["e s", "es t", "l o", "lo w"]), {"tokens": ["low", "est"], "n": 2}),
]


@pytest.mark.parametrize(("name", "inputs", "expected"), GOLDEN)
def test_golden_values(name, inputs, expected):
    values = get(name).solve(**inputs)
    assert {key: values[key] for key in expected} == {key: approx(value) for key, value in expected.items()}


@pytest.mark.parametrize(
    ("drill", "mistake", "inputs", "expected"),
    [
        (parts.bleu_clip, "smallest-count", dict(THE, n=1), {"m": 1}),
        (parts.bleu_clip, "not-clipped", dict(THE, n=1), {"m": 7}),
        (parts.brevity_penalty, "inverted", dict(c=12, r=15), {"BP": 1.2214}),
    ],
)
def test_mistakes_give_their_answers(drill, mistake, inputs, expected):
    answers = evaluate_with_mistake(drill, mistake, **inputs)
    assert {key: answers[key] for key in expected} == {key: approx(value) for key, value in expected.items()}


SENTENCE = st.lists(st.sampled_from("the cat sat on a mat".split()), min_size=1, max_size=12).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(SENTENCE, SENTENCE), min_size=1, max_size=4), st.integers(1, 5))
def test_corpus_bleu_matches_sacrebleu(pairs, n):
    from sacrebleu.metrics.bleu import BLEU

    hypothesis, reference = ("\n".join(lines) for lines in zip(*pairs, strict=True))
    metric = BLEU(max_ngram_order=n, tokenize="none", smooth_method="none")
    score = metric.corpus_score(hypothesis.splitlines(), [reference.splitlines()])
    values = get("corpus-bleu").solve(hypothesis=hypothesis, reference=reference, n=n)
    assert values["BP"] == pytest.approx(score.bp)
    assert (values["matches"], values["totals"]) == (score.counts, score.totals)
    if all(score.totals):  # otherwise sacrebleu leaves out the n-grams that no sentence is long enough for
        assert values["BLEU"] == pytest.approx(score.score / 100)
        if n == 4:
            again = get("bleu").solve(hypothesis=hypothesis, reference=reference)
            assert again["BLEU"] == pytest.approx(score.score / 100)


@settings(max_examples=60, deadline=None)
@given(SENTENCE, st.lists(SENTENCE, min_size=1, max_size=3))
def test_bleu_of_a_candidate_matches_sacrebleu(candidate, references):
    from sacrebleu.metrics.bleu import BLEU

    score = BLEU(tokenize="none", smooth_method="none").corpus_score([candidate], [[text] for text in references])
    values = get("bleu").solve(candidate=candidate, references=references)
    assert values["BP"] == pytest.approx(score.bp)
    for n in range(1, 5):
        assert values[f"p{n}"] * max(1, score.totals[n - 1]) == score.counts[n - 1]


@pytest.mark.parametrize(
    ("name", "inputs", "sentence"),
    [
        ("bleu", dict(candidate="a b"), "bleu needs candidate and references, or hypothesis and reference"),
        ("bleu", dict(hypothesis="a b\nc", reference="a b"), "hypothesis has 2 lines and reference has 1"),
        ("corpus-bleu", dict(hypothesis="a\n", reference="a\nb"), "Give one reference per line"),
        ("bleu-clip", dict(candidate="a", references=["a b"], n=2), "no n-grams of length 2"),
        ("bpe", dict(), "bpe needs words with their counts, or a text"),
        ("bpe", dict(words=["ab", "c"], counts=[1]), "Give one number per word"),
        ("bpe-encode", dict(word="ab", merges=["ab"]), "'ab' is not a pair of tokens"),
        ("rouge-n", dict(reference="a", candidate="a b", n=2), "at least 2 words"),
    ],
)
def test_unusable_inputs_are_one_sentence(name, inputs, sentence):
    with pytest.raises(UserError, match=sentence) as error:
        get(name).solve(**inputs)
    assert "\n" not in str(error.value)
