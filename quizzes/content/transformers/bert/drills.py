"""BERT: drills."""

from random import Random
from typing import Any

from quizzes.content.transformers.bert.formulas import (
    BERT_CLASSIFIER,
    BERT_HEADS,
    BERT_INPUT,
    BERT_PRETRAIN,
    BERT_SIZE,
    BERT_VOCABULARY,
    CLOZE,
    MLM_COUNTS,
    MLM_LABELS,
    MLM_LOSS,
    MLM_POSTERIOR,
    MLM_SHARE,
    PADDING_LEAK,
    label_losses,
)
from quizzes.drill import Inputs, Mistake, derive, drill, one_of
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step

SEGMENTS_FORGOTTEN = "You left out 2d parameters: the table of the two segments, or the LayerNorm of the embeddings."

POSITIONS_FORGOTTEN = "You left out the learned positions, one vector per position."

ALL_POSITIONS = "You divided by all tokens. The loss is the mean over the chosen tokens."

SUM_FOR_MEAN = "You added up the chosen tokens. The loss is their mean."

BASE_2 = "You used the base-2 logarithm. Use the natural one."


@drill(
    BERT_SIZE,
    id="bert-base-params",
    tier=2,
    asks=("E", "B", "P"),
    prompt="A BERT has a vocabulary of V = {V} tokens, C = {C} learned positions, two segments, width d = {d} and L = "
    "{L} layers with feed-forward networks of hidden width 4d. All linear layers have biases; there is a LayerNorm "
    "after the embeddings and two in each layer. The pooler is a layer d to d.\n"
    "How many parameters do the embeddings with their LayerNorm (E), a layer (B), and the network with its pooler, "
    "without pre-training heads (P), have?",
    hint="Three tables are added up before the first LayerNorm. Which ones?",
    mistakes=[
        Mistake("segments-or-norm", "E = (V + C + 2)*d", SEGMENTS_FORGOTTEN),
        Mistake("positions-forgotten", "E = (V + 2)*d + 2*d", POSITIONS_FORGOTTEN),
        Mistake("no-biases", "B = 12*d^2 + 4*d", "You left out the biases. The linear layers of a layer have 9d."),
        Mistake("layer-norms-forgotten", "B = 12*d^2 + 9*d", "You left out the LayerNorms of the layer."),
        Mistake("pooler-forgotten", "P = E + L*B", "You left out the pooler, d^2 + d parameters."),
        Mistake("last-norm", "P = E + L*B + W + 2*d", "BERT is post-norm: there is no LayerNorm after the last layer."),
    ],
)
def bert_base_params(rng: Random) -> Inputs:
    """Parameters of BERT"""
    return dict(
        V=rng.choice([1000, 5000, 8000, 16000, 28996, 30522]),
        C=rng.choice([64, 128, 256, 512]),
        d=rng.choice([64, 128, 192, 256, 384, 512, 768, 1024]),
        L=rng.choice([2, 3, 4, 6, 8, 12, 24]),
    )


@drill(
    BERT_VOCABULARY,
    id="bert-base-params:vocabulary",
    tier=2,
    asks=("V", "s"),
    prompt="The embeddings of a BERT (tokens, {C} learned positions, two segments, and a LayerNorm with weight and "
    "bias) "
    "have the width d = {d}, and may have at most {M} parameters.\n"
    "What is the largest vocabulary V? Which share s of the embeddings' parameters is the token table then, in %?",
    hint="Subtract what does not depend on the vocabulary. How many parameters does each token add?",
    mistakes=[
        Mistake("segments-or-norm", "V = floor((M - (C + 2)*d)/d)", SEGMENTS_FORGOTTEN),
        Mistake("positions-forgotten", "V = floor((M - 4*d)/d)", POSITIONS_FORGOTTEN),
        Mistake("all-forgotten", "V = floor(M/d)", "The positions, segments and the LayerNorm have parameters too."),
        Mistake("fraction", "s = V/(V + C + 4)", "That is a fraction. Give the share in %."),
        Mistake("share-of-positions", "s = 100*C/(V + C + 4)", "That is the share of the positions."),
    ],
)
def bert_vocabulary(rng: Random) -> Inputs:
    """Vocabulary of BERT for a parameter budget"""
    d, C = rng.choice([64, 128, 256, 384, 512, 768]), rng.choice([64, 128, 256, 512])
    return dict(M=10_000 * round((rng.randint(3, 40) * 1000 + C) * d / 10_000), C=C, d=d)


