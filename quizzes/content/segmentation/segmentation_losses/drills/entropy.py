"""Pixel cross-entropy and Dice: drills about the cross-entropy of pixels."""

from random import Random
from statistics import median

from quizzes.content.segmentation.segmentation_losses.formulas import (
    CE_DICE,
    CLASS_WEIGHTS,
    CONSTANT_MASK,
    IGNORED,
    PIXEL_CE,
    PIXEL_CE_LOGITS,
    PIXEL_CE_UNIFORM,
    PIXEL_CE_WEIGHTED,
    PIXEL_FOCAL,
)
from quizzes.drill import Inputs, Mistake, drill, one_of
from quizzes.expressions.tree import UndefinedValue, Value
from quizzes.question import Step

LOG_2 = "You used the base-2 logarithm. Use the natural logarithm."


@drill(
    PIXEL_CE,
    tier=1,
    asks=("n", "L"),
    visualization="matrices p v",
    prompt="A network predicts the true class of each pixel of a tiny image with these probabilities: p = {p}. The "
    "pixels with v = 1 in v = {v} are valid; the others are void, and the loss ignores them.\n"
    "How many pixels are valid (n), and what is the pixel cross-entropy L?\n"
    "Conventions: natural log; mean over the valid pixels, as by ignore_index in PyTorch.",
    hint="Which pixels contribute to the sum? By which number is it divided?",
    mistakes=[
        Mistake(
            "all-pixels",
            "L = -sum(i, v[i]*ln(p[i]))/len(p)",
            "You divided by the number of all pixels. The mean is taken over the valid ones.",
        ),
        Mistake("void-counted", "L = -mean(i, ln(p[i]))", "You counted the void pixels. Their loss is ignored."),
        Mistake("sum", "L = -sum(i, v[i]*ln(p[i]))", "You took the sum. Divide it by the number of valid pixels."),
        Mistake(
            "log-of-mean",
            "L = -ln(sum(i, v[i]*p[i])/n)",
            "You averaged the probabilities. Take the logarithm at each pixel first.",
        ),
        Mistake("base-2", "L = -sum(i, v[i]*log2(p[i]))/n", LOG_2),
        Mistake("all-valid", "n = len(p)", "You counted the void pixels. Only those with v = 1 are valid."),
    ],
)
def pixel_ce(rng: Random) -> Inputs:
    """Cross-entropy of valid pixels"""
    count = rng.choice([4, 4, 5, 6])
    void = rng.sample(range(count), rng.choice([1, 1, 2]))
    p = [rng.randint(5, 98) / 100 for _ in range(count)]
    return dict(p=p, v=[int(i not in void) for i in range(count)])


@drill(
    PIXEL_CE_LOGITS,
    id="pixel-ce:logits",
    tier=2,
    asks=("l", "L"),
    visualization="matrices Z",
    prompt="A network outputs the logits Z = {Z}, a row per pixel and a column per class. The true classes are y = "
    "{y}, where {ignored} stands for a void pixel.\n"
    "What are the cross-entropy l of each pixel (0 for a void one), and their mean L, as in "
    "F.cross_entropy(Z, y, ignore_index={ignored})?\n"
    "Conventions: natural log; classes are numbered from 0; mean over the valid pixels.",
    hint="The cross-entropy of a pixel is the logarithm of the sum of exponentials minus the logit of the true class.",
    mistakes=[
        Mistake(
            "all-pixels",
            "L = sum(i, l[i])/len(y)",
            "You divided by the number of all pixels. The void pixel doesn't count.",
        ),
        Mistake("sum", "L = sum(i, l[i])", "You took the sum. Divide it by the number of valid pixels."),
        Mistake(
            "logit-for-loss",
            "l[i] = -sum(k, T[i, k]*Z[i, k])",
            "You left out the logarithm of the sum of exponentials, by which softmax divides.",
        ),
        Mistake(
            "base-2",
            "l[i] = sum(k, T[i, k]*(log2(sum(j, exp(Z[i, j]))) - Z[i, k]))",
            LOG_2,
        ),
        Mistake(
            "all-classes",
            "l[i] = sum(k, ln(sum(j, exp(Z[i, j]))) - Z[i, k])",
            "You added the losses of all classes. Only the true class of a pixel counts.",
        ),
    ],
)
def pixel_ce_logits(rng: Random) -> Inputs:
    """Cross-entropy of logits with a void pixel"""
    classes, count = rng.choice([2, 3]), rng.choice([3, 3, 4])
    y = [rng.randrange(classes) for _ in range(count)]
    y[rng.randrange(count)] = IGNORED
    Z = [[rng.randint(-2, 3) for _ in range(classes)] for _ in y]
    return dict(Z=Z, y=y, ignored=IGNORED)


