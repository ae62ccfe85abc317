"""Classification: softmax and sigmoid losses, their gradients, and one-hot labels."""

from quizzes.formulas import formula

ZERO_LN_ZERO = "0 ln 0 counts as 0, its limit."
LOGITS = "vector; logits"
BATCH_LOGITS = "matrix; logits, a row per sample"
BATCH_LABELS = "matrix 0..1; one-hot labels, a row per sample"
BATCH_PROBABILITIES = "matrix; softmax probabilities"
PROBABILITIES = "vector; softmax probabilities"
LABEL = "int 0..1; label"
PROBABILITY = "real 0..1; predicted probability of class 1"
SAMPLE_LOSS = "real; loss of the sample"

SOFTMAX = formula(
    "softmax",
    "p[i] = exp(z[i]/T)/sum(j, exp(z[j]/T))",
    topic="multiclass-classification",
    title="Softmax with temperature",
    source="Goodfellow, Bengio & Courville, Deep Learning, 2016, section 6.2.2.3; temperature: Hinton, Vinyals & "
    "Dean, 2015 (arXiv:1503.02531)",
    z=LOGITS,
    T="real 0.01.. = 1; temperature",
    p="vector; class probabilities",
)

CATEGORICAL_CROSS_ENTROPY = formula(
    "categorical-cross-entropy",
    """
    q[n, k] = exp(Z[n, k])/sum(j, exp(Z[n, j]))
    l[n] = -sum(k, Y[n, k]*ln(q[n, k]))
    L = mean(n, l[n])
    """,
    topic="multiclass-classification",
    title="Categorical cross-entropy of logits, mean over the batch",
    source="derivation: -ln of the likelihood of a one-hot label under softmax probabilities, averaged over the batch",
    Z=BATCH_LOGITS,
    Y=BATCH_LABELS,
    q=BATCH_PROBABILITIES,
    l="vector; loss of each sample",
    L="real; mean loss of the batch",
)

BINARY_CROSS_ENTROPY = formula(
    "binary-cross-entropy",
    "L = -mean(i, y[i]*ln(p[i]) + (1 - y[i])*ln(1 - p[i]))",
    topic="binary-classification",
    title="Binary cross-entropy, mean over the samples",
    source="derivation: -ln of the Bernoulli likelihood p^y (1 - p)^(1 - y), averaged",
    conventions=f"""
{ZERO_LN_ZERO} If p is 0 and y is not, or p is 1 and y is not, the loss is
infinite. PyTorch clamps each logarithm to at least -100, so it gives 100 for
such a sample.
""",
    y="vector 0..1; labels, 0 or 1",
    p="vector 0..1; predicted probabilities of class 1",
    L="real; mean loss",
)

BCE_OF_LOGIT = formula(
    "bce-logits",
    "L = max(z, 0) - z*y + ln(1 + exp(-abs(z)))",
    topic="binary-classification",
    title="Binary cross-entropy of a logit",
    source="derivation: put p = 1/(1 + exp(-z)) into -(y ln p + (1 - y) ln(1 - p)): ln(1 + exp(z)) - zy, and ln(1 + "
    "exp(z)) = max(z, 0) + ln(1 + exp(-|z|)), whose exponential can't overflow",
    z="real; logit",
    y=LABEL,
    L=SAMPLE_LOSS,
)

CLIPPED_BCE = formula(
    "bce-clipped",
    """
    q = min(max(p, epsilon), 1 - epsilon)
    L = -(y*ln(q) + (1 - y)*ln(1 - q))
    """,
    topic="binary-classification",
    title="Binary cross-entropy of a clipped probability",
    source="derivation: binary cross-entropy at q, which stays away from 0 and 1, where a logarithm is undefined",
    p=PROBABILITY,
    y=LABEL,
    epsilon="real 0..0.5 = 1e-7; smallest distance of the probability from 0 and 1",
    q="real; clipped probability",
    L=SAMPLE_LOSS,
)

LOGISTIC_STEP = formula(
    "logistic-regression-step",
    """
    p[i] = sigmoid(w*x[i] + b)
    g_w = mean(i, (p[i] - y[i])*x[i])
    g_b = mean(i, p[i] - y[i])
    w_new = w - eta*g_w
    b_new = b - eta*g_b
    """,
    topic="binary-classification",
    title="One gradient descent step of logistic regression",
    source="derivation: for L = -mean(y ln p + (1 - y) ln(1 - p)) and p = sigmoid(z), dL/dz = (p - y)/N, because p' = "
    "p(1 - p)",
    x="vector; feature value of each sample",
    y="vector 0..1; label of each sample",
    w="real; weight before the step",
    b="real; bias before the step",
    eta="real 0..; learning rate",
    p="vector; predicted probabilities of class 1",
    g_w="real; gradient dL/dw",
    g_b="real; gradient dL/db",
    w_new="real; weight after the step",
    b_new="real; bias after the step",
)

FOCAL_LOSS = formula(
    "focal-loss",
    """
    p_t = y*p + (1 - y)*(1 - p)
    alpha_t = y*alpha + (1 - y)*(1 - alpha)
    L = -alpha_t*(1 - p_t)^gamma*ln(p_t)
    """,
    topic="binary-classification",
    title="Focal loss of one sample",
    source="Lin, Goyal, Girshick, He & Dollar, Focal Loss for Dense Object Detection, 2017 (arXiv:1708.02002)",
    p=PROBABILITY,
    y=LABEL,
    gamma="real 0..20 = 2; focusing parameter",
    alpha="real 0..1 = 0.25; weight of class 1",
    p_t="real; predicted probability of the true class",
    alpha_t="real; weight of the true class",
    L="real; focal loss",
)

