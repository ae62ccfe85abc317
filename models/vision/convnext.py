"""ConvNeXt: Liu, Mao, Wu, Feichtenhofer, Darrell, Xie, A ConvNet for the 2020s (arXiv:2201.03545, 2022).

Is it attention that makes vision transformers better than ResNets, or is it all that came with it? Step by step a
ResNet takes a transformer's proportions and small choices (patches for a stem, depthwise filters, an inverted
bottleneck, one layer norm and one GELU a block), mixes positions by convolution alone, and does as well.

Pictures of 3x224x224. A block is a depthwise 7x7, a layer norm over the channels, and two dense layers on every pixel,
4 times as wide between them; its output is scaled, a learnt number a channel, and added to its input. Between stages, a
norm and a 2x2 convolution with stride 2:

    layer       output    convnext-tiny    convnext-small    convnext-base    convnext-large
    stem        56x56     4x4, stride 4, then a norm
    stages.0    56x56     96, x3           96, x3            128, x3          192, x3
    stages.1    28x28     192, x3          192, x3           256, x3          384, x3
    stages.2    14x14     384, x9          384, x27          512, x27         768, x27
    stages.3    7x7       768, x3          768, x3           1024, x3         1536, x3
    head        1000      average over the map, norm, dense
    drop path             0.1              0.4               0.5              0.5
    parameters            28,589,128       50,223,688        88,591,464       197,767,336

The names of the weights are timm's. Layer scale begins at 1e-6, so that a fresh network is little more than its stem
and its downsampling; the network trains all the same, since Adam's steps are of the learning rate's size.

The minis are 16 to 24 channels wide, have a third of the blocks, and read 3x32x32. Fewer inputs to a neuron take larger
first weights for sums of the same size; so shallow a network needs neither small scales nor a drop path.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from models.layers.by_position import load_by_position
from models.layers.drop_path import DropPath

LayerNorm = partial(nn.LayerNorm, eps=1e-6)


class ChannelNorm(nn.LayerNorm):
    """A layer norm over the channels of each pixel, for maps that have their channels first.

    Args:
        channels: Channels that come in and go out.
    """

    def __init__(self, channels: int):
        super().__init__(channels, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) -> (N, channels, h, w)."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Block(nn.Module):
    """A depthwise 7x7 mixes positions, two dense layers mix channels; scaled, and added to the input.

    Args:
        channels: Channels that come in and go out.
        drop_path: Chance of a sample to skip the block while training.
        layer_scale: What the scale of every channel begins at.
    """

    def __init__(self, channels: int, drop_path: float, layer_scale: float):
        super().__init__()
        self.conv_dw = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = LayerNorm(channels)
        self.mlp = nn.Sequential(
            OrderedDict(
                fc1=nn.Linear(channels, 4 * channels),
                activation=nn.GELU(),
                fc2=nn.Linear(4 * channels, channels),
            )
        )
        self.gamma = nn.Parameter(torch.full((channels,), layer_scale))
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) -> (N, channels, h, w)."""
        y = self.conv_dw(x).permute(0, 2, 3, 1)  # channels last, as dense layers read them
        y = self.gamma * self.mlp(self.norm(y))
        return x + self.drop_path(y.permute(0, 3, 1, 2))


