"""Image files with a prompt in their own pixels, as a network reads them, and its masks in the pixels of the files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.data import picture_file, prompts, run_lengths
from workbench.data.scaling import Scaler
from workbench.errors import UserError
from workbench.tasks.base import Task, Visualization

MASK_LOGIT = 10.0  # of a pixel of a mask file; the others have its negative
WHITE = 128  # pixels of a mask file from here on are of the object


@dataclass
class PromptedFile:
    """An image file, resized to a square of the network.

    Attributes:
        file: The file.
        image: Its pixels (1, 3, size, size), standardized; gray at the right or at the bottom.
        width: Width of the file in pixels.
        height: Its height.
        scale: Factors by which x and y became larger, (2,).
    """

    file: Path
    image: Tensor
    width: int
    height: int
    scale: Tensor

    @classmethod
    def read(cls, file: Path, size: int, scaler: Scaler, frame: int = 0) -> "PromptedFile":
        """Return a file, or an image of an animation, for a network that reads images of this height and width.

        Raises:
            UserError: If it is not an image, or damaged.
        """
        pixels, scale = picture_file.letterbox(file, size, 3, frame)
        image = torch.from_numpy(scaler(pixels[None].astype(np.float32)))
        width, height = picture_file.upright_size(file)
        return cls(file, image, width, height, torch.tensor(scale, dtype=torch.float32))

    def read_prompt(self, prompt: Mapping[str, Any], mask_size: int) -> dict[str, Tensor | None]:
        """Return a prompt as `clicks` (1, P, 2), `labels` (1, P), `boxes` (1, 4) and `masks` (1, 1, size, size).

        Args:
            prompt: As for `Task.predict_prompt`, in pixels of the file.
            mask_size: Height and width of the masks that the network reads.

        Raises:
            UserError: If there is none, or it is not inside the image.
        """
        points, box, mask = prompt.get("points") or [], prompt.get("box"), prompt.get("mask")
        if not (points or box or mask):
            raise UserError("Add what to segment: --point X,Y, --box X1,Y1,X2,Y2 or --mask FILE.")
        limits = f"x is from 0 to {self.width - 1} and y from 0 to {self.height - 1}"
        size = f"{picture_file.named(self.file)}, which has {self.width}x{self.height} pixels"
        for x, y, _ in points:
            if not self._contains(x, y):
                raise UserError(f"The point {x:g},{y:g} is outside {size}: {limits}.")
        if box:
            x1, y1, x2, y2 = box
            corners = ",".join(f"{value:g}" for value in box)
            if x2 <= x1 or y2 <= y1:
                raise UserError(f"The box {corners} is empty: x2 must be larger than x1, and y2 larger than y1.")
            if not (self._contains(x1, y1) and self._contains(x2, y2)):
                raise UserError(f"The box {corners} is not inside {size}: {limits}.")
        clicks = torch.tensor([point[:2] for point in points], dtype=torch.float32).view(1, -1, 2)
        return {
            "clicks": self._resize(clicks),
            "labels": torch.tensor([int(label) for *_, label in points], dtype=torch.int64)[None],
            "boxes": self._resize(torch.tensor(box, dtype=torch.float32).view(1, 2, 2)).flatten(1) if box else None,
            "masks": self._read_mask(Path(mask), mask_size) if mask else None,
        }

    def to_file_pixels(self, logits: Tensor) -> np.ndarray:
        """Return the mask (height, width), bool, of logits of the square (size, size)."""
        size = self.image.shape[-1]
        square = F.interpolate(logits[None, None], size=(size, size), mode="bilinear", align_corners=False)
        width, height = self._scaled_size(1)
        part = square[:, :, :height, :width]
        mask = F.interpolate(part, size=(self.height, self.width), mode="bilinear", align_corners=False)[0, 0] > 0
        return mask.numpy()

    def _scaled_size(self, factor: float) -> tuple[int, int]:
        """Return the width and the height of the image in a square of `factor` times as many pixels per line."""
        x_scale, y_scale = self.scale.tolist()
        return max(1, round(self.width * x_scale * factor)), max(1, round(self.height * y_scale * factor))

    def _contains(self, x: float, y: float) -> bool:
        return 0 <= x <= self.width - 1 and 0 <= y <= self.height - 1

    def _resize(self, places: Tensor) -> Tensor:
        return (places + 0.5) * self.scale - 0.5  # an integer is the center of a pixel

    def _read_mask(self, file: Path, mask_size: int) -> Tensor:
        pixels = picture_file.whole(file, 1)[..., 0]
        if pixels.shape != (self.height, self.width):
            raise UserError(
                f"{picture_file.named(file)} has {pixels.shape[1]}x{pixels.shape[0]} pixels, and "
                f"{picture_file.named(self.file)} {self.width}x{self.height}: a mask needs the size of its image."
            )
        if not (pixels >= WHITE).any():
            raise UserError(f"{picture_file.named(file)} is empty: paint the object white.")
        mask = torch.from_numpy((pixels >= WHITE).astype(np.float32))[None, None]
        width, height = self._scaled_size(mask_size / self.image.shape[-1])
        resized = F.interpolate(mask, size=(height, width), mode="area")
        square = F.pad(resized, (0, mask_size - width, 0, mask_size - height))
        return MASK_LOGIT * (2 * square - 1)


QUESTIONS = {
    "image": "an image file",
    "point": "x,y of a pixel inside the object; 0 after it for one outside; several with a space between",
    "box": "x1,y1,x2,y2 around the object",
}


def respond(task: Task, network: nn.Module, question: Mapping[str, str], seed: int) -> Visualization:
    """Return a drawing of the masks of a prompt, whose parts are texts, see `QUESTIONS`.

    Raises:
        UserError: If the image or the prompt can't be read.
    """
    task.check_question(question)
    if "image" not in question:
        raise UserError("Ask about an image: image=FILE.")
    file = Path(question["image"])
    prompt = prompts.parse(question.get("point", "").split(), question.get("box") or None, None) or {}
    [prediction] = task.predict_prompt(network, [file], prompt, seed)
    about = {"file": str(file), **prediction}
    ious = ", ".join(f"{mask['iou']:.3f}" for mask in prediction["masks"])
    tiles = [prompts.draw_mask(about, mask, prompt["points"]) for mask in prediction["masks"]]
    return {"kind": "masks", "caption": f"predicted IoU {ious}", "images": tiles}


def describe_mask(mask: np.ndarray, iou: float) -> dict[str, Any]:
    """Return a mask (height, width) as plain data: predicted `iou`, `share` of the image, `box` and `rle`.

    The box is x1, y1, x2, y2, the outermost pixels, None for an empty mask; `rle` is of `workbench.data.run_lengths`.
    """
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    box = [int(line) for line in (columns[0], rows[0], columns[-1], rows[-1])] if len(rows) else None
    return {
        "iou": round(iou, 4),
        "share": round(float(mask.mean()), 4),
        "box": box,
        "rle": run_lengths.encode(mask),
    }
