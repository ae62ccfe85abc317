"""Selective search: Uijlings, van de Sande, Gevers, Smeulders, Selective search for object recognition (2013).

    scene_proposals()        the proposals for every image of `shape-scenes`, in the order of `shape_scenes.load()`
                             (12000, 64, 4), float32: x1, y1, x2, y2 in pixels, the last merged regions first, zeros
                             after an image's last proposal (x2 > x1 is the mask). Computed once, then cached.
    propose(image, count)    the proposals for one image (3, height, width), uint8: (n, 4), n <= count

The rows of a split are those of the dataset, because `data.load` shuffles by the seed alone:

    proposals = data.split((scene_proposals(),), data.held_out(12_000), seed)["train"][0]
"""

import numpy as np

PROPOSALS = 64  # per image, at most


def propose(image: np.ndarray, count: int = PROPOSALS) -> np.ndarray:
    """Return the proposals for an image.

    Args:
        image: (3, height, width), uint8.
        count: Largest number of proposals.

    Returns:
        Corners (n, 4), float32: x1, y1, x2, y2 in pixels, without duplicates; the regions that were merged last, which
        are the largest, come first.
    """
    raise NotImplementedError


def scene_proposals() -> np.ndarray:
    """Return the proposals for all images of `shape-scenes`, in the order of `shape_scenes.load()`.

    Returns:
        Corners (12000, 64, 4), float32, zeros after an image's last proposal.
    """
    raise NotImplementedError
