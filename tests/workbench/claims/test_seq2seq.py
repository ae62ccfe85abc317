"""Trials of the claims about long sequences, with a few steps of training."""

import pytest

from workbench.claims.chapters import seq2seq
from workbench.tasks.translation_scores import score


@pytest.mark.parametrize("attention", [True, False])
def test_the_scores_are_those_of_the_words_of_one_length(attention, monkeypatch):
    monkeypatch.setattr(seq2seq, "REVERSAL_STEPS", 3)
    seq2seq.translations_of_reversal.cache_clear()
    predicted, references = seq2seq.translations_of_reversal(0, attention)
    assert len(references) == 1600 and {len(text) for text in references} == set(range(4, 17))
    assert all(len(text) <= 17 for text in predicted)
    for length in (4, 16):
        members = [k for k, text in enumerate(references) if len(text) == length]
        expected = score([predicted[k] for k in members], [references[k] for k in members])
        values = seq2seq.reversal_scores(0, attention=attention, length=length)
        assert values == {
            "BLEU": expected["bleu"],
            "exact match": 100 * expected["exact_match"],
            "token accuracy": 100 * expected["token_accuracy"],
        }
    seq2seq.translations_of_reversal.cache_clear()
