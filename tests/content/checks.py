"""Checks of every question in addition to the drills' self-test; each yields a sentence per problem."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from quizzes import bank
from quizzes.answer_symbols import AnswerSymbol
from quizzes.answers import KINDS
from quizzes.marking import mark
from quizzes.question import Question, value_text
from quizzes.verification import compare_values, evaluate_with_sympy
from workbench import syllabus
from workbench.cli.drill import question_to_json, solution_to_json
from workbench.render import question as lines
from workbench.render import visualizations

SIZES = [(30, 9), (44, 14)]  # of visualizations: columns, rows
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
# Visualizations that show every number in their data, and settings that they show in another form or not at all.
NUMERIC = ("network", "neuron", "two-neurons", "matrices", "bars", "table", "convolution")
SETTINGS = ("t", "eta", "s", "p", "b")


def numbers(text: str) -> set[str]:
    return set(NUMBER.findall(text))


def leaves(value: Any) -> list[Any]:
    return [leaf for part in value for leaf in leaves(part)] if isinstance(value, (list, tuple)) else [value]


def is_complete(question: Question) -> Iterator[str]:
    """Check that every field that a screen shows is filled in, and agrees with the drill."""
    drill = bank.get_drill(question.drill)
    if (question.topic, question.tier) != (drill.topic, drill.tier) or question.topic not in syllabus.topics():
        yield f"topic {question.topic} and tier {question.tier} are not the drill's"
    for name in ("source", "hint", "verify", "steps", "title"):
        if not getattr(question, name):
            yield f"it has no {name}"
    if any(not part.label or part.kind not in drill.kinds for part in question.parts):
        yield "a part has no label, or a kind that the drill doesn't have"
    yield from (f"{m.mistake}: the feedback is not a sentence" for m in question.mistakes if m.feedback[-1] != ".")
    if "{" in question.prompt:
        yield f"a field of the prompt was not filled in: {question.prompt}"


def gives_what_it_needs_and_no_answer(question: Question) -> Iterator[str]:
    """Check that every given value is in the prompt, and no answer is among them."""
    formula = bank.get_drill(question.drill).formula
    yield from (f"{part.part} is given and asked for" for part in question.parts if part.part in question.params)
    # What a program, a printout or a chart shows, the prompt need not repeat.
    description = visualizations.describe(question.visualization) if question.visualization else ""
    in_prompt = {float(text) for text in numbers(f"{question.prompt}\n{description}")}
    in_prompt |= {-float(text) for text in re.findall(r"[\w)] - (\d+(?:\.\d+)?)", question.prompt)}  # 2z - 1
    for name, value in question.params.items():
        if name not in formula.inputs:
            continue
        if isinstance(formula.symbols[name], AnswerSymbol):
            yield f"{name} is given, and only an answer may give it"
        if formula.symbols[name].kind.startswith("text"):
            if not all(text in question.prompt for text in (value if isinstance(value, list) else [value])):
                yield f"the prompt lacks {name}"
        elif missing := {float(text) for text in numbers(value_text(value))} - in_prompt:
            yield f"the prompt lacks {missing} of {name}"


def earns_what_its_solution_prints(question: Question) -> Iterator[str]:
    """Check that the printed answers earn full credit if typed, and that printed mistakes are recognized."""
    printed = {**question_to_json(question), **solution_to_json(question)}
    if not {"answers", "steps", "mistakes", "verify"} <= set(printed) or not all(
        step["text"] for step in printed["steps"]
    ):
        yield "the solution is not complete"
    if (result := mark(question, printed["answers"])).mark != "right":
        yield f"the printed answers {printed['answers']} are graded {result.mark}"
    for mistake in printed["mistakes"]:
        result = mark(question, {**printed["answers"], mistake["part"]: mistake["answer"]})
        part = next(part for part in result.parts if part.part == mistake["part"])
        if part.mistake != mistake["mistake"]:
            name = f"{mistake['part']} = {mistake['answer']}"
            yield f"{name} is {mistake['mistake']}, but was recognized as {part.mistake}"


def fits_80_columns(question: Question) -> Iterator[str]:
    """Check that question and solution fit the narrowest terminal in line mode."""
    for line in f"{lines.render_question(question)}\n{lines.render_solution(question)}".splitlines():
        if len(line) > 80:
            yield f"a line is {len(line)} columns wide: {line}"


def renders_its_visualization(question: Question) -> Iterator[str]:
    """Check that a visualization fits its cells, shows the question's values, and reveals no answer."""
    if question.visualization is None:
        return
    secret = {
        text.lstrip("-")
        for part in question.parts
        for leaf in leaves(part.answer)
        for text in numbers(KINDS["decimal"].format_answer(leaf, part) if part.decimals else str(leaf))
        if len(text.strip("-0.").replace(".", "")) > 2
    } - {text.lstrip("-") for text in numbers(question.prompt)}
    kind, data = visualizations.drawing_data(question.visualization)
    if visualizations.is_text(question.visualization):
        return  # it is as large as it is, and `fits_80_columns` looks at its width
    for width, height in SIZES:
        text = visualizations.draw(question.visualization, width, height)
        rows = text.split("\n")
        if not text.strip() or len(rows) > height or max(map(len, rows)) > width:
            yield f"the visualization is larger than {width}x{height}:\n{text}"
        if "None" in text or "{" in text:
            yield f"the visualization shows a value that it doesn't have:\n{text}"
        printed = {
            number.lstrip("-") for number in numbers(text) | numbers(visualizations.describe(question.visualization))
        }
        if secret & printed:
            yield f"the visualization reveals {secret & printed}:\n{text}"
        if kind in ("flow", "branches"):
            words = re.findall(r"\S+", text)
            cut = [w for w in re.findall(r"[^\s>|,]+", data["text"]) if not any(w in other for other in words)]
            if cut:
                yield f"the visualization cuts off {cut}:\n{text}"
        if kind in NUMERIC:
            names = [name for name in data if name not in SETTINGS or kind == "two-neurons"]
            expected = [value_text(v) for name in names for v in leaves(data[name]) if isinstance(v, (int, float))]
            rendered = NUMBER.findall(re.sub(r"[a-zA-Z]\d", "", text))
            if missing := [n for n in set(expected) if rendered.count(n) < expected.count(n)]:
                yield f"the visualization lacks {missing}:\n{text}"


def agrees_with_sympy(question: Question) -> Iterator[str]:
    """Check that SymPy computes the same values from the equations."""
    if any(part.kind == "expression" for part in question.parts):
        return  # compared at the points that the script returns
    texts, agree = compare_values(question, evaluate_with_sympy(question))
    if not agree:
        yield f"SymPy gives {texts}"


def is_json_data(question: Question) -> Iterator[str]:
    """Check that it is the same after it was stored as JSON."""
    if json.loads(json.dumps(asdict(question))) != asdict(question):
        yield "it changes when it is stored as JSON"
