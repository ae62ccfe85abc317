"""DETR: formulas."""

from quizzes.answer_symbols import Choice
from quizzes.content.vision_transformers.detr.matching import Number, best_matching, letters, total_cost
from quizzes.formula import Formula
from quizzes.symbols import Int, Labels, Matrix, Real, Shape, Vector

DETR_SOURCE = "Carion et al., End-to-End Object Detection with Transformers, 2020 (arXiv:2005.12872)"

HUNGARIAN_SOURCE = (
    "Kuhn, The Hungarian method for the assignment problem, 1955; derivation: a number that is subtracted from a row "
    "or a column changes every matching alike, and a matching of zeros can't be improved"
)

QUERIES = Int(1, 10000, "number of queries", default=100)

OBJECTS = Int(0, 10000, "number of objects")

CLASSES = Int(1, 100000, 'number of classes without "no object"', default=91)

L1_WEIGHT = Real(0, meaning="weight of the L1 distance", default=5)

GIOU_WEIGHT = Real(0, meaning="weight of 1 - GIoU", default=2)

NO_OBJECT_WEIGHT = Real(0, 1, 'weight of "no object" in the cross-entropy')


DETR_COST = Formula(
    "detr-matching-cost",
    """
    L1 = sum(i, abs(b[i] - t[i]))
    I_x = max(0, min(b[1] + b[3]/2, t[1] + t[3]/2) - max(b[1] - b[3]/2, t[1] - t[3]/2))
    I_y = max(0, min(b[2] + b[4]/2, t[2] + t[4]/2) - max(b[2] - b[4]/2, t[2] - t[4]/2))
    U = b[3]*b[4] + t[3]*t[4] - I_x*I_y
    C_x = max(b[1] + b[3]/2, t[1] + t[3]/2) - min(b[1] - b[3]/2, t[1] - t[3]/2)
    C_y = max(b[2] + b[4]/2, t[2] + t[4]/2) - min(b[2] - b[4]/2, t[2] - t[4]/2)
    giou = I_x*I_y/U - (C_x*C_y - U)/(C_x*C_y)
    cost = -p + w1*L1 + w2*(1 - giou)
    """,
    title="Cost of matching a query with an object",
    source=f"{DETR_SOURCE}, section 3.1 and appendix A.2",
    conventions="Boxes are center x, center y, width and height, relative to the image.",
    p=Real(0, 1, "probability that the query predicts for the object's class"),
    b=Vector(0, 1, "box of the query"),
    t=Vector(0, 1, "box of the object"),
    w1=L1_WEIGHT,
    w2=GIOU_WEIGHT,
    L1=Real(meaning="L1 distance of the boxes"),
    I_x=Real(meaning="width of the intersection"),
    I_y=Real(meaning="height of the intersection"),
    U=Real(meaning="area of the union"),
    C_x=Real(meaning="width of the smallest box around both"),
    C_y=Real(meaning="height of the smallest box around both"),
    giou=Real(meaning="generalized IoU"),
    cost=Real(meaning="cost of the pair"),
)


def pair_costs(
    P: list[list[Number]], D: list[list[Number]], G: list[list[Number]], w1: Number, w2: Number
) -> list[list[Number]]:
    """Return the costs of all pairs, from probabilities, L1 distances and GIoUs, a row per object."""
    rows = zip(P, D, G, strict=True)
    return [[-p + w1 * d + w2 * (1 - g) for p, d, g in zip(*row, strict=True)] for row in rows]


def _match_pairs(
    P: list[list[Number]], D: list[list[Number]], G: list[list[Number]], w1: Number, w2: Number
) -> dict[str, list[str]]:
    return {"match": letters(best_matching(pair_costs(P, D, G, w1, w2)))}


