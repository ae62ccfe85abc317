"""Claims about segmentation by prompts: SAM and SAM 2."""

from collections.abc import Iterator
from typing import Any

from workbench.claims.claim import Exact
from workbench.claims.evidence import Evidence, true


def outputs_per_mask(seed: int) -> Iterator[Evidence]:
    import torch

    import models

    del seed  # nothing is random
    shapes = {}
    with torch.device("meta"):
        for name in ("sam", "sam2"):
            network: Any = models.build(name).eval()
            images = torch.zeros(1, 3, network.image_size, network.image_size)
            click = torch.zeros(1, 1, 2), torch.ones(1, 1, dtype=torch.int64)
            outputs = network.decode(network.encode(images), *network.to_points(*click))
            # Tokens are not an output: they are what pointers of the memory are made of.
            shapes[name] = {key: tuple(value.shape[1:]) for key, value in outputs.items() if key != "tokens"}
    added = {key: shape for key, shape in shapes["sam2"].items() if key not in shapes["sam"]}
    yield true("SAM 2 has an output for an image that SAM lacks", bool(added), f"shapes of the new outputs: {added}")
    has_classes = any(size > 1 for shape in added.values() for size in shape)
    yield true("a new output has a score for each of several classes", has_classes, f"shapes: {added}")


SAM2_SEMANTIC_LABELS = Exact(
    id="sam2-semantic-labels",
    statement="SAM 2 adds semantic labels to SAM: each mask has scores of classes.",
    topic="instance-and-promptable",
    evidence=outputs_per_mask,
    is_structural=True,
    expected="does_not_hold",
    source="Ravi et al., SAM 2: Segment anything in images and videos (2024), sections 4 and D",
    note=(
        "SAM 2 adds a memory, so that an object is followed through a video, and a score that tells whether a frame "
        "shows it. Masks have no classes."
    ),
)
