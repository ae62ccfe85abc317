"""One variant of a drill: from the numbers that were drawn to the question, with its mistakes, steps and check."""

import re
from functools import cached_property
from typing import Any

from quizzes.answers import KINDS
from quizzes.declaration import Declaration, MistakeRule
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Mistake, Part, Question, Visualization, to_json, value_text
from quizzes.solution import worked_steps
from workbench.errors import UserError

LEAST_MISTAKES = 2
PRELUDE = "import torch\nimport torch.nn.functional as F\n\ntorch.set_default_dtype(torch.float64)\n"


class Variant:
    """A drill with its numbers.

    Args:
        drill: The drill.
        seed: What drew the numbers.
        drawn: The inputs by symbol, and whatever else the prompt names.
        asked: The symbols to be answered: outputs, or a single input.

    Raises:
        UndefinedValue: Where the formula has no value for these numbers.
    """

    def __init__(self, drill: Declaration, seed: int, drawn: dict[str, Any], asked: tuple[str, ...]):
        self.drill, self.formula, self.seed = drill, drill.formula, seed
        inputs = self.formula.complete({k: v for k, v in drawn.items() if k in self.formula.symbols})
        self.values = self.formula.evaluate(inputs)
        self.inputs = {name: drawn.get(name, to_json(value)) for name, value in inputs.items()}
        self.extras = {name: value for name, value in drawn.items() if name not in inputs}
        self.unknown = asked[0] if asked[0] in inputs else ""
        self.asked = asked

    @cached_property
    def outputs(self) -> dict[str, Any]:
        """The true outputs, as plain data of their kinds."""
        symbols = self.formula.symbols
        return {name: KINDS[symbols[name].answer_kind].to_json(self.values[name]) for name in self.formula.outputs}

    @cached_property
    def given(self) -> dict[str, Any]:
        """What the question gives: the inputs, or where one of them is sought, the others and the outputs."""
        if not self.unknown:
            return {**self.inputs, **self.extras}
        return {**{k: v for k, v in self.inputs.items() if k != self.unknown}, **self.outputs, **self.extras}

    @cached_property
    def parts(self) -> list[Part]:
        """What is asked."""
        if self.unknown:
            return [self._part(self.unknown, self._inverse_solutions({}))]
        return [self._part(name, [self.values[name]]) for name in self.asked]

    def question(self) -> Question | None:
        """The question; None where these numbers don't tell its mistakes apart."""
        mistakes = self._mistakes()
        if mistakes is None:
            return None
        drill = self.drill
        return Question(
            drill=drill.id,
            seed=self.seed,
            topic=drill.topic,
            tier=drill.tier,
            title=drill.title,
            prompt=self._prompt(),
            params=self.given,
            parts=self.parts,
            mistakes=mistakes,
            hint=drill.hint,
            steps=worked_steps(drill, self.values, self.parts[0] if self.unknown else None),
            equations=[eq.text for eq in self.formula.equations],
            procedure_values={name: to_json(self.values[name]) for name in self.formula.procedure_outputs},
            verify=self._script(),
            expected=self.outputs if self.unknown else {part.part: part.answer for part in self.parts},
            visualization=Visualization(drill.visualization, self.given) if drill.visualization else None,
            source=self.formula.source,
        )

    def _part(self, name: str, found: list[Any]) -> Part:
        symbol = self.formula.symbols[name]
        kind = symbol.answer_kind
        answer, *others = [KINDS[kind].to_json(value) for value in found]
        return Part(
            part=name,
            kind=kind,
            label=symbol.meaning + (f" in {symbol.unit}" if symbol.unit else ""),
            answer=answer,
            other_answers=others,
            decimals=self.drill.decimals if kind in ("decimal", "vector", "matrix") else None,
            choices=self.extras.get("labels", []) if kind in ("sequence", "set", "choice") else [],
            variables=self.extras.get("variables", {}) if kind == "expression" else {},
            domain=[symbol.low, symbol.high] if name == self.unknown else [],
        )

    def _inverse_solutions(self, replaced: dict[str, Any]) -> list[Any]:
        """The values of the unknown that lead to the outputs; those that a mistake would find."""
        known = {name: self.values[name] for name in self.formula.inputs if name != self.unknown}
        targets = {name: self.values[name] for name in replaced or self.formula.outputs}
        return self.formula.invert(self.unknown, known, targets, replaced, near=self.values[self.unknown])

    def _mistakes(self) -> list[Mistake] | None:
        """The wrong answers of this variant; None where two of them can't be told apart, or too few are left."""
        found = [(way, part, answers) for way in self.drill.mistake_rules for part, answers in self._wrong(way)]
        made = []
        for way, part, answers in found:
            # An answer that two mistakes lead to tells neither.
            rivals = [a for other, where, wrong in found if where == part and other != way for a in wrong]
            own = [
                a for a in answers if not any(KINDS[part.kind].indistinguishable(a, rival, part) for rival in rivals)
            ]
            if not own:
                return None
            made.append(Mistake(way.name, part.part, own[0], way.feedback, own[1:]))
        return made if len({m.mistake for m in made}) >= min(LEAST_MISTAKES, len(self.drill.mistake_rules)) else None

    def _wrong(self, way: MistakeRule) -> list[tuple[Part, list[Any]]]:
        """Where a wrong way leads, for each part that it gets wrong."""
        try:
            if self.unknown:
                wrong = {self.unknown: self._inverse_solutions(way.replaced)}
            else:
                astray = self.formula.evaluate_with_mistake(way.replaced, self.values, self.asked)
                wrong = {name: [astray[name]] for name in self.asked}
        except (UndefinedValue, UserError):  # no way there from these numbers, or none through this symbol
            return []
        led = []
        for part in self.parts:
            kind, truths = KINDS[part.kind], [part.answer, *part.other_answers]
            answers = [kind.to_json(value) for value in wrong[part.part]]
            answers = [a for a in answers if not any(kind.indistinguishable(a, truth, part) for truth in truths)]
            if answers:
                led.append((part, answers))
        return led

    def _prompt(self) -> str:
        words = {name: name for name in self.formula.symbols}
        text = self.drill.prompt.format(**words | {name: value_text(value) for name, value in self.given.items()})
        if len(self.parts) == 1:
            text += f"\nFind {self.parts[0].part}: {self.parts[0].label}."
        if self.unknown:
            text += " If several values fit, give any one of them."
        decimals = {part.decimals for part in self.parts} - {None}
        if decimals:
            text += f" Work with full precision and round only the answers, to {decimals.pop()} decimals."
        return text

    def _script(self) -> str:
        """The check, with the inputs it uses set above it, so that it runs as it stands."""
        code = "\n".join(self.drill.scripts)
        values = {**self.inputs, **self.extras}
        if self.unknown:
            values[self.unknown] = self.parts[0].answer
        used = [name for name in values if re.search(rf"\b{name}\b", code)]
        return "\n".join([PRELUDE, *(f"{name} = {self._python(name, values[name])}" for name in used), "", code])

    def _python(self, name: str, value: Any) -> str:
        symbol = self.formula.symbols.get(name)
        return f"torch.tensor({_floats(value)})" if symbol and symbol.kind in ("vector", "matrix") else repr(value)


def _floats(value: Any) -> Any:
    return [_floats(v) for v in value] if isinstance(value, list) else float(value)
