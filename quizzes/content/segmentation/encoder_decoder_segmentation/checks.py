"""Checks of the drills about FCN, SegNet and U-Net."""

from math import ceil
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _count(*modules: nn.Module) -> int:
    return sum(weights.numel() for module in modules for weights in module.parameters())


def _unet_sizes(n: int, L: int) -> tuple[list[int], list[int], int, int]:
    """Return the sizes of the skips and of the upsampled maps, that of the bottom, and that of the output.

    Raises:
        ValueError: If a pooling does not divide its map, or nothing is left.
    """
    x, weight, up = torch.zeros(1, 1, n), torch.zeros(1, 1, 3), torch.zeros(1, 1, 2)
    skips: list[int] = []
    crops: list[int] = []
    for level in range(L):
        if x.shape[2] < 5:
            raise ValueError("the map is too small")
        x = F.conv1d(F.conv1d(x, weight), weight)
        if level < L - 1:
            skips.append(x.shape[2])
            if x.shape[2] % 2:
                raise ValueError("the pooling does not divide the map")
            x = F.max_pool1d(x, 2)
    bottom = x.shape[2]
    for _ in range(L - 1):
        x = F.conv_transpose1d(x, up, None, 2)
        crops.append(x.shape[2])
        if x.shape[2] < 5:
            raise ValueError("the map is too small")
        x = F.conv1d(F.conv1d(x, weight), weight)
    return skips, crops, bottom, x.shape[2]


def unet_shapes(n: int, L: int) -> dict[str, Any]:
    skips, crops, bottom, o = _unet_sizes(n, L)
    return dict(bottom=bottom, skip=skips, crop=crops, o=o)


def unet_tiles(m: int, L: int, W: int, H: int) -> dict[str, int]:
    for n in range(m, m + 2000):
        try:
            _, _, _, o = _unet_sizes(n, L)
        except ValueError:
            continue
        if o >= m:
            tiles = len(torch.arange(W).split(o)) * len(torch.arange(H).split(o))
            return dict(n=n, o=o, a=ceil((n - o) / 2), t=tiles)
    raise ValueError("no size fits")


def skip_merge(C: int, C_s: int, n: int) -> dict[str, Any]:
    with torch.device("meta"):
        maps = torch.zeros(1, C, n, n), torch.zeros(1, C_s, n, n)
        joined = torch.cat(maps, 1)
        layers = [nn.Conv2d(x.shape[1], C, 3) for x in (joined, maps[0] + maps[1])]
    return dict(P_cat=_count(layers[0]), P_add=_count(layers[1]), M_cat=joined.float().nbytes / 1024)


def attention_gate(x: Tensor, g: Tensor, A: Tensor, B: Tensor, psi: Tensor, b: float) -> dict[str, Any]:
    skip, gate = (v.double()[None, :, None, None] for v in (x, g))
    h = F.relu(F.conv2d(skip, A.double()[:, :, None, None]) + F.conv2d(gate, B.double()[:, :, None, None]))
    z = F.conv2d(h, psi.double()[None, :, None, None], torch.tensor([b]).double())
    return dict(h=h[0, :, 0, 0], z=z[0, 0, 0, 0], alpha=z.sigmoid()[0, 0, 0, 0], y=(skip * z.sigmoid())[0, :, 0, 0])


def debug_up_block(program: str) -> dict[str, int]:
    import re
    import traceback

    lines = program.splitlines()
    try:
        exec(program, {"torch": torch, "nn": nn})  # noqa: S102
    except RuntimeError as error:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "<string>"]
        name = re.search(r"self\.\w+", lines[(frames[-1].lineno or 1) - 1])
        channels = re.search(r"to have (\d+) channels, but got (\d+) channels", str(error))
        assert name and channels
        e, r = map(int, channels.groups())
        line = next(k for k, text in enumerate(lines, 1) if text.strip().startswith(f"{name[0]} = "))
        names: dict[str, Any] = {"nn": nn}
        exec("layer = " + lines[line - 1].split(" = ")[1].replace(f"({e},", f"({r},", 1), names)  # noqa: S102
        return dict(line=line, e=e, r=r, P=_count(names["layer"]))
    raise ValueError("the program does not fail")


