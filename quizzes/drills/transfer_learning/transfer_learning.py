"""Trainable parameters in transfer learning: a new head, the batch norm layers, a block, or the whole network."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.transfer_learning import TRANSFER_TABLE, TRANSFER_TRAINABLE

# torchvision's networks: features, parameters with the head for 1000 classes, and parameters of the batch norm layers.
NETWORKS = {
    "resnet18": (512, 11_689_512, 9_600),
    "resnet34": (512, 21_797_672, 17_024),
    "resnet50": (2048, 25_557_032, 53_120),
    "mobilenet_v2": (1280, 3_504_872, 34_112),
    "densenet121": (1024, 7_978_856, 83_648),
    "efficientnet_b0": (1280, 5_288_548, 42_016),
}


@drill(
    TRANSFER_TRAINABLE,
    tier=1,
    asks="P",
    visualization="flow: image > {network} > {F} features > new head > {K} classes",
    prompt="{network} with its linear head for {K_old} classes has {P_all} parameters. Its backbone outputs {F} "
    "features. For transfer learning, a new linear layer with bias replaces the head, for {K} classes. "
    "In the backbone, {P_bn} parameters{which} stay trainable, and all others are frozen.",
    hint="How many weights and biases does the new head have per class?",
)
def transfer_trainable(rng: Random) -> dict[str, Any]:
    """Trainable parameters with a frozen backbone"""
    network = rng.choice(sorted(NETWORKS))
    F, P_all, P_bn = NETWORKS[network]
    P_bn = rng.choice([0, 0, P_bn])
    which = " (scales and shifts of its batch norm layers)" if P_bn else ""
    K = rng.choice([2, 3, 5, 7, 10, 12, 17, 20, 37, 50, 100, 101, 102, 196, 200])
    return dict(F=F, K=K, P_bn=P_bn, P_all=P_all, K_old=1000, network=network, which=which)


transfer_trainable.mistake(
    "frozen-counted",
    "P = P_all - (F + 1)*K_old + (F + 1)*K",
    "You counted frozen parameters. Count only the new head and the trainable parameters of the backbone.",
)
transfer_trainable.mistake(
    "bias-left-out",
    "P = F*K + P_bn",
    "You left out the biases of the head. Each class has one bias in addition to its weights.",
)
transfer_trainable.mistake(
    "old-head",
    "P = (F + 1)*K_old + P_bn",
    "You counted the old head. The new head has one output per new class.",
)
transfer_trainable.mistake(
    "head-on-old-head",
    "P = (K_old + 1)*K + P_bn",
    "You put the new head on top of the old one. It replaces the old head, so its inputs are the features.",
)
transfer_trainable.mistake(
    "batch-norms-left-out",
    "P = (F + 1)*K",
    "You left out the batch norm layers. Their parameters stay trainable, so add them.",
)
transfer_trainable.torch(
    """
from unittest.mock import patch
import torchvision

with torch.device("meta"), patch("torch.nn.init.kaiming_normal_"):  # only the shapes matter
    net = torchvision.models.get_model(network)
    batch_norms = [layer for layer in net.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    linear_layers = [(name, layer) for name, layer in net.named_modules() if isinstance(layer, torch.nn.Linear)]
    head_name, old_head = linear_layers[-1]
    net.requires_grad_(False)
    for layer in batch_norms:
        layer.requires_grad_(P_bn > 0)
    net.set_submodule(head_name, torch.nn.Linear(old_head.in_features, K))
P = sum(p.numel() for p in net.parameters() if p.requires_grad)
"""
)


@drill(
    TRANSFER_TABLE,
    id="transfer-trainable:table",
    tier=3,
    asks="B T_head T_bn T_block T_all",
    visualization="flow: 3 channels > block 1, {k} x {k} > {C1} channels > block 2, {k} x {k} > {C2} channels > "
    "new head > {K} classes",
    prompt="A pretrained network reads RGB images (3 channels). Its backbone is\n"
    "  block 1: {k}x{k} convolution, 3 to {C1} channels, no bias; batch norm; ReLU; max pooling\n"
    "  block 2: {k}x{k} convolution, {C1} to {C2} channels, no bias; batch norm; ReLU; global average pooling\n"
    "Its head for {K_old} classes is replaced by a linear layer with bias for {K} classes.\n"
    "Count the parameters of the backbone (B), and the trainable parameters in feature extraction (T_head: head only), "
    "with trainable batch norm layers (T_bn: head and both batch norm layers), in partial fine-tuning (T_block: head "
    "and all of block 2), and in full fine-tuning (T_all).",
    hint="Count each layer once: the weights of a convolution, scale and shift of a batch norm layer, and the new head "
    "with its biases.",
)
def transfer_table(rng: Random) -> dict[str, Any]:
    """Trainable parameters in feature extraction and fine-tuning"""
    C1 = rng.choice([8, 16, 24, 32])
    return dict(
        k=rng.choice([3, 3, 5]),
        C1=C1,
        C2=rng.choice([2 * C1, 2 * C1, 48, 128]),
        K_old=rng.choice([100, 1000]),
        K=rng.choice([2, 3, 4, 5, 6, 8, 10, 12, 20]),
    )


transfer_table.mistake(
    "batch-norms-left-out",
    "B = 3*k^2*C1 + k^2*C1*C2; T_block = T_head + k^2*C1*C2",
    "You left out the batch norm layers. They have a scale and a shift per channel, which belong to the backbone.",
)
transfer_table.mistake(
    "convolutions-with-bias",
    "B = (3*k^2 + 1)*C1 + 2*C1 + (k^2*C1 + 1)*C2 + 2*C2",
    "You counted biases of the convolutions. They have none, because batch norm adds a shift.",
)
transfer_table.mistake(
    "bias-left-out",
    "T_head = C2*K",
    "You left out the biases of the head. Each class has one bias in addition to its weights.",
)
transfer_table.mistake(
    "old-head",
    "T_head = (C2 + 1)*K_old",
    "You counted the old head. The new head has one output per new class.",
)
transfer_table.mistake(
    "statistics-counted",
    "T_bn = T_head + 4*C1 + 4*C2",
    "You counted the running means and variances. They are buffers; batch norm has two parameters per channel.",
)
transfer_table.mistake(
    "head-left-out",
    "T_bn = 2*C1 + 2*C2; T_block = k^2*C1*C2 + 2*C2; T_all = B",
    "You left out the new head. It is trained in every mode, so add it.",
)
transfer_table.mistake(
    "old-head-kept",
    "T_all = B + T_head + (C2 + 1)*K_old",
    "You added the old head. The new head replaced it, so it does not count.",
)
transfer_table.torch(
    """
from torch import nn

def block(in_channels, out_channels):
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, k, bias=False), nn.BatchNorm2d(out_channels), nn.ReLU())

with torch.device("meta"):
    first, second = block(3, C1), block(C1, C2)
    net = nn.Sequential(first, nn.MaxPool2d(2), second, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(C2, K_old))
    net[-1] = nn.Linear(C2, K)

def num_trainable(*layers):
    net.requires_grad_(False)
    for layer in layers:
        layer.requires_grad_(True)
    return sum(p.numel() for p in net.parameters() if p.requires_grad)

head = net[-1]
B = num_trainable(first, second)
T_head, T_bn = num_trainable(head), num_trainable(head, first[1], second[1])
T_block, T_all = num_trainable(head, second), num_trainable(net)
"""
)