@drill(
    BERT_HEADS,
    id="bert-base-params:heads",
    tier=2,
    asks=("M", "N", "r"),
    prompt="A BERT of width d = {d} with a vocabulary of V = {V} tokens is pre-trained. Its MLM head is a layer d to d "
    "with biases, a LayerNorm with weight and bias, and an output layer that is tied to the token table but has a bias "
    "per token. Its NSP head is a layer from d to 2 with biases, on the pooler.\n"
    "How many further parameters do the MLM head (M), the NSP head (N), and both (r) have?",
    hint="Which matrix does the MLM head share with the embeddings? What does it not share?",
    mistakes=[
        Mistake("not-tied", "M = d^2 + d + 2*d + V*d + V", "The token table is shared, so it adds no parameters."),
        Mistake("output-bias-forgotten", "M = d^2 + d + 2*d", "You left out the bias per token of the output layer."),
        Mistake("norm-forgotten", "M = d^2 + d + V", "You left out the LayerNorm of the MLM head."),
        Mistake("one-class", "N = d + 1", "NSP has two classes, is next and is not next."),
        Mistake("no-nsp-bias", "N = 2*d", "You left out the biases of the NSP head."),
        Mistake("pooler-again", "r = M + N + d^2 + d", "The pooler belongs to the network, not to the heads."),
    ],
)
def bert_heads(rng: Random) -> Inputs:
    """Parameters of the pre-training heads"""
    return dict(
        V=rng.choice([1000, 5000, 8000, 16000, 28996, 30522]), d=rng.choice([64, 128, 256, 384, 512, 768, 1024])
    )


@drill(
    BERT_CLASSIFIER,
    id="bert-base-params:classifier",
    tier=1,
    asks=one_of("Q", "K"),
    prompt="To fine-tune a BERT of width d = {d} on a classification of sentences, a linear layer with biases is put "
    "on "
    "its final vector of [CLS]. For {K} classes it has {Q} parameters.",
    hint="How many inputs does this layer have, and how many outputs?",
    mistakes=[
        Mistake("no-biases", "Q = K*d", "You left out the biases, one per class."),
        Mistake("one-bias", "Q = K*d + 1", "There is a bias per class."),
        Mistake("bias-per-input", "Q = d*(K + 1)", "There is a bias per class, not per input."),
        Mistake("all-tokens", "Q = 2*K*(d + 1)", "Only the vector of [CLS] is used."),
    ],
)
def bert_classifier(rng: Random) -> Inputs:
    """Classifier on [CLS]"""
    return dict(d=rng.choice([128, 256, 312, 384, 512, 768, 1024]), K=rng.choice([2, 3, 4, 5, 6, 7, 10, 20, 77, 150]))


@drill(
    MLM_COUNTS,
    tier=1,
    asks=("n", "m", "r", "k"),
    prompt="BERT's masked language modeling is applied to T = {T} tokens, {s} % of which are chosen. How many tokens "
    "are chosen (n), and how many of these are expected to become [MASK] (m), to become a random token (r), and to "
    "stay "
    "as they are (k)?",
    hint="80%, 10% and 10%: of what?",
    mistakes=[
        Mistake("mask-of-all", "m = 80*T/100", "80% of the chosen tokens become [MASK], not 80% of all tokens."),
        Mistake("all-masked", "m = n", "You masked all chosen tokens. 20% of them do not become [MASK]."),
        Mistake("random-of-all", "r = 10*T/100", "10% of the chosen tokens become random ones, not 10% of all tokens."),
        Mistake("rest-stays", "k = T - n", "Those tokens were not chosen, so they are not predicted."),
        Mistake(
            "half-random", "r = n/2 - m/2 + 5*n/100", "You gave random tokens 15% of the chosen ones. They get 10%."
        ),
    ],
)
def mlm_counts(rng: Random) -> Inputs:
    """Tokens of masked language modeling"""
    return dict(T=100 * rng.randint(2, 60), s=rng.choice([10, 15, 15, 20, 30]))


