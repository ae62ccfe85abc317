"""Backbone and head; feature extraction, fine-tuning: formulas."""

from quizzes.formula import Formula
from quizzes.symbols import Int

TRANSFER_TRAINABLE = Formula(
    "transfer-trainable",
    "P = (F + 1)*K + P_bn",
    title="Trainable parameters with a frozen backbone and a new linear head",
    source="derivation: each of the K classes has F weights and a bias; in the backbone, only the scales and shifts of "
    "the batch norm layers may stay trainable",
    F=Int(1, 1000000, "number of features that the backbone outputs"),
    K=Int(1, 1000000, "number of new classes"),
    P_bn=Int(0, 1000000000, "number of trainable batch norm parameters of the backbone", default=0),
    P_all=Int(0, meaning="number of parameters of the pretrained network with its old head", default=0),
    K_old=Int(1, 1000000, "number of classes of the old head", default=1000),
    P=Int(1, meaning="number of trainable parameters"),
)


TRANSFER_TABLE = Formula(
    "transfer-table",
    """
    B = 3*k^2*C1 + 2*C1 + k^2*C1*C2 + 2*C2
    T_head = (C2 + 1)*K
    T_bn = T_head + 2*C1 + 2*C2
    T_block = T_head + k^2*C1*C2 + 2*C2
    T_all = B + T_head
    """,
    title="Trainable parameters of a small network, from feature extraction to fine-tuning",
    source="derivation: a convolution without bias has k^2 C_in C_out weights; batch norm has a scale and a shift per "
    "channel; a linear head has C2 weights and a bias per class",
    k=Int(1, 11, "kernel size", unit="px"),
    C1=Int(1, 4096, "output channels of the first block"),
    C2=Int(1, 4096, "output channels of the second block"),
    K_old=Int(1, 100000, "number of classes of the old head", default=1000),
    K=Int(1, 100000, "number of new classes"),
    B=Int(1, meaning="number of parameters of the backbone"),
    T_head=Int(1, meaning="trainable in feature extraction (head only)"),
    T_bn=Int(1, meaning="trainable with the head and the batch norm layers"),
    T_block=Int(1, meaning="trainable in partial fine-tuning (head and second block)"),
    T_all=Int(1, meaning="trainable in full fine-tuning"),
)
