"""FCN: Long, Shelhamer, Darrell, Fully convolutional networks for semantic segmentation (arXiv:1411.4038, 2015).

VGG16 reads images of any size once its dense layers are convolutions: fc6 is one of 7x7, fc7 one of 1x1. Its scores for
21 classes, one per 32x32 pixels, are upsampled by a transposed convolution. FCN-16s and FCN-8s add scores of earlier
and finer maps, those of pool4 and of pool3, before the last upsampling.

For images of 3x500x500. The first convolution has padding 100, so that fc6 has room at the edges; poolings round up:

    layer          output        parameters      fcn32s      fcn16s      fcn8s
    convolutions   512x22x22     14,714,688
    fc6, fc7       4096x16x16    119,545,856
    scores         21x16x16      86,037
    pool4 scores   21x44x44      10,773                      crop 5      crop 5
    pool3 scores   21x88x88      5,397                                   crop 9
    upsampling 2x  21x34x34      7,056                       4x4         4x4, twice
    upsampling                                   64x64, 32x  32x32, 16x  16x16, 8x
    crop           21x500x500                    19          27          31
    total                                        136,152,917 134,815,994 134,489,759

The offset of each crop is what aligns the centers of the pixels of both maps; `crop_offsets` derives it. As in the
authors' networks, transposed convolutions start as bilinear interpolation, and the last one stays so; the scores start
at 0, so that FCN-16s begins as FCN-32s. `features` has torchvision's keys of vgg16. The mini has batch norm, since it
learns from random weights, a 3x3 kernel in fc6 and padding 33, and reads 3x64x64.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from models.vision.vgg import VGG

SKIPS = {32: (), 16: (4,), 8: (4, 3)}  # stride of the finest scores -> poolings whose maps are added


class FCN(nn.Module):
    """VGG with convolutions in place of its dense layers, and upsampled scores.

    Args:
        stride: Pixels per score of the finest map: 32, 16 or 8.
        depths: Convolutions in each of VGG's five stages.
        batch_norm: Whether each convolution of VGG is followed by batch norm.
        channels: Channels of the first stage; the next three double them, up to eight times as many.
        hidden_size: Channels of fc6 and fc7.
        kernel_size: Height and width of the kernel of fc6.
        padding: Padding of the first convolution.
        num_classes: Number of classes.
        image_size: Height and width of the image that examples have; the network reads any size.
        dropout: Probability that a channel of fc6 and fc7 is dropped in a training step.
    """

    def __init__(
        self,
        stride: int = 32,
        depths: Sequence[int] = (2, 2, 3, 3, 3),
        batch_norm: bool = False,
        channels: int = 64,
        hidden_size: int = 4096,
        kernel_size: int = 7,
        padding: int = 100,
        num_classes: int = 21,
        image_size: int = 500,
        dropout: float = 0.5,
    ):
        super().__init__()
        if stride not in SKIPS:
            raise ValueError("stride must be 32, 16 or 8")
        self.input_shape = (3, image_size, image_size)
        self.features = VGG(depths, batch_norm, channels, hidden_size=1, num_classes=1, image_size=32).features
        for layer in self.features:
            if isinstance(layer, nn.MaxPool2d):
                layer.ceil_mode = True
            elif isinstance(layer, nn.Conv2d) and layer.in_channels == 3:
                layer.padding = (padding, padding)
        self.fc6 = nn.Conv2d(8 * channels, hidden_size, kernel_size)
        self.fc7 = nn.Conv2d(hidden_size, hidden_size, kernel_size=1)
        self.relu, self.dropout = nn.ReLU(inplace=True), nn.Dropout2d(dropout)
        self.score = nn.Conv2d(hidden_size, num_classes, kernel_size=1)
        self.poolings = SKIPS[stride]
        self.skip_scores = nn.ModuleList(
            nn.Conv2d(channels * min(2 ** (pooling - 1), 8), num_classes, kernel_size=1) for pooling in self.poolings
        )
        self.upsample_twice = nn.ModuleList(_upsampling(num_classes, 2) for _ in self.poolings)
        self.upsample = _upsampling(num_classes, stride)
        self.upsample.weight.requires_grad_(False)
        self.skip_offsets, self.offset = crop_offsets(kernel_size, padding)[stride]
        for layer in (self.fc6, self.fc7):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.get_parameter("bias"))
        for layer in (self.score, *self.skip_scores):
            nn.init.zeros_(layer.get_parameter("weight"))
            nn.init.zeros_(layer.get_parameter("bias"))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes, height, width) for images (N, 3, height, width)."""
        size, pooled = x.shape[2:], []
        for layer in self.features:
            x = layer(x)
            if isinstance(layer, nn.MaxPool2d):
                pooled.append(x)
        x = self.dropout(self.relu(self.fc6(x)))
        scores = self.score(self.dropout(self.relu(self.fc7(x))))
        skips = zip(self.poolings, self.upsample_twice, self.skip_scores, self.skip_offsets, strict=True)
        for pooling, upsample_twice, score, offset in skips:
            coarse = upsample_twice(scores)
            scores = coarse + crop(score(pooled[pooling - 1]), offset, coarse.shape[2:])
        return crop(self.upsample(scores), self.offset, size)


