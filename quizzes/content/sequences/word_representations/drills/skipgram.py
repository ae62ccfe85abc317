"""One-hot, Word2Vec, GloVe, t-SNE: drills about word2vec."""

from random import Random

from quizzes.content.sequences.word_representations.formulas import (
    NEGATIVE_SAMPLING,
    NEGATIVE_SAMPLING_VECTORS,
    SGNS_COUNT,
    SGNS_OPTIMUM,
    SKIPGRAM_CONTEXT,
    SKIPGRAM_COUNT,
    SOFTMAX_COSTS,
    SUBSAMPLING,
    UNIGRAM,
    UNIGRAM_RATIO,
)
from quizzes.drill import Inputs, Mistake, derive, drill, one_of
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step


@drill(
    SKIPGRAM_COUNT,
    tier=1,
    asks=one_of("N", "T"),
    prompt="Skip-gram uses a window of {c} words on each side of the center word, cut off at the ends of the text. A "
    "text of {T} words gives {N} (center, context) pairs.",
    hint="How many neighbors has a word in the middle of the text, and how many has the first word?",
    mistakes=[
        Mistake(
            "ends-ignored",
            "N = 2*c*T",
            "You gave every word 2c neighbors. Near the ends of the text, words have fewer.",
        ),
        Mistake(
            "one-side",
            "N = sum(t = 1..T, min(t - 1, c))",
            "You counted one side. Words before and after the center word belong to the window.",
        ),
        Mistake(
            "center-counted",
            "N = sum(t = 1..T, min(t - 1, c) + min(T - t, c) + 1)",
            "You paired the center word with itself. Only its neighbors are context words.",
        ),
        Mistake(
            "full-windows-only",
            "N = 2*c*max(0, T - 2*c)",
            "You used words with a full window only. Near the ends, the window is cut off, not skipped.",
        ),
    ],
)
def skipgram_pairs(rng: Random) -> Inputs:
    """Number of skip-gram pairs"""
    c = rng.choice([1, 2, 3, 4, 5])
    return dict(T=rng.randint(2 * c + 1, 40), c=c)


SENTENCES = [
    "the old sailor tells children a long story",
    "a small dog chased our neighbor's black cat",
    "she reads every new book about deep learning",
    "we train large networks on many short texts",
    "his sister sold fresh bread near the station",
    "rain fell all night over those quiet hills",
    "nobody likes cold soup after such warm days",
]


def _context_steps(sentence: str, c: int, center: str, context: list[str], N: int, B: int, **_: object) -> list[Step]:
    return [
        Step(f"Up to {c} words on each side of '{center}' belong to the window: {', '.join(context)}."),
        Step("Add the number of context words of every position.", [f"N = {N}"]),
        Step("CBOW predicts each word once, from all its context words together.", [f"B = {B}"]),
    ]


@drill(
    SKIPGRAM_CONTEXT,
    id="skipgram-pairs:context",
    tier=2,
    asks=("context", "N", "B"),
    steps=_context_steps,
    prompt="Sentence: {sentence}\n"
    "The window has {c} words on each side, cut off at the ends of the sentence. Which context words does skip-gram "
    "pair with the center word {center}, in reading order? How many (center, context) pairs N does the sentence give, "
    "and how many training samples B does it give for CBOW?",
    hints=(
        "Which words are at most as far from the center word as the window is wide?",
        "Skip-gram has one sample per (center, context) pair. CBOW has one per center word.",
        "First step: find the center word in the sentence, and count outward on both sides.",
    ),
    mistakes=[
        Mistake(
            "one-side",
            {"context": lambda sentence, c, center: _window(sentence, c, center, after=True)},
            "You used the words after the center word only. The window has two sides.",
        ),
        Mistake(
            "one-word-more",
            {"context": lambda sentence, c, center: _window(sentence, c + 1, center)},
            "Your window is one word too wide on each side.",
        ),
        Mistake(
            "ends-ignored",
            {"N": lambda sentence, c, center: 2 * c * len(sentence.split())},
            "You gave every word a full window. Near the ends of the sentence, it is cut off.",
        ),
        Mistake(
            "pairs-for-cbow",
            {"B": lambda sentence, c, center: sum(len(_window(sentence, c, w)) for w in sentence.split())},
            "You counted pairs. CBOW predicts each center word once, from all its context words together.",
        ),
    ],
)
def skipgram_context(rng: Random) -> Inputs:
    """Context words and samples of a sentence"""
    sentence, c = rng.choice(SENTENCES), rng.choice([1, 2, 2, 3])
    words = sentence.split()
    return dict(sentence=sentence, c=c, center=rng.choice(words[1:-1]), labels=words)


