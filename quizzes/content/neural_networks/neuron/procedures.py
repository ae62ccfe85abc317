"""Neuron, layers, deep networks: procedures."""

from collections.abc import Iterator

from quizzes.content.neural_networks.neuron.formulas import PERCEPTRON
from quizzes.expressions.tree import Value
from quizzes.procedure import State, in_parentheses, list_text, number_text, procedure
from quizzes.question import Visualization
from quizzes.symbols import Int, Matrix, Real, Vector
from workbench.errors import UserError


@procedure(
    "perceptron-training",
    title="Training a perceptron, sample by sample",
    source="Bishop, Pattern Recognition and Machine Learning, 2006, section 4.1.7",
    X=Matrix(
        meaning="inputs, one row per sample", default=[[2, 1], [1, 3], [3, 3], [-1, 1], [-2, -1], [1, -2], [2, -1]]
    ),
    y=Vector(meaning="label of each sample, -1 or 1", default=[1, 1, 1, -1, -1, -1, 1]),
    eta=Real(0, meaning="learning rate", default=1),
    epochs=Int(1, 100, "largest number of epochs", default=10),
)
def perceptron_training(X: list[list[Value]], y: list[int], eta: Value, epochs: int) -> Iterator[State]:
    """Start with zero weights; add eta*y*x to the weights for each misclassified sample."""
    if len(X) != len(y):
        raise UserError(f"y must have one label per row of X: {len(X)}, not {len(y)}.")
    if any(label not in (-1, 1) for label in y):
        raise UserError("Every label in y must be -1 or 1.")
    w: list[Value] = [0] * len(X[0])
    b: Value = 0
    updates = 0

    def state(caption: str, current: int | None = None, **values: Value) -> State:
        drawing = Visualization("separating-line", dict(X=X, y=y, w=w, b=b, current=current))
        return State(caption, dict(values, w=w, b=b, updates=updates), drawing if len(w) == 2 else None)

    yield state("Start with weights and bias 0. Then every score is 0, which counts as misclassified.")
    for epoch in range(1, epochs + 1):
        before = updates
        for k, (x, label) in enumerate(zip(X, y, strict=True)):
            step = PERCEPTRON.evaluate(dict(w=w, b=b, x=x, y=label, eta=eta))
            s, w, b = step["s"], step["w_new"], step["b_new"]
            head = f"Epoch {epoch}, sample {k + 1}: y*s = {in_parentheses(label)}*{in_parentheses(s)} = "
            head += number_text(label * s)
            values = dict(epoch=epoch, sample=k + 1, x=x, y=label, s=s, product=label * s)
            if step["m"]:
                updates += 1
                yield state(
                    f"{head} is not positive, so the sample is misclassified. Add {number_text(eta)}*"
                    f"{in_parentheses(label)}*{list_text(x)} to the weights and {number_text(eta)}*"
                    f"{in_parentheses(label)} to the bias: w = {list_text(w)}, b = {number_text(b)}.",
                    k,
                    **values,
                )
            else:
                yield state(f"{head} is positive, so the sample is classified correctly. Nothing changes.", k, **values)
        if updates == before:
            yield state(
                f"Epoch {epoch} had no update: every sample is classified correctly, so training ends.", epoch=epoch
            )
            return
    yield state(f"Epoch {epochs}, the last one, still had updates, so training ends without convergence.", epoch=epochs)
