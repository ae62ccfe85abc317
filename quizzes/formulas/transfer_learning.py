"""Transfer learning: what is trained when a pretrained network gets a new head."""

from quizzes.formulas import formula

TRANSFER_TRAINABLE = formula(
    "transfer-trainable",
    "P = (F + 1)*K + P_bn",
    topic="transfer-learning",
    title="Trained parameters with a frozen backbone and a new linear head",
    source="derivation: each of the K classes has F weights and a bias; of the backbone only the scales and shifts of "
    "its batch norms are trained, where they are not frozen",
    F="int 1..1000000; features that the backbone hands to the head",
    K="int 1..1000000; new classes",
    P_bn="int 0..1000000000 = 0; batch norm parameters of the backbone that are left trainable",
    P_all="int 0.. = 0; parameters of the pretrained network with its old head",
    K_old="int 1..1000000 = 1000; classes of the old head",
    P="int 1..; trained parameters",
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
    title="Trained parameters of a small network from feature extraction to fine-tuning",
    source="derivation: a convolution without bias has k^2 C_in C_out weights, a batch norm a scale and a shift for "
    "each channel, a linear head C2 weights and a bias for each class",
    k="int 1..11; filter side [px]",
    C1="int 1..4096; channels of the first block",
    C2="int 1..4096; channels of the second block",
    K_old="int 1..100000 = 1000; classes of the old head",
    K="int 1..100000; new classes",
    B="int 1..; parameters of the backbone",
    T_head="int 1..; trained in feature extraction: the head alone",
    T_bn="int 1..; trained with the batch norms of the backbone left trainable too",
    T_block="int 1..; trained in partial fine-tuning: the head and the second block",
    T_all="int 1..; trained in full fine-tuning",
)
