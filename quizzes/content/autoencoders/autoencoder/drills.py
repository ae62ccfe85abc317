"""Encoder, latent space, decoder: drills."""

from random import Random

from quizzes.content.autoencoders.autoencoder.formulas import (
    AE_CODE_BUDGET,
    AE_PARAMS,
    AE_PARAMS_TIED,
    ANOMALY_AUC,
    BOTTLENECK_CHOICE,
    CONV_AUTOENCODER,
    TIED_LINEAR,
)
from quizzes.drill import Inputs, Mistake, derive, drill, one_of
from quizzes.expressions.tree import UndefinedValue

NO_BIASES = "You left out the biases. A dense layer has one bias per output unit."


def _mirrored(rng: Random) -> list[int]:
    """Return the widths of an autoencoder with two encoder layers."""
    size = rng.choice([64, 100, 144, 196, 256, 400, 784, 1024])
    hidden = rng.choice([w for w in (24, 32, 48, 50, 64, 100, 128, 200, 256) if w < size])
    code = rng.choice([w for w in (2, 4, 5, 8, 10, 16, 20, 32) if 2 * w <= hidden])
    return [size, hidden, code, hidden, size]


@drill(
    AE_PARAMS,
    id="ae-bottleneck",
    tier=1,
    asks=("P", "r"),
    prompt="A dense autoencoder has layers of the widths {n}. All layers have biases.\n"
    "How many parameters P does it have? What is the ratio r of input size to code size?",
    hint="How many weights and how many biases does the layer between two neighboring widths have?",
    mistakes=[
        Mistake("no-biases", "P = sum(l = 1..len(n) - 1, n[l]*n[l + 1])", NO_BIASES),
        Mistake(
            "encoder-only",
            "P = sum(l = 1..(len(n) - 1)/2, (n[l] + 1)*n[l + 1])",
            "You counted the encoder alone. The decoder has parameters too.",
        ),
        Mistake(
            "encoder-twice",
            "P = 2*sum(l = 1..(len(n) - 1)/2, (n[l] + 1)*n[l + 1])",
            "You doubled the encoder. The decoder has as many weights, but its biases are those of its own outputs.",
        ),
        Mistake(
            "ratio-inverted",
            "r = min(n)/n[1]",
            "You inverted the ratio. The compression ratio is the input size divided by the code size.",
        ),
        Mistake(
            "first-hidden-layer",
            "r = n[1]/n[2]",
            "You used the first hidden layer. The code is the narrowest layer, in the middle.",
        ),
    ],
)
def ae_bottleneck(rng: Random) -> Inputs:
    """Parameters and compression ratio of an autoencoder"""
    return dict(n=_mirrored(rng))


@drill(
    AE_PARAMS_TIED,
    id="ae-bottleneck:tied",
    tier=2,
    asks=("P", "P_tied"),
    prompt="A dense autoencoder has layers of the widths {n}. All layers have biases.\n"
    "How many parameters does it have with separate weights (P), and with tied weights (P_tied), where the decoder "
    "uses the transposed weight matrices of the encoder?",
    hint="Which parameters of the decoder can be those of the encoder, transposed?",
    mistakes=[
        Mistake("no-biases", "P = 2W; P_tied = W", NO_BIASES),
        Mistake(
            "biases-halved",
            "P_tied = P/2",
            "You halved the biases too. Only the weights are tied; every layer has biases of its own.",
        ),
        Mistake(
            "encoder-biases-only",
            "P_tied = W + sum(l = 2..k + 1, n[l])",
            "You left out the biases of the decoder. They can't be those of the encoder, because their number differs.",
        ),
        Mistake(
            "encoder-twice",
            "P = 2*(W + sum(l = 2..k + 1, n[l]))",
            "You doubled the encoder. The decoder has as many weights, but its biases are those of its own outputs.",
        ),
    ],
)
def ae_tied(rng: Random) -> Inputs:
    """Parameters with tied weights"""
    return dict(n=_mirrored(rng))


