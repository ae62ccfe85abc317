"""What a network says of samples, drawn: the samples themselves, the confusion matrix, decision regions, the fit.

Every drawing takes what a task's `pictures` gives, and returns rows of styled texts that keep within so many cells.
Right and wrong carry a sign, numbers are written out: nothing is told by colour alone.
"""

from collections.abc import Callable
from typing import Any

from rich.segment import Segment
from rich.style import Style

from workbench.render.canvas import PLAIN, QUIET, Canvas
from workbench.render.halfblock import Rows, as_pixels, gallery
from workbench.render.regions import regions
from workbench.render.scale import Scale, written

RIGHT, WRONG = Style(color="green"), Style(color="red", bold=True)
Pictures = list[dict[str, Any]]


def draw(pictures: Pictures, kind: str, width: int, height: int, colour: bool = True) -> Rows:
    """One kind of a run's pictures within so many cells; empty where there are none of it.

    Without colour, shades and letters tell what colours would.
    """
    chosen = [picture for picture in pictures if picture.get("picture") == kind]
    try:
        return DRAWINGS[kind](chosen, pictures, width, height, colour) if chosen else []
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
    ):  # they come from a file, which may be another program's
        return [[Segment("These pictures are damaged: another checkpoint of the run makes new ones."[:width], QUIET)]]


def kinds(pictures: Pictures) -> list[str]:
    """The kinds that there are pictures of, in their order."""
    there = dict.fromkeys(str(picture.get("picture")) for picture in pictures)
    return [kind for kind in there if kind in DRAWINGS]


def samples(chosen: Pictures, all_: Pictures, width: int, height: int, colour: bool) -> Rows:
    """Test samples with what the network takes them for, as many as there is room for."""
    names = classes(all_)
    if "pixels" not in chosen[0]:
        return [_row_of_numbers(picture, names, width) for picture in chosen[:height]]
    drawn = [(as_pixels(picture["pixels"]), *_said(picture, names)) for picture in chosen]
    return gallery(drawn, width, height, colour)


def _said(picture: dict[str, Any], names: list[str]) -> tuple[str, Style]:
    true, told = (names[picture[which]] if names else str(picture[which]) for which in ("target", "predicted"))
    return (f"{true} ✓", RIGHT) if true == told else (f"{true} ✗ {told}", WRONG)


def _row_of_numbers(picture: dict[str, Any], names: list[str], width: int) -> list[Segment]:
    """A sample that is a row of a table: what is told of it, then its numbers."""
    if isinstance(picture["target"], float):
        said, style = f"true {written(picture['target'])}, told {written(picture['predicted'])}", PLAIN
    else:
        said, style = _said(picture, names)
    numbers = "  ".join(f"{value:7.2f}" for value in picture["values"])
    return list(Segment.adjust_line_length([Segment(f"{said:<24}", style), Segment(numbers, QUIET)], width))


def classes(pictures: Pictures) -> list[str]:
    """The classes' names, from whichever picture knows them."""
    return next((picture["classes"] for picture in pictures if "classes" in picture), [])


def confusion(chosen: Pictures, _: Pictures, width: int, height: int, colour: bool) -> Rows:
    """The confusion matrix: true class by row, what it was taken for by column, the ground the darker the fewer."""
    names, counts = chosen[0]["classes"], chosen[0]["counts"]
    most = max(max(row) for row in counts) or 1
    left = min(max(4, *map(len, names)), 14) + 1
    cell = len(str(most)) + 2
    if left + len(names) * cell > width or len(names) + 1 > height:
        return _worst(names, counts, width, height)
    heads = "".join(name[: cell - 1].rjust(cell) for name in names)
    rows: Rows = [[Segment(f"{'true':<{left}}{heads}  taken for", QUIET)]]
    for place, row in enumerate(counts):
        cells = [_counted(count, most, cell, hit=place == k) for k, count in enumerate(row)]
        total = sum(row)
        share = f"  {row[place] / total:.0%} of {total}" if total else "  none"
        rows.append([Segment(names[place][: left - 1].ljust(left), QUIET), *cells, Segment(share, QUIET)])
    return rows


def _counted(count: int, most: int, cell: int, hit: bool) -> Segment:
    """A count on its ground; what is 0 is a dot, so that the mistakes stand out."""
    if not count:
        return Segment("·".rjust(cell), QUIET)
    share = 0.25 + 0.75 * count / most
    red, green, blue = (40, 120, 80) if hit else (190, 70, 50)
    ground = tuple(round(part * share) for part in (red, green, blue))
    return Segment(str(count).rjust(cell), Style(color="white", bgcolor="#{:02x}{:02x}{:02x}".format(*ground)))


def _worst(names: list[str], counts: list[list[int]], width: int, height: int) -> Rows:
    """Where the matrix has no room: what is taken for what most often."""
    wrong = sorted(
        ((count, i, k) for i, row in enumerate(counts) for k, count in enumerate(row) if i != k and count), reverse=True
    )
    rows: Rows = [[Segment("Most often mistaken" if wrong else "Nothing is mistaken.", QUIET)]]
    rows += [[Segment(f"{count:>6}  {names[i]} taken for {names[k]}"[:width])] for count, i, k in wrong[: height - 1]]
    return rows


def decided(chosen: Pictures, _: Pictures, width: int, height: int, colour: bool) -> Rows:
    """The decision regions."""
    return regions(chosen[0], width, height, colour)


def fit(chosen: Pictures, _: Pictures, width: int, height: int, colour: bool) -> Rows:
    """What was told (up) over what is true (right): the nearer to the diagonal, the better."""
    true, told = chosen[0]["target"], chosen[0]["predicted"]
    scale = Scale.around([*true, *told])
    canvas = Canvas(min(width, 4 * height), max(1, height - 2))
    right, bottom = 2 * canvas.width - 1, 4 * canvas.height - 1
    canvas.paint([(0, bottom), (right, 0)], QUIET, dotted=False)
    dots: list[tuple[int, int] | None] = []
    for x, y in zip(true, told, strict=True):
        dots += [(round(scale.place(x) * right), bottom - round(scale.place(y) * bottom)), None]
    canvas.paint(dots, Style(color="cyan"), dotted=False)
    said = f"right: the true {chosen[0]['unit']}, {written(scale.low)} to {written(scale.high)}; up: what was told"
    return [*(list(canvas.row(row)) for row in range(canvas.height)), [], [Segment(said[:width], QUIET)]]


DRAWINGS: dict[str, Callable[[Pictures, Pictures, int, int, bool], Rows]] = {
    "sample": samples,
    "confusion": confusion,
    "regions": decided,
    "fit": fit,
}
