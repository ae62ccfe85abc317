"""DeepLab v1: Chen, Papandreou, Kokkinos, Murphy, Yuille, DeepLab with fully connected CRFs (arXiv:1412.7062, 2014).

A classifier becomes a segmenter: its dense layers become convolutions, and the strides of its last two poolings are
removed, which leaves a map of stride 8. Convolutions after them have holes in their kernels ("atrous"), a dilation of
2, so that they see as much of the image as before. A fully connected CRF (`models/layers/dense_crf.py`) then moves the
boundaries of the masks, enlarged eightfold, to where the colors change.

VGG16 LargeFOV, for images of 3x321x321 and 20 classes and the background; all poolings are 3x3 with padding 1:

    layer       output       conv5, with the map of 41x41, has 3x3 filters with dilation 2
    features    conv1, /2    64x161x161
                conv2, /2    128x81x81
                conv3, /2    256x41x41
                conv4        512x41x41
                conv5        512x41x41     14,714,688 parameters, those of vgg16
    fc6         3x3, 1024, dilation 12     4,719,616     spans 25 places, as much as VGG's 7x7 at stride 32
    fc7         1x1, 1024                  1,049,600
    fc8         1x1, 21      21x41x41         21,525
    total                                 20,505,429

VGG's own fc6 of 7x7 and 4096 filters would have 102,764,544 parameters. fc6 and fc7 are followed by ReLU and dropout.
The paper's loss is that of the map, with the labels of every eighth pixel. Here the logits are enlarged first, by
bilinear interpolation that aligns the centers of corner pixels: in images of 8k + 1 pixels, such as 321, the places are
exactly 8 pixels apart, the first and the last at the edges.

`features` has torchvision's keys of VGG. The mini reads 3x65x65 and has batch norm, because it learns from random
weights, and a smaller rate, because its map has 9x9 places.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from models.vision.vgg import VGG


def dilated_vgg(depths: Sequence[int], channels: int, batch_norm: bool) -> nn.Sequential:
    """Return the convolutions of VGG with an output stride of 8; the last stage has dilation 2.

    Args:
        depths: Convolutions in each of the five stages.
        channels: Channels of the first stage; the last has eight times as many.
        batch_norm: Whether each convolution is followed by batch norm.
    """
    # VGG's dense layers are not used: as small as can be.
    features = VGG(depths, batch_norm, channels, hidden_size=1, num_classes=1, image_size=32).features
    stage = 1
    for k, layer in enumerate(features):
        if isinstance(layer, nn.MaxPool2d):
            features[k] = nn.MaxPool2d(kernel_size=3, stride=2 if stage <= 3 else 1, padding=1)
            stage += 1
        elif isinstance(layer, nn.Conv2d) and stage == 5:
            layer.dilation = layer.padding = (2, 2)
    return features


class LargeFOV(nn.Sequential):
    """The three layers that replace VGG's dense ones: a 3x3 convolution with a large dilation, and two of 1x1.

    Args:
        in_channels: Channels of the map.
        hidden_channels: Channels of fc6 and fc7.
        rate: Dilation of fc6.
        num_classes: Number of classes.
        dropout: Probability that a channel's value is dropped in a training step.
    """

    def __init__(self, in_channels: int, hidden_channels: int, rate: int, num_classes: int, dropout: float):
        super().__init__()
        if rate < 1:
            raise ValueError("a dilation rate must be 1 or more")
        self.fc6 = nn.Conv2d(in_channels, hidden_channels, kernel_size=3, padding=rate, dilation=rate)
        self.relu6 = nn.ReLU(inplace=True)
        self.drop6 = nn.Dropout(dropout)
        self.fc7 = nn.Conv2d(hidden_channels, hidden_channels, kernel_size=1)
        self.relu7 = nn.ReLU(inplace=True)
        self.drop7 = nn.Dropout(dropout)
        self.fc8 = nn.Conv2d(hidden_channels, num_classes, kernel_size=1)


class DeepLabV1(nn.Module):
    """A dilated VGG and three convolutions.

    Its logits are enlarged with `align_corners`.

    Args:
        depths: Convolutions in each stage of VGG.
        channels: Channels of VGG's first stage.
        batch_norm: Whether each of its convolutions is followed by batch norm.
        hidden_channels: Channels of fc6 and fc7.
        rate: Dilation of fc6, in places of the map.
        num_classes: Number of classes, the background included.
        image_size: Height and width of the image; other sizes can be read, too.
        dropout: Probability that a value of fc6 or fc7 is dropped in a training step.
    """

    align_corners = True

    def __init__(
        self,
        depths: Sequence[int] = (2, 2, 3, 3, 3),
        channels: int = 64,
        batch_norm: bool = False,
        hidden_channels: int = 1024,
        rate: int = 12,
        num_classes: int = 21,
        image_size: int = 321,
        dropout: float = 0.5,
    ):
        super().__init__()
        if num_classes < 1:
            raise ValueError("num_classes must be 1 or more")
        self.input_shape = (3, image_size, image_size)
        self.features = dilated_vgg(depths, channels, batch_norm)
        self.classifier = LargeFOV(8 * channels, hidden_channels, rate, num_classes, dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes, ceil(h/8), ceil(w/8)) for images (N, 3, h, w)."""
        logits: Tensor = self.classifier(self.features(x))
        return logits


FAMILY = dict(
    family="deeplab-v1",
    year=2015,
    paper="arXiv:1412.7062",
    topic="deeplab",
    task="shape-segments",
    contribution=(
        "Dilated convolutions replace the last strides of a classifier, so that its map is eight instead of 32 times "
        "smaller than the image, and a fully connected CRF restores the boundaries."
    ),
    builds_on=("fcn", "vgg"),
    network="DeepLabV1",
    names={"deeplab-v1": dict()},
    inputs=dict(image="float32[3, image_size, image_size]"),
    outputs=dict(logits="float32[num_classes, rows, columns]"),
    sizes=dict(classes="num_classes"),
    parts=dict(backbone=("features.",)),
    params={"deeplab-v1": 20_505_429},
    mini=dict(
        depths=(1, 1, 2, 2, 2), channels=8, batch_norm=True, hidden_channels=128, rate=2, num_classes=5, image_size=65
    ),
    recipe=dict(epochs=2, schedule="one-cycle", lr=0.01, batch_size=16),
    reference=None,
)
