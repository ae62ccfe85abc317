"""GPT: procedures."""

from collections.abc import Iterator

from quizzes.content.transformers.gpt.decoding import by_probability, keep_top_k
from quizzes.content.transformers.gpt.formulas import SAMPLING
from quizzes.expressions.tree import Value
from quizzes.procedure import State, list_text, number_text, procedure
from quizzes.question import Params, Visualization


@procedure(
    "sampling",
    SAMPLING,
    title="Sampling of the next token: temperature, top-k, top-p, draw",
    example=dict(z=[2, 1, 0.5, -1, 1.5]),
)
def sampling(
    z: list[Value],
    T: Value,
    k: int | None = None,
    p: Value = None,
    u: Value = None,
    words: list[str] | None = None,
) -> Iterator[State]:
    """Divide the logits by the temperature, keep the k likeliest tokens, then the set of top-p, and draw one."""
    inputs = dict(z=z, T=T, k=k, p=p, u=u, words=words)
    result = SAMPLING.evaluate({name: value for name, value in inputs.items() if value is not None})
    probabilities, top_k, q = result["softmax"], result["top_k"], result["q"]
    values: Params = {}

    def state(caption: str, p: list[Value], **new: object) -> State:
        values.update(new)
        return State(caption, dict(values), Visualization("bars", dict(p=p)))

    scaled = [value / T for value in z]
    yield state(
        f"Divide the logits {list_text(z)} by the temperature {number_text(T)}: {list_text(scaled)}. A temperature "
        "below "
        "1 widens the gaps, and one above 1 narrows them.",
        probabilities,
        scaled=scaled,
    )
    yield state(
        f"The softmax gives the probabilities {list_text(probabilities)}.", probabilities, softmax=probabilities
    )
    count = len(z) if k is None else k
    order = [i + 1 for i in by_probability(probabilities)]
    remaining = sum(v for v, is_kept in zip(probabilities, keep_top_k(probabilities, k), strict=True) if is_kept)
    yield state(
        f"Top-k keeps {count} of the {len(z)} tokens, in order of probability {list_text(order[:count])}. Divide by "
        f"their sum, {number_text(remaining)}: {list_text(top_k)}.",
        top_k,
        top_k=top_k,
        count=count,
        tokens=len(z),
        order=order,
        remaining=remaining,
    )
    mass: Value = 1 if p is None else p
    total, sums = 0.0, []
    for i in by_probability(top_k):
        total += float(top_k[i])
        if q[i] > 0:
            sums.append(total)
    yield state(
        f"Top-p adds these from the largest on, {list_text(sums)}, and stops when {number_text(mass)} is reached: "
        f"{len(sums)} tokens remain.",
        top_k,
        sums=sums,
        size=len(sums),
    )
    yield state(
        f"Divide by their sum: the token is drawn from {list_text(q)}.", q, q=q, candidates=result["candidates"]
    )
    number, token = result["number"], result["token"]
    if u is None:
        text = f"Without a random number, take the likeliest token: number {number}."
        cumulative = []
    else:
        cumulative = [sum(q[: i + 1]) for i in range(len(q))]
        text = (
            f"Add the probabilities in the order of the tokens: {list_text(cumulative)}. The first sum above the "
            "random "
            f"number {number_text(u)} belongs to token {number}."
        )
    yield state(text, q, cumulative=cumulative, number=number, token=token)
