"""A drill: a generator of questions over a formula. Declaring one costs its content and nothing else.

    @drill(CONV, tier=1, asks="o | n | p", prompt="A {n} x {n} map meets a {f} x {f} filter ...", hint="...")
    def conv_out_size(rng):
        \"\"\"Output side of a convolution\"\"\"
        return dict(n=rng.choice([28, 63, 224]), f=rng.choice([3, 5, 7]))

    conv_out_size.mistake("no-plus-one", "o = floor((n + 2p - d(f-1) - 1)/s)", "The first position counts too: add 1.")
    conv_out_size.torch("o = F.conv2d(torch.zeros(1, 1, n, n), torch.zeros(1, 1, f, f), stride=s, padding=p).shape[-1]")

`asks` names the symbols to be answered: `a b c` asks for all of them, as parts that follow one another; `a | b | c`
for one of them, chosen by the seed. The kind of each answer is that of its symbol; a wrong way is the equation that
it uses.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random
from typing import Any

from quizzes.answers import KINDS
from quizzes.answers.numbers import short
from quizzes.formula import Equation, Formula, equation
from quizzes.question import Mistake, Part, Picture, Question, Step
from quizzes.reading import write
from quizzes.tree import Fold, NoValue, Num, Op, Tree, exact, extent, integer, substitute, walk

TRIES = 200
LEAST_MISTAKES = 2
KIND_OF = {"int": "integer", "real": "decimal"}
PRELUDE = "import torch\nimport torch.nn.functional as F\n\ntorch.set_default_dtype(torch.float64)\n"


@dataclass(frozen=True)
class WrongWay:
    """A mistake as it is declared: the equations (or functions) it uses in place of the right ones."""

    name: str
    instead: dict[str, Any]
    feedback: str


@dataclass(frozen=True)
class Drill:
    """A generator of questions; see the module's text for how one is declared."""

    id: str
    title: str
    formula: Formula
    generate: Callable[[Random], dict[str, Any]]
    tier: int
    asks: tuple[str, ...]
    one_of: bool
    prompt: str
    hint: str
    decimals: int | None
    picture: str
    steps: Callable[..., list[Step]] | None
    ways: list[WrongWay]
    scripts: list[str]

    @property
    def topic(self) -> str:
        return self.formula.topic

    @property
    def type(self) -> str:
        """The drill type it serves: the id up to a colon."""
        return self.id.partition(":")[0]

    @property
    def kinds(self) -> list[str]:
        """The kinds of answer it asks for."""
        return sorted({self._kind(name) for name in self.asks})

    def mistake(self, name: str, wrong: str | dict[str, Callable[..., Any]], feedback: str) -> None:
        """Declare a wrong way.

        Args:
            name: Its name, the same in every variant.
            wrong: The equations it uses instead (`a = ...; b = ...`), or functions of the inputs by what they give.
            feedback: What to say to somebody who went it.
        """
        instead: dict[str, Any] = wrong if isinstance(wrong, dict) else {}
        if isinstance(wrong, str):
            instead = {eq.name: eq for text in wrong.split(";") for eq in self.formula.expand(equation(text))}
        self.ways.append(WrongWay(name, instead, feedback))

    def torch(self, script: str) -> None:
        """Declare the check: Python that computes the answers by calling PyTorch (or another library)."""
        self.scripts.append(script.strip())

    def draw(self, seed: int) -> Question:
        """The question of a seed. Numbers by which a mistake would give the right answer are left for others."""
        for attempt in range(TRIES):
            rng = Random(f"{self.id}/{seed}/{attempt}")
            try:
                question = self._question(seed, rng)
            except NoValue:
                continue
            if question:
                return question
        raise RuntimeError(f"{self.id}: seed {seed} finds no numbers that tell its mistakes apart")

    def _question(self, seed: int, rng: Random) -> Question | None:
        drawn = self.generate(rng)
        asked = (rng.choice(self.asks),) if self.one_of else self.asks
        inputs = self.formula.complete({k: v for k, v in drawn.items() if k in self.formula.symbols})
        values = self.formula.evaluate(inputs)
        given = {name: drawn.get(name, _plain(inputs[name])) for name in inputs}
        extras = {k: v for k, v in drawn.items() if k not in given}
        unknown = asked[0] if asked[0] in inputs else ""
        if unknown:
            given |= {name: KINDS[self._kind(name)].plain(values[name]) for name in self.formula.outputs}
            answers = {unknown: self._inverse(unknown, values)}
        else:
            answers = {name: [values[name]] for name in asked}
        if any(not found for found in answers.values()):
            return None
        parts = [self._part(name, found, extras) for name, found in answers.items()]
        mistakes = self._mistakes(parts, unknown, values)
        if mistakes is None:
            return None
        shown = {k: v for k, v in given.items() if k != unknown}
        script_values = {
            **{k: v for k, v in given.items() if k in inputs},
            **({unknown: parts[0].answer} if unknown else {}),
        }
        return Question(
            drill=self.id,
            seed=seed,
            topic=self.topic,
            tier=self.tier,
            title=self.title,
            prompt=self._prompt(shown, extras, parts, unknown),
            params={**shown, **extras},
            parts=parts,
            mistakes=mistakes,
            hint=self.hint,
            steps=self._steps(values, parts, unknown),
            chain=[] if unknown else [eq.text for eq in self.formula.equations],
            counted={name: _plain(values[name]) for name in self.formula.counts},
            verify=self._script({**script_values, **extras}),
            checks={name: given[name] for name in self.formula.outputs}
            if unknown
            else {p.part: p.answer for p in parts},
            picture=Picture(self.picture, {**shown, **extras}) if self.picture else None,
            source=self.formula.source,
        )

    def _kind(self, name: str) -> str:
        kind = self.formula.symbols[name].kind
        return KIND_OF.get(kind, kind)

    def _part(self, name: str, found: list[Any], extras: Mapping[str, Any]) -> Part:
        described, kind = self.formula.symbols[name], self._kind(name)
        answer, *others = [KINDS[kind].plain(value) for value in found]
        unit = f" in {described.unit}" if described.unit else ""
        return Part(
            part=name,
            kind=kind,
            label=described.meaning + unit,
            answer=answer,
            others=others,
            decimals=self.decimals if kind in ("decimal", "vector", "matrix") else None,
            choices=extras.get("labels", []) if kind in ("sequence", "set", "choice") else [],
            variables=extras.get("variables", {}) if kind == "expression" else {},
        )

    def _inverse(self, unknown: str, values: Mapping[str, Any], way: WrongWay | None = None) -> list[Any]:
        """The inputs that lead to the outputs; those that a wrong way finds, where one is gone."""
        known = {name: values[name] for name in self.formula.inputs if name != unknown}
        instead = way.instead if way else {}
        targets = {name: values[name] for name in instead or self.formula.outputs}
        return self.formula.inverse(unknown, known, targets, instead)

    def _mistakes(self, parts: list[Part], unknown: str, values: Mapping[str, Any]) -> list[Mistake] | None:
        """The wrong answers of this variant; None where two of them can't be told apart, or too few are left."""
        found: list[tuple[WrongWay, Part, list[Any]]] = []
        for way in self.ways:
            try:
                if unknown:
                    wrong = {unknown: self._inverse(unknown, values, way)}
                else:
                    astray = self.formula.astray(way.instead, values, [part.part for part in parts])
                    wrong = {part.part: [astray[part.part]] for part in parts}
            except NoValue:
                continue
            for part in parts:
                kind = KINDS[part.kind]
                answers = [kind.plain(value) for value in wrong[part.part]]
                truths = [part.answer, *part.others]
                answers = [a for a in answers if not any(kind.alike(a, right, part) for right in truths)]
                if answers:
                    found.append((way, part, answers))
        made = []
        for way, part, answers in found:
            # An answer that two mistakes lead to tells neither.
            rivals = [a for other, where, wrong in found if where == part and other != way for a in wrong]
            own = [a for a in answers if not any(KINDS[part.kind].alike(a, rival, part) for rival in rivals)]
            if not own:
                return None
            made.append(Mistake(way.name, part.part, own[0], way.feedback, own[1:]))
        return made if len({m.mistake for m in made}) >= min(LEAST_MISTAKES, len(self.ways)) else None

    def _prompt(self, shown: Mapping[str, Any], extras: Mapping[str, Any], parts: list[Part], unknown: str) -> str:
        words = {name: value_text(value) for name, value in {**shown, **extras}.items()}
        words |= {name: name for name in self.formula.symbols if name not in words}
        text = self.prompt.format(**words)
        if len(parts) == 1:
            text += f"\nFind {parts[0].part}: {parts[0].label}."
        if unknown:
            text += " If several values fit, give any one of them."
        decimals = {part.decimals for part in parts} - {None}
        if decimals:
            text += f" Work with full precision and round only the answers, to {decimals.pop()} decimals."
        return text

    def _script(self, values: Mapping[str, Any]) -> str:
        code = "\n".join(self.scripts)
        used = [name for name in values if re.search(rf"\b{name}\b", code)]
        lines = [f"{name} = {self._python(name, values[name])}" for name in used]
        return "\n".join([PRELUDE, *lines, "", code]) if code else ""

    def _python(self, name: str, value: Any) -> str:
        if name in self.formula.symbols and self.formula.symbols[name].kind in ("vector", "matrix"):
            return f"torch.tensor({_floats(value)})"
        return repr(value)

    def _steps(self, values: Mapping[str, Any], parts: list[Part], unknown: str) -> list[Step]:
        if self.steps:
            return self.steps(**{name: _plain(v) for name, v in values.items()})
        written = {name: written_out(name, value) for name, value in values.items() if name != unknown}
        steps = [self._step(eq, values, written) for eq in self.formula.equations]
        if unknown:
            found = [short(exact(v)) for v in [parts[0].answer, *parts[0].others]]
            fits = " or ".join(found) if len(found) < 6 else f"{', '.join(found[:4])} ... {found[-1]}"
            steps = [replace(step, math=step.math[:2]) for step in steps]
            steps.append(Step(f"Solve for {unknown}: {fits} {'fits' if len(found) == 1 else 'fit'}."))
        return steps

    def _step(self, eq: Equation, values: Mapping[str, Any], written: Mapping[str, dict[str, Tree]]) -> Step:
        numbers = {key: tree for name in written for key, tree in written[name].items()}
        numbers |= {index: integer(1) for index in eq.index}
        for node in walk(eq.tree):
            if isinstance(node, Fold):
                numbers[f"#{node.index}"] = integer(extent(node.body, node.index, values))
        target = eq.name + (f"[{', '.join('1' for _ in eq.index)}]" if eq.index else "")
        kind = KINDS[self._kind(eq.name)]
        outcome = kind.write(kind.plain(values[eq.name]), Part(eq.name, "", "", None, decimals=self.decimals))
        line = f"{target} = {write(substitute(eq.tree, numbers))}"
        return Step(self.formula.symbols[eq.name].meaning, [eq.text, line, f"{eq.name} = {outcome}"])