@drill(
    PIXEL_CE_WEIGHTED,
    id="pixel-ce:weighted",
    tier=2,
    asks="L",
    visualization="matrices p y",
    prompt="A network predicts the true class of each pixel with the probabilities p = {p}. The true classes are y = "
    "{y}, numbered from 0, and the class weights are w = {w}.\n"
    "What is the weighted cross-entropy L, as in F.cross_entropy with these weights?\n"
    "Conventions: natural log; the weighted mean divides by the sum of the weights of the pixels.",
    hint="Which weight does each pixel have? By what does a weighted mean divide?",
    mistakes=[
        Mistake(
            "divided-by-n",
            "L = mean(i, u[i]*l[i])",
            "You divided by the number of pixels. PyTorch divides by the sum of their weights.",
        ),
        Mistake("weights-ignored", "L = mean(i, l[i])", "You ignored the weights of the classes."),
        Mistake("not-divided", "L = sum(i, u[i]*l[i])", "You took the sum. Divide it by the sum of the weights."),
        Mistake(
            "over-class-weights",
            "L = sum(i, u[i]*l[i])/sum(k, w[k])",
            "You divided by the sum over the classes. Add the weights of the pixels instead.",
        ),
        Mistake(
            "weight-inside",
            "L = -sum(i, ln(u[i]*p[i]))/sum(i, u[i])",
            "You multiplied the probability. The weight multiplies the loss of the pixel.",
        ),
    ],
)
def pixel_ce_weighted(rng: Random) -> Inputs:
    """Cross-entropy with class weights"""
    classes, count = rng.choice([2, 3]), rng.choice([3, 4, 4])
    y = [rng.randrange(classes) for _ in range(count)]
    if len({*y}) < 2:
        raise UndefinedValue("two classes must occur")
    w = rng.sample([0.2, 0.5, 1, 2, 3, 4, 5, 8], classes)
    return dict(p=[rng.randint(5, 95) / 100 for _ in y], y=y, w=w)


@drill(
    PIXEL_CE_UNIFORM,
    id="pixel-ce:uniform",
    tier=1,
    asks=one_of("L", "K"),
    decimals=4,
    prompt="A segmentation network for K = {K} classes (with the background) reads images of {width}x{height} px. "
    "Before training, all logits are about equal, and the pixel cross-entropy is L = {L}.\n"
    "Conventions: natural log; mean over the pixels.",
    hint="Which probability has each class if all logits are equal?",
    mistakes=[
        Mistake("base-2", "L = log2(K)", LOG_2),
        Mistake("background-left-out", "L = ln(K - 1)", "You left out one class. The background is a class too."),
        Mistake("background-twice", "L = ln(K + 1)", "You counted the background twice. K contains it."),
        Mistake("base-10", "L = log10(K)", "You used the base-10 logarithm. Use the natural logarithm."),
    ],
)
def pixel_ce_uniform(rng: Random) -> Inputs:
    """Loss before training"""
    width, height = rng.choice([(128, 128), (256, 256), (320, 240), (512, 512), (640, 480), (1024, 512)])
    return dict(K=rng.choice([3, 4, 5, 6, 8, 11, 12, 19, 21, 33, 59, 150]), width=width, height=height)


