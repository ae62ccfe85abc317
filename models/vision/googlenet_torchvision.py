"""GoogLeNet as torchvision has it: Szegedy et al., Going deeper with convolutions (arXiv:1409.4842, 2014).

The plan is that of the paper, module by module, and stands in `googlenet.py`. What has changed since 2014:

    convolutions              without bias, normalised over the batch (eps 10^-3), then ReLU
    response normalisation    none
    5x5 filters               3x3, by a slip in TensorFlow's code that the weights have kept
    maxpool4                  2x2
    auxiliary classifiers     mean over 4x4 windows of whatever map comes
    dropout before fc         0.2, and not 0.4
    first weights             normal, standard deviation 0.01, nothing beyond 2

                              with auxiliary classifiers    without
    parameters                13,004,888                    6,624,904

The names of the weights are torchvision's. The mini is 16 channels wide where this has 64, and reads 3x32x32.
"""

from collections.abc import Mapping

from torch import Tensor, nn

from models.vision.googlenet import Auxiliary, GoogLeNet


class NormalisedConvolution(nn.Module):
    """A convolution, batch normalisation, and ReLU.

    Args:
        channels: Channels that come in.
        width: Channels that go out.
        kernel: Side of the filter; odd.
        stride: 2 halves the map's side.
    """

    def __init__(self, channels: int, width: int, kernel: int, stride: int = 1):
        super().__init__()
        self.conv = nn.Conv2d(channels, width, kernel, stride, padding=kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(width, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) -> (N, width, h/stride, w/stride)."""
        return self.bn(self.conv(x)).relu()


class TorchvisionGoogLeNet(GoogLeNet):
    """GoogLeNet with batch normalisation; its arguments are the same."""

    convolution = NormalisedConvolution
    large = 3
    last_pool = 2

    def response_norm(self) -> nn.Module:
        return nn.Identity()

    def auxiliary_classifier(self, channels: int, width: int, classes: int, side: int) -> Auxiliary:
        return Auxiliary(channels, width, classes, nn.AdaptiveAvgPool2d(4), 4, NormalisedConvolution)

    def initialise(self) -> None:
        for layer in self.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.trunc_normal_(layer.weight, std=0.01, a=-2, b=2)

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Take the weights of torchvision's `googlenet`, and leave those of classifiers that aren't here."""
        without = self.aux1 is None
        kept = {name: weight for name, weight in state_dict.items() if not (without and name.startswith("aux"))}
        self.load_state_dict(kept)


FAMILY = dict(
    family="googlenet",
    year=2014,
    paper="arXiv:1409.4842",
    topic="milestones",
    task="shapes",
    idea=(
        "Filters of several sizes side by side, made affordable by 1x1 convolutions; batch normalisation, a year "
        "younger, makes the 22 layers easy to train."
    ),
    builds_on=("network-in-network",),
    network="TorchvisionGoogLeNet",
    names={"googlenet-torchvision": dict(dropout=0.2)},
    input=(3, 224, 224),
    output=(1000,),
    params={"googlenet-torchvision": 13_004_888},
    mini=dict(width=16, classes=8, side=32),
    lr={"googlenet-torchvision": 0.001},
    reference="torchvision",
)