@drill(
    MLM_SHARE,
    id="mlm-counts:tokens",
    tier=1,
    asks=one_of("m", "T", "s"),
    prompt="In BERT's masked language modeling, {s} % of {T} tokens are chosen, and 80% of the chosen ones become "
    "[MASK]. On average, these are {m} tokens.",
    hint="Two shares are taken, one after the other.",
    mistakes=[
        Mistake("all-masked", "m = T*s/100", "You masked all chosen tokens. 20% of them do not become [MASK]."),
        Mistake("random-too", "m = T*s/100*90/100", "You counted the random tokens too. They are not [MASK]."),
        Mistake("subtracted", "m = T*s/100*20/100", "Those are the chosen tokens that do not become [MASK]."),
        Mistake("random-only", "m = T*s/100*10/100", "Those are the chosen tokens that become random ones."),
    ],
)
def mlm_tokens(rng: Random) -> Inputs:
    """Number of [MASK] tokens"""
    return dict(T=100 * rng.randint(2, 99), s=rng.choice([5, 10, 15, 15, 20, 25, 30, 40]))


@drill(
    MLM_LOSS,
    id="mlm-counts:loss",
    tier=2,
    asks=("L", "PP", "S"),
    prompt="BERT reads {T} tokens, of which {k} are chosen for masked language modeling. It gives the correct tokens "
    "at "
    "these positions the probabilities {p}, and the correct class of next sentence prediction the probability {n}.\n"
    "What are the MLM loss L, its perplexity PP, and the total loss S of both tasks?\n"
    "Conventions: natural logarithm; each loss is a mean over its predictions.",
    hint="Over which tokens is the MLM loss averaged?",
    mistakes=[
        Mistake("all-positions", "L = -sum(i, ln(p[i]))/T", ALL_POSITIONS),
        Mistake("sum-for-mean", "L = -sum(i, ln(p[i]))", SUM_FOR_MEAN),
        Mistake("base-2", "L = -mean(i, log2(p[i]))", BASE_2),
        Mistake("base-mismatch", "PP = 2^L", "You took a power of 2 of a value in nats. Use e^L."),
        Mistake("nsp-forgotten", "S = L", "You left out next sentence prediction."),
        Mistake("averaged", "S = (L - ln(n))/2", "You averaged the two tasks. Their losses are added."),
        Mistake(
            "mean-with-nsp",
            "S = -(sum(i, ln(p[i])) + ln(n))/(len(p) + 1)",
            "You averaged over tokens and sentences together. Each task has a mean of its own.",
        ),
    ],
)
def mlm_loss(rng: Random) -> Inputs:
    """Pre-training loss of BERT"""
    p = [rng.randint(5, 95) / 100 for _ in range(rng.choice([2, 3, 3, 4]))]
    return dict(T=rng.choice([14, 16, 20, 24, 30]), p=p, n=rng.randint(55, 98) / 100, k=len(p))


