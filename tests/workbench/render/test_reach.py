"""The reach of ASPP's kernels: against convolutions of ones, and single taps by hand."""

import pytest
import torch
import torch.nn.functional as F

from models.cost import summarize
from workbench.render.diagram import render_diagram
from workbench.render.reach import Pyramid, draw_reach, find_pyramids


def test_pyramids_have_the_rates_and_maps_of_the_papers():
    expected = {
        "deeplab-v2": ((6, 12, 18, 24), 41, ""),
        "deeplab-v2-resnet101": ((6, 12, 18, 24), 41, ""),
        "deeplab-v3": ((12, 24, 36), 65, "classifier.0"),
        "deeplab-v3plus": ((6, 12, 18), 33, "aspp"),
    }
    for name, (rates, size, layer) in expected.items():
        assert list(find_pyramids(summarize(name).network)) == [Pyramid(layer, 3, rates, size, size)]


@pytest.mark.parametrize("name", ["deeplab-v1", "fcn-resnet50", "googlenet"])
def test_networks_without_parallel_rates_have_no_pyramid(name):
    assert not list(find_pyramids(summarize(name).network))


@pytest.mark.parametrize(
    ("k", "rate", "height", "width"), [(3, 6, 41, 41), (3, 24, 41, 33), (5, 2, 9, 12), (3, 9, 8, 8)]
)
def test_taps_inside_the_map_are_those_of_a_convolution_of_ones(k, rate, height, width):
    kernel = torch.ones(1, 1, k, k, dtype=torch.double)
    taps = F.conv2d(torch.ones(1, 1, height, width).double(), kernel, padding=rate * (k // 2), dilation=rate)
    assert Pyramid("", k, (rate,), height, width).mean_taps(rate) == pytest.approx(taps.mean().item(), abs=1e-12)
    lines = draw_reach(Pyramid("", k, (rate,), height, width), 80)
    assert f"{int(taps[0, 0, height // 2, width // 2])} of {k * k} taps inside the map here" in " ".join(lines)


def test_taps_are_drawn_at_their_places():
    lines = draw_reach(Pyramid("aspp", 3, (1, 4, 5), 9, 9), 11)  # one column per place, two places per row
    top = next(k for k, line in enumerate(lines) if line.startswith("┌"))
    assert lines[top : top + 7] == [
        "┌─────────┐",
        "│b   b   b│",
        "│   aaa   │",
        "│b  a+a  b│",  # the places 4 and 5
        "│         │",
        "│b   b   b│",
        "└─────────┘",
    ]
    assert "1 of 9 taps inside the map here" in " ".join(" ".join(lines[top + 7 :]).split())


def test_a_diagram_ends_with_them_and_keeps_to_its_width():
    lines = render_diagram(summarize("deeplab-v3"), 60)
    assert max(map(len, lines)) <= 60
    text = " ".join(" ".join(lines).split())
    assert "What the 3x3 kernels of classifier.0 see from the middle of their map of 65x65 places:" in text
    assert "c: rate 36, spans 73x73: 1 of 9 taps inside the map here" in text