class Stage(nn.Module):
    """Blocks of one width, behind what takes the stage before to it.

    Args:
        channels: Channels that come in.
        width: Channels that go out; where they are more, the map is halved.
        drop_paths: For every block, the chance of a sample to skip it.
        layer_scale: What the blocks' scales begin at.
    """

    def __init__(self, channels: int, width: int, drop_paths: Sequence[float], layer_scale: float):
        super().__init__()
        self.downsample: nn.Module = nn.Identity()
        if channels != width:
            self.downsample = nn.Sequential(ChannelNorm(channels), nn.Conv2d(channels, width, 2, stride=2))
        self.blocks = nn.Sequential(*[Block(width, drop, layer_scale) for drop in drop_paths])

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) -> (N, width, h/2, w/2), or of the same side in the first stage."""
        return self.blocks(self.downsample(x))


class ConvNeXt(nn.Module):
    """Patches of 4x4 pixels, four stages of blocks, the mean of the last maps, a norm, and a dense layer.

    Args:
        depths: Blocks of each of the four stages.
        width: Channels of the first stage; every later one doubles them.
        drop_path: Chance of a sample to skip the last block; it grows evenly from 0 in the first.
        layer_scale: What the scales of all channels of all blocks begin at.
        std: Standard deviation of the first weights.
        classes: Number of classes.
        side: Pixels of the square input's side; at least 32.
    """

    def __init__(
        self,
        depths: Sequence[int] = (3, 3, 9, 3),
        width: int = 96,
        drop_path: float = 0.1,
        layer_scale: float = 1e-6,
        std: float = 0.02,
        classes: int = 1000,
        side: int = 224,
    ):
        super().__init__()
        if len(depths) != 4 or min(depths) < 1:
            raise ValueError("depths must be four numbers of 1 or more")
        if side < 32:
            raise ValueError("side must be 32 or more: patches of 4x4, and the map is halved three times")
        self.input_shape = (3, side, side)
        self.stem = nn.Sequential(nn.Conv2d(3, width, 4, stride=4), ChannelNorm(width))
        drops = torch.linspace(0, drop_path, sum(depths), device="cpu").tolist()
        stages, channels = [], width
        for k, depth in enumerate(depths):
            stages.append(Stage(channels, width * 2**k, drops[:depth], layer_scale))
            channels, drops = width * 2**k, drops[depth:]
        self.stages = nn.Sequential(*stages)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Sequential(OrderedDict(norm=LayerNorm(channels), fc=nn.Linear(channels, classes)))
        for layer in self.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.trunc_normal_(layer.weight, std=std)
                nn.init.zeros_(layer.get_parameter("bias"))

    def forward(self, x: Tensor) -> Tensor:
        """Class scores (N, classes) of pictures (N, 3, side, side)."""
        x = self.stages(self.stem(x))
        return self.head(self.avgpool(x).flatten(1))

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Take the weights of torchvision's or timm's ConvNeXt of the same depths and width."""
        load_by_position(self, state_dict)


FAMILY = dict(
    family="convnext",
    year=2022,
    paper="arXiv:2201.03545",
    topic="modern-cnn",
    task="shapes",
    idea=(
        "A ResNet with a vision transformer's proportions and small choices, step by step, does as well as one without "
        "any attention."
    ),
    builds_on=("resnet", "swin"),
    network="ConvNeXt",
    names={
        "convnext-tiny": dict(depths=(3, 3, 9, 3), width=96, drop_path=0.1),
        "convnext-small": dict(depths=(3, 3, 27, 3), width=96, drop_path=0.4),
        "convnext-base": dict(depths=(3, 3, 27, 3), width=128, drop_path=0.5),
        "convnext-large": dict(depths=(3, 3, 27, 3), width=192, drop_path=0.5),
    },
    input=(3, 224, 224),
    output=(1000,),
    params={
        "convnext-tiny": 28_589_128,
        "convnext-small": 50_223_688,
        "convnext-base": 88_591_464,
        "convnext-large": 197_767_336,
    },
    mini=dict(depths=(1, 1, 9, 1), drop_path=0.0, layer_scale=1.0, std=0.05, classes=8, side=32),
    minis={
        "convnext-tiny": dict(depths=(1, 1, 3, 1), width=16),
        "convnext-small": dict(width=16),
        "convnext-base": dict(width=20),
        "convnext-large": dict(width=24),
    },
    lr={"convnext-tiny": 0.001, "convnext-small": 0.001, "convnext-base": 0.001, "convnext-large": 0.001},
    reference="torchvision",
)