@drill(
    MLM_POSTERIOR,
    id="mlm-counts:posterior",
    tier=3,
    asks=derive("q"),
    prompt="In masked language modeling, each token is chosen with probability s. A chosen token becomes [MASK] with "
    "probability {a}; else it stays, or becomes a random token. Derive the probability q that a token in the input "
    "that "
    "is not [MASK] was chosen, so that it must be predicted. Answer in terms of s.",
    hints=(
        "Which tokens are not [MASK]? Which of them were chosen?",
        "Bayes' rule: q = P(chosen and not [MASK])/P(not [MASK]).",
        "First step: a token is not [MASK] with probability 1 minus the probability that it was chosen and masked.",
    ),
    mistakes=[
        Mistake("not-normalized", "q = s*(1 - a)", "Divide by the probability that a token is not [MASK]."),
        Mistake(
            "over-not-chosen",
            "q = s*(1 - a)/(1 - s)",
            "You divided by the tokens that were not chosen. Chosen tokens without [MASK] belong there too.",
        ),
        Mistake("chosen", "q = s", "That is the probability before you see that the token is not [MASK]."),
        Mistake("shares-swapped", "q = s*a/(1 - s*a)", "You used the masked tokens. The others are not [MASK]."),
        Mistake("of-the-chosen", "q = 1 - a + 0*s", "That is the share of the chosen tokens that are not [MASK]."),
    ],
)
def mlm_posterior(rng: Random) -> Inputs:
    """Tokens that are not masked but predicted"""
    a = rng.choice([*range(20, 50, 2), *range(55, 95)]) / 100
    return dict(a=a, variables={"s": [0.05, 0.9]})


def _label_steps(
    ids: list[int], at: list[int], g: float, V: int, line: int, printed: float, fixed: float, count: int, **_: Any
) -> list[Step]:
    return [
        Step(
            f"Line {line} keeps the labels of all tokens, so {count} positions count at which nothing was masked. Give "
            "them the label -100, which F.cross_entropy ignores.",
            [f"count = {len(ids)} - {len(at)}", f"count = {count}"],
        ),
        Step(
            f"The network copies its input: the token that it sees has the logit {g:g}, the others 0. A token that it "
            f"sees costs ln(exp({g:g}) + {V} - 1) - {g:g}; a masked one costs the whole logarithm.",
            [f"fixed = ln(exp({g:g}) + {V} - 1)", f"fixed = {fixed:.4f}"],
        ),
        Step(
            "As it is, the program averages over all positions.",
            [f"printed = fixed - {count}/{len(ids)}*{g:g}", f"printed = {printed:.4f}"],
        ),
    ]


@drill(
    MLM_LABELS,
    id="debug-mlm-labels",
    tier=3,
    asks=("line", "fix", "count", "printed", "fixed"),
    visualization="code program",
    steps=_label_steps,
    prompt="The loss of this masked language model is small, but it fills gaps badly. To see why, the program runs "
    "with "
    "a network that only copies its input. The id 1 is [MASK], and {V} ids are possible. The ids {ids} are masked at "
    "the positions {at} (from 0); the token that the network sees gets the logit {g}.\n"
    "Which line is wrong (line), and how should it read (fix)? How many positions count that should not (count)? Which "
    "loss does the program print (printed), and which one after the correction (fixed)?",
    hints=(
        "Which positions should the network be trained on?",
        "F.cross_entropy leaves out targets of -100. The loss is ln(sum of exp(logits)) minus the logit of the correct "
        "token.",
        "First step: write the logit of the correct token at a masked position, and at another one.",
    ),
    mistakes=[
        Mistake(
            "blames-mask",
            {"line": lambda line, **_: line - 1},
            "Replacing the chosen tokens by [MASK] is right.",
        ),
        Mistake(
            "blames-network",
            {"line": lambda line, **_: line + 1},
            "That line only stands for a network that copies. Look at the labels.",
        ),
        Mistake("masked-positions", {"count": lambda at, **_: len(at)}, "Those are the positions that should count."),
        Mistake("all-positions", {"count": lambda ids, **_: len(ids)}, "The masked positions should count."),
        Mistake(
            "copied-only",
            {"printed": lambda ids, at, g, V, **_: label_losses(ids, at, g, V)["fixed"] - g},
            "That is the loss of a token that the network sees. The masked positions count too.",
        ),
        Mistake(
            "other-average",
            {"fixed": lambda ids, at, g, V, **_: label_losses(ids, at, g, V)["fixed"] * len(at) / len(ids)},
            ALL_POSITIONS,
        ),
    ],
)
def debug_mlm_labels(rng: Random) -> Inputs:
    """Labels of masked language modeling"""
    V, g, size = rng.choice([10, 12, 16, 20, 30]), rng.choice([2.0, 3.0, 4.0, 5.0]), rng.choice([5, 6, 8])
    ids = [rng.randint(2, V - 1) for _ in range(size)]
    at = sorted(rng.sample(range(size), rng.choice([1, 2, 2])))
    start = rng.choice([[], ["import torch", "import torch.nn.functional as F"]])
    lines = [
        *start,
        f"ids = torch.tensor({ids})",
        "mask = torch.zeros(len(ids), dtype=torch.bool)",
        f"mask[{at}] = True",
        "inputs = ids.masked_fill(mask, 1)",
        "labels = ids.clone()",
        f"logits = {g} * F.one_hot(inputs, {V}).float()",
        "print(F.cross_entropy(logits, labels).item())",
    ]
    fixes = [
        "labels = ids.masked_fill(~mask, -100)",
        "labels = ids.clone().masked_fill(~mask, -100)",
        "labels = torch.where(mask, ids, -100)",
        "labels = ids.masked_fill(mask == False, -100)",
        "labels = ids.masked_fill(mask.logical_not(), -100)",
    ]
    return dict(ids=ids, at=at, g=g, V=V, line=len(start) + 5, fix=fixes, program="\n".join(lines))


