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

from collections.abc import Callable
from random import Random
from typing import Any

from quizzes.declaration import Declaration, MistakeRule
from quizzes.expressions.tree import UndefinedValue
from quizzes.formula import Formula, equation
from quizzes.question import Question, Step
from quizzes.variant import Variant

TRIES = 200


class Drill(Declaration):
    """A generator of questions; see the module's text for how one is declared."""

    def mistake(self, name: str, wrong: str | dict[str, Callable[..., Any]], feedback: str) -> None:
        """Declare a wrong way.

        Args:
            name: Its name, the same in every variant.
            wrong: The equations it uses instead (`a = ...; b = ...`), or functions of the inputs by what they give.
            feedback: What to say to somebody who went it.
        """
        replaced: dict[str, Any] = wrong if isinstance(wrong, dict) else {}
        if isinstance(wrong, str):
            replaced = {eq.name: eq for text in wrong.split(";") for eq in self.formula.expand(equation(text))}
        self.mistake_rules.append(MistakeRule(name, replaced, feedback))

    def torch(self, script: str) -> None:
        """Declare the check: Python that computes the answers by calling PyTorch (or another library)."""
        self.scripts.append(script.strip())

    def draw(self, seed: int) -> Question:
        """The question of a seed. Numbers by which two mistakes, or a mistake and the truth, meet are drawn again."""
        for attempt in range(TRIES):
            rng = Random(f"{self.id}/{seed}/{attempt}")
            drawn = self.generate(rng)
            asked = (rng.choice(self.asks),) if self.one_of else self.asks
            try:
                question = Variant(self, seed, drawn, asked).question()
            except UndefinedValue:
                continue
            if question:
                return question
        raise RuntimeError(f"{self.id}: seed {seed} finds no numbers that tell its mistakes apart")


def drill(
    formula: Formula,
    *,
    asks: str,
    prompt: str,
    hint: str,
    tier: int,
    id: str = "",
    decimals: int | None = 4,
    visualization: str = "",
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
        visualization: The kind of picture drawn beside it.
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
            visualization=visualization,
            steps=steps,
            mistake_rules=[],
            scripts=[],
        )

    return declare
