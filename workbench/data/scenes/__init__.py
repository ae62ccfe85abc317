"""Pictures made by code, with all that is true of them: labels, boxes, masks, captions, short videos.

    options = Options(side=64, objects=(2, 4), overlap=0.1)
    made = scene(options, seed=7)                  # what is in the picture: plain data
    drawn = draw(made)                             # .picture, .masks, .boxes, .labels
    captions(made)                                 # "a small red circle left of a large striped blue square"
    film(made, frames=8)                           # the same objects, moving

The same seed and options give the same scene, in every process.
"""

from workbench.data.scenes.boxes import box, iou
from workbench.data.scenes.captions import captions
from workbench.data.scenes.draw import Drawn, alone, draw, whole
from workbench.data.scenes.film import Film, film
from workbench.data.scenes.kinds import KINDS
from workbench.data.scenes.options import Options
from workbench.data.scenes.scene import PALETTE, Object, Scene, scene
from workbench.data.scenes.textures import TEXTURES, Texture

__all__ = [
    "KINDS",
    "PALETTE",
    "TEXTURES",
    "Drawn",
    "Film",
    "Object",
    "Options",
    "Scene",
    "Texture",
    "alone",
    "box",
    "captions",
    "draw",
    "film",
    "iou",
    "scene",
    "whole",
]