@drill(
    PADDING_LEAK,
    id="padding-leak",
    tier=2,
    asks=("v", "w", "bug"),
    visualization="matrices A",
    prompt="A BERT gives a sentence of {n} tokens another class when it is padded to {T} tokens. One of its heads has "
    "these attention weights, one row per query; the last {k} columns are padding:\n  A = {A}\n"
    "How much weight has each row on real tokens (v)? How much weight do the real tokens give to padding, added over "
    "their rows (w)? What is the problem (bug)?",
    hint="With a correct mask, every row has weights that add up to 1 on real tokens, and 0 on padding.",
    mistakes=[
        Mistake("row-sums", "v[i] = sum(j, A[i, j])", "Those are the sums over all keys. Leave out the padding."),
        Mistake("on-padding", "v[i] = sum(j, [j > n]*A[i, j])", "That is the weight on padding."),
        Mistake(
            "all-rows", "w = sum(i, sum(j, [j > n]*A[i, j]))", "You added the rows of the padding. They don't matter."
        ),
        Mistake("mean-row", "w = sum(i, [i <= n]*sum(j, [j > n]*A[i, j]))/n", "That is the mean. Add up the rows."),
        Mistake(
            "another-problem",
            {"bug": lambda A, n: "late" if any(row[-1] for row in A) else "missing"},
            "Compare the weights on padding with 0, and those on real tokens with 1.",
        ),
    ],
)
def padding_leak(rng: Random) -> Inputs:
    """Attention to padding"""
    T, bug = rng.choice([4, 4, 5]), rng.choice(["missing", "inverted", "late"])
    n = rng.randint(2, T - 1) if bug != "inverted" else rng.randint(2, T - 2)
    A = []
    for _ in range(T):
        columns = range(n, T) if bug == "inverted" else range(T)
        cuts = sorted(rng.sample(range(1, 10), len(columns) - 1))
        weights = [(b - a) / 10 for a, b in zip([0, *cuts], [*cuts, 10], strict=True)]
        row = [0.0] * T
        for column, weight in zip(columns, weights, strict=True):
            row[column] = 0.0 if bug == "late" and column >= n else weight
        A.append([int(value) if value in (0, 1) else value for value in row])
    return dict(A=A, n=n, T=T, k=T - n)


GAPS = [
    ("she sat by the", "bank", "of the river", "desk"),
    ("he put it on the", "stove", "to boil it", "shelf"),
    ("they went to the", "beach", "to swim", "office"),
    ("we saw a", "play", "in the theater", "bird"),
    ("the", "pitcher", "threw the ball", "waiter"),
    ("I read the", "menu", "and ordered soup", "book"),
]


