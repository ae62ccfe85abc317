"""Sources against plain loops: bytes, samples of different lengths, windows of a stream, columns side by side."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from workbench.data.sources import Merged, Ragged, Resident, StandardizedBytes, TokenWindows
from workbench.errors import UserError

lengths = st.lists(st.integers(0, 5), min_size=1, max_size=8)
seeds = st.integers(0, 1000)


def rows_of(data, count):
    """Draw a slice, or sample numbers in any order, perhaps repeated."""
    if data.draw(st.booleans()):
        start = data.draw(st.integers(0, count))
        return slice(start, data.draw(st.integers(start, count + 2)))
    return torch.tensor(data.draw(st.lists(st.integers(0, count - 1), max_size=6)), dtype=torch.long)


def numbers_of(rows, count):
    return list(range(count))[rows] if isinstance(rows, slice) else rows.tolist()


@given(data=st.data(), count=st.integers(1, 9), seed=seeds)
def test_resident_columns_are_rows_of_their_tensors(data, count, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(count, 2, 3)).astype(np.float32), rng.integers(0, 9, count)
    source = Resident(x=torch.from_numpy(x), y=torch.from_numpy(y))
    rows = rows_of(data, count)
    batch, numbers = source.batch(rows), numbers_of(rows, count)
    assert len(source) == count and list(batch) == ["x", "y"]
    assert np.array_equal(batch["x"].numpy(), x[numbers]) and np.array_equal(batch["y"].numpy(), y[numbers])


@given(
    data=st.data(),
    count=st.integers(1, 5),
    seed=seeds,
    shift=st.floats(0, 255, width=32),
    spread=st.floats(np.float32(0.1), 255, width=32),
)
def test_bytes_are_standardized_to_the_same_floats(data, count, seed, shift, spread):
    stored = np.random.default_rng(seed).integers(0, 256, (count, 1, 4, 3), dtype=np.uint8)
    source = Resident(image=StandardizedBytes(torch.from_numpy(stored), shift, spread))
    rows = rows_of(data, count)
    expected = (stored[numbers_of(rows, count)].astype(np.float32) - np.float32(shift)) / np.float32(spread)
    for place in (source, source.to(torch.device("cpu"))):
        image = place.batch(rows)["image"]
        assert image.dtype == torch.float32 and np.array_equal(image.numpy(), expected)
    assert np.array_equal(source.columns["image"].values.numpy(), stored)  # reading changes nothing
    assert source.columns["image"].values.dtype == torch.uint8


def test_bytes_can_be_standardized_by_channel():
    stored = torch.arange(24, dtype=torch.uint8).view(2, 3, 2, 2)
    shift, spread = torch.tensor([1.0, 2.0, 3.0])[:, None, None], torch.tensor([4.0, 5.0, 6.0])[:, None, None]
    column = StandardizedBytes(stored, shift, spread)
    assert torch.equal(column.take(slice(None)), (stored.float() - shift) / spread)


@pytest.mark.parametrize("columns", [{}, {"x": torch.ones(3), "y": torch.ones(2)}])
def test_columns_have_one_length(columns):
    with pytest.raises(ValueError, match="one length"):
        Resident(**columns)


@given(data=st.data(), lengths=lengths, seed=seeds, shape=st.sampled_from([(), (4,), (2, 3)]))
def test_ragged_samples_are_padded_and_masked(data, lengths, seed, shape):
    rng = np.random.default_rng(seed)
    samples = [rng.normal(size=(length, *shape)) for length in lengths]
    source = Ragged("boxes", torch.from_numpy(np.concatenate(samples)), torch.tensor([0, *np.cumsum(lengths)]))
    rows = rows_of(data, len(lengths))
    selected = [samples[number] for number in numbers_of(rows, len(lengths))]
    batch = source.batch(rows)
    boxes, mask = batch["boxes"], batch["boxes_mask"]
    longest = max(map(len, selected), default=0)
    assert len(source) == len(lengths)
    assert boxes.shape == (len(selected), longest, *shape) and mask.shape == (len(selected), longest)
    assert mask.dtype == torch.bool and mask.sum(dim=1).tolist() == [len(sample) for sample in selected]
    for padded, is_value, sample in zip(boxes, mask, selected, strict=True):
        assert np.array_equal(padded[: len(sample)].numpy(), sample) and not padded[len(sample) :].any()
        assert is_value.tolist() == [True] * len(sample) + [False] * (longest - len(sample))


@pytest.mark.parametrize("offsets", [[], [[0, 3]], [1, 3], [0, 2], [0, 4], [0, 2, 1, 3]])
def test_offsets_that_do_not_describe_the_values_are_an_error(offsets):
    with pytest.raises(ValueError, match="Offsets must"):
        Ragged("boxes", torch.ones(3), torch.tensor(offsets, dtype=torch.long))


@given(data=st.data(), total=st.integers(2, 40), length=st.integers(1, 10), stride=st.integers(1, 12))
def test_windows_of_tokens_are_slices_of_the_stream(data, total, length, stride):
    tokens = list(np.random.default_rng(total).integers(0, 50, total))
    if total <= length:
        with pytest.raises(UserError, match=f"{total} tokens, and a window needs {length + 1}"):
            TokenWindows(torch.tensor(tokens), length, stride)
        return
    source = TokenWindows(torch.tensor(tokens), length, stride)
    starts = [start for start in range(0, total, stride) if start + length < total]
    assert len(source) == len(starts)
    rows = rows_of(data, len(starts))
    batch = source.batch(rows)
    selected = [starts[number] for number in numbers_of(rows, len(starts))]
    assert batch["tokens"].tolist() == [tokens[start : start + length] for start in selected]
    assert batch["targets"].tolist() == [tokens[start + 1 : start + length + 1] for start in selected]


@given(total=st.integers(2, 60), length=st.integers(1, 10))
def test_windows_cover_the_stream_once(total, length):
    if total <= length:
        return
    source = TokenWindows(torch.arange(total), length)
    batch = source.batch(slice(None))
    predicted = batch["targets"].flatten().tolist()
    assert predicted == list(range(1, len(predicted) + 1))
    assert total - 1 - len(predicted) < length  # less than a window is left over


@given(data=st.data(), lengths=lengths)
def test_merged_columns_are_those_of_each_source(data, lengths):
    ragged = Ragged("boxes", torch.arange(sum(lengths)), torch.tensor([0, *np.cumsum(lengths)]))
    resident = Resident(image=torch.rand(len(lengths), 2), target=torch.arange(len(lengths)))
    merged, rows = Merged(resident, ragged), rows_of(data, len(lengths))
    batch = merged.to(torch.device("cpu")).batch(rows)
    assert len(merged) == len(lengths) and list(batch) == ["image", "target", "boxes", "boxes_mask"]
    for source in (resident, ragged):
        for name, column in source.batch(rows).items():
            assert torch.equal(batch[name], column)


def test_merged_sources_have_one_length():
    with pytest.raises(ValueError, match="one length"):
        Merged(Resident(x=torch.ones(3)), Resident(y=torch.ones(2)))
    with pytest.raises(ValueError, match="one length"):
        Merged()
