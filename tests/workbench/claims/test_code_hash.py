"""The hash of a claim's function changes with what it uses from other files of the claims."""

import pytest

from workbench.claims import evidence
from workbench.claims.arms import code_hash
from workbench.claims.chapters import preprocessing


def test_code_hash_covers_functions_of_other_files(monkeypatch: pytest.MonkeyPatch) -> None:
    before = code_hash(preprocessing.minmax_of_training_data)
    assert before == code_hash(preprocessing.minmax_of_training_data)
    monkeypatch.setattr(preprocessing, "within", evidence.near)
    assert code_hash(preprocessing.minmax_of_training_data) != before