def _window(sentence: str, c: int, center: str, after: bool = False) -> list[str]:
    words = sentence.split()
    at = words.index(center)
    return [words[k] for k in range(at if after else max(0, at - c), min(len(words), at + c + 1)) if k != at]


@drill(
    NEGATIVE_SAMPLING,
    tier=1,
    asks=one_of("L", "s"),
    prompt="Skip-gram with negative sampling gives the true context word the score {s}, and the negative samples the "
    "scores {n}. The loss of this pair is {L}.\n"
    "Conventions: natural log; the loss is a sum, not a mean.",
    hint="The model should answer yes for the true pair, and no for each negative sample. What is P(no)?",
    mistakes=[
        Mistake(
            "sign-of-negatives",
            "L = -ln(sigmoid(s)) - sum(k, ln(sigmoid(n[k])))",
            "You used the wrong sign for the negative samples. Their scores should be low, so use sigmoid(-score).",
        ),
        Mistake(
            "negatives-left-out",
            "L = -ln(sigmoid(s))",
            "You left out the negative samples. Each of them adds a term.",
        ),
        Mistake(
            "negatives-averaged",
            "L = -ln(sigmoid(s)) - mean(k, ln(sigmoid(-n[k])))",
            "You averaged over the negative samples. Their terms are added.",
        ),
        Mistake(
            "softmax",
            "L = ln(exp(s) + sum(k, exp(n[k]))) - s",
            "That is the cross-entropy of a softmax. Negative sampling has a sigmoid per score.",
        ),
        Mistake(
            "sign-of-positive",
            "L = -ln(sigmoid(-s)) - sum(k, ln(sigmoid(-n[k])))",
            "You used the wrong sign for the true pair. Its score should be high, so use sigmoid(score).",
        ),
    ],
)
def neg_sampling_loss(rng: Random) -> Inputs:
    """Negative sampling loss"""
    n = [rng.choice([-1, -1, 1]) * rng.randint(2, 30) / 10 for _ in range(rng.choice([2, 3]))]
    return dict(s=rng.choice([-1, 1, 1]) * rng.randint(5, 30) / 10, n=n)


