"""The reach of parallel kernels with several dilation rates (ASPP): which places of a map each of them reads."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from string import ascii_lowercase
from textwrap import wrap

from models.summary import Layer
from workbench.render.visualizations.grid import LIGHT, Grid

MAX_COLUMNS = 46  # of a drawing; a row of characters is as high as two columns
KERNEL = re.compile(r"(\d+)x\1(?:, dilation (\d+))?")


@dataclass(frozen=True)
class Pyramid:
    """Square kernels of one size and several dilation rates that read one map.

    Attributes:
        name: The layer that contains them; empty for the network itself.
        kernel_size: Height and width of the kernels.
        rates: Their dilation rates, in increasing order.
        height: Height of the map.
        width: Width of the map.
    """

    name: str
    kernel_size: int
    rates: tuple[int, ...]
    height: int
    width: int

    def offsets(self, rate: int) -> list[int]:
        """Return the distances of a kernel's taps from its middle, in one direction."""
        half = self.kernel_size // 2
        return [rate * k for k in range(-half, half + 1)]

    def mean_taps(self, rate: int) -> float:
        """Return how many taps of a kernel are inside the map, on average over all places of the kernel."""
        rows, columns = (
            sum(max(0, size - abs(offset)) for offset in self.offsets(rate)) / size
            for size in (self.height, self.width)
        )
        return rows * columns


def find_pyramids(network: Layer) -> Iterator[Pyramid]:
    """Yield the pyramids of a network, in order."""
    for layer in network.walk():
        rates: defaultdict[tuple[int, str], dict[int, Layer]] = defaultdict(dict)
        for child in layer.children:
            first = child.children[0] if child.children else child
            match = KERNEL.fullmatch(first.detail)
            if match and first.type == "Conv2d" and int(match[1]) > 1 and len(first.output_shape) == 3:
                rates[int(match[1]), " ".join(child.inputs)][int(match[2] or 1)] = first
        for (kernel_size, _), kernels in rates.items():
            if len(kernels) > 1:
                _, height, width = next(iter(kernels.values())).output_shape
                yield Pyramid(layer.name, kernel_size, tuple(sorted(kernels)), height, width)


def draw_reach(pyramid: Pyramid, width: int) -> list[str]:
    """Draw the taps of all kernels at the middle place of the map, a letter for each rate; then a line for each.

    Taps outside the map, where padding is 0, are not drawn.

    Args:
        pyramid: The kernels.
        width: Maximal number of columns.
    """
    largest = min(width - 2, MAX_COLUMNS)
    scale = largest // pyramid.width or largest / pyramid.width  # columns per place
    columns, rows = round(pyramid.width * scale), ceil(pyramid.height * scale / 2)
    grid = Grid(columns + 2, rows + 2)
    grid.draw_box(0, 0, columns + 1, rows + 1, LIGHT)
    y0, x0 = pyramid.height // 2, pyramid.width // 2
    lines = []
    for letter, rate in zip(ascii_lowercase, pyramid.rates, strict=False):
        taps = [
            (y0 + dy, x0 + dx)
            for dy in pyramid.offsets(rate)
            for dx in pyramid.offsets(rate)
            if 0 <= y0 + dy < pyramid.height and 0 <= x0 + dx < pyramid.width
        ]
        for y, x in taps:
            grid.put(1 + int((x + 0.5) * scale), 1 + int((y + 0.5) * scale / 2), letter)
        span, total = max(pyramid.offsets(rate)) * 2 + 1, pyramid.kernel_size**2
        inside = f"{len(taps)} of {total} taps inside the map here, {pyramid.mean_taps(rate):.1f} on average"
        lines += wrap(f"{letter}: rate {rate}, spans {span}x{span}: {inside}", width, subsequent_indent="   ")
    grid.put(1 + int((x0 + 0.5) * scale), 1 + int((y0 + 0.5) * scale / 2), "+")
    k = pyramid.kernel_size
    size = f"{pyramid.height}x{pyramid.width} places"
    heading = f"What the {k}x{k} kernels of {pyramid.name or 'the network'} see from the middle of their map of {size}:"
    return [*wrap(heading, width), *grid.text().splitlines(), "+ is the tap in the middle, which all have.", *lines]
