"""ConvNeXt: Liu, Mao, Wu, Feichtenhofer, Darrell, Xie, A ConvNet for the 2020s (arXiv:2201.03545, 2022).

Are vision transformers better than ResNets because of attention, or because of everything else that came with it? Step
by step, a ResNet gets a transformer's proportions and details (a stem of patches, depthwise filters, an inverted
bottleneck, one layer norm and one GELU per block) but still mixes positions by convolution alone, and performs as well.

For images of 3x224x224. A block is a depthwise 7x7 convolution, a layer norm over the channels, and two dense layers
applied to every pixel, with 4 times as many channels between them; its output is multiplied by a learned scale per
channel and added to its input. Between stages there are a layer norm and a 2x2 convolution with stride 2:

    layer       output    convnext-tiny    convnext-small    convnext-base    convnext-large
    stem        56x56     4x4, stride 4, then a norm
    stages.0    56x56     96, x3           96, x3            128, x3          192, x3
    stages.1    28x28     192, x3          192, x3           256, x3          384, x3
    stages.2    14x14     384, x9          384, x27          512, x27         768, x27
    stages.3    7x7       768, x3          768, x3           1024, x3         1536, x3
    head        1000      global average pooling, norm, dense
    stochastic depth      0.1              0.4               0.5              0.5
    parameters            28,589,128       50,223,688        88,591,464       197,767,336

State-dict keys are timm's. The scales of blocks begin at 1e-6, so that a fresh network is little more than its stem and
its downsampling; it can be trained all the same, because the size of Adam's steps is that of the learning rate.

The minis have 16 to 24 channels and a third of the blocks, and read 3x32x32. Their neurons have fewer inputs and need
larger initial weights for sums of the same size; so shallow a network needs neither small scales nor stochastic depth.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from models.layers.by_position import load_by_position
from models.layers.drop_path import DropPath
from models.layers.layer_norm_2d import LayerNorm2d

LayerNorm = partial(nn.LayerNorm, eps=1e-6)


class Block(nn.Module):
    """A depthwise 7x7 that mixes positions and two dense layers that mix channels, scaled and added to the input.

    Args:
        channels: Channels of the input and of the output.
        stochastic_depth_prob: Probability that a sample skips the block in training.
        layer_scale: Initial value of the scale of every channel.
    """

    def __init__(self, channels: int, stochastic_depth_prob: float, layer_scale: float):
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
        self.drop_path = DropPath(stochastic_depth_prob)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) -> (N, channels, h, w)."""
        y: Tensor = self.conv_dw(x).permute(0, 2, 3, 1)  # channels last, for the dense layers
        y = self.gamma * self.mlp(self.norm(y))
        y = self.drop_path(y.permute(0, 3, 1, 2))
        return x + y


