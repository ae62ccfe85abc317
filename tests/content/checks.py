"""What must hold of every question beyond the drills' own examination; each check gives a sentence per problem."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from quizzes import bank
from quizzes.answers import KINDS
from quizzes.marking import mark
from quizzes.question import Question, value_text
from quizzes.verification import by_sympy, compare
from workbench import syllabus
from workbench.cli.drill import _asked, _solved
from workbench.render import question as lines
from workbench.render import visualizations

SIZES = [(30, 9), (44, 14)]  # of pictures: columns, rows
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
# Pictures that show every number they are given, and the settings that they show otherwise or not at all.
NUMERIC = ("network", "neuron", "two-neurons", "matrices", "bars", "table", "convolution")
SETTINGS = ("t", "eta", "s", "p", "b")


def numbers(text: str) -> set[str]:
    return set(NUMBER.findall(text))


def leaves(value: Any) -> list[Any]:
    return [leaf for part in value for leaf in leaves(part)] if isinstance(value, (list, tuple)) else [value]


def is_complete(question: Question) -> Iterator[str]:
    """Every field that a screen shows is filled in, and agrees with the drill."""
    drill = bank.get(question.drill)
    if (question.topic, question.tier) != (drill.topic, drill.tier) or question.topic not in syllabus.topics():
        yield f"topic {question.topic} and tier {question.tier} are not the drill's"
    for name in ("source", "hint", "verify", "steps", "title"):
        if not getattr(question, name):
            yield f"it has no {name}"
    if any(not part.label or part.kind not in drill.kinds for part in question.parts):
        yield "a part has no label or a kind that the drill doesn't name"
    yield from (f"{m.mistake}: the feedback is no sentence" for m in question.mistakes if m.feedback[-1] != ".")
    if "{" in question.prompt:
        yield f"a place in the prompt was not filled in: {question.prompt}"


def gives_what_it_needs_and_no_answer(question: Question) -> Iterator[str]:
    """Every given value is in the prompt, and no answer is among them."""
    formula = bank.get(question.drill).formula
    yield from (f"{part.part} is given and asked for" for part in question.parts if part.part in question.params)
    in_prompt = {float(text) for text in numbers(question.prompt)}
    for name, value in question.params.items():
        if name not in formula.inputs:
            continue
        if formula.symbols[name].kind.startswith("text"):
            if not all(text in question.prompt for text in (value if isinstance(value, list) else [value])):
                yield f"the prompt lacks {name}"
        elif missing := {float(text) for text in numbers(value_text(value))} - in_prompt:
            yield f"the prompt lacks {missing} of {name}"


def earns_what_its_solution_prints(question: Question) -> Iterator[str]:
    """The answers that the solution prints earn full marks when they are typed, and the mistakes their names."""
    shown = {**_asked(question), **_solved(question)}
    if not {"answers", "steps", "mistakes", "verify"} <= set(shown) or not all(step["text"] for step in shown["steps"]):
        yield "the solution is not complete"
    if (given := mark(question, shown["answers"])).mark != "right":
        yield f"the printed answers {shown['answers']} are marked {given.mark}"
    for wrong in shown["mistakes"]:
        given = mark(question, {**shown["answers"], wrong["part"]: wrong["answer"]})
        part = next(part for part in given.parts if part.part == wrong["part"])
        if part.mistake != wrong["mistake"]:
            yield f"{wrong['part']} = {wrong['answer']} is {wrong['mistake']}, but was taken for {part.mistake}"


def fits_80_columns(question: Question) -> Iterator[str]:
    """In line mode, question and solution fit the narrowest terminal."""
    for line in f"{lines.render_question(question)}\n{lines.render_solution(question)}".splitlines():
        if len(line) > 80:
            yield f"a line is {len(line)} columns wide: {line}"


def draws_its_picture(question: Question) -> Iterator[str]:
    """A picture keeps within its cells, is true to the question, and is silent about what is asked."""
    if question.visualization is None:
        return
    secret = {
        text.lstrip("-")
        for part in question.parts
        for leaf in leaves(part.answer)
        for text in numbers(KINDS["decimal"].write(leaf, part) if part.decimals else str(leaf))
        if len(text.strip("-0.").replace(".", "")) > 2
    } - {text.lstrip("-") for text in numbers(question.prompt)}
    kind, data = visualizations.drawing_data(question.visualization)
    for width, height in SIZES:
        shown = visualizations.draw(question.visualization, width, height)
        rows = shown.split("\n")
        if not shown.strip() or len(rows) > height or max(map(len, rows)) > width:
            yield f"the picture does not keep within {width}x{height}:\n{shown}"
        if "None" in shown or "{" in shown:
            yield f"the picture shows a value that it hasn't got:\n{shown}"
        printed = {
            text.lstrip("-") for text in numbers(shown) | numbers(visualizations.describe(question.visualization))
        }
        if secret & printed:
            yield f"the picture gives {secret & printed} away:\n{shown}"
        if kind in ("flow", "branches"):
            words = re.findall(r"\S+", shown)
            cut = [w for w in re.findall(r"[^\s>|,]+", data["text"]) if not any(w in other for other in words)]
            if cut:
                yield f"the picture cuts {cut} off:\n{shown}"
        if kind in NUMERIC:
            names = [name for name in data if name not in SETTINGS or kind == "two-neurons"]
            wanted = [value_text(v) for name in names for v in leaves(data[name]) if isinstance(v, (int, float))]
            drawn = NUMBER.findall(re.sub(r"[a-zA-Z]\d", "", shown))
            if missing := [text for text in set(wanted) if drawn.count(text) < wanted.count(text)]:
                yield f"the picture lacks {missing}:\n{shown}"


def agrees_with_sympy(question: Question) -> Iterator[str]:
    """SymPy's own working of the equations gives the same values."""
    if any(part.kind == "expression" for part in question.parts):
        return  # compared at the points that PyTorch was asked for
    texts, agree = compare(question, by_sympy(question))
    if not agree:
        yield f"SymPy gives {texts}"


def is_plain_data(question: Question) -> Iterator[str]:
    """It is the same after it went through JSON."""
    if json.loads(json.dumps(asdict(question))) != asdict(question):
        yield "it is no plain data"
