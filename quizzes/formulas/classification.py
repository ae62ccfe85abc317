"""Classification: losses and the probabilities they act on."""

from quizzes.formulas import formula

SOFTMAX = formula(
    "softmax",
    "p[i] = exp(z[i]/T)/sum(j, exp(z[j]/T))",
    topic="multiclass-classification",
    title="Softmax with temperature",
    source="Goodfellow, Bengio & Courville, Deep Learning, 2016, section 6.2.2.3; "
    "temperature: Hinton, Vinyals & Dean, 2015 (arXiv:1503.02531), equation 1",
    z="vector; logits",
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
    source="derivation: -ln of the likelihood of a one-hot label under softmax probabilities; a mean of sample losses",
    Z="matrix; logits, a row for each sample",
    Y="matrix 0..1; one-hot labels, a row for each sample",
    q="matrix; softmax probabilities",
    l="vector; loss of each sample",
    L="real; mean loss of the batch",
)

BINARY_CROSS_ENTROPY = formula(
    "binary-cross-entropy",
    "L = -mean(i, y[i]*ln(p[i]) + (1 - y[i])*ln(1 - p[i]))",
    topic="binary-classification",
    title="Binary cross-entropy, mean over the samples",
    source="derivation: -ln of the Bernoulli likelihood p^y (1 - p)^(1 - y), averaged",
    y="vector 0..1; labels, 0 or 1",
    p="vector 0..1; predicted probabilities of class 1",
    L="real; mean loss",
)
