"""ViT: formulas."""

from quizzes.answer_symbols import Choice, LineNumber
from quizzes.content.vision_transformers.shared import (
    BLOCK_SOURCE,
    CHANNELS,
    CLASS_TOKEN,
    CLASSES,
    IMAGE,
    LAYER_COST_SOURCE,
    LAYERS,
    MAC_COUNTS,
    MLP_RATIO,
    PATCH,
    VIT_SOURCE,
    WIDTH,
)
from quizzes.formula import Formula
from quizzes.symbols import Int, Real

TOKENS = Int(1, 1000000, "number of tokens")


VIT_TOKENS = Formula(
    "vit-tokens",
    """
    N = (H/P)*(W/P)
    T = N + cls
    D = P^2*C
    """,
    title="Patches and tokens of a ViT",
    source=VIT_SOURCE,
    integer_constraints="H/P, W/P",
    H=Int(1, 100000, "image height", unit="px"),
    W=Int(1, 100000, "image width", unit="px"),
    P=PATCH,
    C=CHANNELS,
    cls=CLASS_TOKEN,
    N=Int(meaning="number of patches"),
    T=Int(meaning="number of tokens, with the class token"),
    D=Int(meaning="number of values of a flattened patch"),
)


VIT_PATCHES = Formula(
    "vit-patches",
    "T = (n/P)^2 + 1",
    title="Tokens of a square image, with a class token",
    source=VIT_SOURCE,
    integer_constraints="n/P",
    n=Int(1, meaning="image size", unit="px"),
    P=Int(1, meaning="patch size", unit="px"),
    T=Int(meaning="number of tokens"),
)


VIT_EMBEDDING = Formula(
    "vit-embedding",
    """
    N = (image/patch)^2
    E = patch^2*channels*width + width
    C = width
    positions = (N + 1)*width
    """,
    title="Parameters before the first block of a ViT",
    source=VIT_SOURCE,
    integer_constraints="image/patch",
    image=IMAGE,
    patch=PATCH,
    channels=CHANNELS,
    width=WIDTH,
    N=Int(meaning="number of patches"),
    E=Int(meaning="parameters of the patch embedding, with bias"),
    C=Int(meaning="parameters of the class token"),
    positions=Int(meaning="parameters of the positional embeddings"),
)


VIT_PARAMS = Formula(
    "vit-params",
    """
    N = (image/patch)^2
    embedding = patch^2*channels*width + width
    tokens = (N + cls)*width + cls*width
    block = (4 + 2*mlp)*width^2 + (9 + mlp)*width
    head = classes*(width + 1)
    P = embedding + tokens + layers*block + 2*width + head
    """,
    title="Parameters of a ViT",
    source=f"{VIT_SOURCE}; {BLOCK_SOURCE}",
    conventions="""
All layers have biases. Positions are learned, one per token. A layer normalization of 2 width parameters precedes the
head. The number of heads doesn't change the number of parameters.
""",
    integer_constraints="image/patch",
    image=IMAGE,
    patch=PATCH,
    width=WIDTH,
    layers=LAYERS,
    mlp=MLP_RATIO,
    channels=CHANNELS,
    classes=CLASSES,
    cls=CLASS_TOKEN,
    N=Int(meaning="number of patches"),
    embedding=Int(meaning="parameters of the patch embedding"),
    tokens=Int(meaning="parameters of the class token and the positions"),
    block=Int(meaning="parameters of one block"),
    head=Int(meaning="parameters of the head"),
    P=Int(meaning="number of all parameters"),
)


VIT_MACS = Formula(
    "vit-macs",
    """
    N = (image/patch)^2
    T = N + cls
    linear = layers*T*(4 + 2*mlp)*width^2
    attention = layers*2*T^2*width
    M = linear + attention + N*patch^2*channels*width + width*classes
    FLOPs = 2M
    """,
    title="MACs and FLOPs of a ViT",
    source=f"{VIT_SOURCE}; {LAYER_COST_SOURCE}",
    conventions=MAC_COUNTS,
    integer_constraints="image/patch",
    image=IMAGE,
    patch=PATCH,
    width=WIDTH,
    layers=LAYERS,
    mlp=MLP_RATIO,
    channels=CHANNELS,
    classes=CLASSES,
    cls=CLASS_TOKEN,
    N=Int(meaning="number of patches"),
    T=Int(meaning="number of tokens"),
    linear=Int(meaning="MACs of the projections and MLPs of all blocks"),
    attention=Int(meaning="MACs of the scores and weighted sums of all blocks"),
    M=Int(meaning="MACs for one image"),
    FLOPs=Int(meaning="FLOPs for one image"),
)