def _upsampling(num_classes: int, stride: int) -> nn.ConvTranspose2d:
    """Return a transposed convolution that starts as bilinear interpolation of each class by itself."""
    layer = nn.ConvTranspose2d(num_classes, num_classes, kernel_size=2 * stride, stride=stride, bias=False)
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[range(num_classes), range(num_classes)] = bilinear_kernel(2 * stride).to(layer.weight)
    return layer


def bilinear_kernel(size: int) -> Tensor:
    """Return the kernel (size, size) of a transposed convolution of stride size/2 that interpolates."""
    distance = (torch.arange(size) - (size - 1) / 2).abs()
    weights = 1 - distance / (size / 2)
    return weights[:, None] * weights


def crop_offsets(kernel_size: int, padding: int) -> Mapping[int, tuple[tuple[int, ...], int]]:
    """Return stride -> offsets of the crops of pool4's and pool3's scores, and of the output.

    The center of pixel u of pool n is pixel 2^n u + c of the image. A convolution of fc6's size moves it by
    (kernel_size - 1) / 2 pixels of pool5, and one of the upsampling's size k by (k - 1) / 2 of its own output.
    """
    center = {n: (2**n - 1) / 2 + 1 - padding for n in (3, 4, 5)}
    score = center[5] + 32 * (kernel_size - 1) / 2  # of the first score, in pixels of the image
    offsets: dict[int, tuple[tuple[int, ...], int]] = {32: ((), round(31.5 - score))}
    crops: tuple[int, ...] = ()
    for stride, pooling in ((16, 4), (8, 3)):
        first = score - 1.5 * stride  # of the upsampled scores
        crops = (*crops, round((first - center[pooling]) / stride))
        score = first
        offsets[stride] = crops, round((2 * stride - 1) / 2 - score)
    return offsets


def crop(maps: Tensor, offset: int, size: Sequence[int]) -> Tensor:
    """Return the part of maps (N, channels, height, width) that begins at an offset in both directions."""
    return maps[:, :, offset : offset + size[0], offset : offset + size[1]]


FAMILY = dict(
    family="fcn",
    year=2015,
    paper="arXiv:1411.4038",
    topic="encoder-decoder-segmentation",
    task="shape-segments",
    contribution=(
        "A classifier without dense layers scores all pixels of an image of any size at once, and scores of earlier "
        "maps bring back what pooling has lost."
    ),
    builds_on=("vgg",),
    network="FCN",
    names={"fcn32s": dict(stride=32), "fcn16s": dict(stride=16), "fcn8s": dict(stride=8)},
    inputs=dict(image="float32[3, image_size, image_size]"),
    outputs=dict(logits="float32[num_classes, image_size, image_size]"),
    sizes=dict(classes="num_classes"),
    parts=dict(backbone=("features.",)),
    params={"fcn32s": 136_152_917, "fcn16s": 134_815_994, "fcn8s": 134_489_759},
    mini=dict(
        depths=(1, 1, 1, 1, 1),
        batch_norm=True,
        channels=8,
        hidden_size=128,
        kernel_size=3,
        padding=33,
        num_classes=5,
        image_size=64,
        dropout=0.1,
    ),
    recipe=dict(epochs=2, batch_size=16, schedule="one-cycle", lr=0.01),
    reference=None,
)