@drill(
    NEGATIVE_SAMPLING_VECTORS,
    id="neg-sampling-loss:gradient",
    tier=3,
    asks=("s", "n", "L", "g"),
    prompt="Skip-gram with negative sampling: the center word has the input vector v = {v}, the true context word the "
    "output vector u = {u}, and the negative samples have the output vectors in the rows of U = {U}.\n"
    "What are the score s of the true pair, the scores n of the negative samples, the loss L, and the gradient g = "
    "dL/dv?\n"
    "Conventions: natural log; the loss is a sum, not a mean.",
    hint="Scores are dot products with v. The derivative of the loss by a score is sigmoid(score) minus 1 for the true "
    "word, and sigmoid(score) for a negative sample.",
    mistakes=[
        Mistake(
            "sign-of-negatives",
            "L = -ln(sigmoid(s)) - sum(k, ln(sigmoid(n[k])))",
            "You used the wrong sign for the negative samples. Their scores should be low, so use sigmoid(-score).",
        ),
        Mistake(
            "positive-only",
            "g[i] = (sigmoid(s) - 1)*u[i]",
            "You left out the negative samples. Each adds sigmoid(score) times its output vector.",
        ),
        Mistake(
            "no-target",
            "g[i] = sigmoid(s)*u[i] + sum(k, sigmoid(n[k])*U[k, i])",
            "You left out the target 1 of the true pair. Its factor is sigmoid(s) - 1.",
        ),
        Mistake(
            "negatives-subtracted",
            "g[i] = (sigmoid(s) - 1)*u[i] - sum(k, sigmoid(n[k])*U[k, i])",
            "The sign of the negative samples is reversed. Their factor is sigmoid(score), with target 0.",
        ),
    ],
)
def neg_sampling_gradient(rng: Random) -> Inputs:
    """Negative sampling loss and its gradient"""

    def vector() -> list[float]:
        return [rng.choice([-1, 1]) * rng.choice([0.5, 1, 1.5]) for _ in range(2)]

    return dict(v=vector(), u=vector(), U=[vector() for _ in range(2)])


@drill(
    UNIGRAM,
    tier=1,
    asks="P",
    prompt="The words of a text occur {f} times. Negative samples are drawn in proportion to the counts to the power "
    "of 3/4. What are their probabilities P?",
    hint="Raise each count to the power first. What must the probabilities add up to?",
    mistakes=[
        Mistake("no-power", "P[w] = f[w]/sum(k, f[k])", "You left out the power of 3/4. It raises rare words."),
        Mistake(
            "not-normalized-again",
            "P[w] = (f[w]/sum(k, f[k]))^(3/4)",
            "You normalized first and raised to the power then, so the values don't add up to 1. Normalize last.",
        ),
        Mistake(
            "inverse-power",
            "P[w] = f[w]^(4/3)/sum(k, f[k]^(4/3))",
            "You used the power 4/3, which favors frequent words. The power is 3/4.",
        ),
        Mistake(
            "square-root",
            "P[w] = sqrt(f[w])/sum(k, sqrt(f[k]))",
            "You used the power 1/2. The power is 3/4.",
        ),
        Mistake("uniform", "P[w] = 1/len(f) + 0*f[w]", "You drew all words equally often. Counts matter, to the 3/4."),
    ],
)
def unigram_075(rng: Random) -> Inputs:
    """Distribution of negative samples"""
    if rng.random() < 0.5:
        return dict(f=sorted(rng.sample([1, 16, 81, 256, 625, 1296], 3), reverse=True))
    return dict(f=sorted(rng.sample(range(1, 100), rng.choice([3, 4])), reverse=True))


@drill(
    UNIGRAM_RATIO,
    id="unigram-075:ratio",
    tier=1,
    asks=one_of("R", "r"),
    prompt="One word is {r} times as frequent as another. As a negative sample (counts to the power of 3/4), it is {R} "
    "times as probable.",
    hint="The normalization is the same for both words. What is left of the ratio?",
    mistakes=[
        Mistake("no-power", "R = r", "You left out the power of 3/4."),
        Mistake("factor", "R = 3/4*r", "You multiplied by 3/4. The ratio is raised to the power of 3/4."),
        Mistake("inverse-power", "R = r^(4/3)", "You used the power 4/3 in place of 3/4."),
        Mistake("square-root", "R = sqrt(r)", "You used the power 1/2. The power is 3/4."),
    ],
)
def unigram_ratio(rng: Random) -> Inputs:
    """Ratio of two negative samples"""
    return dict(r=rng.choice([*range(2, 100), 256, 625, 1000, 1296, 10_000]))