VIT_LAYER_COST = Formula(
    "vit-layer-cost",
    """
    linear = 12*N*d^2
    attention = 2*N^2*d
    share = attention/(linear + attention)
    """,
    title="MACs of one block of a ViT",
    source=LAYER_COST_SOURCE,
    conventions="An MLP ratio of 4.",
    N=TOKENS,
    d=Int(1, 100000, "width of a token"),
    linear=Int(meaning="MACs of the projections and the MLP"),
    attention=Int(meaning="MACs of the scores and the weighted sum"),
    share=Real(0, 1, "share of attention in the MACs"),
)


VIT_MEMORY = Formula(
    "vit-attention-memory",
    """
    T = (image/patch)^2 + cls
    A = batch*layers*heads*T^2
    bytes = A*size
    MiB = bytes/2^20
    """,
    title="Memory of the attention weights of a ViT",
    source="derivation: each head of each block has T^2 attention weights per image, which backpropagation needs",
    conventions="Every attention weight is stored. A fused attention operator doesn't store them.",
    integer_constraints="image/patch",
    image=IMAGE,
    patch=PATCH,
    layers=LAYERS,
    heads=Int(1, 1000, "number of heads"),
    batch=Int(1, 100000, "number of images", default=1),
    size=Int(1, 8, "bytes per number", default=4),
    cls=CLASS_TOKEN,
    T=Int(meaning="number of tokens"),
    A=Int(meaning="number of attention weights"),
    bytes=Int(meaning="bytes"),
    MiB=Real(0, meaning="memory", unit="MiB"),
)


VIT_SCALING = Formula(
    "vit-scaling",
    """
    t = f^2
    a = f^4
    """,
    title="Growth of a ViT with the image size",
    source="derivation: with a fixed patch size, the number of patches grows with the area f^2, and attention has a "
    "weight per pair of patches",
    conventions="Patches only; the class token is left out.",
    f=Int(1, 100, "factor by which height and width grow"),
    t=Int(meaning="factor of the number of patches"),
    a=Int(meaning="factor of the number of attention weights"),
)


VIT_CROSSOVER = Formula(
    "vit-crossover",
    "N = (2 + m)*d",
    title="Number of tokens at which attention costs as much as everything else",
    source=f"{LAYER_COST_SOURCE}; derivation: 2 N^2 d = (4 + 2m) N d^2 has the solution N = (2 + m) d",
    d=Int(1, 4096, "width of a token"),
    m=Int(1, 16, "MLP ratio"),
    N=Int(meaning="number of tokens"),
)


PATCH_SIZES = dict(p1="{p1}", p2="{p2}", p3="{p3}", p4="{p4}")

VIT_PATCH_SIZE = Formula(
    "vit-patch-size",
    """
    M1 = L*(12*(n/p1)^2*d^2 + 2*(n/p1)^4*d)/10^9
    M2 = L*(12*(n/p2)^2*d^2 + 2*(n/p2)^4*d)/10^9
    M3 = L*(12*(n/p3)^2*d^2 + 2*(n/p3)^4*d)/10^9
    M4 = L*(12*(n/p4)^2*d^2 + 2*(n/p4)^4*d)/10^9
    best = where(M1 <= budget, 1, where(M2 <= budget, 2, where(M3 <= budget, 3, 4)))
    cost = where(M1 <= budget, M1, where(M2 <= budget, M2, where(M3 <= budget, M3, M4)))
    """,
    title="Smallest patch size within a budget",
    source=LAYER_COST_SOURCE,
    conventions="No class token, an MLP ratio of 4, blocks only. The patch sizes increase, and the last one fits.",
    integer_constraints="n/p1, n/p2, n/p3, n/p4",
    n=Int(1, 10000, "image size", unit="px"),
    d=Int(1, 10000, "width of a token"),
    L=Int(1, 100, "number of blocks"),
    budget=Real(0, meaning="budget", unit="GMACs"),
    p1=Int(1, 1000, "smallest patch size"),
    p2=Int(1, 1000, "second patch size"),
    p3=Int(1, 1000, "third patch size"),
    p4=Int(1, 1000, "largest patch size"),
    M1=Real(meaning="cost with p1", unit="GMACs"),
    M2=Real(meaning="cost with p2", unit="GMACs"),
    M3=Real(meaning="cost with p3", unit="GMACs"),
    M4=Real(meaning="cost with p4", unit="GMACs"),
    best=Choice(meaning="smallest patch size within the budget", options=PATCH_SIZES, supported_by="cost"),
    cost=Real(meaning="its cost", unit="GMACs"),
)


