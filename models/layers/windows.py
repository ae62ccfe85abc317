"""Windows of a map, in which tokens attend to each other: Liu et al., Swin transformer (arXiv:2103.14030)."""

from torch import Tensor


def split_windows(x: Tensor, window_size: int) -> Tensor:
    """Return the tokens of each window, (N, h, w, ...) -> (N * windows, window_size**2, ...), row by row."""
    blocks: Tensor = x.unflatten(2, (-1, window_size)).unflatten(1, (-1, window_size))
    return blocks.transpose(2, 3).flatten(3, 4).flatten(0, 2)


def merge_windows(windows: Tensor, window_size: int, grid_size: int) -> Tensor:
    """Return the map (N, grid_size, grid_size, features) whose windows these are; the inverse of `split_windows`."""
    count = grid_size // window_size
    blocks: Tensor = windows.unflatten(1, (window_size, window_size)).unflatten(0, (-1, count, count))
    return blocks.transpose(2, 3).flatten(3, 4).flatten(1, 2)
