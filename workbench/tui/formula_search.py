"""Formulas by what they are about, in the command palette: `flops` finds a formula of multiply-accumulates."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING

from textual.command import Hit, Provider

from workbench import syllabus
from workbench.tui.screens.page import Page

if TYPE_CHECKING:
    from quizzes.formula import Formula

MOST = 10
BELOW_TITLES = 0.9  # of the score of a title that is what was typed


class FormulaSearch(Provider):
    """The formulas that symbols, conventions or synonyms say are about a text, where their titles don't have it."""

    async def startup(self) -> None:
        """Load the formulas, while the palette is open already."""
        from quizzes.formulas import all_formulas

        self.formulas = list((await asyncio.to_thread(all_formulas)).values())

    async def search(self, query: str) -> AsyncIterator[Hit]:
        """Yield the formulas about a text, the best first."""
        from quizzes.formula_search import find

        page, text = self.screen, query.strip()
        if len(text) < 2 or not isinstance(page, Page):
            return
        best = self.matcher(text).match(text)
        matches: list[Formula] = await asyncio.to_thread(find, text, self.formulas)
        for rank, formula in enumerate(matches[:MOST]):
            title = f"Formula: {formula.title} ({formula.id})"
            if text.casefold() not in title.casefold():  # else the command of that title is a hit already
                show = partial(page.workbench.formulas, formula.id)
                score = best * (BELOW_TITLES - rank / 100)
                yield Hit(score, title, show, title, f"{syllabus.get(formula.topic).title}, about {text!r}")
