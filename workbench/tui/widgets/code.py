"""A program as a question shows it, with line numbers and colors."""

from textual.content import Content

from quizzes.question import Visualization
from workbench.render import visualizations
from workbench.render.visualizations.texts import listing, number_lines


def program(visualization: Visualization) -> Content:
    """Return a program in the colors of Python, or a printout without colors."""
    kind, data = visualizations.drawing_data(visualization)
    if kind != "code":
        return Content(visualizations.draw(visualization))
    from textual.highlight import highlight

    text = listing(data)
    code = highlight(text, language="python").split("\n", allow_blank=True)
    numbered = [Content.styled(number, "dim") + line for number, line in zip(number_lines(text), code, strict=True)]
    return Content("\n").join(numbered)
