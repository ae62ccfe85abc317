"""A ResNet whose last maps keep their resolution: dilation replaces the strides of its last layers.

A stride of 2 halves a map, and with it the precision of a segmentation. Without that stride every later kernel would
see half as much of the image, so its taps are spread twice as far (dilation 2, after two removed strides 4): the maps
have the same values as before at every second place, and new ones in between. The weights do not change, so weights
that were trained with strides can be loaded.
"""

from collections.abc import Mapping, Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from models.vision.resnet import ResNet

# Output stride -> whether dilation replaces the stride of layer2, layer3 and layer4.
REPLACED_STRIDES = {8: (False, True, True), 16: (False, False, True), 32: (False, False, False)}


class DilatedResNet(ResNet):
    """A ResNet of bottlenecks without its last layer, which returns the maps of its four layers.

    Args:
        layers: Number of bottlenecks in each of the four layers.
        channels: Channels of conv1.
        output_stride: Pixels of the image per place of the last map, 8, 16 or 32.
    """

    def __init__(self, layers: Sequence[int], channels: int, output_stride: int):
        if output_stride not in REPLACED_STRIDES:
            raise ValueError(f"output_stride must be 8, 16 or 32, not {output_stride}")
        super().__init__("bottleneck", layers, channels, replace_stride_with_dilation=REPLACED_STRIDES[output_stride])
        del self.avgpool, self.fc

    def forward(self, x: Tensor) -> list[Tensor]:  # type: ignore[override]
        """Return the maps of layer1 to layer4 for images (N, 3, h, w)."""
        return self.features(x)


class FCNHead(nn.Sequential):
    """A 3x3 convolution to a quarter of the channels, and a 1x1 convolution to logits, as torchvision's.

    Args:
        in_channels: Channels of the map.
        num_classes: Number of classes.
    """

    def __init__(self, in_channels: int, num_classes: int):
        if num_classes < 1:
            raise ValueError("num_classes must be 1 or more")
        hidden = in_channels // 4
        super().__init__(
            nn.Conv2d(in_channels, hidden, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(0.1),
            nn.Conv2d(hidden, num_classes, kernel_size=1),
        )


class ResNetSegmenter(nn.Module):
    """A dilated ResNet, a classifier of the places of its last map, and bilinear interpolation to the image's size.

    An auxiliary classifier of the third map gives the middle of the network a gradient; only its loss is used.

    Args:
        backbone: The ResNet.
        classifier: Maps the last map to logits.
        num_classes: Number of classes, the background included.
        image_size: Height and width of the image; other sizes can be read, too.
        aux_loss: Whether there is an auxiliary classifier.
    """

    def __init__(
        self, backbone: DilatedResNet, classifier: nn.Module, num_classes: int, image_size: int, aux_loss: bool
    ):
        super().__init__()
        self.input_shape = (3, image_size, image_size)
        self.backbone = backbone
        self.classifier = classifier
        self.aux_classifier = FCNHead(backbone.feature_channels[2], num_classes) if aux_loss else None

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Return logits (N, num_classes, h, w) as `out`, and the auxiliary ones as `aux`, for images (N, 3, h, w)."""
        *_, third, last = self.backbone(x)
        outputs = {"out": self.classifier(last)}
        if self.aux_classifier is not None:
            outputs["aux"] = self.aux_classifier(third)
        return {name: resize(logits, x) for name, logits in outputs.items()}

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load the weights of torchvision's network with the same layers."""
        self.load_state_dict(state_dict)


def resize(x: Tensor, like: Tensor, align_corners: bool = False) -> Tensor:
    """Return maps (N, C, h, w), bilinearly interpolated to the height and width of another tensor.

    Args:
        x: The maps.
        like: A tensor of the size that they get.
        align_corners: Whether the centers of corner pixels stay in place; if not, their outer corners do.
    """
    return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=align_corners)
