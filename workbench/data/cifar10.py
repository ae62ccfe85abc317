"""CIFAR-10: 60,000 photographs of 32x32 pixels in ten classes (Krizhevsky, 2009), in the published parts.

50,000 to train with, a tenth of which is held out to choose by; 10,000 to test by. Fetched once, in the form that is
bytes alone: the one that torchvision reads is made of pickles.
"""

import tarfile
from typing import Any

import numpy as np

from workbench.data.fetch import fetched

SET = dict(
    title="what is in a photograph, of 32x32 pixels",
    row="one photograph, made small",
    samples=60_000,
    shape=(3, 32, 32),
    classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    target="class",
    source="Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009",
    licence="none stated; for research",
    files=(("cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530"),),
)
FILES: Any = SET["files"]
SOURCE = "https://www.cs.toronto.edu/~kriz/"
BATCHES = dict(train=[f"data_batch_{k}.bin" for k in range(1, 6)], test=["test_batch.bin"])


def load() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Parts `train` and `test`: pictures (N, 3, 32, 32), uint8, channels red, green, blue; classes (N,).

    Raises:
        UserError: The file isn't there and can't be fetched.
    """
    [(name, _)] = FILES
    with tarfile.open(fetched("cifar10", FILES, [SOURCE]) / name) as archive:  # nothing is unpacked to the disk
        rows = {part: np.concatenate([_rows(archive, batch) for batch in batches]) for part, batches in BATCHES.items()}
    return {part: (found[:, 1:].reshape(-1, 3, 32, 32), found[:, 0].astype(np.int64)) for part, found in rows.items()}


def _rows(archive: tarfile.TarFile, batch: str) -> np.ndarray:
    """A batch's rows: the class, then the pixels of each channel, row by row."""
    file = archive.extractfile(f"cifar-10-batches-bin/{batch}")
    assert file is not None  # the archive is the published one
    return np.frombuffer(file.read(), np.uint8).reshape(-1, 1 + 3 * 32 * 32)