@drill(
    CONSTANT_MASK,
    id="pixel-ce:constant",
    tier=2,
    asks=("acc", "mIoU", "L", "D"),
    prompt="The foreground has the share f = {f} of all pixels. A network has only learned the best constant: it "
    "predicts the foreground probability p = f at every pixel.\n"
    "What are its pixel accuracy (acc), its mean IoU over background and foreground (mIoU), its mean binary "
    "cross-entropy L, and the soft Dice coefficient of the foreground D = 2 sum(p g)/(sum p + sum g)?\n"
    "Conventions: natural log; pixels with p > 0.5 are predicted as foreground; D uses the probabilities.",
    hint="Which class is predicted at every pixel? Which IoU has a class that is never predicted?",
    mistakes=[
        Mistake("foreground-accuracy", "acc = f", "Every pixel is predicted as background, whose share is 1 - f."),
        Mistake(
            "background-only",
            "mIoU = 1 - f",
            "You left out the foreground. Its IoU is 0, because no pixel is predicted as foreground.",
        ),
        Mistake("loss-of-background", "L = -ln(1 - f)", "The foreground pixels have a loss too: -ln f."),
        Mistake("loss-of-foreground", "L = -ln(f)", "Most pixels are background, with the loss -ln(1 - f)."),
        Mistake("base-2", "L = -f*log2(f) - (1 - f)*log2(1 - f)", LOG_2),
        Mistake("hard-dice", "D = 0", "That is the Dice coefficient of the hard mask. Here, D uses the probabilities."),
        Mistake("no-factor", "D = f/2", "You left out the factor 2 of the Dice coefficient."),
    ],
)
def pixel_ce_constant(rng: Random) -> Inputs:
    """Always predicting the background"""
    return dict(f=rng.randint(4, 299) / 1000)


def _weight_steps(n: list[Value], N: int, w: list[Value], m: list[Value]) -> list[Step]:
    def texts(values: list[Value]) -> str:
        return ", ".join(f"{float(value):.4f}" for value in values)

    counts = [int(count) for count in n]
    return [
        Step(
            f"There are {int(N)} pixels, so a class of average frequency has {int(N)}/{len(n)}. Divide by the pixels "
            f"of "
            "each class.",
            [f"w_1 = {int(N)}/({len(n)}*{counts[0]})", f"w = [{texts(w)}]"],
        ),
        Step(
            f"The median of the counts {', '.join(map(str, sorted(counts)))} is {float(median(counts)):g}. The number "
            f"of "
            "all pixels cancels in the ratio of two frequencies.",
            [f"m_1 = {float(median(counts)):g}/{counts[0]}", f"m = [{texts(m)}]"],
        ),
    ]