class Stage(nn.Module):
    """Blocks with the same number of channels, after a downsampling layer.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output. If they differ from `in_channels`, height and width are halved.
        stochastic_depth_probs: For every block, the probability that a sample skips it in training.
        layer_scale: Initial value of the scales in the blocks.
    """

    def __init__(
        self, in_channels: int, out_channels: int, stochastic_depth_probs: Sequence[float], layer_scale: float
    ):
        super().__init__()
        self.downsample: nn.Module = nn.Identity()
        if in_channels != out_channels:
            self.downsample = nn.Sequential(LayerNorm2d(in_channels), nn.Conv2d(in_channels, out_channels, 2, stride=2))
        self.blocks = nn.Sequential(*[Block(out_channels, prob, layer_scale) for prob in stochastic_depth_probs])

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, h, w) -> (N, out_channels, h/2, w/2); in the first stage h and w are unchanged."""
        out: Tensor = self.blocks(self.downsample(x))
        return out


class ConvNeXt(nn.Module):
    """A stem of 4x4 patches, four stages of blocks, global average pooling, a norm, and a dense layer.

    Args:
        depths: Blocks in each of the four stages.
        channels: Channels of the first stage; they double with every stage.
        stochastic_depth_prob: Probability that a sample skips the last block in training; it grows evenly from 0 in
            the first block.
        layer_scale: Initial value of the scales of all channels in all blocks.
        init_std: Standard deviation of the initial weights.
        num_classes: Number of classes.
        image_size: Height and width of the image; at least 32.
    """

    def __init__(
        self,
        depths: Sequence[int] = (3, 3, 9, 3),
        channels: int = 96,
        stochastic_depth_prob: float = 0.1,
        layer_scale: float = 1e-6,
        init_std: float = 0.02,
        num_classes: int = 1000,
        image_size: int = 224,
    ):
        super().__init__()
        if len(depths) != 4 or min(depths) < 1:
            raise ValueError("depths must be four numbers of 1 or more")
        if image_size < 32:
            raise ValueError("image_size must be 32 or more: patches are 4x4, and three layers halve the map")
        self.input_shape = (3, image_size, image_size)
        self.stem = nn.Sequential(nn.Conv2d(3, channels, 4, stride=4), LayerNorm2d(channels))
        probs = torch.linspace(0, stochastic_depth_prob, sum(depths), device="cpu").tolist()
        self.feature_channels = tuple(channels * 2**k for k in range(4))
        stages, in_channels = [], channels
        for out_channels, depth in zip(self.feature_channels, depths, strict=True):
            stages.append(Stage(in_channels, out_channels, probs[:depth], layer_scale))
            in_channels, probs = out_channels, probs[depth:]
        self.stages = nn.Sequential(*stages)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Sequential(OrderedDict(norm=LayerNorm(in_channels), fc=nn.Linear(in_channels, num_classes)))
        for layer in self.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.trunc_normal_(layer.weight, std=init_std)
                nn.init.zeros_(layer.get_parameter("bias"))

    def features(self, x: Tensor) -> list[Tensor]:
        """Return the maps of the four stages, with strides 4, 8, 16 and 32, for images (N, 3, h, w).

        `feature_channels` has their channels.
        """
        x, maps = self.stem(x), []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes) for images (N, 3, image_size, image_size)."""
        x = self.stages(self.stem(x))
        logits: Tensor = self.head(self.avgpool(x).flatten(1))
        return logits

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load the weights of torchvision's or timm's ConvNeXt with the same depths and channels."""
        load_by_position(self, state_dict)


FAMILY = dict(
    family="convnext",
    year=2022,
    paper="arXiv:2201.03545",
    topic="modern-cnn",
    task="shapes",
    contribution=(
        "A ResNet that gets a vision transformer's proportions and details step by step performs as well as one, "
        "without any attention."
    ),
    builds_on=("resnet", "swin"),
    network="ConvNeXt",
    names={
        "convnext-tiny": dict(depths=(3, 3, 9, 3), channels=96, stochastic_depth_prob=0.1),
        "convnext-small": dict(depths=(3, 3, 27, 3), channels=96, stochastic_depth_prob=0.4),
        "convnext-base": dict(depths=(3, 3, 27, 3), channels=128, stochastic_depth_prob=0.5),
        "convnext-large": dict(depths=(3, 3, 27, 3), channels=192, stochastic_depth_prob=0.5),
    },
    inputs=dict(image="float32[3, image_size, image_size]"),
    outputs=dict(logits="float32[num_classes]"),
    sizes=dict(classes="num_classes"),
    params={
        "convnext-tiny": 28_589_128,
        "convnext-small": 50_223_688,
        "convnext-base": 88_591_464,
        "convnext-large": 197_767_336,
    },
    mini=dict(
        depths=(1, 1, 9, 1),
        stochastic_depth_prob=0.0,
        layer_scale=1.0,
        init_std=0.05,
        num_classes=8,
        image_size=32,
    ),
    mini_overrides={
        "convnext-tiny": dict(depths=(1, 1, 3, 1), channels=16),
        "convnext-small": dict(channels=16),
        "convnext-base": dict(channels=20),
        "convnext-large": dict(channels=24),
    },
    recipe=dict(lr=0.001),
    reference="torchvision",
)
