"""Softmax and categorical cross-entropy: procedures."""

from collections.abc import Iterator
from math import exp, log

from quizzes.expressions.tree import UndefinedValue, Value
from quizzes.procedure import State, list_text, number_text, procedure
from quizzes.question import Params, Visualization
from quizzes.symbols import Int, Vector
from workbench.errors import UserError


@procedure(
    "softmax-cross-entropy",
    title="Softmax and cross-entropy, from the logits to the gradient",
    source="derivation: the loss is -ln of the softmax probability of the true class, and its gradient is p - y",
    z=Vector(meaning="logits", default=[2, 1, -1]),
    c=Int(0, meaning="true class, counted from 0", default=1),
)
def softmax_cross_entropy(z: list[Value], c: int) -> Iterator[State]:
    """Turn logits into probabilities, then compute the loss of the true class and the gradient."""
    if c >= len(z):
        raise UserError(f"c must be a class from 0 to {len(z) - 1}, one of the {len(z)} logits, not {c}.")
    values: Params = {}

    def state(caption: str, name: str, vector: list[Value], **new: object) -> State:
        values.update({name: vector, **new})
        return State(caption, dict(values), Visualization("bars", {name: vector}))

    top = max(z)
    shifted = [value - top for value in z]
    yield state(
        f"Subtract the largest logit, {number_text(top)}, from every logit: {list_text(shifted)}. The probabilities "
        "stay the same, because the common factor cancels, and no exponential can overflow.",
        "shifted",
        shifted,
        largest=top,
    )
    powers = [exp(value) for value in shifted]
    yield state(f"Exponentiate, because an exponential is positive: {list_text(powers)}.", "exp", powers)
    total = sum(powers)
    p = [value / total for value in powers]
    yield state(
        f"Divide by the sum, {number_text(total)}, so that the probabilities add up to 1: {list_text(p)}.",
        "p",
        p,
        sum=total,
    )
    if not p[c]:
        raise UndefinedValue(f"the probability of class {c} is too small, and ln(0) is minus infinity")
    loss = -shifted[c] + log(total)
    yield state(
        f"The loss is -ln of the probability of the true class {c}: -ln({number_text(p[c])}) = {number_text(loss)}.",
        "p",
        p,
        L=loss,
    )
    one_hot = [int(k == c) for k in range(len(z))]
    gradient = [q - t for q, t in zip(p, one_hot, strict=True)]
    yield state(
        f"The gradient with respect to the logits is p - y, with the one-hot label y = {list_text(one_hot)}: "
        f"{list_text(gradient)}. A step against it raises the logit of the true class and lowers the others.",
        "gradient",
        gradient,
        y=one_hot,
    )