SOFTMAX_CE_GRADIENT = formula(
    "softmax-ce-gradient",
    """
    P[n, k] = exp(Z[n, k])/sum(j, exp(Z[n, j]))
    G[n, k] = (P[n, k] - Y[n, k])/N
    """,
    topic="multiclass-classification",
    title="Gradient of softmax and cross-entropy, mean over the batch",
    source="derivation: for one sample L = ln(sum exp z) - z_true, so dL/dz = p - y; the mean over the batch divides "
    "it by N",
    Z=BATCH_LOGITS,
    Y=BATCH_LABELS,
    N="int 1..100000; number of samples in the batch",
    P=BATCH_PROBABILITIES,
    G="matrix; gradient of the mean loss with respect to the logits",
)

SOFTMAX_JACOBIAN = formula(
    "softmax-jacobian",
    """
    p[i] = exp(z[i])/sum(j, exp(z[j]))
    J[i, k] = p[i]*(1 - min(1, abs(i - k))) - p[i]*p[k]
    """,
    topic="multiclass-classification",
    title="Jacobian of softmax",
    source="derivation: by the quotient rule dp_i/dz_i = p_i - p_i^2, and dp_i/dz_k = -p_i p_k for k other than i; 1 "
    "- min(1, |i - k|) is 1 on the diagonal and 0 off it",
    z=LOGITS,
    p=PROBABILITIES,
    J="matrix; Jacobian, dp_i/dz_k in row i and column k",
)


def _one_hot(k: int, K: int) -> dict[str, list[int]]:
    return {"t": [int(j == k) for j in range(K)]}


ONE_HOT = formula(
    "one-hot",
    "",
    topic="multiclass-classification",
    title="One-hot vector of a class",
    source="Bishop, Pattern Recognition and Machine Learning, 2006, chapter 4, introduction (1-of-K coding)",
    procedure=_one_hot,
    procedure_outputs="t",
    K="int 2..1000; number of classes",
    k="int 0..999; class, numbered from 0",
    t="vector; one-hot vector",
)

LABEL_SMOOTHING = formula(
    "label-smoothing",
    """
    q[k] = exp(z[k])/sum(j, exp(z[j]))
    t[k] = (1 - epsilon)*y[k] + epsilon/K
    L = -sum(k, t[k]*ln(q[k]))
    """,
    topic="multiclass-classification",
    title="Cross-entropy with label smoothing",
    source="Szegedy et al., Rethinking the Inception Architecture, 2016 (arXiv:1512.00567); PyTorch's form",
    z=LOGITS,
    y="vector 0..1; one-hot label",
    epsilon="real 0..1 = 0.1; label smoothing",
    K="int 2..1000; number of classes",
    q=PROBABILITIES,
    t="vector; smoothed target",
    L=SAMPLE_LOSS,
)

WEIGHTED_CROSS_ENTROPY = formula(
    "weighted-cross-entropy",
    """
    q[n, k] = exp(Z[n, k])/sum(j, exp(Z[n, j]))
    l[n] = -sum(k, Y[n, k]*ln(q[n, k]))
    u[n] = sum(k, Y[n, k]*w[k])
    L = sum(n, u[n]*l[n])/sum(n, u[n])
    """,
    topic="multiclass-classification",
    title="Cross-entropy with class weights, weighted mean",
    source="PyTorch documentation, torch.nn.CrossEntropyLoss: with class weights the mean divides by the sum of the "
    "weights of the samples' true classes",
    Z=BATCH_LOGITS,
    Y=BATCH_LABELS,
    w="vector 0..; weight of each class",
    q=BATCH_PROBABILITIES,
    l="vector; loss of each sample, without its weight",
    u="vector; weight of the true class of each sample",
    L="real; weighted mean loss",
)

ENTROPIES = formula(
    "entropies",
    """
    H = -sum(i, p[i]*ln(p[i]))
    D = sum(i, p[i]*ln(p[i]/q[i]))
    C = -sum(i, p[i]*ln(q[i]))
    """,
    topic="multiclass-classification",
    title="Entropy, Kullback-Leibler divergence and cross-entropy",
    source="Goodfellow, Bengio & Courville, Deep Learning, 2016, section 3.13",
    conventions=ZERO_LN_ZERO,
    p="vector 0..1; true distribution",
    q="vector 0..1; predicted distribution",
    H="real; entropy of p [nats]",
    D="real; Kullback-Leibler divergence KL(p || q) [nats]",
    C="real; cross-entropy H(p, q) [nats]",
)

MULTICLASS_HINGE = formula(
    "multiclass-hinge",
    """
    m[j] = max(0, s[j] - s[c] + Delta)
    L = -Delta + sum(j, m[j])
    """,
    topic="multiclass-classification",
    title="Multi-class hinge loss, summed over the incorrect classes",
    source="Weston & Watkins, Support vector machines for multi-class pattern recognition, ESANN 1999; the sum over "
    "all classes includes Delta for the true class, so Delta is subtracted",
    s="vector; scores of the classes",
    c="int 1..1000; true class, numbered from 1",
    Delta="real 0.. = 1; margin",
    m="vector; margin violation of each class, Delta for the true class",
    L="real; hinge loss of the sample",
)
