"""A drill: a generator of questions about a formula.

    @drill(CONV, tier=1, asks="o | n | p", prompt="A {n}x{n} input is convolved with a {f}x{f} kernel ...", hint="...")
    def conv_out_size(rng):
        \"\"\"Output size of a convolution\"\"\"
        return dict(n=rng.choice([28, 63, 224]), f=rng.choice([3, 5, 7]))

    conv_out_size.mistake("no-plus-one", "o = floor((n + 2p - d(f-1) - 1)/s)", "The first position counts too: add 1.")
    conv_out_size.torch("o = F.conv2d(torch.zeros(1, 1, n, n), torch.zeros(1, 1, f, f), stride=s, padding=p).shape[-1]")

`asks` names the symbols to ask for: `a b c` asks for all of them, as parts in this order; `a | b | c` for one of them,
chosen by the seed. The kind of each answer is that of its symbol. A mistake is declared by the incorrect equation that
it uses.
"""

from collections.abc import Callable, Mapping
from random import Random

from quizzes.declaration import Declaration, Generator, MistakeRule
from quizzes.expressions.tree import UndefinedValue, Value
from quizzes.formula import Formula, Replacement, equation
from quizzes.question import Question, Step
from quizzes.variant import Variant

MAX_TRIES = 200


class Drill(Declaration):
    """A generator of questions; see the module's docstring for how one is declared."""

    def mistake(self, name: str, wrong: str | Mapping[str, Callable[..., Value]], feedback: str) -> None:
        """Declare a mistake.

        Args:
            name: Its name, the same in every variant.
            wrong: The incorrect equations (`a = ...; b = ...`), or for each symbol that it gets wrong a function of the
                inputs.
            feedback: What to tell a student who made it.
        """
        replaced: Mapping[str, Replacement]
        if isinstance(wrong, str):
            replaced = {eq.name: eq for text in wrong.split(";") for eq in self.formula.expand(equation(text))}
        else:
            replaced = wrong
        self.mistake_rules.append(MistakeRule(name, replaced, feedback))

    def torch(self, script: str) -> None:
        """Declare the check: Python code that computes the answers by calling PyTorch (or another library)."""
        self.scripts.append(script.strip())

    def draw(self, seed: int) -> Question:
        """Return the question for a seed. Values are resampled until every mistake gives an answer of its own.

        Raises:
            RuntimeError: If no values are found.
        """
        for attempt in range(MAX_TRIES):
            rng = Random(f"{self.id}/{seed}/{attempt}")
            values = self.generate(rng)
            parts = (rng.choice(self.asks),) if self.one_of else self.asks
            try:
                question = Variant(self, seed, values, parts).question()
            except UndefinedValue:
                continue
            if question:
                return question
        raise RuntimeError(f"{self.id}: seed {seed} finds no values that tell its mistakes apart")


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
) -> Callable[[Generator], Drill]:
    """Declare a drill about a formula; decorates the generator of its values.

    Args:
        formula: The formula that it drills.
        asks: `a b` to ask for both, `a | b` for one of them.
        prompt: The text of the question; `{symbol}` becomes its value, or its name if it is the unknown.
        hint: A sentence that helps.
        tier: The level, 1 (one formula), 2 (several steps) or 3 (a small exam problem).
        id: Its id, if it isn't the generator's name (`type:flavor` for a further drill of one type).
        decimals: The decimal places of decimal answers; None for exact vectors and matrices.
        visualization: The kind of visualization next to it; empty for none.
        steps: values -> worked steps, if the equations alone don't explain the solution.

    Returns:
        A decorator. The generator's name is the drill's id, its docstring the title. It takes a random number generator
        and returns the inputs by symbol, and whatever else the prompt names (`labels` are the choices).
    """

    def declare(generate: Generator) -> Drill:
        return Drill(
            id=id or generate.__name__.replace("_", "-"),
            title=(generate.__doc__ or "").strip().rstrip("."),
            formula=formula,
            generate=generate,
            tier=tier,
            asks=tuple(asks.replace("|", " ").split()),
            one_of="|" in asks,
            prompt=prompt,
            hint=hint,
            decimals=decimals,
            visualization=visualization,
            steps=steps,
            mistake_rules=[],
            scripts=[],
        )

    return declare