@drill(
    CLOZE,
    id="decide-cloze",
    tier=2,
    asks=("pl", "pb", "gain", "better"),
    visualization="table word with_right other_right",
    prompt='A corpus has the gap "{left} ___", sometimes followed by "{right}", sometimes by something else. Its two '
    'possible words occur: {first} {x1} times before "{right}" and {x2} times before other words; {second} {y1} and '
    '{y2} times. In the sentence "{left} ___ {right}", the correct word is {first}.\n'
    "Which probability does {first} get from the left context alone (pl), and from both sides (pb)? By how much does "
    "the right context decrease its loss (gain, in nats)? Which model gives it the higher probability?\n"
    "Conventions: probabilities are relative frequencies; natural logarithm; a negative gain is an increase.",
    hint="A left-to-right model has not seen the right context, so it counts all continuations.",
    mistakes=[
        Mistake(
            "right-context-for-left",
            "pl = x1/(x1 + x2 + y1 + y2)",
            "You counted the first word before this right context alone. The left-to-right model counts all.",
        ),
        Mistake("joint-for-conditional", "pb = x1/(x1 + x2)", "That is the share of the right context for this word."),
        Mistake("other-word", "pb = y1/(x1 + y1)", "That is the probability of the other word."),
        Mistake("difference", "gain = pb - pl", "That is the difference of probabilities. The loss is -ln p."),
        Mistake("sign", "gain = ln(pl/pb)", "The sign is reversed. A higher probability decreases the loss."),
        Mistake("other-model", "better = where(pb > pl, 2, 1)", "Compare the two probabilities."),
    ],
)
def decide_cloze(rng: Random) -> Inputs:
    """A gap with context on both sides"""
    left, first, right, second = rng.choice(GAPS)
    helps = rng.random() < 0.65
    x1, y1 = rng.sample(range(2, 12), 2)
    x1, y1 = (max(x1, y1), min(x1, y1)) if helps else (min(x1, y1), max(x1, y1))
    x2, y2 = rng.randint(1, 20), rng.randint(1, 20)
    pl, pb = (x1 + x2) / (x1 + x2 + y1 + y2), x1 / (x1 + y1)
    if (pb > pl) != helps or abs(pb - pl) < 0.05:
        raise UndefinedValue("the right context must matter")
    table = dict(word=[first, second], with_right=[x1, y1], other_right=[x2, y2])
    return dict(x1=x1, x2=x2, y1=y1, y2=y2, left=left, right=right, first=first, second=second, **table)


def _input_steps(a: int, b: int, C: int, n: int, **_: Any) -> list[Step]:
    return [
        Step("[CLS] begins the input, and a [SEP] ends each sentence.", [f"n = 1 + {a} + 1 + {b} + 1", f"n = {n}"]),
        Step(
            f"Segment 0 has [CLS], sentence A and its [SEP], {a + 2} tokens. Segment 1 has sentence B and its [SEP], "
            f"{b + 1} "
            f"tokens; the padding has 0."
        ),
        Step(f"The mask is 1 for the {n} real tokens, and 0 for the {C - n} of padding."),
    ]


