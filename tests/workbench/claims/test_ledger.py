"""The ledger: its rows are of the claims that the program has, and the report shows each of them."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from workbench.claims import catalog, ledger, report
from workbench.claims.verdict import Verdict
from workbench.errors import UserError

FOLDER = Path(__file__).parents[3] / "docs" / "ledger"
CLAIMS = catalog.claims()


def test_the_committed_ledger_is_of_the_claims_of_the_program():
    rows = {row["claim"]: row for row in ledger.load(FOLDER / "ledger.json").rows}
    assert rows.keys() == CLAIMS.keys()
    assert {id: row["hash"] for id, row in rows.items()} == {id: claim.hash for id, claim in CLAIMS.items()}
    for row in rows.values():
        assert row["verdict"] in ("holds", "does_not_hold", "inconclusive", "identical")
        if row["kind"] in ("empirical", "scaling"):
            assert len(row["per_seed"]) == len(row["seeds"]) == CLAIMS[row["claim"]].seeds
            assert row["interval"][0] <= row["effect"] <= row["interval"][1]


def test_the_committed_report_has_every_row():
    for name in ("report.md", "report.html"):
        text = (FOLDER / name).read_text(encoding="utf-8")
        assert all(id in text for id in CLAIMS)


VERDICT = Verdict(
    claim="dropout-wrong-labels",
    verdict="holds",
    expected="holds",
    effect=12.0,
    interval=(10.0, 14.0),
    min_effect=2.0,
    p=0.001,
    per_seed=[11.0, 13.0],
    seeds=[0, 1],
    arms={"dropout": [80.0, 82.0], "plain": [69.0, 69.0]},
    control={"effect": 0.1, "interval": (-1.0, 1.0), "arms": {}, "shrinks": True},
    seconds=3.5,
    steps=800,
)


class Tags(HTMLParser):
    """Counts elements, and collects the addresses that a page would fetch."""

    def __init__(self):
        super().__init__()
        self.counts, self.addresses = {}, []

    def handle_starttag(self, tag, attrs):
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.addresses += [value for name, value in attrs if name in ("src", "href")]


def test_a_page_needs_no_other_file_and_has_a_dot_for_each_seed():
    result = ledger.build({VERDICT.claim: VERDICT})
    page = report.to_html(result)
    tags = Tags()
    tags.feed(page)
    assert tags.addresses == [] and "url(" not in page and tags.counts["circle"] == 2
    assert all(f"id='{id}'" in page for id in CLAIMS)
    text = report.to_markdown(result)
    assert "12 [10, 14], bound 2; under the control 0.1" in text and text.count("not run yet") >= len(CLAIMS) - 1
    assert len(re.findall(r"^\| `", text, re.MULTILINE)) == len(CLAIMS)


def test_markup_in_a_verdict_is_text_in_the_page():
    page = report.to_html(
        ledger.build({VERDICT.claim: Verdict(**{**vars(VERDICT), "reason": "<script>alert(1)</script>"})})
    )
    assert "<script>" not in page and "&lt;script&gt;" in page


def test_a_ledger_is_read_back(tmp_path):
    result = ledger.build({VERDICT.claim: VERDICT})
    path = tmp_path / "ledger.json"
    path.write_text(result.to_json(), encoding="utf-8")
    row = next(row for row in ledger.load(path).rows if row["claim"] == VERDICT.claim)
    assert (row["effect"], row["p_holm"], row["per_seed"]) == (12.0, 0.001, [11.0, 13.0])
    assert ledger.differing(ledger.load(path).rows) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"schema": 7, "machine": {}, "rows": []}', "version 7"),
        ('{"schema": 1}', "not a ledger"),
        ("[]", "not a ledger"),
        ("{", "not a ledger"),
        ("[" * 10**5, "not a ledger"),
    ],
)
def test_a_file_that_is_no_ledger_is_an_error_of_one_sentence(tmp_path, content, message):
    path = tmp_path / "ledger.json"
    path.write_text(content)
    with pytest.raises(UserError, match=message) as error:
        ledger.load(path)
    assert "\n" not in str(error.value)
    with pytest.raises(UserError, match="not a ledger"):
        ledger.load(tmp_path / "missing.json")
