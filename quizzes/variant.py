"""One variant of a drill: from the generated values to the question, with its mistakes, steps and check."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from random import Random

from quizzes.answer_symbols import AnswerSymbol, Choice
from quizzes.answers import KINDS
from quizzes.answers.forms import describe_form
from quizzes.answers.numbers import decimals_of
from quizzes.check_source import script
from quizzes.declaration import Declaration, MistakeRule
from quizzes.derivation import Derivation
from quizzes.expressions.parser import write
from quizzes.expressions.tree import UndefinedValue, Value, names
from quizzes.formula import Equation, Replacement
from quizzes.hints import hints_by_degrees
from quizzes.question import Answer, Check, Mistake, Params, Part, Question, Step, Visualization, to_json, value_text
from quizzes.solution import worked_steps
from quizzes.text_checks import LEAST_MISTAKES, with_singulars
from workbench.errors import UserError

GOLDEN = 0.6180339887  # its multiples, modulo 1, are far from each other


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
        values = {k: v for k, v in generated.items() if k in self.formula.symbols}
        self.extras = {name: value for name, value in generated.items() if name not in self.formula.inputs}
        self.variables = self._symbolic_inputs(values) if drill.derived else {}
        points = {name: _inner_point(k, *interval) for k, (name, interval) in enumerate(self.variables.items())}
        inputs = self.formula.complete({**values, **points})
        self.values = self.formula.evaluate(inputs)
        self.inputs = {k: values.get(k, to_json(value)) for k, value in inputs.items() if k not in self.variables}
        self.part_names = part_names
        if missing := [name for name in part_names if name not in self.values]:
            raise drill.error(f"it asks for {missing[0]!r}, and the generator returns no value for it")
        is_unknown = part_names[0] in inputs and not drill.draws_answer(part_names[0])
        self.unknown = part_names[0] if is_unknown else ""

    def _symbolic_inputs(self, numbers: Params) -> dict[str, list[float]]:
        """Return the inputs without a number, each with the interval in which expressions in it are compared."""
        variables: dict[str, list[float]] = {}
        for name in self.formula.inputs:
            symbol = self.formula.symbols[name]
            if name in numbers or not symbol.is_required:
                continue
            low, high = self.extras.get("variables", {}).get(name, (symbol.low, symbol.high))
            if low is None or high is None:
                raise self.drill.error(
                    f"{name} needs a lower and an upper limit, between which expressions are compared"
                )
            variables[name] = [low, high]
        return variables

    @cached_property
    def derivation(self) -> Derivation:
        """The formula with its numbers, for the parts that are asked for as expressions."""
        numbers = {name: value for name, value in self.values.items() if name in self.inputs}
        return Derivation(self.formula, numbers, self.part_names)

    @cached_property
    def expressions(self) -> dict[str, str]:
        """The parts that are asked for as expressions, as text."""
        derived = {name: self.drill.derived[name] for name in self.part_names if name in self.drill.derived}
        return {name: write(self.derivation.expression(name, d.in_terms_of)) for name, d in derived.items()}

    @cached_property
    def outputs(self) -> Params:
        """The correct outputs, as JSON data of their kinds."""
        symbols = self.formula.symbols
        return {name: KINDS[symbols[name].answer_kind].to_json(self.values[name]) for name in self.formula.outputs}

    @cached_property
    def params(self) -> Params:
        """The values that the question gives: the inputs; for an unknown input, the others and the outputs."""
        inputs = {k: v for k, v in self.inputs.items() if not self.drill.draws_answer(k)}
        if not self.unknown:
            return {**inputs, **self.extras}
        return {**{k: v for k, v in inputs.items() if k != self.unknown}, **self.outputs, **self.extras}

    @cached_property
    def hidden_values(self) -> Params:
        """The values that equations use and the question doesn't give."""
        names = [name for name in self.inputs if self.drill.draws_answer(name)]
        values = {name: to_json(self.values[name]) for name in [*names, *self.formula.procedure_outputs]}
        return values | self.expressions

    @cached_property
    def texts(self) -> dict[str, str]:
        """The text of each field of a prompt: of a symbol its value, or its name if the question doesn't give it."""
        return {name: name for name in self.formula.symbols} | {k: value_text(v) for k, v in self.params.items()}

    @cached_property
    def parts(self) -> list[Part]:
        """The parts of the question."""
        if self.unknown:
            return [self._part(self.unknown, self._inverse_solutions({}))]
        return [self._part(name, self._candidates(name, self._value(name))) for name in self.part_names]

    def _value(self, name: str) -> Value:
        return self.expressions.get(name, self.values[name])

    def _candidates(self, name: str, value: Value) -> list[Value]:
        """Return the answers that a value of a part stands for; a choice by its number if an equation computes it."""
        symbol = self.formula.symbols[name]
        if not isinstance(symbol, AnswerSymbol):
            return [value]
        if isinstance(symbol, Choice) and isinstance(value, str) and not isinstance(self.values[name], str):
            return [list(symbol.options).index(value) + 1]
        return symbol.candidates(value)

    def question(self) -> Question | None:
        """Return the question; None if these values don't tell its mistakes apart."""
        self.drill.check_generated(self.extras)
        mistakes = self._mistakes()
        if mistakes is None:
            return None
        drill, prompt = self.drill, self._prompt()
        steps = self._steps()
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
            equations=self._equations(),
            procedure_values=self.hidden_values,
            check=self.check,
            verify=self._script(),
            expected=self.outputs if self.unknown else self._expected(),
            visualization=Visualization(drill.visualization, self.params) if drill.visualization else None,
            source=self.formula.source,
            joins=list(drill.joins),
        )

    def _steps(self) -> list[Step]:
        if self.drill.derived and not self.drill.steps:
            return self.derivation.steps(self.expressions)
        values = {name: value for name, value in self.values.items() if name not in self.variables}
        return worked_steps(self.drill, values | self.expressions, self.parts[0] if self.unknown else None)

    def _equations(self) -> list[str]:
        """Return the equations that have a value, since their inputs have numbers."""
        symbolic, result = set(self.variables), []
        for eq in self.formula.equations:
            if symbolic & names(eq.tree):
                symbolic.add(eq.name)
            else:
                result.append(eq.text)
        return result

    def _expected(self) -> Params:
        """Return the values that a check must compute; a line of a program is not among them."""
        return {
            part.part: to_json(self._value(part.part)) if part.choice_values else part.answer
            for part in self.parts
            if part.kind != "line"
        }

    def _part(self, name: str, values: list[Value]) -> Part:
        symbol, kind = self.formula.symbols[name], self.drill.answer_kind(name)
        digits = self.drill.digits.get(name) if kind == "decimal" else None
        part = Part(
            part=name,
            kind=kind,
            label=symbol.meaning + (f" ({symbol.unit})" if symbol.unit else ""),
            answer=None,
            decimals=self.drill.decimals if kind in ("decimal", "vector", "matrix") else None,
            choices=self.extras.get("labels", []) if kind in ("sequence", "set", "choice") else [],
            variables=self.extras.get("variables", {}) if kind == "expression" else {},
            domain=[symbol.low, symbol.high] if name == self.unknown else [],
        )
        if digits:
            part = replace(part, digits=digits, decimals=decimals_of(values[0], digits))
        if name in self.drill.derived:
            part = self._with_terms(part)
        if isinstance(symbol, AnswerSymbol):
            rng = Random(f"{self.drill.id}/{self.seed}/{name}")
            part = symbol.complete_part(part, values[0], self.texts, rng)
        answer, *others = [KINDS[kind].answer(value, part) for value in values]
        return replace(part, answer=answer, other_answers=others)

    def _with_terms(self, part: Part) -> Part:
        """Return the part of a derived symbol with the symbols and the forms of its expression."""
        derived = self.drill.derived[part.part]
        terms = derived.in_terms_of or tuple(self.variables)
        definitions = {name: write(self.derivation.expression(name)) for name in terms if name in self.formula.outputs}
        is_free = set(terms) == {*self.variables, *definitions}
        form = [*([] if is_free else [f"in terms of {', '.join(terms)}"]), *derived.form]
        return replace(part, variables=self.variables, definitions=definitions, form=form)

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
        mistakes = self._with_consistent_answers(mistakes)
        needed = min(LEAST_MISTAKES, len(self.drill.mistake_rules))
        return mistakes if len({m.mistake for m in mistakes}) >= needed else None

    def _with_consistent_answers(self, mistakes: list[Mistake]) -> list[Mistake]:
        """Return the mistakes with what they lead to if a student makes them in every step.

        `answer` is what a mistake leads to if all earlier parts are correct.
        """
        if self.unknown or self.variables or len(self.parts) < 2:
            return mistakes
        parts = {part.part: part for part in self.parts}
        consistent = {rule.name: self._consistent_answers(rule) for rule in self.drill.mistake_rules}
        result = []
        for mistake in mistakes:
            part = parts[mistake.part]
            kind, answer = KINDS[part.kind], consistent[mistake.mistake].get(part.part)
            others = [part.answer, *part.other_answers]
            others += [a for m in mistakes if m.part == part.part for a in (m.answer, *m.other_answers)]
            others += [
                answers[part.part]
                for name, answers in consistent.items()
                if name != mistake.mistake and part.part in answers
            ]
            if answer is not None and not any(kind.are_indistinguishable(answer, other, part) for other in others):
                mistake = replace(mistake, other_answers=[*mistake.other_answers, answer])
            result.append(mistake)
        return result

    def _consistent_answers(self, rule: MistakeRule) -> dict[str, Answer]:
        """Return what a mistake leads to if every part is computed from the student's own values of earlier ones."""
        try:
            values = self.formula.evaluate_with_mistake(rule.replaced, self.values, ())
        except (UndefinedValue, UserError):
            return {}
        answers = {}
        for part in self.parts:
            with suppress(UndefinedValue, UserError):
                candidates = self._candidates(part.part, values[part.part])
                if len(candidates) == 1:
                    answers[part.part] = KINDS[part.kind].answer(candidates[0], part)
        return answers

    def _apply(self, rule: MistakeRule) -> list[tuple[Part, list[Answer]]]:
        """Return the parts that a mistake gets wrong, each with the answers that it leads to."""
        try:
            if self.unknown:
                if not all(isinstance(other, Equation) for other in rule.replaced.values()):
                    return []  # there is no inverse of a procedure
                values = {self.unknown: self._inverse_solutions(rule.replaced)}
            else:
                outputs = self.formula.evaluate_with_mistake(rule.replaced, self.values, self.part_names)
                outputs |= {name: self._mistaken_expression(name, rule, outputs) for name in self.expressions}
                values = {name: self._candidates(name, outputs[name]) for name in self.part_names}
        except (UndefinedValue, UserError):  # the mistake leads to no value here, or can't be solved for the unknown
            return []
        results = []
        for part in self.parts:
            kind, correct = KINDS[part.kind], [part.answer, *part.other_answers]
            answers = [kind.answer(value, part) for value in values[part.part]]
            answers = [a for a in answers if not any(kind.are_indistinguishable(a, answer, part) for answer in correct)]
            if answers:
                results.append((part, answers))
        return results

    def _mistaken_expression(self, name: str, rule: MistakeRule, outputs: Params) -> str:
        other = rule.replaced.get(name)
        if other and not isinstance(other, Equation):
            return str(outputs[name])
        return write(self.derivation.expression(name, self.drill.derived[name].in_terms_of, rule.replaced))

    def _prompt(self) -> str:
        text = with_singulars(self.drill.prompt, self.texts).format(**self.texts)
        for name in self.part_names:  # the unknown stands for itself: "the loss L", not "the loss L = L"
            text = re.sub(rf"(?<!\w){name} = {name}(?!\w| *[-+*/^=(])", name, text)
        if len(self.parts) == 1:
            text += f"\nFind {self.parts[0].part}: {self.parts[0].label}."
        if self.unknown and self.parts[0].other_answers:
            text += " Any value that fits is accepted."
        text += "".join(map(_form_sentence, self.parts))
        if self.expressions:
            text += " Any equivalent expression is accepted."
        places = {f"{part.decimals} decimal places": None for part in self.parts if part.decimals and not part.digits}
        places |= {f"{part.digits} significant digits ({part.part})": None for part in self.parts if part.digits}
        if places:
            text += f" Round final answers to {' or '.join(places)}; keep full precision in between."
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


def _form_sentence(part: Part) -> str:
    """Return the sentence of a prompt on the form of an expression; empty if any form is accepted."""
    return f" Give {part.part} {', '.join(map(describe_form, part.form))}." if part.form else ""


def _inner_point(k: int, low: float, high: float) -> Value:
    """Return a point of an interval for an input without a number, another for each k; an integer if there is one."""
    share = Fraction(round(100 * ((k + 1) * GOLDEN % 1)), 100)
    point = Fraction(low) + share * (Fraction(high) - Fraction(low))
    return round(point) if low < round(point) < high else point
