"""RoIAlign against torchvision's operator, and against functions whose means are known."""

import pytest
import torch
import torchvision.ops

from models.layers.roi_align import roi_align


def random_boxes(count, size, generator):
    first = (torch.rand(count, 2, generator=generator) * 1.3 - 0.2) * size  # some outside the image
    sizes = torch.rand(count, 2, generator=generator) ** 2 * size  # some smaller than a cell
    return torch.cat([first, first + sizes], dim=1)


@pytest.mark.parametrize("output_size", [1, 2, 7])
@pytest.mark.parametrize("sampling_ratio", [-1, 1, 2, 3])
@pytest.mark.parametrize("scale", [1.0, 1 / 16])
@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_and_gradients_are_torchvisions(output_size, sampling_ratio, scale, aligned, dtype):
    generator = torch.Generator().manual_seed(output_size + sampling_ratio)
    features = torch.randn(2, 3, 12, 9, generator=generator).to(dtype).requires_grad_()
    boxes = [random_boxes(6, 12 / scale, generator).to(dtype), random_boxes(4, 12 / scale, generator).to(dtype)]
    arguments = (features, boxes, output_size, scale, sampling_ratio, aligned)
    ours, theirs = roi_align(*arguments), torchvision.ops.roi_align(*arguments)
    tolerance = dict(rtol=1e-5, atol=2e-5) if dtype == torch.float32 else dict(rtol=1e-10, atol=1e-11)
    torch.testing.assert_close(ours, theirs, **tolerance)
    assert ours.abs().max() > 0.1
    weights = torch.randn(ours.shape, generator=generator).to(dtype)
    gradients = [torch.autograd.grad((pooled * weights).sum(), features)[0] for pooled in (ours, theirs)]
    torch.testing.assert_close(*gradients, **tolerance)


def test_the_mean_of_a_linear_function_is_its_value_at_the_center_of_a_bin():
    y, x = torch.meshgrid(torch.arange(20.0), torch.arange(30.0), indexing="ij")
    features = (3 * y - 2 * x + 1)[None, None]  # at the cells' numbers
    boxes = [torch.tensor([[4.2, 3.1, 16.2, 15.1]])]
    centers = (torch.arange(3) + 0.5) * 4
    expected = 3 * (3.1 + centers[:, None]) - 2 * (4.2 + centers) + 1
    for points in (1, 2, -1):
        torch.testing.assert_close(roi_align(features, boxes, 3, 1.0, points)[0, 0], expected)
        torch.testing.assert_close(roi_align(features, boxes, 3, 1.0, points, aligned=True)[0, 0], expected - 0.5)


def test_no_boxes_are_an_empty_result():
    assert roi_align(torch.ones(2, 3, 4, 4), [torch.zeros(0, 4)] * 2, 7).shape == (0, 3, 7, 7)
