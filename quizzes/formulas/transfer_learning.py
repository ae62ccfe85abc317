"""Transfer learning: trainable parameters of a pretrained network with a new head."""

from quizzes.formulas import formula

TRANSFER_TRAINABLE = formula(
    "transfer-trainable",
    "P = (F + 1)*K + P_bn",
    topic="transfer-learning",
    title="Trainable parameters with a frozen backbone and a new linear head",
    source="derivation: each of the K classes has F weights and a bias; in the backbone, only the scales and shifts of "
    "the batch norm layers may stay trainable",
    F="int 1..1000000; number of features that the backbone outputs",
    K="int 1..1000000; number of new classes",
    P_bn="int 0..1000000000 = 0; number of trainable batch norm parameters of the backbone",
    P_all="int 0.. = 0; number of parameters of the pretrained network with its old head",
    K_old="int 1..1000000 = 1000; number of classes of the old head",
    P="int 1..; number of trainable parameters",
)

TRANSFER_TABLE = formula(
    "transfer-table",
    """
    B = 3*k^2*C1 + 2*C1 + k^2*C1*C2 + 2*C2
    T_head = (C2 + 1)*K
    T_bn = T_head + 2*C1 + 2*C2
    T_block = T_head + k^2*C1*C2 + 2*C2
    T_all = B + T_head
    """,
    topic="transfer-learning",
    title="Trainable parameters of a small network, from feature extraction to fine-tuning",
    source="derivation: a convolution without bias has k^2 C_in C_out weights; batch norm has a scale and a shift per "
    "channel; a linear head has C2 weights and a bias per class",
    k="int 1..11; kernel size [px]",
    C1="int 1..4096; output channels of the first block",
    C2="int 1..4096; output channels of the second block",
    K_old="int 1..100000 = 1000; number of classes of the old head",
    K="int 1..100000; number of new classes",
    B="int 1..; number of parameters of the backbone",
    T_head="int 1..; trainable in feature extraction (head only)",
    T_bn="int 1..; trainable with the head and the batch norm layers",
    T_block="int 1..; trainable in partial fine-tuning (head and second block)",
    T_all="int 1..; trainable in full fine-tuning",
)