POSITIONS_LINE, TOKENS_LINE, SUM_LINE = 6, 8, 9  # of the program of debug-pos-embed


def _mismatch(n: int, P: int, d: int, line: int | None = None) -> dict[str, int]:
    N = (n // P) ** 2
    a, b = (N + 1, N) if line == POSITIONS_LINE else (d, N)
    return {"a": max(a, b), "b": min(a, b)}


POSITIONS_SHAPE = Formula(
    "vit-positions-shape",
    "raised = 9",
    title="Sizes that don't fit in the first layers of a ViT",
    source="PyTorch documentation: torch.cat needs equal sizes except in its dimension, and an addition needs equal "
    "sizes or 1; "
    f"{VIT_SOURCE}: there is a position for each patch and one for the class token",
    procedure=_mismatch,
    procedure_outputs="a b",
    n=Int(1, 1000, "image size"),
    P=Int(1, 100, "patch size"),
    d=Int(1, 1000, "width of a token"),
    line=LineNumber(meaning="number of the incorrect line"),
    raised=Int(meaning="number of the line that raises"),
    a=Int(meaning="larger of the two sizes"),
    b=Int(meaning="smaller of the two sizes"),
)


LIMIT = 5  # percentage points

VIT_LOG = Formula(
    "vit-log",
    f"""
    gap = train - val
    drop = val - shuffled
    problem = where(drop <= {LIMIT}, 1, where(gap > 2*{LIMIT}, 2, 3))
    """,
    title="Accuracy of a ViT with and without the order of its patches",
    source=f"derivation: without positional embeddings, attention and the MLPs treat all patches alike, so their order "
    f"does not matter; {VIT_SOURCE} and figure 3, on the size of the training set",
    train=Real(0, 100, "training accuracy", unit="%"),
    val=Real(0, 100, "validation accuracy", unit="%"),
    shuffled=Real(0, 100, "validation accuracy with the patches of each image shuffled", unit="%"),
    gap=Real(meaning="training minus validation accuracy"),
    drop=Real(meaning="loss of accuracy by shuffling"),
    problem=Choice(
        meaning="most likely problem",
        options=dict(
            order="no positional embedding is used, so the order is lost",
            data="too few images for a network without a convolution's inductive bias",
            fit="the network underfits: train it longer, or use a larger one",
        ),
        supported_by="gap drop",
    ),
)


VIT_MINI = Formula(
    "vit-mini",
    """
    N = (n/P)^2
    T = N + 1
    params = P^2*3*d + d + d + T*d + L*((4 + 2*m)*d^2 + (9 + m)*d) + 2*d + K*(d + 1)
    A = heads*T^2
    A_2 = heads*(4*N + 1)^2
    growth = 3*N*d
    """,
    title="A small ViT, and its growth with the image size",
    source=f"{VIT_SOURCE}; {BLOCK_SOURCE}; derivation: twice the image size has 4N patches, so 3N more positions",
    integer_constraints="n/P",
    n=Int(1, 1000, "image size", unit="px"),
    P=Int(1, 100, "patch size", unit="px"),
    d=Int(1, 1000, "width of a token"),
    heads=Int(1, 100, "number of heads"),
    L=Int(1, 100, "number of blocks"),
    m=Int(1, 16, "MLP ratio"),
    K=Int(1, 1000, "number of classes"),
    N=Int(meaning="number of patches"),
    T=Int(meaning="number of tokens"),
    params=Int(meaning="number of parameters"),
    A=Int(meaning="attention weights per block, over all heads"),
    A_2=Int(meaning="attention weights per block at twice the image size"),
    growth=Int(meaning="additional parameters, if positions are learned at twice the image size"),
    task=Choice(
        meaning="weights that don't fit",
        options=dict(
            image="the positional embeddings",
            classes="the weights of the head",
            gray="the weights of the patch embedding",
        ),
        supported_by="growth",
    ),
)
