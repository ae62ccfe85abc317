"""The search for formulas: what people type, and a formula that must be among the first."""

import pytest

from quizzes import formula_search
from quizzes.formulas import all_formulas
from workbench.cli.formulas import MAX_MATCHES


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("precision", "confusion-metrics"),
        ("recall", "confusion-metrics"),
        ("sensitivity", "confusion-metrics"),
        ("F1", "confusion-metrics"),
        ("relu", "activation-values"),
        ("kl", "entropies"),
        ("mse", "mse-mae-rmse"),
        ("flops", "conv-macs-flops"),
        ("dense", "fc-after-flatten"),
        ("cross entropy", "categorical-cross-entropy"),
        ("kernel", "conv-out-size"),
        ("brevity", "bleu"),
        ("ppl", "perplexity"),
    ],
)
def test_words_find_a_formula(text, id):
    matches = [formula.id for formula in formula_search.find(text, all_formulas().values())]
    assert id in matches[:MAX_MATCHES], matches


def test_all_words_must_be_found():
    assert formula_search.find("kernel brevity", all_formulas().values()) == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("conv-ou", "Did you mean 'conv-out-size'"),
        ("nsm", "Did you mean 'nms'"),
        ("kurtosis", "No formula here is about 'kurtosis'"),
        ("jensen", "Unknown formula 'jensen'. About it: "),
    ],
)
def test_a_misspelt_name_reads_unlike_one_that_is_not_there(text, sentence):
    formulas = all_formulas()
    assert sentence in str(formula_search.unknown_formula("formula", text, formulas.values(), formulas))
