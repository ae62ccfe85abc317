"""DETR: drills about its tokens, its outputs and its loss."""

from random import Random

from quizzes.content.vision_transformers.detr.formulas import (
    DETR_ATTENTION,
    DETR_HEADS,
    DETR_LOG,
    DETR_LOSS,
    DETR_NO_OBJECT,
    DETR_SHAPES,
    SAME_BOXES,
    UNSURE,
)
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue


@drill(
    DETR_SHAPES,
    id="detr-shapes",
    tier=1,
    asks=("T", "logits", "boxes"),
    prompt="DETR with {N} queries and {K} classes reads an image of height {H} and width {W}. Its backbone has five "
    "layers of stride 2, each of which rounds up.\n"
    "How many tokens T does the encoder read? Which shape do the class logits (logits, as queries x values) and the "
    "boxes (boxes) of the image have?",
    hint="By how much does the backbone divide height and width? Which class does a query without an object have?",
    mistakes=[
        Mistake("stride-16", "T = ceil(H/16)*ceil(W/16)", "Five layers of stride 2 divide by 32, not by 16."),
        Mistake("rounded-down", "T = floor(H/32)*floor(W/32)", "Each layer rounds up, so round H/32 and W/32 up."),
        Mistake("sides-added", "T = h + w", "The map has h rows of w tokens. Multiply them."),
        Mistake("every-pixel", "T = H*W", "The encoder reads the last map of the backbone, not the pixels."),
        Mistake(
            "no-object-left-out",
            {"logits": lambda H, W, N, K: [N, K]},
            'You left out "no object", the class of every query without an object.',
        ),
        Mistake(
            "logits-per-token",
            {"logits": lambda H, W, N, K: [-(-H // 32) * -(-W // 32), K + 1]},
            "The outputs belong to the queries, not to the tokens of the image.",
        ),
        Mistake(
            "objectness-added",
            {"boxes": lambda H, W, N, K: [N, 5]},
            'A box has four numbers. DETR has no objectness: "no object" is a class.',
        ),
        Mistake(
            "box-per-class",
            {"boxes": lambda H, W, N, K: [N, 4 * K]},
            "Each query predicts one box for all classes.",
        ),
    ],
)
def detr_shapes(rng: Random) -> Inputs:
    """Tokens and outputs of DETR"""
    H, W = rng.choice([480, 512, 600, 640, 750, 800, 900]), rng.choice([500, 608, 800, 1000, 1066, 1216, 1333])
    return dict(H=H, W=W, N=rng.choice([25, 50, 100, 100, 300]), K=rng.choice([20, 80, 91, 91, 133]))


@drill(
    DETR_ATTENTION,
    id="detr-shapes:attention",
    tier=2,
    asks=("E", "S", "X", "total"),
    prompt="The encoder of a DETR reads {T} tokens, and its decoder has {N} queries. Both have {L} layers, and each "
    "attention has {heads} heads.\n"
    "How many attention weights does one head have in a layer of the encoder (E), in the self-attention of a layer of "
    "the decoder (S), and in its cross-attention (X)? How many are there in all heads and layers (total)?",
    hint="How many queries and how many keys does each attention have?",
    mistakes=[
        Mistake("encoder-linear", "E = T", "Each of the T tokens attends to all T tokens."),
        Mistake("cross-attention-for-self", "S = N*T", "In self-attention, the queries attend to each other."),
        Mistake("cross-squared", "X = T^2", "In cross-attention, each of the N queries attends to the T tokens."),
        Mistake("everything-together", "X = (N + T)^2", "Only queries attend to tokens here, not the reverse."),
        Mistake("one-head", "total = L*(E + S + X)", "Each head has weights of its own. Multiply by the heads."),
        Mistake("one-layer", "total = heads*(E + S + X)", "That is one layer of each. Multiply by the layers."),
        Mistake(
            "self-attention-forgotten",
            "total = heads*L*(E + X)",
            "You left out the self-attention of the decoder, by which queries agree on the objects.",
        ),
    ],
)
def detr_attention(rng: Random) -> Inputs:
    """Attention weights of DETR"""
    return dict(
        T=rng.randint(15, 38) * rng.randint(20, 42),
        N=rng.choice([25, 50, 100, 100, 300]),
        L=rng.choice([3, 4, 6, 6]),
        heads=rng.choice([4, 8, 8]),
    )


@drill(
    DETR_HEADS,
    id="detr-shapes:heads",
    tier=2,
    asks=("queries", "classes", "boxes", "P"),
    prompt="A DETR has {N} queries of {d} features and {K} classes. Its class head is a dense layer, its box head has "
    "three dense layers with {d} hidden units each, and all layers have biases.\n"
    "How many parameters do the queries (queries), the class head (classes), the box head (boxes) and all of them "
    "together (P) have?",
    hint="A query is a learned vector. Which class does the class head have besides the {K}?",
    mistakes=[
        Mistake("no-object-left-out", "classes = (d + 1)*K", 'You left out "no object", a further class.'),
        Mistake("class-bias-left-out", "classes = d*(K + 1)", "You left out the bias of each class."),
        Mistake("head-per-query", "classes = N*(d + 1)*(K + 1)", "All queries share one head."),
        Mistake("one-hidden-layer", "boxes = d^2 + d + 4*(d + 1)", "The box head has two hidden layers, then the box."),
        Mistake("box-biases-left-out", "boxes = 2*d^2 + 4*d", "You left out the biases of the box head."),
        Mistake("queries-left-out", "P = classes + boxes", "The queries are learned, too."),
    ],
)
def detr_heads(rng: Random) -> Inputs:
    """Parameters of queries and heads"""
    return dict(N=rng.choice([25, 50, 100, 300]), d=rng.choice([64, 128, 192, 256]), K=rng.choice([20, 80, 91, 133]))


@drill(
    DETR_NO_OBJECT,
    id="detr-no-object",
    tier=3,
    asks=("share_1", "share_e", "q", "dominant"),
    prompt='A DETR has {N} queries, and an image has {m} objects. Suppose that every query predicts "object" with the '
    "same probability.\n"
    'Which share of the total weight in the classification loss belongs to "no object" if all classes have weight 1 '
    '(share_1)? "No object" has the weight e = {e} now. What is the share (share_e)? Which constant probability of '
    '"object" minimizes the loss (q)? What has more than half of the weight?',
    hints=(
        "How many queries have an object, and how many have none?",
        "The weights are m and e(N - m). The loss -m ln(q) - e(N - m) ln(1 - q) has its minimum where its derivative "
        "is 0.",
        "First step: count the queries without an object, N - m.",
    ),
    mistakes=[
        Mistake("share-of-objects", "share_1 = m/N", 'That is the share of the objects. "No object" has the rest.'),
        Mistake(
            "weight-not-normalized",
            "share_e = e*(N - m)/N",
            "Divide by the sum of the weights, m + e(N - m), which is smaller than N.",
        ),
        Mistake(
            "weight-ignored",
            "share_e = (N - m)/N",
            "You left out the weight e. The N - m queries count e each.",
        ),
        Mistake("probability-unchanged", "q = m/N", 'The weight e makes "object" more probable than m/N.'),
        Mistake("odds", "q = m/(e*(N - m))", "Those are the odds q/(1 - q). Divide by 1 plus the odds."),
        Mistake("all-queries", "q = m/(m + e*N)", "Only the N - m queries without an object have the weight e."),
        Mistake(
            "dominant-reversed",
            "dominant = where(share_e > 1/2, 2, 1)",
            "Compare the share with 1/2: the rest belongs to the objects.",
        ),
    ],
)
def detr_no_object(rng: Random) -> Inputs:
    """Weight of "no object" in the loss"""
    N, e = rng.choice([20, 25, 50, 100, 100, 200, 300]), rng.choice([0.05, 0.1, 0.1, 0.2, 0.25])
    crossing = e * N / (1 + e)  # objects at which both have half of the weight
    m = rng.randint(2, max(2, int(crossing))) if rng.random() < 0.5 else rng.randint(int(crossing) + 2, N // 2)
    if abs(m - crossing) < 0.3:
        raise UndefinedValue("both have half of the weight")
    return dict(N=N, m=m, e=e)


@drill(
    DETR_LOSS,
    id="detr-no-object:loss",
    tier=3,
    asks=("weight", "CE", "box", "loss"),
    prompt="After the matching, {m} queries of a DETR have an object and {k} have none. The matched queries give the "
    "classes of their objects the probabilities p = {p}; their boxes have the L1 distances d = {d} and the GIoUs g = "
    '{g}. The other queries give "no object" the probabilities u = {u}.\n'
    '"No object" has the weight {e} in the cross-entropy. What is the sum of the weights of all queries (weight)? What '
    "are the weighted cross-entropy (CE), the loss of the boxes (box), and their sum (loss)?\n"
    "Conventions: natural log; the cross-entropy is divided by the sum of the weights; the loss of the boxes is "
    "{w1} L1 + {w2} (1 - GIoU), per object.",
    hint="Which queries have a loss for their box? Which class should the others predict?",
    mistakes=[
        Mistake(
            "unweighted-sum",
            "weight = N",
            "A query without an object counts e in the cross-entropy, not 1.",
        ),
        Mistake(
            "weight-left-out",
            "CE = (sum(k, -ln(p[k])) + sum(j, -ln(u[j])))/weight",
            'You left out the weight of "no object".',
        ),
        Mistake(
            "divided-by-queries",
            "CE = (sum(k, -ln(p[k])) + e*sum(j, -ln(u[j])))/N",
            "You divided by the number of queries. A weighted mean is divided by the sum of the weights.",
        ),
        Mistake(
            "objects-only",
            "CE = sum(k, -ln(p[k]))/weight",
            'You left out the queries without an object. They should predict "no object".',
        ),
        Mistake(
            "boxes-summed",
            "box = w1*sum(k, d[k]) + w2*sum(k, 1 - g[k])",
            "You added up the boxes. Divide by the number of objects.",
        ),
        Mistake(
            "boxes-of-all-queries",
            "box = (w1*sum(k, d[k]) + w2*sum(k, 1 - g[k]))/N",
            "Only matched queries have a loss for their box. Divide by the number of objects.",
        ),
        Mistake(
            "giou-not-reversed",
            "box = (w1*sum(k, d[k]) + w2*sum(k, g[k]))/m",
            "A large overlap must be cheap: use 1 - GIoU.",
        ),
    ],
)
def detr_set_loss(rng: Random) -> Inputs:
    """Set loss after the matching"""
    m, k = rng.choice([(2, 2), (2, 3), (3, 2)])
    return dict(
        p=[rng.randint(30, 95) / 100 for _ in range(m)],
        d=[rng.randint(1, 40) / 100 for _ in range(m)],
        g=[rng.randint(-2, 9) / 10 for _ in range(m)],
        u=[rng.randint(40, 98) / 100 for _ in range(k)],
        e=rng.choice([0.1, 0.1, 0.2, 0.5]),
        w1=5,
        w2=2,
        k=k,
        m=m,
    )


@drill(
    DETR_LOG,
    id="detr-no-object:log",
    tier=2,
    asks=("gap", "problem"),
    prompt="A DETR is evaluated on a validation set. For {recall}% of the objects, the box of some query has an IoU of "
    "0.5 or more, whatever its score. AP50 is {ap}%. The largest probability of an object in an image is {p} on "
    "average, and two boxes of an image have a mean IoU of {u}.\n"
    "By how many points is AP50 below the recall (gap)? What is the most likely problem?",
    hint="Which of the numbers would change if only the scores were wrong? Which one if all queries were alike?",
    mistakes=[
        Mistake("sign-reversed", "gap = ap - recall", "AP50 is below the recall, so subtract it from the recall."),
        Mistake("relative", "gap = 100*(recall - ap)/recall", "That is a percentage of the recall. Subtract the two."),
        Mistake(
            "ranking-for-collapse",
            f"problem = where(u > {SAME_BOXES}, 3, where(p < {UNSURE}, 3, 1))",
            'Compare all numbers: alike boxes point to the matching, low probabilities everywhere to the weight of "no '
            'object", and good boxes with high scores for others to the order of the scores.',
        ),
        Mistake(
            "matching-first",
            f"problem = where(u > {SAME_BOXES}, 1, 2)",
            "If several queries shared an object, the boxes of an image would overlap. Look at their mean IoU.",
        ),
    ],
)
def detr_log(rng: Random) -> Inputs:
    """Diagnosis of a DETR"""
    case = rng.choice(["empty", "collapse", "ranking"])
    if case == "collapse":
        recall, p, u = rng.randint(150, 350), rng.randint(40, 80), rng.randint(75, 95)
        ap = recall - rng.randint(50, 120)
    elif case == "empty":
        recall, p, u = rng.randint(700, 900), rng.randint(2, 12), rng.randint(5, 20)
        ap = recall - rng.randint(250, 550)
    else:
        recall, p, u = rng.randint(800, 950), rng.randint(70, 95), rng.randint(5, 20)
        ap = recall - rng.randint(400, 600)
    return dict(recall=recall / 10, ap=ap / 10, p=p / 100, u=u / 100)
