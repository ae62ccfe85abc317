"""Encoder, z, decoder: procedures."""

from collections.abc import Iterator

from quizzes.content.seq2seq.seq2seq.beams import Hypothesis, beam_steps, read_table
from quizzes.content.seq2seq.seq2seq.formulas import BEAM_SEARCH
from quizzes.expressions.tree import Value
from quizzes.procedure import State, number_text, procedure
from quizzes.question import Params, Visualization

MAX_CANDIDATES = 20  # rows of the table of a state
COLUMNS = ["hypothesis", "p", "score", "kept"]


@procedure(
    "beam-search",
    BEAM_SEARCH,
    title="Beam search over a table of next-word probabilities, step by step",
    example=dict(
        words=["the", "a", "cat", "dog"],
        start=[0.4, 0.6, 0, 0],
        P=[[0, 0, 0.9, 0.1], [0, 0, 0.55, 0.45], [0, 0, 0, 0], [0, 0, 0, 0]],
    ),
)
def beam_search(
    words: list[str],
    start: list[Value],
    P: list[list[Value]],
    k: int,
    steps: int,
    alpha: Value,
    end: str | None = None,
) -> Iterator[State]:
    """Extend every hypothesis by every word, sort the candidates by their scores, and keep the k best."""
    inputs = dict(words=words, start=start, P=P, k=k, steps=steps, alpha=alpha, end=end)
    result = BEAM_SEARCH.evaluate({name: value for name, value in inputs.items() if value is not None})
    table = read_table(words, start, P, end)
    score_name = f"ln p/length^{number_text(alpha)}" if alpha else "probability"
    number = 1  # of the hypotheses of the step before

    def row(one: Hypothesis, is_kept: bool) -> list[str]:
        return [table.text(one), number_text(one.p), number_text(one.score(alpha)), "yes" if is_kept else ""]

    for step, (candidates, beam) in enumerate(beam_steps(table, k, steps, alpha), 1):
        scores = [one.score(alpha) for one in beam]
        listing = [f"{table.text(one)!r} ({number_text(score)})" for one, score in zip(beam, scores, strict=True)]
        dropped = [one.score(alpha) for one in candidates[k : k + 1]]
        caption = f"Step {step}: {number} hypothes{'is has' if number == 1 else 'es have'} {len(candidates)} "
        caption += f"candidates with a positive probability. By {score_name}, keep the best: {', '.join(listing)}."
        if dropped:
            caption += f" The best candidate that is dropped has {number_text(dropped[0], scores[-1])}."
        values: Params = dict(
            step=step,
            hypotheses=number,
            candidates=len(candidates),
            best=[table.text(one) for one in beam],
            p=[one.p for one in beam],
            scores=scores,
            dropped=dropped,
        )
        rows = [row(one, index < len(beam)) for index, one in enumerate(candidates[:MAX_CANDIDATES])]
        yield State(caption, values, Visualization("highlighted-table", dict(columns=COLUMNS, rows=rows, row=0)))
        number = len(beam)
    greedy, p_greedy = result["greedy"], result["p_greedy"]
    comparison = "has the same probability as" if p_greedy == result["p_beam"] else "has another probability than"
    if p_greedy < result["p_beam"]:
        comparison = "is more probable than"
    yield State(
        f"The output is {' '.join(result['beam'])!r} with the probability {number_text(result['p_beam'])}. It "
        f"{comparison} that of greedy search, {' '.join(greedy)!r} with {number_text(p_greedy, result['p_beam'])}.",
        {name: result[name] for name in BEAM_SEARCH.outputs},
    )
