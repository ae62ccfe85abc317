"""Run lengths of masks against pycocotools."""

import numpy as np
import pytest
from pycocotools import mask as coco

from workbench.data import run_lengths


@pytest.mark.parametrize("density", [0.0, 0.2, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("size", [(1, 1), (5, 9), (9, 5)])
def test_runs_are_those_of_pycocotools(size, density):
    mask = np.random.default_rng(0).random(size) < density
    lengths = run_lengths.encode(mask)
    np.testing.assert_array_equal(run_lengths.decode(lengths), mask)
    compressed = coco.frPyObjects(lengths, *size)
    np.testing.assert_array_equal(coco.decode(compressed), mask)
    assert compressed["counts"] == coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"]
