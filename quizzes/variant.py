"""One variant of a drill: from the generated values to the question, with its mistakes, steps and check."""

from collections.abc import Mapping
from functools import cached_property

from quizzes.answers import KINDS
from quizzes.check_source import script
from quizzes.declaration import Declaration, MistakeRule
from quizzes.expressions.tree import UndefinedValue, Value
from quizzes.formula import Equation, Replacement
from quizzes.hints import hints_by_degrees
from quizzes.question import Answer, Check, Mistake, Params, Part, Question, Visualization, to_json, value_text
from quizzes.solution import worked_steps
from quizzes.text_checks import LEAST_MISTAKES
from workbench.errors import UserError


class Variant:
    """A drill with its values.

    Args:
        drill: The drill.
        seed: The seed that the values were generated with.
        generated: The inputs by symbol, and whatever else the prompt names.
        part_names: The symbols to ask for: outputs, or a single input.

    Raises:
        UndefinedValue: If the formula has no value for these inputs.
    """

    def __init__(self, drill: Declaration, seed: int, generated: Params, part_names: tuple[str, ...]):
        self.drill, self.formula, self.seed = drill, drill.formula, seed
        inputs = self.formula.complete({k: v for k, v in generated.items() if k in self.formula.symbols})
        self.values = self.formula.evaluate(inputs)
        self.inputs = {name: generated.get(name, to_json(value)) for name, value in inputs.items()}
        self.extras = {name: value for name, value in generated.items() if name not in inputs}
        self.unknown = part_names[0] if part_names[0] in inputs else ""
        self.part_names = part_names

    @cached_property
    def outputs(self) -> Params:
        """The correct outputs, as JSON data of their kinds."""
        symbols = self.formula.symbols
        return {name: KINDS[symbols[name].answer_kind].to_json(self.values[name]) for name in self.formula.outputs}

    @cached_property
    def params(self) -> Params:
        """The values that the question gives: the inputs; for an unknown input, the others and the outputs."""
        if not self.unknown:
            return {**self.inputs, **self.extras}
        return {**{k: v for k, v in self.inputs.items() if k != self.unknown}, **self.outputs, **self.extras}

    @cached_property
    def parts(self) -> list[Part]:
        """The parts of the question."""
        if self.unknown:
            return [self._part(self.unknown, self._inverse_solutions({}))]
        return [self._part(name, [self.values[name]]) for name in self.part_names]

    def question(self) -> Question | None:
        """Return the question; None if these values don't tell its mistakes apart."""
        self.drill.check_generated(self.extras)
        mistakes = self._mistakes()
        if mistakes is None:
            return None
        drill, prompt = self.drill, self._prompt()
        steps = worked_steps(drill, self.values, self.parts[0] if self.unknown else None)
        return Question(
            drill=drill.id,
            seed=self.seed,
            topic=drill.topic,
            tier=drill.tier,
            title=drill.title,
            prompt=prompt,
            params=self.params,
            parts=self.parts,
            mistakes=mistakes,
            hints=hints_by_degrees(drill, prompt, self.params, self.parts, steps),
            steps=steps,
            equations=[eq.text for eq in self.formula.equations],
            procedure_values={name: to_json(self.values[name]) for name in self.formula.procedure_outputs},
            check=self.check,
            verify=self._script(),
            expected=self.outputs if self.unknown else {part.part: part.answer for part in self.parts},
            visualization=Visualization(drill.visualization, self.params) if drill.visualization else None,
            source=self.formula.source,
        )

    def _part(self, name: str, values: list[Value]) -> Part:
        symbol = self.formula.symbols[name]
        kind = symbol.answer_kind
        answer, *others = [KINDS[kind].to_json(value) for value in values]
        return Part(
            part=name,
            kind=kind,
            label=symbol.meaning + (f" ({symbol.unit})" if symbol.unit else ""),
            answer=answer,
            other_answers=others,
            decimals=self.drill.decimals if kind in ("decimal", "vector", "matrix") else None,
            choices=self.extras.get("labels", []) if kind in ("sequence", "set", "choice") else [],
            variables=self.extras.get("variables", {}) if kind == "expression" else {},
            domain=[symbol.low, symbol.high] if name == self.unknown else [],
        )

    def _inverse_solutions(self, replaced: Mapping[str, Replacement]) -> list[Value]:
        """Return the values of the unknown that lead to the outputs, or seem to by the equations of a mistake."""
        inputs = {name: self.values[name] for name in self.formula.inputs if name != self.unknown}
        targets = {name: self.values[name] for name in replaced or self.formula.outputs}
        return self.formula.invert(self.unknown, inputs, targets, replaced, near=self.values[self.unknown])

    def _mistakes(self) -> list[Mistake] | None:
        """Return the mistakes of this variant; None if two of them lead to the same answer, or too few are left."""
        results = [(rule, part, answers) for rule in self.drill.mistake_rules for part, answers in self._apply(rule)]
        mistakes = []
        for rule, part, answers in results:
            # An answer that two mistakes lead to does not show which one was made.
            kind = KINDS[part.kind]
            rivals = [a for other, at, others in results if at == part and other != rule for a in others]
            own = [a for a in answers if not any(kind.are_indistinguishable(a, rival, part) for rival in rivals)]
            if not own:
                return None
            mistakes.append(Mistake(rule.name, part.part, own[0], rule.feedback, own[1:]))
        needed = min(LEAST_MISTAKES, len(self.drill.mistake_rules))
        return mistakes if len({m.mistake for m in mistakes}) >= needed else None

    def _apply(self, rule: MistakeRule) -> list[tuple[Part, list[Answer]]]:
        """Return the parts that a mistake gets wrong, each with the answers that it leads to."""
        try:
            if self.unknown:
                if not all(isinstance(other, Equation) for other in rule.replaced.values()):
                    return []  # there is no inverse of a procedure
                values = {self.unknown: self._inverse_solutions(rule.replaced)}
            else:
                outputs = self.formula.evaluate_with_mistake(rule.replaced, self.values, self.part_names)
                values = {name: [outputs[name]] for name in self.part_names}
        except (UndefinedValue, UserError):  # the mistake leads to no value here, or can't be solved for the unknown
            return []
        results = []
        for part in self.parts:
            kind, correct = KINDS[part.kind], [part.answer, *part.other_answers]
            answers = [kind.to_json(value) for value in values[part.part]]
            answers = [a for a in answers if not any(kind.are_indistinguishable(a, answer, part) for answer in correct)]
            if answers:
                results.append((part, answers))
        return results

    def _prompt(self) -> str:
        symbols = {name: name for name in self.formula.symbols}
        values = symbols | {name: value_text(value) for name, value in self.params.items()}
        text = self.drill.prompt.format(**values)
        if len(self.parts) == 1:
            text += f"\nFind {self.parts[0].part}: {self.parts[0].label}."
        if self.unknown:
            text += " Any value that fits is accepted."
        decimals = {part.decimals for part in self.parts} - {None}
        if decimals:
            text += f" Round final answers to {decimals.pop()} decimal places; keep full precision in between."
        return text

    @cached_property
    def check(self) -> Check | None:
        """The drill's check with the inputs that it takes; None if the drill has none."""
        source = self.drill.check
        if source is None:
            return None
        values = {**self.inputs, **self.extras}
        if self.unknown:
            values[self.unknown] = self.parts[0].answer
        arguments = {name: values.get(name) for name in source.parameters}
        return Check(self.drill.check_module, self.drill.generate.__name__, arguments)

    def _script(self) -> str:
        """Return the check as a program that runs as it stands; empty if there is none."""
        if self.check is None or self.drill.check is None:
            return ""
        return script(self.drill.check, self.check.name, self.check.arguments)
