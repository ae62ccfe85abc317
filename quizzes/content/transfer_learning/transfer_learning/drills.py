"""Backbone and head; feature extraction, fine-tuning: drills."""

from random import Random

from quizzes.content.transfer_learning.transfer_learning.formulas import TRANSFER_TABLE, TRANSFER_TRAINABLE
from quizzes.drill import Inputs, Mistake, drill

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
    mistakes=[
        Mistake(
            "frozen-counted",
            "P = P_all - (F + 1)*K_old + (F + 1)*K",
            "You counted frozen parameters. Count only the new head and the trainable parameters of the backbone.",
        ),
        Mistake(
            "bias-left-out",
            "P = F*K + P_bn",
            "You left out the biases of the head. Each class has one bias in addition to its weights.",
        ),
        Mistake(
            "old-head",
            "P = (F + 1)*K_old + P_bn",
            "You counted the old head. The new head has one output per new class.",
        ),
        Mistake(
            "head-on-old-head",
            "P = (K_old + 1)*K + P_bn",
            "You put the new head on top of the old one. It replaces the old head, so its inputs are the features.",
        ),
        Mistake(
            "batch-norms-left-out",
            "P = (F + 1)*K",
            "You left out the batch norm layers. Their parameters stay trainable, so add them.",
        ),
    ],
)
def transfer_trainable(rng: Random) -> Inputs:
    """Trainable parameters with a frozen backbone"""
    network = rng.choice(sorted(NETWORKS))
    F, P_all, P_bn = NETWORKS[network]
    P_bn = rng.choice([0, 0, P_bn])
    which = " (scales and shifts of its batch norm layers)" if P_bn else ""
    K = rng.choice([2, 3, 5, 7, 10, 12, 17, 20, 37, 50, 100, 101, 102, 196, 200])
    return dict(F=F, K=K, P_bn=P_bn, P_all=P_all, K_old=1000, network=network, which=which)


@drill(
    TRANSFER_TABLE,
    id="transfer-trainable:table",
    tier=3,
    asks=("B", "T_head", "T_bn", "T_block", "T_all"),
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
    mistakes=[
        Mistake(
            "batch-norms-left-out",
            "B = 3*k^2*C1 + k^2*C1*C2; T_block = T_head + k^2*C1*C2",
            "You left out the batch norm layers. They have a scale and a shift per channel, which belong to the "
            "backbone.",
        ),
        Mistake(
            "convolutions-with-bias",
            "B = (3*k^2 + 1)*C1 + 2*C1 + (k^2*C1 + 1)*C2 + 2*C2",
            "You counted biases of the convolutions. They have none, because batch norm adds a shift.",
        ),
        Mistake(
            "bias-left-out",
            "T_head = C2*K",
            "You left out the biases of the head. Each class has one bias in addition to its weights.",
        ),
        Mistake(
            "old-head",
            "T_head = (C2 + 1)*K_old",
            "You counted the old head. The new head has one output per new class.",
        ),
        Mistake(
            "statistics-counted",
            "T_bn = T_head + 4*C1 + 4*C2",
            "You counted the running means and variances. They are buffers; batch norm has two parameters per channel.",
        ),
        Mistake(
            "head-left-out",
            "T_bn = 2*C1 + 2*C2; T_block = k^2*C1*C2 + 2*C2; T_all = B",
            "You left out the new head. It is trained in every mode, so add it.",
        ),
        Mistake(
            "old-head-kept",
            "T_all = B + T_head + (C2 + 1)*K_old",
            "You added the old head. The new head replaced it, so it does not count.",
        ),
    ],
)
def transfer_table(rng: Random) -> Inputs:
    """Trainable parameters in feature extraction and fine-tuning"""
    C1 = rng.choice([8, 16, 24, 32])
    return dict(
        k=rng.choice([3, 3, 5]),
        C1=C1,
        C2=rng.choice([2 * C1, 2 * C1, 48, 128]),
        K_old=rng.choice([100, 1000]),
        K=rng.choice([2, 3, 4, 5, 6, 8, 10, 12, 20]),
    )
