"""What is drawn: areas, masks and boxes against brute force on a fine grid and against torchvision."""

import subprocess
import sys
from dataclasses import replace
from math import cos, pi, sin

import numpy as np
import pytest
import torch

from workbench.data.scenes import KINDS, Options, alone, captions, draw, film, iou, scene, whole

FINE = 8  # samples along a pixel


def inside(kind, u, v, size):
    """Whether points lie in a shape, from its definition: regions, not distances."""
    far = np.hypot(u, v)
    if kind == "circle":
        return far**2 * pi <= size**2
    if kind == "square":
        return (abs(u) <= size / 2) & (abs(v) <= size / 2)
    if kind == "bar":
        return (abs(u) <= 3 * size / 12**0.5) & (abs(v) <= size / 12**0.5)
    if kind == "ring":
        return (far**2 * 3 * pi <= 4 * size**2) & (far**2 * 3 * pi >= size**2)
    if kind == "cross":
        arm = size / 5**0.5 / 2
        return ((abs(u) <= arm) & (abs(v) <= 3 * arm)) | ((abs(u) <= 3 * arm) & (abs(v) <= arm))
    if kind == "triangle":
        height = size * 3**0.25  # of the triangle of that area whose sides are equal
        return (v <= height / 3) & (3**0.5 * abs(u) <= v + 2 * height / 3)
    if kind == "star":
        lines = [(cos(2 * pi * k / 5 - pi / 2), sin(2 * pi * k / 5 - pi / 2)) for k in range(5)]
        apart = SIDE_OF_STAR * size
        return sum((x * u + y * v <= apart).astype(int) for x, y in lines) >= 4
    raise AssertionError(kind)


# Its lines face its tips. One whose inner pentagon has the inradius 1: the pentagon, and five triangles on its sides.
SIDE = 2 * np.tan(pi / 5)
SIDE_OF_STAR = 1 / np.sqrt(5 * SIDE / 2 + 5 * SIDE**2 / 4 * np.tan(2 * pi / 5))


def places(one, side):
    """A fine grid over the picture, in the frame of an object."""
    at = (np.arange(side * FINE) + 0.5) / FINE
    x, y = at[None] - one.x, at[:, None] - one.y
    return x * cos(one.angle) + y * sin(one.angle), y * cos(one.angle) - x * sin(one.angle)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"crescent"}))