@drill(
    AE_CODE_BUDGET,
    id="ae-bottleneck:code-size",
    tier=2,
    asks=("c", "P"),
    prompt="A dense autoencoder has {n} inputs, one hidden layer (the code), and {n} outputs. Both layers have biases. "
    "It may have at most {M} parameters.\n"
    "What is the largest code size c? How many parameters P does the autoencoder have then?",
    hint="Write the number of parameters in terms of the code size c, and solve for c.",
    mistakes=[
        Mistake("no-biases", "c = floor(M/(2n)); P = 2n*c", NO_BIASES),
        Mistake(
            "encoder-only",
            "c = floor(M/(n + 1)); P = (n + 1)*c",
            "You counted the encoder alone. The decoder has c n weights and n biases too.",
        ),
        Mistake(
            "tied",
            "c = floor((M - n)/(n + 1)); P = (n + 1)*c + n",
            "You counted the weights once, as with tied weights. Here the decoder has weights of its own.",
        ),
        Mistake(
            "rounded-up",
            "c = ceil((M - n)/(2n + 1))",
            "You rounded up. That code has more parameters than the budget allows, so round down.",
        ),
    ],
)
def ae_code_size(rng: Random) -> Inputs:
    """Largest code for a parameter budget"""
    n = rng.choice([20, 30, 40, 50, 64, 81, 100, 144, 196, 256, 400, 784])
    return dict(n=n, M=1000 * rng.randint(max(1, n // 20), max(4, n // 2)))


@drill(
    TIED_LINEAR,
    id="tied-ae-gradient",
    tier=3,
    asks=one_of(derive("g_a"), derive("g_b")),
    prompt="A linear autoencoder with tied weights w = (a, b) maps x to the code z = a x1 + b x2, and back to "
    "x_hat = (a z, b z). For x = ({x1}, {x2}), the loss is L = (x1 - x_hat1)^2 + (x2 - x_hat2)^2.\n"
    "Derive the derivative of L, g_a = dL/da or g_b = dL/db, as asked below. Answer in terms of a and b.",
    hints=(
        "In how many places does the weight occur? Add up the gradients of all of them.",
        "As a decoder weight, a changes x_hat1 = a z directly. As an encoder weight, it changes z, and with it both "
        "x_hat1 and x_hat2.",
        "First step: write the residuals r1 = x1 - a z and r2 = x2 - b z. The decoder's share for a is -2 z r1.",
    ),
    mistakes=[
        Mistake(
            "decoder-only",
            "g_a = -2*z*r1; g_b = -2*z*r2",
            "You used the weight of the decoder only. It is also a weight of the encoder, so add the gradient "
            "through z.",
        ),
        Mistake(
            "encoder-only",
            "g_a = -2*x1*(a*r1 + b*r2); g_b = -2*x2*(a*r1 + b*r2)",
            "You used the weight of the encoder only. It is also a weight of the decoder, so add that gradient.",
        ),
        Mistake(
            "sign-reversed",
            "g_a = 2*z*r1 + 2*x1*(a*r1 + b*r2); g_b = 2*z*r2 + 2*x2*(a*r1 + b*r2)",
            "The sign is reversed. The residual x - x_hat decreases when x_hat grows.",
        ),
        Mistake(
            "one-residual",
            "g_a = -2*z*r1 - 2*x1*a*r1; g_b = -2*z*r2 - 2*x2*b*r2",
            "You let the code change one output only. z is multiplied by both weights, so both residuals depend on it.",
        ),
    ],
)
def tied_ae_gradient(rng: Random) -> Inputs:
    """Gradient of a weight that is used twice"""
    x1, x2 = rng.choice([-3, -2, -1, 1, 2, 3, 4]), rng.choice([-3, -2, -1, 1, 2, 3, 4])
    return dict(x1=x1, x2=x2, variables={"a": [-2, 2], "b": [-2, 2]})


@drill(
    BOTTLENECK_CHOICE,
    id="decide-bottleneck",
    tier=2,
    asks=("k", "err", "shorter"),
    prompt="The covariance matrix of centered data has the eigenvalues {lam}. A nonlinear autoencoder with a code of "
    "size {m} has a squared error of {e} per sample (summed over features).\n"
    "What is the smallest code size k with which the best linear autoencoder has at most that error? What is its "
    "error err? Which of the two has the shorter code?",
    hints=(
        "The best linear autoencoder keeps the directions with the largest variance. Which variance does it lose?",
        "With k latents, the best linear autoencoder has as its error the sum of all eigenvalues after the first k.",
        "First step: add up the eigenvalues from the last one on, and stop before the sum is above the error.",
    ),
    mistakes=[
        Mistake(
            "one-too-many",
            "k = 2 + sum(j, [R[j] > e])",
            "You kept one component too many. With one fewer, the remaining eigenvalues still add up to at most the "
            "error.",
        ),
        Mistake(
            "tenth-of-the-variance",
            "k = sum(j, [lam[j] > sum(i, lam[i])/10])",
            "You kept the eigenvalues above 10% of the variance. Compare the sum of the ones that are dropped with "
            "the error.",
        ),
        Mistake(
            "next-eigenvalue-only",
            "k = sum(j, [lam[j] > e])",
            "You compared single eigenvalues with the error. All dropped eigenvalues add up to the error.",
        ),
        Mistake(
            "error-of-the-other",
            "err = e",
            "That is the error of the nonlinear autoencoder. Add up the eigenvalues that the linear one drops.",
        ),
        Mistake(
            "variance-kept",
            "err = sum(i, lam[i]*[i <= k])",
            "That is the variance that is kept. The error is the sum of the other eigenvalues.",
        ),
        Mistake(
            "comparison-reversed",
            "shorter = where(m < k, 2, where(m = k, 1, 1))",
            "Compare the two code sizes: the smaller number of latents is the shorter code.",
        ),
    ],
)
def decide_bottleneck(rng: Random) -> Inputs:
    """Linear or nonlinear bottleneck"""
    count = rng.choice([5, 6])
    lam = sorted((rng.randint(2, 60) / 10 for _ in range(count)), reverse=True)
    residuals = [round(sum(lam[j:]), 1) for j in range(1, count)]
    k = rng.randint(2, count - 1)
    e = round(residuals[k - 1] + rng.randint(1, 9) / 10, 1)
    if len(set(lam)) < count or not residuals[k - 1] < e < residuals[k - 2] or e in lam:
        raise UndefinedValue("the error must be between two residuals")
    m = max(1, k + rng.choice([-2, -1, 0, 1, 2]))
    return dict(lam=lam, e=e, m=m)


def _errors(rng: Random, low: int, high: int, count: int) -> list[int]:
    return [rng.randint(low, high) for _ in range(count)]


@drill(
    ANOMALY_AUC,
    id="ae-anomaly-identity",
    tier=2,
    asks=("A1", "A2", "better"),
    prompt="Two autoencoders were trained on normal parts. Their reconstruction errors (times 1000) are:\n"
    "  code size {c1}: normal {n1}, faulty {f1}\n"
    "  code size {c2}: normal {n2}, faulty {f2}\n"
    "A large error signals a fault. What are the AUCs A1 (code size {c1}) and A2 (code size {c2})? Which model is the "
    "better fault detector, and why?\n"
    "Conventions: a tie counts one half.",
    hint="In which fraction of the pairs of a faulty and a normal part does the faulty one have the larger error?",
    mistakes=[
        Mistake(
            "normal-above-faulty",
            "A1 = 1 - sum(i, sum(j, [f1[i] > n1[j]] + [f1[i] = n1[j]]/2))/(len(f1)*len(n1)); "
            "A2 = 1 - sum(i, sum(j, [f2[i] > n2[j]] + [f2[i] = n2[j]]/2))/(len(f2)*len(n2))",
            "You counted the pairs the other way. A faulty part should have the larger error.",
        ),
        Mistake(
            "ties-count-1",
            "A1 = sum(i, sum(j, [f1[i] >= n1[j]]))/(len(f1)*len(n1)); "
            "A2 = sum(i, sum(j, [f2[i] >= n2[j]]))/(len(f2)*len(n2))",
            "You counted ties in full. A tie says nothing, so it counts one half.",
        ),
        Mistake(
            "ties-count-0",
            "A1 = sum(i, sum(j, [f1[i] > n1[j]]))/(len(f1)*len(n1)); "
            "A2 = sum(i, sum(j, [f2[i] > n2[j]]))/(len(f2)*len(n2))",
            "You left out the ties. A tie counts one half.",
        ),
        Mistake(
            "other-model",
            "better = where(A1 > A2, 2, 1)",
            "Not the lower errors decide, but how well they separate faulty from normal parts: compare the AUCs.",
        ),
    ],
)
def ae_anomaly_identity(rng: Random) -> Inputs:
    """Autoencoders as fault detectors"""
    if rng.random() < 0.5:  # the wide code copies faults too
        c1, c2 = rng.choice([2, 4, 8]), rng.choice([32, 64, 128])
        n1, f1 = _errors(rng, 18, 28, 5), _errors(rng, 24, 42, 4)
        n2, f2 = _errors(rng, 3, 8, 5), _errors(rng, 3, 8, 4)
    else:  # a code of 1 or 2 fails on normal parts too
        c1, c2 = rng.choice([1, 2]), rng.choice([8, 12, 16])
        n1, f1 = _errors(rng, 50, 70, 5), _errors(rng, 48, 72, 4)
        n2, f2 = _errors(rng, 10, 16, 5), _errors(rng, 13, 25, 4)
    wins = [sum((f > n) + (f == n) / 2 for f in faulty for n in normal) / 20 for normal, faulty in ((n1, f1), (n2, f2))]
    if max(wins) < 0.75 or max(wins) == 1 or abs(wins[0] - wins[1]) < 0.15 or (wins[0] > wins[1]) != (c2 >= 32):
        raise UndefinedValue("one model must be clearly better")
    if not (set(n1) & set(f1) and set(n2) & set(f2)):
        raise UndefinedValue("both models need a tie")
    return dict(c1=c1, c2=c2, n1=n1, f1=f1, n2=n2, f2=f2)


@drill(
    CONV_AUTOENCODER,
    id="chain-conv-ae",
    tier=2,
    asks=("F", "P", "o0", "o1", "r", "M"),
    prompt="The encoder reads 1x{n}x{n}: 3x3 convolutions to {c1} and {c2} channels (stride 2, padding 1), flatten, "
    "linear to {d}. The decoder mirrors it: linear, then 3x3 transposed convolutions to {c1} channels and 1 channel "
    "(stride 2, padding 1). All layers have biases.\n"
    "What are the flattened size F, the number of parameters P, the output size with output padding 0 (o0) and 1 (o1) "
    "in both transposed convolutions, the ratio r of input size to code size, and the memory M of the first feature "
    "map in KiB for a batch of {B} in float32?",
    hints=(
        "What is the size of the map after each convolution? Which sizes does a transposed convolution lead to?",
        "A convolution with stride 2, kernel size 3 and padding 1 halves an even size. A transposed one gives "
        "2(n - 1) - 2 + 3 + output padding.",
        "First step: halve the input size twice, and multiply the area by the channels of the second convolution.",
    ),
    mistakes=[
        Mistake(
            "no-biases",
            "P = 9*c1 + 9*c1*c2 + 2*F*d + 9*c2*c1 + 9*c1",
            "You left out the biases. Every layer has one bias per output channel or unit.",
        ),
        Mistake(
            "no-output-padding",
            "o1 = 2*(2*(n/4 - 1) - 2 + 3 - 1) - 2 + 3",
            "You ignored the output padding. It adds 1 to the output size of each transposed convolution.",
        ),
        Mistake(
            "one-row-flattened",
            "P = 10*c1 + (9*c1 + 1)*c2 + (c2*n/4 + 1)*d + (d + 1)*c2*n/4 + (9*c2 + 1)*c1 + 9*c1 + 1",
            "You connected one row to the code. Flattening joins all rows, so the linear layers have F inputs or "
            "outputs.",
        ),
        Mistake(
            "row-for-map",
            "F = c2*n/4",
            "You flattened one row. The map has n/4 rows, so the flattened size is the channels times its area.",
        ),
        Mistake(
            "one-halving",
            "F = c2*(n/2)^2",
            "You halved the size once. There are two convolutions with stride 2.",
        ),
        Mistake(
            "always-doubles",
            "o0 = n",
            "Without output padding, a transposed convolution of this kind maps n to 2n - 1, not to 2n.",
        ),
        Mistake(
            "batch-left-out",
            "M = c1*(n/2)^2*4/1024",
            "You left out the batch. Every sample has a feature map of its own.",
        ),
        Mistake(
            "full-size-map",
            "M = B*c1*n^2*4/1024",
            "You used the input size. The first convolution has stride 2, so its map is half as large per side.",
        ),
    ],
)
def chain_conv_ae(rng: Random) -> Inputs:
    """Convolutional autoencoder"""
    n = rng.choice([16, 20, 24, 28, 32, 36, 40, 48, 64])
    c1 = rng.choice([4, 8, 16])
    return dict(n=n, c1=c1, c2=2 * c1, d=rng.choice([4, 8, 10, 16, 20, 32, 64]), B=rng.choice([16, 32, 64, 128]))