class _SmallUNet(nn.Module):
    def __init__(self, c: int, w: int, K: int):
        super().__init__()
        self.first = nn.Conv2d(c, w, 3, padding=1)
        self.second = nn.Conv2d(w, 2 * w, 3, padding=1)
        self.third = nn.Conv2d(2 * w, 4 * w, 3, padding=1)
        self.up_2, self.up_1 = nn.ConvTranspose2d(4 * w, 2 * w, 2, 2), nn.ConvTranspose2d(2 * w, w, 2, 2)
        self.merge_2, self.merge_1 = nn.LazyConv2d(2 * w, 3, padding=1), nn.LazyConv2d(w, 3, padding=1)
        self.head = nn.Conv2d(w, K, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor], Tensor, Tensor]:
        one = self.first(x)
        two = self.second(F.max_pool2d(one, 2))
        bottom = self.third(F.max_pool2d(two, 2))
        joined = torch.cat([self.up_2(bottom), two], 1)
        x = torch.cat([self.up_1(self.merge_2(joined)), one], 1)
        return bottom, [one, two], joined, self.head(self.merge_1(x))


def chain_unet_mini(n: int, c: int, w: int, K: int) -> dict[str, Any]:
    network = _SmallUNet(c, w, K)
    bottom, skips, joined, logits = network(torch.zeros(1, c, n, n))
    loss = F.cross_entropy(torch.zeros_like(logits).double(), torch.zeros(1, n, n, dtype=torch.long))
    return dict(
        bottom=list(bottom.shape[1:]),
        C=joined.shape[1],
        P=_count(network),
        M=sum(skip.float().nbytes for skip in skips) / 1024,
        loss=loss,
    )


def fcn_upsample(n: int, k: int, K: int) -> dict[str, Any]:
    layers = [nn.Conv2d(4096, K, 1, device="meta")]
    pool3 = torch.zeros(1, 1, n).unflatten(2, (-1, 8)).amax(3)
    pool4 = F.max_pool1d(pool3, 2)
    score = pool5 = F.max_pool1d(pool4, 2)
    doublings = 0
    for skip, channels in ((pool4, 512), (pool3, 256)):
        if score.shape[2] * k < n:
            score = F.interpolate(score, scale_factor=2.0) + skip
            layers.append(nn.Conv2d(channels, K, 1, device="meta"))
            doublings += 1
    return dict(a=pool5.shape[2], h=score.shape[2], m=doublings, P=_count(*layers))


def fcn_fuse(X: Tensor, Y: Tensor) -> dict[str, Any]:
    coarse = F.interpolate(X.double()[None, None], scale_factor=2.0, mode="nearest")[0, 0]
    fused = coarse + Y
    return dict(O=fused, c=int((fused.sign() != coarse.sign()).sum()))


def fully_convolutional(n: int, S: int, C: int, f: int, F: int) -> dict[str, int]:
    dense = nn.Linear(C * f * f, F, device="meta")
    with torch.device("meta"):
        layer = nn.Conv2d(C, F, f)
        output = layer(nn.AvgPool2d(S)(torch.zeros(1, C, n, n)))
    assert dense.weight.numel() == layer.weight.numel()
    return dict(P=_count(dense), o=output.shape[2], w=output[0, 0].numel())


def segnet_indices(H: int, W: int, C: int) -> dict[str, float]:
    values = torch.zeros(C, H, W, device="meta")
    _, indices = nn.MaxPool2d(2, return_indices=True)(values[None])
    # Four indices of two bits fit into a byte.
    packed = torch.empty(indices.numel(), 4, device="meta", dtype=torch.uint8).nbytes / 16
    return dict(M_i=packed / 1024, M_t=indices.nbytes / 1024, M_f=values.float().nbytes / 1024)
