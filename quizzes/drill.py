"""A drill: a generator of questions about a formula.

    @drill(
        CONV,
        tier=1,
        asks=one_of("o", "n"),
        prompt="A square input of size {n} is convolved with square kernels of size {f}. The output size is {o}.",
        hint="How many positions can the kernel take?",
        mistakes=[
            Mistake("no-plus-one", "o = floor((n + 2p - f)/s)", "You counted the steps. Add 1 for the first position."),
        ],
    )
    def conv_out_size(rng: Random) -> Inputs:
        \"\"\"Output size of a convolution\"\"\"
        return dict(n=rng.choice([28, 63, 224]), f=rng.choice([3, 5, 7]))

The name of the generator is the drill's id, its docstring the title, and the function of the same name in `checks.py`
its check. `asks` is a symbol, a tuple of symbols that are asked for one after the other, or `one_of(...)` for one that
the seed chooses. The kind of each answer is that of its symbol; `derive("o", form="factored")` asks for its expression
in the inputs that the generator gives no number.
"""

from collections.abc import Callable, Mapping, Sequence
from random import Random

from quizzes.declaration import Declaration, Derive, Generator, Inputs, Mistake, OneOf, derive, one_of
from quizzes.expressions.tree import UndefinedValue
from quizzes.formula import Formula
from quizzes.question import Question, Step
from quizzes.variant import Variant

__all__ = ["Drill", "Inputs", "Mistake", "derive", "drill", "one_of"]

MAX_TRIES = 200


class Drill(Declaration):
    """A generator of questions; see the module's docstring for how one is declared."""

    def draw(self, seed: int) -> Question:
        """Return the question for a seed. Values are resampled until every mistake gives an answer of its own.

        Raises:
            RuntimeError: If no values are found.
        """
        for attempt in range(MAX_TRIES):
            rng = Random(f"{self.id}/{seed}/{attempt}")
            try:
                values = self.generate(rng)
                parts = (rng.choice(self.asks),) if self.one_of else self.asks
                question = Variant(self, seed, values, parts).question()
            except UndefinedValue:
                continue
            if question:
                return question
        raise RuntimeError(f"{self.id}: seed {seed} finds no values that tell its mistakes apart")


def drill(
    formula: Formula,
    *,
    asks: str | Derive | tuple[str | Derive, ...] | OneOf,
    prompt: str,
    hint: str = "",
    hints: Sequence[str] = (),
    tier: int,
    mistakes: Sequence[Mistake],
    id: str = "",
    decimals: int | None = 4,
    visualization: str = "",
    steps: Callable[..., list[Step]] | None = None,
    digits: Mapping[str, int] | None = None,
    joins: tuple[str, ...] = (),
) -> Callable[[Generator], Drill]:
    """Declare a drill about a formula; it decorates the generator of the inputs.

    Args:
        formula: The formula that it drills.
        asks: The symbols that it asks for.
        prompt: The text of the question, with `{symbol}` for a value; for the unknown, its name.
        hint: The idea as a sentence or a question. The formula and the first step are further hints.
        hints: The idea, the formula and the first step, to write the last two differently than they are made; one to
            three. Either `hint` or `hints` is needed.
        tier: The level, 1 (one formula), 2 (several steps) or 3 (a small exam problem).
        mistakes: The mistakes that it recognizes.
        id: Its id, if that is not the generator's name (`type:flavor` for a further drill of one type).
        decimals: The decimal places of decimal answers; None for exact vectors and matrices.
        visualization: The kind of visualization next to it.
        steps: values -> worked steps, if the equations alone don't explain the solution.
        digits: The significant digits of decimal answers that are rounded to these instead, by symbol.
        joins: The further topics that it joins; it is counted to each of them.

    Returns:
        A decorator for the generator, which takes a random number generator and returns the inputs by symbol, and
        whatever else the prompt names (`labels` for the choices). It raises `UndefinedValue` to draw again.
    """
    parts = asks.parts if isinstance(asks, OneOf) else (asks,) if isinstance(asks, str | Derive) else asks
    derived = {part.name: part for part in parts if isinstance(part, Derive)}

    def declare(generate: Generator) -> Drill:
        return Drill(
            id=id or generate.__name__.replace("_", "-"),
            title=(generate.__doc__ or "").strip().rstrip("."),
            formula=formula,
            generate=generate,
            tier=tier,
            asks=tuple(part.name if isinstance(part, Derive) else part for part in parts),
            one_of=isinstance(asks, OneOf),
            prompt=prompt,
            hint=hint,
            hints=hints,
            mistakes=tuple(mistakes),
            decimals=decimals,
            visualization=visualization,
            steps=steps,
            derived=derived,
            digits=digits or {},
            joins=joins,
        )

    return declare
