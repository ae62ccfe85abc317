"""The command palette: formulas by what they are about."""

import pytest
from textual.command import CommandList
from textual.pilot import Pilot

from tests.workbench.tui.seeing import settled
from workbench.tui.screens.formulas import Formulas


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ("tpr", {"confusion-metrics"}),
        ("jaccard", {"iou"}),
        ("auroc", {"roc-auc"}),
    ],
)
async def test_a_formula_is_found_by_a_synonym(pilot: Pilot, text: str, formulas: set[str]) -> None:
    await pilot.press("ctrl+p", *text)
    await settled(pilot)
    listed = pilot.app.screen.query_one(CommandList)
    shown = {str(listed.get_option_at_index(k).prompt) for k in range(min(10, listed.option_count))}
    assert all(any(f"({id})" in title for title in shown) for id in formulas)
    await pilot.press("down", "enter")
    await settled(pilot)
    assert isinstance(pilot.app.screen, Formulas)
