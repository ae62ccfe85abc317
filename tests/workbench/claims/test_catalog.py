"""All claims: they can be listed without PyTorch, name what exists, and the exact ones are as expected."""

import json
import subprocess
import sys

import pytest

from workbench import syllabus
from workbench.claims import catalog, index
from workbench.claims.arms import RunArm
from workbench.claims.claim import Empirical, Exact
from workbench.engine.spec import RunSpec
from workbench.errors import UserError
from workbench.paths import cache_dir

CLAIMS = catalog.claims()
EXACT = [claim.id for claim in CLAIMS.values() if isinstance(claim, Exact)]
EMPIRICAL = [claim.id for claim in CLAIMS.values() if isinstance(claim, Empirical)]


def test_a_list_of_claims_needs_neither_pytorch_nor_sympy():
    program = (
        "import sys; from workbench.claims import catalog; assert catalog.claims(); "
        "print([name for name in ('torch', 'sympy', 'sklearn', 'scipy') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("id", CLAIMS)
def test_a_claim_is_a_sentence_about_a_topic_with_a_source_or_a_derivation(id):
    claim = CLAIMS[id]
    assert claim.topic in syllabus.topics() and claim.statement.endswith(".") and len(claim.hash) == 16
    assert claim.source or claim.note, "a claim without a source gives its derivation"


@pytest.mark.parametrize("id", EXACT)
def test_an_exact_claim_has_the_expected_verdict(id):
    claim = CLAIMS[id]
    evidence = [row for seed in (1000, 1001) for row in claim.evidence(seed)]
    assert evidence
    assert ("holds" if all(row.agrees for row in evidence) else "does_not_hold") == claim.expected, evidence


@pytest.mark.parametrize("id", EMPIRICAL)
def test_every_arm_can_be_run_and_no_recipe_is_part_of_it(id):
    claim = CLAIMS[id]
    for phase in ("main", "control") if claim.control else ("main",):
        for arm in claim.phase_arms(phase).values():
            if isinstance(arm, RunArm):
                spec = RunSpec.create(arm.model, use_recipe=False, **arm.options, seed=3)
                assert {"task", "optimizer", "lr", "batch_size"} <= arm.options.keys()
                assert spec.options()["lr"] == arm.options["lr"]
                if "steps" not in arm.options:
                    assert "epochs" in arm.options, "a claim names its budget"


def test_the_hashes_are_the_same_in_another_process():
    program = (
        "import json; from workbench.claims import catalog; "
        "print(json.dumps({id: claim.hash for id, claim in catalog.claims().items()}))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(result.stdout) == {id: claim.hash for id, claim in CLAIMS.items()}


def test_the_index_is_that_of_the_loaded_declarations(tmp_path):
    expected = {id: (claim.topic, claim.kind, claim.expected) for id, claim in CLAIMS.items()}
    for _ in range(2):  # read from the sources, then from the cache
        entries = index.entries()
        assert {entry.claim: (entry.topic, entry.kind, entry.expected) for entry in entries} == expected
        assert len(entries) == len(CLAIMS)
    (cache_dir() / index.FILE).write_text("{")
    assert len(index.entries()) == len(CLAIMS)


def test_an_unknown_claim_is_an_error_with_similar_ids():
    with pytest.raises(UserError, match=r"Unknown claim 'minmax-bound'\. Did you mean 'minmax-bounds'"):
        catalog.get("minmax-bound")
    with pytest.raises(UserError, match="Unknown chapter"):
        catalog.chapter("preprocesing")