@drill(
    SUBSAMPLING,
    tier=1,
    asks=("p", "m"),
    prompt="A word makes up the fraction f = {f} of a text, which is N = {N} occurrences. Frequent words are "
    "subsampled with the threshold t = {t}, by the formula of the word2vec paper.\n"
    "With which probability p is each occurrence discarded, and how many occurrences are expected to remain (m)?",
    hint="The more frequent a word, the more of it is discarded. What remains is a square root.",
    mistakes=[
        Mistake(
            "keeps",
            "p = sqrt(t/f)",
            "That is the probability that an occurrence remains. Subtract it from 1.",
        ),
        Mistake("no-root", "p = 1 - t/f", "You left out the square root of t/f."),
        Mistake(
            "c-code",
            "p = 1 - sqrt(t/f) - t/f",
            "That is the formula of the C code. The paper has 1 - sqrt(t/f).",
        ),
        Mistake("discarded-count", "m = N*p", "That is the number that is discarded. Use 1 - p."),
    ],
)
def subsampling(rng: Random) -> Inputs:
    """Subsampling of a frequent word"""
    f = rng.choice([0.0005, 0.001, 0.002, 0.004, 0.005, 0.01, 0.02, 0.03, 0.05, 0.07])
    return dict(t=rng.choice([0.0001, 0.00001]), f=f, N=round(f * rng.choice([1_000_000, 5_000_000, 17_000_000])))


@drill(
    SUBSAMPLING,
    id="subsampling:frequency",
    tier=2,
    asks="f",
    decimals=6,
    prompt="Word2vec subsamples frequent words with the threshold {t}, by the formula of the paper. Each of the {N} "
    "occurrences of a word is discarded with probability {p}, so {m} are expected to remain. Which fraction of the "
    "text was the word?",
    hint="Which square root remains after you subtract from 1?",
    mistakes=[
        Mistake("keeps", "p = sqrt(t/f)", "You used p as the probability that an occurrence remains. Use 1 - p."),
        Mistake("no-root", "p = 1 - t/f", "You left out the square root. Square 1 - p before you divide."),
        Mistake("swapped", "p = 1 - sqrt(t)/f", "The square root covers the whole fraction, threshold over frequency."),
    ],
)
def subsampling_frequency(rng: Random) -> Inputs:
    """Frequency of a word from its subsampling"""
    t = rng.choice([0.0001, 0.0002, 0.0004])
    root = rng.choice([0.05, 0.08, 0.1, 0.16, 0.2, 0.25, 0.32, 0.4, 0.5])
    f = t / root**2
    if f > 0.1:
        raise UndefinedValue("no word is that frequent")
    return dict(t=t, f=round(f, 9), N=rng.choice([200, 500, 1000, 4000]))


COUNTS = {"n": [1, 60], "a": [50, 900], "c": [50, 900]}  # the intervals in which expressions are compared


@drill(
    SGNS_OPTIMUM,
    tier=3,
    asks=derive("s", in_terms_of="n a c"),
    prompt="A word-context pair occurs n times among N = {N} pairs; the word occurs in a of them, and the context in "
    "c. With k = {k} negative samples per pair, the expected skip-gram loss as a function of the score s is -n ln "
    "sigmoid(s) - k (a c/N) ln sigmoid(-s). Derive the score s that minimizes it.",
    hints=(
        "Where is the derivative of the loss with respect to s zero?",
        "The derivative of -ln sigmoid(s) is sigmoid(s) - 1, and that of -ln sigmoid(-s) is sigmoid(s).",
        "First step: set n (1 - sigmoid(s)) equal to k (a c/N) sigmoid(s), and solve for the odds of sigmoid(s).",
    ),
    mistakes=[
        Mistake(
            "negatives-forgotten",
            "s = ln(n*N/(a*c))",
            "You left out the number of negative samples. It shifts the PMI by ln k.",
        ),
        Mistake(
            "ln-k-added",
            "s = ln(k*n*N/(a*c))",
            "The sign of ln k is reversed. More negative samples lower the score.",
        ),
        Mistake(
            "conditional-probability",
            "s = ln(n/a)",
            "That is the logarithm of P(context | word). The frequency of the context and k matter too.",
        ),
    ],
)
def sgns_optimum(rng: Random) -> Inputs:
    """Optimal score of skip-gram with negative sampling"""
    return dict(N=rng.choice([5000, 10_000, 20_000, 50_000, 100_000]), k=rng.randint(2, 20), variables=COUNTS)