DETR_MATCH = Formula(
    "detr-match",
    "cost[i, j] = -P[i, j] + w1*D[i, j] + w2*(1 - G[i, j])",
    title="Matching of objects with queries",
    source=f"{DETR_SOURCE}, section 3.1",
    conventions="A row per object, a column per query, named A, B, C and so on.",
    procedure=_match_pairs,
    procedure_outputs="match",
    P=Matrix(0, 1, "probability of the object's class"),
    D=Matrix(0, 4, "L1 distance of the boxes"),
    G=Matrix(-1, 1, "generalized IoU of the boxes"),
    w1=L1_WEIGHT,
    w2=GIOU_WEIGHT,
    cost=Matrix(meaning="cost of each pair"),
    match=Labels(meaning="query of each object, in the order of the objects"),
)


def _assign(cost: list[list[Number]]) -> dict[str, object]:
    queries = best_matching(cost)
    return {"match": letters(queries), "total": total_cost(cost, queries)}


HUNGARIAN = Formula(
    "hungarian-assign",
    "",
    statement="total = min_π Σ_i cost[i, π(i)], with a different query π(i) for each i",
    title="Matching of the smallest total cost",
    source=HUNGARIAN_SOURCE,
    conventions="A row per object, a column per query, named A, B, C and so on. If several matchings are best, one of "
    "them is returned.",
    procedure=_assign,
    procedure_outputs="match total",
    cost=Matrix(meaning="cost of each pair, a row per object and a column per query"),
    match=Labels(meaning="query of each object, in the order of the objects"),
    total=Real(meaning="total cost"),
)


MATCHINGS = Formula(
    "matching-count",
    """
    A = prod(k = 0..m - 1, N - k)
    B = N^m
    """,
    title="Number of matchings of objects with queries",
    source="derivation: the first object has N queries to choose from, the next one N - 1, and so on",
    N=QUERIES,
    m=Int(1, 20, "number of objects"),
    A=Int(meaning="number of matchings in which no query has two objects"),
    B=Int(meaning="number of choices if queries could have several objects"),
)


def _output_shapes(H: int, W: int, N: int, K: int) -> dict[str, list[int]]:
    return {"logits": [N, K + 1], "boxes": [N, 4]}


DETR_SHAPES = Formula(
    "detr-shapes",
    """
    h = ceil(H/32)
    w = ceil(W/32)
    T = h*w
    """,
    title="Tokens and outputs of DETR",
    source=f"{DETR_SOURCE}, section 3.2",
    conventions="The backbone, a ResNet, has five layers of stride 2, each of which rounds up.",
    procedure=_output_shapes,
    procedure_outputs="logits boxes",
    H=Int(1, 100000, "height of the image", unit="px"),
    W=Int(1, 100000, "width of the image", unit="px"),
    N=QUERIES,
    K=CLASSES,
    h=Int(meaning="height of the last feature map"),
    w=Int(meaning="width of the last feature map"),
    T=Int(meaning="number of tokens of the encoder"),
    logits=Shape(meaning="shape of the class logits of an image, as queries x classes"),
    boxes=Shape(meaning="shape of the boxes of an image"),
)


DETR_ATTENTION = Formula(
    "detr-attention",
    """
    E = T^2
    S = N^2
    X = N*T
    total = heads*L*(E + S + X)
    """,
    title="Attention weights of DETR",
    source=f"{DETR_SOURCE}, section 3.2 and appendix A.3",
    T=Int(1, 100000, "number of tokens of the encoder"),
    N=QUERIES,
    L=Int(1, 100, "layers of the encoder, and of the decoder", default=6),
    heads=Int(1, 100, "number of heads", default=8),
    E=Int(meaning="weights of a head in a layer of the encoder"),
    S=Int(meaning="weights of a head of self-attention in a layer of the decoder"),
    X=Int(meaning="weights of a head of cross-attention in a layer of the decoder"),
    total=Int(meaning="weights of all heads and layers"),
)


DETR_HEADS = Formula(
    "detr-heads",
    """
    queries = N*d
    classes = (d + 1)*(K + 1)
    boxes = 2*(d^2 + d) + 4*(d + 1)
    P = queries + classes + boxes
    """,
    title="Parameters of DETR's queries and heads",
    source=f"{DETR_SOURCE}, section 3.2: a dense layer for the classes, three for the box",
    N=QUERIES,
    d=Int(1, 100000, "number of features of a token", default=256),
    K=CLASSES,
    queries=Int(meaning="parameters of the queries"),
    classes=Int(meaning="parameters of the class head"),
    boxes=Int(meaning="parameters of the box head"),
    P=Int(meaning="parameters of all three"),
)