def drill(
    formula: Formula,
    *,
    asks: str,
    prompt: str,
    hint: str,
    tier: int,
    id: str = "",
    decimals: int | None = 4,
    picture: str = "",
    steps: Callable[..., list[Step]] | None = None,
) -> Callable[[Callable[[Random], dict[str, Any]]], Drill]:
    """Declare a drill over a formula; it decorates the generator of the given values.

    Args:
        formula: What is drilled.
        asks: `a b` for both, `a | b` for one of them.
        prompt: The question, with `{symbol}` where a value goes; the symbol that is sought stands there itself.
        hint: One sentence that helps.
        tier: 1 (one formula), 2 (several steps), 3 (a small exam problem).
        id: Its id, where that isn't the generator's name (`type:flavour` for a further drill of one type).
        decimals: How many decimals decimal answers have; None where vectors and matrices are exact.
        picture: The kind of picture drawn beside it.
        steps: values -> worked steps, where the equations alone don't tell.

    Returns:
        A decorator: the generator's name is the drill's id, its docstring the title; it takes a random generator and
        returns the inputs by symbol, beside whatever else the prompt names (`labels` for what may be chosen).
    """

    def declare(generate: Callable[[Random], dict[str, Any]]) -> Drill:
        one_of = "|" in asks
        return Drill(
            id=id or generate.__name__.replace("_", "-"),
            title=(generate.__doc__ or "").strip().rstrip("."),
            formula=formula,
            generate=generate,
            tier=tier,
            asks=tuple(asks.replace("|", " ").split()),
            one_of=one_of,
            prompt=prompt,
            hint=hint,
            decimals=decimals,
            picture=picture,
            steps=steps,
            ways=[],
            scripts=[],
        )

    return declare


def value_text(value: Any) -> str:
    """A given value as a question prints it."""
    if isinstance(value, list):
        return f"[{', '.join(value_text(v) for v in value)}]"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def written_out(name: str, value: Any) -> dict[str, Tree]:
    """The numbers that stand for a symbol, or for each element of it, in a worked step."""
    if isinstance(value, list):
        return {_join(name, k, key): tree for k, v in enumerate(value, 1) for key, tree in written_out("", v).items()}
    if isinstance(value, str):
        return {}
    number = Num(Fraction(abs(value)), short(abs(value)))
    return {name: Op("neg", (number,)) if value < 0 else number}


def _join(name: str, k: int, inner: str) -> str:
    return f"{name}[{k}, {inner[1:-1]}]" if inner else f"{name}[{k}]"


def _plain(value: Any) -> Any:
    """An exact value as plain data."""
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else float(value)
    return value


def _floats(value: Any) -> Any:
    return [_floats(v) for v in value] if isinstance(value, list) else float(value)