def test_a_shape_is_where_its_definition_says(kind):
    for seed in range(5):
        [one] = scene(Options(kinds=(kind,), objects=(1, 1), sizes=(0.3, 0.5)), seed).objects
        fine = inside(kind, *places(one, 64), one.size)
        shares = fine.reshape(64, FINE, 64, FINE).mean((1, 3))
        mask = alone(one, 64)
        assert mask[shares > 0.75].all() and not mask[shares < 0.25].any()
        assert shares.sum() == pytest.approx(one.size**2, rel=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_covers_its_size_squared(kind):
    for seed in range(5):
        [one] = scene(Options(side=256, kinds=(kind,), objects=(1, 1), sizes=(0.3, 0.5)), seed).objects
        assert alone(one, 256).sum() == pytest.approx(one.size**2, rel=0.01)


@pytest.mark.parametrize("seed", range(20))
def test_the_nearer_hides_the_farther(seed):
    made = scene(Options(objects=(3, 6), overlap=0.5), seed)
    drawn = draw(made)
    covered = np.zeros((64, 64), bool)
    for one, mask in reversed(list(zip(made.objects, drawn.masks, strict=True))):
        full = alone(one, 64)
        edge = mask ^ (full & ~covered)
        assert edge.sum() <= 0.02 * full.sum()  # a pixel on the border may round either way
        covered |= full
    assert drawn.labels == tuple(one.kind for one in made.objects)
    assert drawn.masks.sum(0).max() <= 1


@pytest.mark.parametrize("seed", range(20))
def test_boxes_are_torchvisions(seed):
    from torchvision.ops import box_iou, masks_to_boxes

    made = scene(Options(objects=(3, 6), overlap=0.3), seed)
    drawn = draw(made)
    seen = [k for k, mask in enumerate(drawn.masks) if mask.any()]
    theirs = masks_to_boxes(torch.from_numpy(drawn.masks[seen]))
    theirs[:, 2:] += 1  # the last pixel's far side
    assert drawn.boxes[seen].tolist() == theirs.long().tolist()
    wholes = [whole(one) for one in made.objects]
    overlaps = box_iou(torch.tensor(wholes).double(), torch.tensor(wholes).double())
    assert iou(wholes[0], wholes[1]) == pytest.approx(float(overlaps[0, 1]), abs=1e-6)
    assert (overlaps - torch.eye(len(wholes))).max() <= 0.3 + 1e-6
    for one, (left, top, right, bottom) in zip(made.objects, wholes, strict=True):
        rows, columns = np.nonzero(alone(one, 64))
        assert left - 0.5 <= columns.min() and columns.max() + 1 <= right + 0.5
        assert top - 0.5 <= rows.min() and rows.max() + 1 <= bottom + 0.5
        assert columns.min() - left < 2.5 and right - columns.max() - 1 < 2.5  # and no more than it needs
        assert min(left, top) >= -1e-6 and max(right, bottom) <= 64 + 1e-6


def test_a_plain_object_has_the_colour_that_it_is_called_by():
    from workbench.data.scenes import PALETTE

    for seed in range(20):
        made = scene(Options(textures=("plain",), objects=(1, 1), sizes=(0.4, 0.5)), seed)
        drawn = draw(made)
        middle = drawn.picture[drawn.masks[0]].astype(float) / 255
        assert np.abs(np.median(middle, axis=0) - PALETTE[made.objects[0].colour]).max() < 0.06


def test_the_same_seed_gives_the_same_picture_in_another_process():
    code = "from workbench.data.scenes import *; print(draw(scene(Options(), 7)).picture.tobytes().hex())"
    theirs = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert draw(scene(Options(), 7)).picture.tobytes().hex() == theirs
    assert draw(scene(Options(), 8)).picture.tobytes().hex() != theirs


def mirrored(made):
    return replace(made, objects=tuple(replace(one, x=made.side - one.x) for one in made.objects))


@pytest.mark.parametrize("seed", range(20))
def test_captions_are_true(seed):
    made = scene(Options(objects=(2, 4)), seed)
    said = captions(made)
    front = made.objects[::-1]
    assert len(said) == max(1, len(front) - 1)
    for sentence, one, other in zip(said, front, front[1:], strict=False):
        assert f"{one.colour} {one.kind}" in sentence and sentence.endswith(f"{other.colour} {other.kind}")
        true = {"left of": one.x < other.x, "right of": one.x > other.x}
        true |= {"above": one.y < other.y, "below": one.y > other.y}
        [relation] = [words for words in true if f" {words} " in sentence]
        assert true[relation]
    swap = {" left of ": " right of ", " right of ": " left of "}
    turned = [next((s.replace(a, b) for a, b in swap.items() if a in s), s) for s in said]
    assert captions(mirrored(made)) == turned


def test_a_film_moves_its_objects_alone():
    made = scene(Options(objects=(2, 2), clutter=(3, 3), speed=3.0), 5)
    shown = film(made, 6)
    assert np.array_equal(shown.pictures[0], draw(made).picture)
    empty = draw(replace(made, objects=())).picture
    for time in range(6):
        near = np.zeros((64, 64), bool)
        for one in made.objects:
            left, top, right, bottom = whole(one)
            dx, dy = (time * part for part in one.velocity)
            rows = slice(max(0, int(top + dy) - 2), max(0, int(bottom + dy) + 3))
            near[rows, max(0, int(left + dx) - 2) : max(0, int(right + dx) + 3)] = True
        assert np.array_equal(shown.pictures[time][~near], empty[~near])
    assert shown.pictures.shape == (6, 64, 64, 3) and shown.boxes.shape == (6, 2, 4)
    assert not np.array_equal(shown.pictures[0], shown.pictures[5])
