"""A short video of a scene: its objects move on, each as fast as before; the background stays."""

from dataclasses import dataclass, replace

import numpy as np

from workbench.data.scenes.draw import draw
from workbench.data.scenes.scene import Scene
from workbench.errors import UserError

MOST_FRAMES = 1000


@dataclass(frozen=True)
class Film:
    """Pictures in time.

    Attributes:
        pictures: (frames, H, W, 3), uint8.
        instances: (frames, H, W), uint8: as a picture's; the same number is the same object in every frame.
        boxes: (frames, objects, 4), int64: of what is seen; zeros once an object is gone.
        labels: The kind of each object.
    """

    pictures: np.ndarray
    instances: np.ndarray
    boxes: np.ndarray
    labels: tuple[str, ...]


def film(scene: Scene, frames: int) -> Film:
    """So many frames of a scene; the first is the scene as it stands.

    Raises:
        UserError: There are no such frames.
    """
    if isinstance(frames, bool) or not isinstance(frames, int) or not 1 <= frames <= MOST_FRAMES:
        raise UserError(f"A film has 1 to {MOST_FRAMES} frames, not {frames!r}.")
    drawn = [draw(at(scene, time)) for time in range(frames)]
    return Film(
        np.stack([one.picture for one in drawn]),
        np.stack([one.instances for one in drawn]),
        np.stack([one.boxes for one in drawn]),
        drawn[0].labels,
    )


def at(scene: Scene, time: float) -> Scene:
    """The scene after so many frames."""
    moved = [replace(one, x=one.x + time * one.velocity[0], y=one.y + time * one.velocity[1]) for one in scene.objects]
    return replace(scene, objects=tuple(moved))
