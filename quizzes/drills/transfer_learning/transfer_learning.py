"""What is trained: a new head, the batch norms, a block, everything."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.transfer_learning import TRANSFER_TABLE, TRANSFER_TRAINABLE

# torchvision's networks: features, all parameters with the head for 1000 classes, and those of the batch norms.
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
    prompt="{network} with its linear head for {K_old} classes has {P_all} parameters; its backbone hands {F} "
    "features to "
    "the head. For transfer learning the head is replaced by a new linear layer, with bias, for {K} classes. Of the "
    "backbone {P_bn} parameters{which} stay trainable, and all others are frozen. How many parameters are trained?",
    hint="Each new class has a weight for every feature, and a bias.",
)
def transfer_trainable(rng: Random) -> dict[str, Any]:
    """Trained parameters behind a frozen backbone"""
    network = rng.choice(sorted(NETWORKS))
    F, P_all, P_bn = NETWORKS[network]
    P_bn = rng.choice([0, 0, P_bn])
    which = ", the scales and shifts of its batch norms," if P_bn else ""
    K = rng.choice([2, 3, 5, 7, 10, 12, 17, 20, 37, 50, 100, 101, 102, 196, 200])
    return dict(F=F, K=K, P_bn=P_bn, P_all=P_all, K_old=1000, network=network, which=which)


transfer_trainable.mistake(
    "frozen-counted",
    "P = P_all - (F + 1)*K_old + (F + 1)*K",
    "What is frozen is not trained: only the new head counts, and what is left trainable of the backbone.",
)
transfer_trainable.mistake(
    "bias-left-out", "P = F*K + P_bn", "Each class has a bias beside its weights: F + 1 parameters."
)
transfer_trainable.mistake(
    "old-head",
    "P = (F + 1)*K_old + P_bn",
    "The old head is gone: the new one has as many outputs as there are new classes.",
)
transfer_trainable.mistake(
    "head-on-old-head",
    "P = (K_old + 1)*K + P_bn",
    "The new head replaces the old one and reads the features of the backbone, not the old class scores.",
)
transfer_trainable.mistake(
    "batch-norms-left-out", "P = (F + 1)*K", "The batch norms that are left trainable count too: add their parameters."
)
transfer_trainable.torch(
    """
from unittest.mock import patch
import torchvision

with torch.device("meta"), patch("torch.nn.init.kaiming_normal_"):  # only the shapes of its weights are wanted
    net = torchvision.models.get_model(network)
    body = [layer for layer in net.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    last, old = [(name, layer) for name, layer in net.named_modules() if isinstance(layer, torch.nn.Linear)][-1]
    net.requires_grad_(False)
    for layer in body:
        layer.requires_grad_(P_bn > 0)
    net.set_submodule(last, torch.nn.Linear(old.in_features, K))
P = sum(p.numel() for p in net.parameters() if p.requires_grad)
"""
)


@drill(
    TRANSFER_TABLE,
    id="transfer-trainable:table",
    tier=3,
    asks="B T_head T_bn T_block T_all",
    visualization="flow: 3 channels > block 1, {k} x {k} > {C1} channels > block 2, {k} x {k} > {C2} "
    "channels > new head > "
    "{K} classes",
    prompt="A pretrained network reads RGB images (3 channels). Its backbone is\n"
    "  block 1: convolution {k} x {k}, 3 to {C1} channels, without bias; batch norm; ReLU; max pooling\n"
    "  block 2: convolution {k} x {k}, {C1} to {C2} channels, without bias; batch norm; ReLU; global average pooling\n"
    "and its head was a linear layer for {K_old} classes. The head is replaced by a linear layer with bias for {K} "
    "classes.\n"
    "How many parameters does the backbone have (B)? How many are trained in feature extraction (T_head: the head "
    "alone), with the batch norms of the backbone trained as well (T_bn: head and both batch norms), in partial "
    "fine-tuning (T_block: head and all of block 2), and in full fine-tuning (T_all)?",
    hint="Count each layer once: weights of a convolution, scale and shift of a batch norm, the new head with its "
    "biases.",
)
def transfer_table(rng: Random) -> dict[str, Any]:
    """Feature extraction against fine-tuning, in parameters"""
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
    "A batch norm has a scale and a shift for each channel: they belong to the backbone and are trained with it.",
)
transfer_table.mistake(
    "convolutions-with-bias",
    "B = (3*k^2 + 1)*C1 + 2*C1 + (k^2*C1 + 1)*C2 + 2*C2",
    "These convolutions have no bias: the shift of the batch norm does its work.",
)
transfer_table.mistake(
    "bias-left-out", "T_head = C2*K", "Each class of the head has a bias beside its C2 weights: (C2 + 1) K."
)
transfer_table.mistake(
    "old-head",
    "T_head = (C2 + 1)*K_old",
    "The old head is gone: the new one has as many outputs as there are new classes.",
)
transfer_table.mistake(
    "statistics-counted",
    "T_bn = T_head + 4*C1 + 4*C2",
    "Running means and variances are buffers and not trained: a batch norm has two parameters for each channel.",
)
transfer_table.mistake(
    "head-left-out",
    "T_bn = 2*C1 + 2*C2; T_block = k^2*C1*C2 + 2*C2; T_all = B",
    "The new head starts from random values and is trained in every mode: add it.",
)
transfer_table.mistake(
    "old-head-kept",
    "T_all = B + T_head + (C2 + 1)*K_old",
    "The old head was replaced, so it is neither kept nor trained.",
)
transfer_table.torch(
    """
from torch import nn

def block(inside, outside):
    return nn.Sequential(nn.Conv2d(inside, outside, k, bias=False), nn.BatchNorm2d(outside), nn.ReLU())

with torch.device("meta"):
    first, second = block(3, C1), block(C1, C2)
    net = nn.Sequential(first, nn.MaxPool2d(2), second, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(C2, K_old))
    net[-1] = nn.Linear(C2, K)

def trained(*layers):
    net.requires_grad_(False)
    for layer in layers:
        layer.requires_grad_(True)
    return sum(p.numel() for p in net.parameters() if p.requires_grad)

head = net[-1]
B = trained(first, second)
T_head, T_bn = trained(head), trained(head, first[1], second[1])
T_block, T_all = trained(head, second), trained(net)
"""
)
