"""A question, its mark and its solution as lines of text: the same words in the app, in line mode and in scripts."""

from textwrap import fill, indent

from quizzes.answers import KINDS
from quizzes.answers.labels import letters
from quizzes.marking import SIGNS
from quizzes.question import Mark, Part, PartMark, Question, Step
from workbench.render import visualizations

TIERS = {0: "recall", 1: "tier 1", 2: "tier 2", 3: "tier 3"}
VERDICTS = {"right": "right", "partly": "partly right", "wrong": "wrong", "not_understood": "not understood"}


def heading(q: Question) -> str:
    """What it is, in one line."""
    return " · ".join(filter(None, [q.title, q.topic, TIERS[q.tier], f"seed {q.seed}"]))


def wrapped(text: str, width: int = 75) -> str:
    """A text with its lines broken between words."""
    return "\n".join(
        fill(line, width, subsequent_indent=" " * (len(line) - len(line.lstrip()))) for line in text.splitlines()
    )


def asked(q: Question, drawn: bool = True) -> str:
    """The question with what may be chosen; its picture drawn, or told in a sentence."""
    blocks = [wrapped(heading(q)), wrapped(q.prompt)]
    if q.visualization and (
        shown := visualizations.draw(q.visualization) if drawn else visualizations.tell(q.visualization)
    ):
        blocks.append(shown)
    blocks += [choices(part) for part in q.parts if part.kind in ("choice", "choices", "order", "match")]
    if len(q.parts) > 1:
        rows = [f"  {part.part}: {part.label} ({KINDS[part.kind].format_hint(part)})" for part in q.parts]
        blocks.append(wrapped("\n".join(rows)))
    else:
        blocks.append(f"Answer with {KINDS[q.parts[0].kind].format_hint(q.parts[0])}.")
    return "\n\n".join(blocks)


def choices(part: Part) -> str:
    """What may be chosen, each under its letter or number."""
    if part.kind == "match":
        left = [f"  {c}) {item}" for c, item in zip(letters(part.items), part.items, strict=True)]
        right = [f"  {k}) {choice}" for k, choice in enumerate(part.choices, 1)]
        return wrapped("\n".join([*left, "with", *right]))
    return wrapped("\n".join(f"  {c}) {choice}" for c, choice in zip(letters(part.choices), part.choices, strict=True)))


def marked_part(mark: PartMark, name: str = "") -> str:
    """One part's mark: the sign, the word, how the answer was read, and what there is to say."""
    head = f"{SIGNS[mark.mark]} {f'{name}: ' if name else ''}{VERDICTS[mark.mark]}"
    if mark.read_as:
        head += f"  (read as {mark.read_as})"
    if mark.mistake and mark.mistake != "given-up":
        head += f"  mistake: {mark.mistake.replace('-', ' ')}"
    return "\n".join([head, *(f"  {line}" for line in wrapped(mark.feedback).splitlines())])


def marked(q: Question, given: Mark) -> str:
    """A whole mark; where a part was not understood, of the others nothing: an answer is marked once it is whole."""
    several, whole = len(given.parts) > 1, given.mark != "not_understood"
    shown = [part for part in given.parts if whole or part.mark == given.mark]
    lines = [marked_part(part, part.part if several else "") for part in shown]
    if several and whole:
        lines.append(f"Score {given.score:.0%}")
    return "\n".join(lines)


def answers(q: Question) -> str:
    """The true answers, in a line for each part."""
    lines = []
    for part in q.parts:
        text = KINDS[part.kind].write(part.answer, part)
        if part.kind == "choice":
            text += f") {part.choices[letters(part.choices).index(text)]}"
        if part.other_answers and part.kind == "integer":
            others = ", ".join(str(v) for v in part.other_answers[:6])
            text += f" (also {others}{' ...' if len(part.other_answers) > 6 else ''})"
        lines.append(f"{part.part} = {text}" if q.tier else f"Answer: {text}")
    return wrapped("\n".join(lines))


def solution(q: Question, drawn: bool = True) -> str:
    """The worked solution or a card's explanation, and the source; equations drawn, or each on one line as typed."""
    blocks = [*(step(k, one, drawn) for k, one in enumerate(q.steps, 1)), answers(q)]
    if q.explanation:
        blocks.append(wrapped(q.explanation))
    return "\n\n".join([*blocks, wrapped(f"Source: {q.source}")])


def step(number: int, one: Step, drawn: bool = True) -> str:
    """One step with its equations: as SymPy draws them, or as they are typed."""
    said = wrapped(f"{number}. {one.text}")
    if not drawn:
        return "\n".join([said, *(indent(wrapped(text, 71), "    ") for text in one.math)])
    from quizzes.expressions.symbolic import pretty_text

    equations = [text if "\n" in text else wrapped(text, 71) for text in map(pretty_text, one.math)]
    return "\n\n".join([said, *(indent(text, "    ") for text in equations)])