@drill(
    SGNS_COUNT,
    id="sgns-optimum:count",
    tier=3,
    asks=derive("n", in_terms_of="s a c"),
    prompt="A word occurs in a of N = {N} pairs, and a context in c of them. With k = {k} negative samples per pair, "
    "the expected skip-gram loss of the score s is -n ln sigmoid(s) - k (a c/N) ln sigmoid(-s), where n is the number "
    "of pairs of the two. Derive the n for which the score s minimizes the loss.",
    hints=(
        "Where is the derivative of the loss with respect to s zero?",
        "The derivative of -ln sigmoid(s) is sigmoid(s) - 1, and that of -ln sigmoid(-s) is sigmoid(s).",
        "First step: set n (1 - sigmoid(s)) equal to k (a c/N) sigmoid(s), and solve for n.",
    ),
    mistakes=[
        Mistake(
            "negatives-forgotten",
            "n = a*c*exp(s)/N",
            "You left out the number of negative samples. At the optimum, s is the PMI minus ln k.",
        ),
        Mistake(
            "no-exponential",
            "n = k*a*c*s/N",
            "You left out the exponential. The odds of sigmoid(s) are e^s.",
        ),
        Mistake(
            "sign-reversed",
            "n = k*a*c*exp(-s)/N",
            "The sign of s is reversed. A pair that occurs more often has a higher score.",
        ),
    ],
)
def sgns_count(rng: Random) -> Inputs:
    """Number of pairs for an optimal score"""
    variables = {"s": [-1.5, 3], "a": COUNTS["a"], "c": COUNTS["c"]}
    return dict(N=rng.choice([5000, 10_000, 20_000, 50_000, 100_000]), k=rng.randint(2, 20), variables=variables)


@drill(
    SOFTMAX_COSTS,
    id="decide-softmax-approx",
    tier=2,
    asks=("full", "neg", "tree", "best"),
    prompt="A model has V = {V} words and vectors of d = {d} values. For one training pair, how many multiplications "
    "do the dot products take in the full softmax (full), in negative sampling with k = {k} samples (neg), and in "
    "hierarchical softmax on a balanced binary tree (tree)? Which method is the cheapest?\n"
    "Conventions: the depth of the tree is rounded up; only products within dot products count.",
    hint="How many scores does each method compute? Every score is a dot product of d products.",
    mistakes=[
        Mistake(
            "positive-left-out",
            "neg = k*d",
            "You left out the true context word. It has a score too, so there are k + 1.",
        ),
        Mistake(
            "natural-log",
            "tree = ceil(ln(V))*d",
            "You used the natural logarithm. A binary tree has the depth log2 V.",
        ),
        Mistake(
            "scores-not-products",
            "full = V; neg = k + 1; tree = ceil(log2(V))",
            "You counted scores. Each is a dot product of d products.",
        ),
        Mistake(
            "other-method",
            "best = where(neg < tree, 3, 2)",
            "Compare k + 1 scores with the depth of the tree.",
        ),
    ],
)
def decide_softmax_approx(rng: Random) -> Inputs:
    """Choice of an approximation of the softmax"""
    V = rng.choice([1000, 5000, 8000, 10_000, 30_000, 50_000, 100_000, 400_000, 1_000_000])
    depth = (V - 1).bit_length()
    k = depth - 1 + rng.choice([-1, 1]) * rng.randint(2, min(9, depth - 4))
    return dict(V=V, d=rng.choice([50, 64, 100, 128, 200, 300]), k=k)