DETR_NO_OBJECT = Formula(
    "detr-no-object",
    """
    share_1 = (N - m)/N
    share_e = e*(N - m)/(m + e*(N - m))
    q = m/(m + e*(N - m))
    dominant = where(share_e > 1/2, 1, 2)
    """,
    title='Share of "no object" in DETR\'s classification loss',
    source=f'{DETR_SOURCE}, section 3.1: the log-probability of "no object" is weighted down; derivation: m objects '
    "of weight 1 and N - m queries of weight e; -m ln(q) - e(N - m) ln(1 - q) is smallest where m/q = e(N - m)/(1 - q)",
    N=Int(1, 10000, "number of queries"),
    m=OBJECTS,
    e=NO_OBJECT_WEIGHT,
    share_1=Real(meaning='share of "no object" in the total weight if all classes have weight 1'),
    share_e=Real(meaning='share of "no object" in the total weight with weight e'),
    q=Real(meaning='constant probability of "object" that minimizes the loss'),
    dominant=Choice(
        meaning="what has more than half of the weight with weight e",
        options=dict(empty='"no object"', objects="the objects"),
        supported_by="share_e",
    ),
)


DETR_LOSS = Formula(
    "detr-set-loss",
    """
    weight = m + e*(N - m)
    CE = (sum(k, -ln(p[k])) + e*sum(j, -ln(u[j])))/weight
    box = (w1*sum(k, d[k]) + w2*sum(k, 1 - g[k]))/m
    loss = CE + box
    """,
    title="Set loss of DETR after the matching",
    source=f"{DETR_SOURCE}, section 3.1; the authors' code divides the cross-entropy by the sum of the weights and the "
    "losses of the boxes by the number of objects",
    procedure=lambda p, u, **_: {"m": len(p), "N": len(p) + len(u)},
    procedure_outputs="m N",
    shapes="p[k]; d[k]; g[k]",
    p=Vector(0, 1, "probability of its object's class, for each matched query"),
    u=Vector(0, 1, 'probability of "no object", for each other query'),
    d=Vector(0, 4, "L1 distance of each matched pair"),
    g=Vector(-1, 1, "GIoU of each matched pair"),
    e=NO_OBJECT_WEIGHT,
    w1=L1_WEIGHT,
    w2=GIOU_WEIGHT,
    m=Int(meaning="number of objects"),
    N=Int(meaning="number of queries"),
    weight=Real(meaning="sum of the weights of all queries"),
    CE=Real(meaning="weighted cross-entropy"),
    box=Real(meaning="loss of the boxes"),
    loss=Real(meaning="set loss"),
)


SAME_BOXES = 0.5  # above it, a log points to collapsed queries
UNSURE = 0.2  # below it, a log points to "no object" everywhere


DETR_LOG = Formula(
    "detr-log",
    f"""
    gap = recall - ap
    problem = where(u > {SAME_BOXES}, 2, where(p < {UNSURE}, 1, 3))
    """,
    title="Diagnosis of a DETR by its recall, its scores and its boxes",
    source=f'derivation: {DETR_SOURCE}, section 3.1: scores fall together if "no object" has most of the weight; '
    "boxes agree if the matching gives several queries one object; recall without AP means scores in the wrong order",
    recall=Real(0, 100, "share of the objects that the box of some query overlaps, with any score", unit="%"),
    ap=Real(0, 100, "AP50", unit="%"),
    p=Real(0, 1, "mean of the largest probability of an object in an image"),
    u=Real(0, 1, "mean IoU of two boxes of an image"),
    gap=Real(meaning="recall minus AP50", unit="points"),
    problem=Choice(
        meaning="most likely problem",
        options=dict(
            empty='"no object" outweighs the objects in the loss',
            collapse="the matching lets several queries share an object",
            ranking="the scores of good and bad boxes are in the wrong order",
        ),
        supported_by="gap",
    ),
)
