"""MNIST: 70,000 handwritten digits of 28x28 pixels (LeCun, Cortes, Burges, 1998), in the published parts.

60,000 to train with, a tenth of which is held out to choose by; 10,000 to test by, of other writers. Fetched once.
"""

import gzip
from pathlib import Path
from typing import Any

import numpy as np

from workbench.data.fetch import fetched

SET = dict(
    title="which digit a hand wrote, from 28x28 pixels",
    row="one digit, by a pupil or an office worker, centred",
    samples=70_000,
    shape=(1, 28, 28),
    classes=("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"),
    target="digit",
    source="LeCun, Cortes, Burges, The MNIST database, 1998",
    licence="CC BY-SA 3.0",
    files=(
        ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
        ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
        ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
    ),
)
FILES: Any = SET["files"]
SOURCES = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/")


def load() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Parts `train` and `test`: pictures (N, 1, 28, 28), uint8 from 0 (paper) to 255 (ink); classes (N,).

    Raises:
        UserError: The files aren't there and can't be fetched.
    """
    folder = fetched("mnist", FILES, SOURCES)
    return {
        part: (
            idx(folder / f"{name}-images-idx3-ubyte.gz")[:, None],
            idx(folder / f"{name}-labels-idx1-ubyte.gz").astype(np.int64),
        )
        for part, name in (("train", "train"), ("test", "t10k"))
    }


def idx(file: Path) -> np.ndarray:
    """What a compressed IDX file holds: two zeros, 8 for bytes, how many dimensions, each as four bytes; the bytes."""
    content = gzip.decompress(file.read_bytes())
    shape = np.frombuffer(content, ">u4", content[3], offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(shape)
