"""The kinds of visualizations that a drill may show with a question; `workbench.render.visualizations` draws them."""

import re
from collections.abc import Collection, Iterator
from string import Formatter

from workbench.errors import unknown_name

KINDS = frozenset(
    """
    anchors bars boundary boxes branches code confusion contour convolution descent deviations dilation flow
    functions graph highlighted-table kernel-slide layers learning-curves learning-rate line-chart logistic matrices
    network neuron number-line parabola passes pooling precision-recall printout progress rescaling residuals roc
    roi-grid scatter separating-line sliding-window suppression table trace two-neurons
    """.split()
)
PARAMETER = re.compile(r"(?:\w+=)?±?([A-Za-z]\w*)")  # `x`, or `w=w0` for a value that the drawing has another name for


def kind_of(visualization: str) -> str:
    """Return the kind of a visualization, such as `scatter` of `scatter x y` or `flow` of `flow: {n} > ?`."""
    return re.split(r"\s", visualization, maxsplit=1)[0].removesuffix(":")


def visualization_problems(visualization: str, names: Collection[str] | None = None) -> Iterator[str]:
    """Yield the problems of a drill's visualization.

    Args:
        visualization: The kind with its data; empty for none.
        names: The names of the values that the data may name; None if they aren't known yet.
    """
    if not visualization:
        return
    if (kind := kind_of(visualization)) not in KINDS:
        yield f"visualization: {unknown_name('kind', kind, KINDS)}"
    elif names is not None:
        for name in _names(visualization):
            if name not in names:
                yield f"visualization: {unknown_name('value', name, names)}"


def _names(visualization: str) -> Iterator[str]:
    """Yield the names of the values in a visualization."""
    kind = kind_of(visualization)
    if visualization.startswith(f"{kind}:"):
        data = visualization.removeprefix(f"{kind}:")
        for _, field, _, _ in Formatter().parse(data):
            if field is not None:
                yield re.split(r"[.\[]", field, maxsplit=1)[0]
        return
    for word in visualization.split()[1:]:
        if match := PARAMETER.fullmatch(word):
            yield match[1]
