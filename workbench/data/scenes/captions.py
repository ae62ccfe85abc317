"""Sentences that are true of a scene."""

from itertools import pairwise

from workbench.data.scenes.scene import Object, Scene

SMALL, LARGE = 0.22, 0.33  # the root of the area, as a share of the picture's side
SURFACES = {"plain": "", "stripes": "striped", "dots": "dotted", "checks": "chequered", "noise": "speckled"}


def captions(scene: Scene) -> list[str]:
    """A sentence for each object beside the next, from the front to the back; of a single one, what it is.

    Such as "a small red circle left of a large striped blue square". Whether beside or above is told by where their
    centres lie further apart.
    """
    front = scene.objects[::-1]
    if len(front) < 2:
        return [described(one, scene.side) for one in front]
    return [
        f"{described(one, scene.side)} {relation(one, other)} {described(other, scene.side)}"
        for one, other in pairwise(front)
    ]


def described(one: Object, side: int) -> str:
    """An object in words: its size where that is unusual, its surface, its colour and its kind."""
    share = one.size / side
    size = "small" if share < SMALL else "large" if share > LARGE else ""
    words = " ".join(filter(None, (size, SURFACES[one.texture.kind], one.colour, one.kind)))
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def relation(one: Object, other: Object) -> str:
    """Where one object is, seen from another."""
    across, down = one.x - other.x, one.y - other.y
    if abs(across) >= abs(down):
        return "left of" if across < 0 else "right of"
    return "above" if down < 0 else "below"
