"""torchvision's GoogLeNet: Szegedy et al., Going deeper with convolutions (arXiv:1409.4842, 2014).

It has the modules of the paper, which are in `googlenet.py`. These details differ:

    convolutions              without bias, followed by batch norm (eps 10^-3), then ReLU
    response normalization    none
    5x5 filters               3x3, because of a bug in TensorFlow's code that the weights depend on
    maxpool4                  2x2
    auxiliary classifiers     average maps of any size to 4x4
    dropout before fc         0.2 instead of 0.4
    initial weights           normal, standard deviation 0.01, truncated at 2

                              with auxiliary classifiers    without
    parameters                13,004,888                    6,624,904

State-dict keys are torchvision's. The mini has 16 channels in conv1 instead of 64, and reads 3x32x32.
"""

from collections.abc import Mapping

from torch import Tensor, nn

from models.vision.googlenet import GoogLeNet, InceptionAux


class ConvNormReLU(nn.Module):
    """A convolution, batch norm, and ReLU.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Height and width of the kernel; odd.
        stride: 2 halves the height and the width.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2, bias=False)
        self.bn = nn.BatchNorm2d(out_channels, eps=1e-3)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, h, w) -> (N, out_channels, h/stride, w/stride)."""
        out: Tensor = self.relu(self.bn(self.conv(x)))
        return out


class TorchvisionGoogLeNet(GoogLeNet):
    """GoogLeNet with batch norm; its arguments are the same."""

    conv_block = ConvNormReLU
    largest_kernel = 3
    last_pool_kernel = 2

    def response_norm(self) -> nn.Module:
        """Return no normalization."""
        return nn.Identity()

    def auxiliary_classifier(self, in_channels: int, channels: int, num_classes: int, map_size: int) -> InceptionAux:
        """Return an auxiliary classifier for maps of any size."""
        return InceptionAux(in_channels, channels, num_classes, nn.AdaptiveAvgPool2d(4), 4, ConvNormReLU)

    def initialize_weights(self) -> None:
        """Draw weights from a truncated normal distribution; biases have PyTorch's default."""
        for layer in self.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.trunc_normal_(layer.weight, std=0.01, a=-2, b=2)

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load the weights of torchvision's `googlenet`; those of auxiliary classifiers only if there are any here."""
        if self.aux1 is None:
            state_dict = {key: value for key, value in state_dict.items() if not key.startswith("aux")}
        self.load_state_dict(state_dict)


FAMILY = dict(
    family="googlenet",
    year=2014,
    paper="arXiv:1409.4842",
    topic="milestones",
    task="shapes",
    contribution=(
        "Filters of several sizes in parallel, made affordable by 1x1 convolutions; batch norm, a year younger, makes "
        "the 22 layers easy to train."
    ),
    builds_on=("network-in-network",),
    network="TorchvisionGoogLeNet",
    names={"googlenet-torchvision": dict(dropout=0.2)},
    inputs=dict(image="float32[3, image_size, image_size]"),
    outputs=dict(logits="float32[num_classes]"),
    sizes=dict(classes="num_classes"),
    params={"googlenet-torchvision": 13_004_888},
    mini=dict(channels=16, num_classes=8, image_size=32),
    recipe=dict(lr=0.001),
    reference="torchvision",
)