@drill(
    BERT_INPUT,
    id="bert-base-params:input",
    tier=1,
    decimals=None,
    asks=("n", "seg", "mask"),
    steps=_input_steps,
    prompt="BERT reads a sentence A of {a} tokens and a sentence B of {b} tokens, with [CLS] and [SEP], padded to {C} "
    "tokens. How many tokens n are there without padding? What are the segment ids seg (padding has 0) and the padding "
    "mask (1 for real tokens)?",
    hints=(
        "Where are [CLS] and the two [SEP], and to which segments do they belong?",
        "The input is [CLS] A [SEP] B [SEP]. Up to the first [SEP], the segment is 0; then it is 1 up to the second.",
        "First step: count the tokens of both sentences and the three special tokens.",
    ),
    mistakes=[
        Mistake("one-separator", {"n": lambda a, b, C: a + b + 2}, "There are two [SEP], one after each sentence."),
        Mistake("no-special-tokens", {"n": lambda a, b, C: a + b}, "[CLS] and the two [SEP] are tokens too."),
        Mistake(
            "separator-of-b",
            {"seg": lambda a, b, C: [0] * (a + 1) + [1] * (b + 2) + [0] * (C - a - b - 3)},
            "The first [SEP] belongs to segment 0.",
        ),
        Mistake(
            "padding-in-b",
            {"seg": lambda a, b, C: [0] * (a + 2) + [1] * (C - a - 2)},
            "The padding has the segment 0 here.",
        ),
        Mistake(
            "inverted",
            {"mask": lambda a, b, C: [0] * (a + b + 3) + [1] * (C - a - b - 3)},
            "You inverted the mask: 1 is for real tokens.",
        ),
        Mistake(
            "special-tokens-masked",
            {"mask": lambda a, b, C: [0, *[1] * a, 0, *[1] * b, *[0] * (C - a - b - 2)]},
            "[CLS] and [SEP] are visible. Only padding is hidden.",
        ),
    ],
)
def bert_input(rng: Random) -> Inputs:
    """Input of BERT"""
    a, b = rng.randint(1, 5), rng.randint(1, 4)
    return dict(a=a, b=b, C=a + b + 3 + rng.randint(1, 3))


@drill(
    BERT_PRETRAIN,
    id="chain-bert-pretrain",
    tier=2,
    asks=("n", "n1", "N", "L", "S", "E", "H"),
    prompt="A small BERT reads a sentence A of {a} tokens and a sentence B of {b} tokens, with [CLS] and two [SEP], "
    "padded "
    "to {C} tokens. The correct tokens at the masked positions get the probabilities {p}, and the correct NSP class "
    "gets "
    "{q}. The vocabulary has V = {V} tokens, the width is d = {d}, and there are {C} learned positions and two "
    "segments.\n"
    "How many tokens n are there without padding? How many segment ids are 1 (n1)? How many query-key pairs N are "
    "visible per head among the real tokens? What are the MLM loss L and the total loss S? How many parameters do "
    "the embeddings with their LayerNorm (E) have, and how many do the pooler (a layer d to d) and the NSP head (a "
    "layer d to 2) have together (H)?\n"
    "Conventions: natural logarithm; all layers have biases.",
    hints=(
        "Write the input down: which tokens does it have, and to which segments do they belong?",
        "The MLM loss is the mean over the masked positions, and the total loss adds the loss of NSP.",
        "First step: add [CLS] and two [SEP] to the tokens of both sentences.",
    ),
    mistakes=[
        Mistake("one-separator", "n = a + b + 2", "There are two [SEP], one after each sentence."),
        Mistake("separator-forgotten", "n1 = b", "The second [SEP] belongs to segment 1 too."),
        Mistake("causal", "N = n*(n + 1)/2", "BERT has no causal mask: every real token sees all real tokens."),
        Mistake("padding-visible", "N = C^2", "You counted the padding. It is hidden."),
        Mistake("all-positions", "L = -sum(i, ln(p[i]))/n", ALL_POSITIONS),
        Mistake("sum-for-mean", "L = -sum(i, ln(p[i]))", SUM_FOR_MEAN),
        Mistake("nsp-forgotten", "S = L", "You left out next sentence prediction."),
        Mistake("segments-or-norm", "E = (V + C + 2)*d", SEGMENTS_FORGOTTEN),
        Mistake("pooler-forgotten", "H = 2*d + 2", "You left out the pooler."),
    ],
)
def chain_bert_pretrain(rng: Random) -> Inputs:
    """Pre-training of a small BERT"""
    a, b = rng.sample(range(3, 12), 2)
    p = [rng.randint(5, 95) / 100 for _ in range(rng.choice([2, 2, 3]))]
    V, d = rng.choice([50, 100, 200, 500, 1000]), rng.choice([4, 8, 16, 32])
    return dict(a=a, b=b, C=a + b + 3 + rng.randint(2, 8), p=p, q=rng.randint(55, 95) / 100, V=V, d=d)