@drill(
    CLASS_WEIGHTS,
    tier=2,
    steps=_weight_steps,
    asks=("w", "m"),
    prompt="The training images of a segmentation dataset have these numbers of pixels per class: n = {n}. Every class "
    "occurs in every image.\n"
    "What are the balanced class weights w (number of all pixels, divided by the number of classes times that of the "
    "class), and the weights m of median frequency balancing (median of the class frequencies, divided by that of the "
    "class)?",
    hint="A class of average frequency has the balanced weight 1. Which class has m = 1?",
    mistakes=[
        Mistake("frequencies", "w[k] = n[k]/N", "Those are the frequencies. Rare classes need larger weights."),
        Mistake(
            "classes-left-out",
            "w[k] = N/n[k]",
            "You didn't divide by the number of classes. Balanced weights are 1 if all classes are equally frequent.",
        ),
        Mistake(
            "largest-for-median",
            {"m": lambda n: [max(n) / count for count in n]},
            "You used the largest frequency. The median is the middle one.",
        ),
        Mistake(
            "mean-for-median",
            {"m": lambda n: [sum(n) / (len(n) * count) for count in n]},
            "You used the mean frequency, which gives the balanced weights. The median is the middle one.",
        ),
        Mistake(
            "inverted",
            {"m": lambda n: [count / sorted(n)[len(n) // 2] for count in n]},
            "You inverted the ratio. The class with fewer pixels has the larger weight.",
        ),
    ],
)
def class_weights(rng: Random) -> Inputs:
    """Class weights from pixel counts"""
    n = [100 * rng.randint(60, 95), 100 * rng.randint(10, 40), 100 * rng.randint(1, 8)]
    if rng.random() < 0.3:
        n += [100 * rng.randint(41, 55), 50 * rng.randint(1, 9)]
    if len({*n}) < len(n):
        raise UndefinedValue("the counts must differ")
    return dict(n=rng.sample(n, len(n)))


@drill(
    CE_DICE,
    tier=2,
    asks=("CE", "D", "L"),
    visualization="matrices p g",
    prompt="A network predicts the foreground with the probabilities p = {p}. The true mask is g = {g}. The loss is "
    "L = CE + lambda (1 - D) with lambda = {lam}.\n"
    "What are the mean binary cross-entropy CE, the soft Dice coefficient D = 2 sum(p g)/(sum p + sum g), and L?\n"
    "Conventions: natural log; mean over all pixels.",
    hint="Which probability has the true class of each pixel? Dice needs the sums over all pixels first.",
    mistakes=[
        Mistake(
            "foreground-only",
            "CE = -mean(i, g[i]*ln(p[i]))",
            "You left out the background pixels, whose true class has the probability 1 - p.",
        ),
        Mistake(
            "sum",
            "CE = -sum(i, g[i]*ln(p[i]) + (1 - g[i])*ln(1 - p[i]))",
            "You took the sum. The cross-entropy is the mean over the pixels.",
        ),
        Mistake(
            "union",
            "D = 2*sum(i, p[i]*g[i])/(sum(i, p[i]) + sum(i, g[i]) - sum(i, p[i]*g[i]))",
            "You subtracted the intersection. Dice divides by the sum of both areas.",
        ),
        Mistake(
            "no-factor",
            "D = sum(i, p[i]*g[i])/(sum(i, p[i]) + sum(i, g[i]))",
            "You left out the factor 2 of the Dice coefficient.",
        ),
        Mistake("dice-added", "L = CE + lam*D", "You added D. A good overlap must lower the loss, so add 1 - D."),
        Mistake("lambda-left-out", "L = CE + 1 - D", "You left out lambda, the weight of the Dice loss."),
    ],
)
def ce_dice(rng: Random) -> Inputs:
    """Cross-entropy plus Dice loss"""
    count = rng.choice([4, 4, 5])
    g = [1, 0] + [rng.randint(0, 1) for _ in range(count - 2)]
    rng.shuffle(g)
    return dict(p=[rng.randint(1, 19) / 20 for _ in g], g=g, lam=rng.choice([0.5, 2, 3, 1.5]))


@drill(
    PIXEL_FOCAL,
    tier=2,
    asks=("share", "focal"),
    prompt="Of the pixels of an image, m = {m} are easy: their true class has the probability p = {p}. The remaining "
    "n = {n} are hard, with q = {q}.\n"
    "What is the share of the easy pixels in the summed cross-entropy (share), and in the summed focal loss with gamma "
    "= {gamma} (focal)?\n"
    "Conventions: the focal loss of a pixel is -(1 - p)^gamma ln p, without a class weight.",
    hint="How large is the loss of all easy pixels together, compared with that of all hard ones?",
    mistakes=[
        Mistake(
            "one-pixel-each",
            "share = ln(p)/(ln(p) + ln(q)); focal = (1 - p)^gamma*ln(p)/((1 - p)^gamma*ln(p) + (1 - q)^gamma*ln(q))",
            "You compared one pixel of each kind. Multiply by their numbers.",
        ),
        Mistake("share-of-pixels", "share = m/(m + n)", "That is the share of the pixels. Add up their losses."),
        Mistake(
            "power-of-p",
            "focal = m*p^gamma*ln(p)/(m*p^gamma*ln(p) + n*q^gamma*ln(q))",
            "You used p^gamma. The factor (1 - p)^gamma is small for easy pixels.",
        ),
        Mistake(
            "gamma-multiplies",
            "focal = m*gamma*(1 - p)*ln(p)/(m*gamma*(1 - p)*ln(p) + n*gamma*(1 - q)*ln(q))",
            "You multiplied by gamma. It is an exponent.",
        ),
        Mistake("hard-share", "share = h/(e + h); focal = hf/(ef + hf)", "That is the share of the hard pixels."),
    ],
)
def pixel_focal(rng: Random) -> Inputs:
    """Easy and hard pixels in the focal loss"""
    m, n = 1000 * rng.randint(5, 60), 10 * rng.randint(5, 90)
    return dict(
        m=m,
        n=n,
        p=rng.choice([0.9, 0.95, 0.98, 0.99]),
        q=rng.choice([0.1, 0.2, 0.3, 0.4]),
        gamma=rng.choice([1.5, 2, 2, 3]),
    )
