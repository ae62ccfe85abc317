"""RoI pooling against torchvision's operator, the golden case of the course, and integer arithmetic."""

import pytest
import torch
import torchvision.ops

from models.layers.roi_pooling import roi_pool


def random_boxes(count, size, generator):
    first = (torch.rand(count, 2, generator=generator) - 0.1) * size  # some outside the image
    return torch.cat([first, first + torch.rand(count, 2, generator=generator) * size], dim=1)


@pytest.mark.parametrize("output_size", [1, 2, 3, 7])
@pytest.mark.parametrize("scale", [1.0, 1 / 4, 1 / 16])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_and_gradients_are_torchvisions(output_size, scale, dtype):
    generator = torch.Generator().manual_seed(output_size)
    features = torch.randn(2, 3, 12, 9, generator=generator).to(dtype).requires_grad_()
    boxes = [random_boxes(6, 12 / scale, generator).to(dtype), random_boxes(4, 12 / scale, generator).to(dtype)]
    ours = roi_pool(features, boxes, output_size, scale)
    theirs = torchvision.ops.roi_pool(features, boxes, output_size, scale)
    assert ours.shape == (10, 3, output_size, output_size) and torch.equal(ours, theirs)
    weights = torch.randn(ours.shape, generator=generator).to(dtype)
    gradients = [torch.autograd.grad((pooled * weights).sum(), features)[0] for pooled in (ours, theirs)]
    torch.testing.assert_close(*gradients)


def test_halves_are_rounded_as_torchvision_rounds_them():
    features = torch.arange(144.0).view(1, 1, 12, 12)
    boxes = [torch.tensor([[x - 0.5, y - 0.5, x + 4.5, y + 2.5] for x in range(7) for y in range(7)])]
    assert torch.equal(roi_pool(features, boxes, 2), torchvision.ops.roi_pool(features, boxes, 2))


def test_bins_of_seven_rows_and_five_columns_share_a_row_and_a_column():
    features = torch.arange(35.0).view(1, 1, 7, 5)  # the last cell of a bin has its maximum
    pooled = roi_pool(features, [torch.tensor([[0.0, 0, 4, 6]])], 2)[0, 0]
    assert pooled.tolist() == [[3 * 5 + 2, 3 * 5 + 4], [6 * 5 + 2, 6 * 5 + 4]]  # rows [0, 4), [3, 7); columns alike


def test_the_golden_case():
    pooled = roi_pool(torch.arange(36.0).view(1, 1, 6, 6), [torch.tensor([[0.0, 0, 4, 4]])], 2)
    assert pooled.flatten().tolist() == [14, 16, 26, 28]


def test_bins_outside_the_map_are_0_and_no_boxes_are_an_empty_result():
    features = torch.ones(1, 2, 4, 4)
    assert roi_pool(features, [torch.tensor([[10.0, 10, 12, 12]])], 2).abs().sum() == 0
    assert roi_pool(features, [torch.zeros(0, 4)], 2).shape == (0, 2, 2, 2)


@pytest.mark.parametrize("cells", range(1, 15))
@pytest.mark.parametrize("bins", [1, 2, 3, 5])
def test_the_cells_of_a_bin_are_those_of_integer_arithmetic(cells, bins):
    features = torch.eye(cells, dtype=torch.float64)[None, :, :, None].expand(1, cells, cells, 1)  # a channel per cell
    pooled = roi_pool(features, [torch.tensor([[0, 0, 0, cells - 1]]).double()], bins)[0, :, :, 0]
    for number in range(bins):
        first, end = number * cells // bins, -(-(number + 1) * cells // bins)
        assert pooled[:, number].nonzero()[:, 0].tolist() == list(range(first, end))
