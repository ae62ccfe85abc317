"""Questions, marks and solutions as text, in the same words in the app and on the command line."""

from textwrap import fill, indent

from quizzes.answers import KINDS
from quizzes.answers.labels import letters
from quizzes.marking import SIGNS
from quizzes.question import Mark, Part, PartMark, Question, Step
from workbench.render import visualizations

LEVELS = {0: "Recall", 1: "Level 1", 2: "Level 2", 3: "Level 3"}
VERDICTS = {
    "right": "Correct",
    "partly": "Partially correct",
    "wrong": "Incorrect",
    "not_understood": "Can't read this",
}


def render_heading(question: Question) -> str:
    """Return the title, topic, level and seed of a question in one line."""
    return " · ".join(filter(None, [question.title, question.topic, LEVELS[question.tier], f"seed {question.seed}"]))


def wrap_text(text: str, width: int = 75) -> str:
    """Wrap each line of a text between words; continuation lines keep the line's indentation."""
    return "\n".join(
        fill(line, width, subsequent_indent=" " * (len(line) - len(line.lstrip()))) for line in text.splitlines()
    )


def render_question(question: Question, draw: bool = True) -> str:
    """Return a question with its choices and the expected format of the answer.

    Args:
        question: The question.
        draw: Whether to draw its visualization as a text diagram; if not, a sentence describes it.
    """
    blocks = [wrap_text(render_heading(question)), wrap_text(question.prompt)]
    if question.visualization:
        render = visualizations.draw if draw else visualizations.describe
        blocks += filter(None, [render(question.visualization)])
    blocks += filter(None, [render_all_choices(question)])
    if len(question.parts) > 1:
        rows = [f"  {part.part}: {part.label} ({KINDS[part.kind].format_hint(part)})" for part in question.parts]
        blocks.append(wrap_text("\n".join(rows)))
    else:
        blocks.append(f"Answer with {KINDS[question.parts[0].kind].format_hint(question.parts[0])}.")
    return "\n\n".join(blocks)


def render_all_choices(question: Question) -> str:
    """Return the choices of every part that has some; of several parts, each after the part's name and label."""
    parts = [part for part in question.parts if part.kind in ("choice", "choices", "order", "match")]
    names = [f"{wrap_text(f'{part.part}: {part.label}')}\n" if len(question.parts) > 1 else "" for part in parts]
    return "\n\n".join(name + render_choices(part) for name, part in zip(names, parts, strict=True))


def render_choices(part: Part) -> str:
    """Return the choices of a part, each after its letter or number."""
    if part.kind == "match":
        left = [f"  {c}) {item}" for c, item in zip(letters(part.items), part.items, strict=True)]
        right = [f"  {k}) {choice}" for k, choice in enumerate(part.choices, 1)]
        return wrap_text("\n".join([*left, "with", *right]))
    lines = [f"  {c}) {choice}" for c, choice in zip(letters(part.choices), part.choices, strict=True)]
    return wrap_text("\n".join(lines))


def render_hint(question: Question, number: int) -> str:
    """Return a hint with its number, counted from 1; the last one if there are fewer."""
    number = min(number, len(question.hints))
    return wrap_text(f"Hint {number} of {len(question.hints)}: {question.hints[number - 1]}")


def render_part_mark(mark: PartMark, name: str = "") -> str:
    """Return the verdict on one part, with the answer as the program read it, the mistake and the feedback.

    Args:
        mark: The result of grading the part.
        name: The name of the part; empty if the question has only one.
    """
    verdict = f"{SIGNS[mark.mark]} {f'{name}: ' if name else ''}{VERDICTS[mark.mark]}"
    if mark.read_as:
        verdict += f"  (read as {mark.read_as})"
    if mark.mistake and mark.mistake != "given-up":
        verdict += f"  mistake: {mark.mistake.replace('-', ' ')}"
    return "\n".join([verdict, *(f"  {line}" for line in wrap_text(mark.feedback).splitlines())])


def render_mark(mark: Mark) -> str:
    """Return the verdict on each part, and the score.

    If the answer to any part can't be read, no part is graded, and only the unreadable parts are listed.
    """
    has_several_parts, is_graded = len(mark.parts) > 1, mark.mark != "not_understood"
    parts = [part for part in mark.parts if is_graded or part.mark == mark.mark]
    lines = [render_part_mark(part, part.part if has_several_parts else "") for part in parts]
    if has_several_parts and is_graded:
        lines.append(f"Score {mark.score:.0%}")
    return "\n".join(lines)


def render_answers(question: Question) -> str:
    """Return the correct answers, one line per part."""
    lines = []
    for part in question.parts:
        text = KINDS[part.kind].format_answer(part.answer, part)
        if part.kind == "choice":
            text += f") {part.choices[letters(part.choices).index(text)]}"
        if part.kind == "order" and part.before:
            text += " (an order is correct if each item comes after those that it needs)"
        if part.other_answers and part.kind == "integer":
            others = ", ".join(str(v) for v in part.other_answers[:6])
            text += f" (also {others}{' ...' if len(part.other_answers) > 6 else ''})"
        lines.append(f"{part.part} = {text}" if question.tier else f"Answer: {text}")
        if part.kind == "order" and question.tier:
            lines += [f"  {letter}) {part.choices[letters(part.choices).index(letter)]}" for letter in part.answer]
    return wrap_text("\n".join(lines))


def render_solution(question: Question, draw: bool = True) -> str:
    """Return the worked solution with the answers, a card's explanation, and the source.

    Args:
        question: The question.
        draw: Whether to draw equations in two dimensions, with fraction bars; if not, each is a line such as `a/b`.
    """
    blocks = [render_step(number, step, draw) for number, step in enumerate(question.steps, 1)]
    blocks.append(render_answers(question))
    if question.explanation:
        blocks.append(wrap_text(question.explanation))
    return "\n\n".join([*blocks, wrap_text(f"Source: {question.source}")])


def render_step(number: int, step: Step, draw: bool = True) -> str:
    """Return one step of a solution with its equations; `draw` means the same as in `render_solution`."""
    text = wrap_text(f"{number}. {step.text}")
    if not draw:
        return "\n".join([text, *(indent(wrap_text(equation, 71), "    ") for equation in step.math)])
    from quizzes.expressions.symbolic import pretty_text

    equations = [drawing if "\n" in drawing else wrap_text(drawing, 71) for drawing in map(pretty_text, step.math)]
    return "\n\n".join([text, *(indent(equation, "    ") for equation in equations)])
