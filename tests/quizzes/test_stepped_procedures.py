"""Every procedure: plain data, captions with the numbers of the values, and an end that agrees with another library."""

import itertools
import json
import math
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from quizzes import formulas, procedures
from quizzes.procedure import number_text
from quizzes.question import to_json
from workbench import syllabus
from workbench.errors import UserError

RUNS = 50
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:e-?\d+)?(?![\w.]*\d)")
CONSTANTS = {"0", "1", "2"}  # of equations, as in 1 - beta

Inputs = dict[str, Any]


@pytest.fixture(autouse=True)
def in_double_precision() -> Iterator[None]:
    """Compute in float64, as checks do, and leave other tests' precision as it is."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def numbers(rng: Random, count: int, low: int = -9, high: int = 9) -> list[int]:
    return [rng.randint(low, high) for _ in range(count)]


def matrix(rng: Random, rows: int, columns: int, low: int = -5, high: int = 5) -> list[list[int]]:
    return [numbers(rng, columns, low, high) for _ in range(rows)]


def box(rng: Random) -> list[int]:
    x, y = numbers(rng, 2, 0, 20)
    return [x, y, x + rng.randint(3, 20), y + rng.randint(3, 20)]


def close(value: Any, expected: Any, tolerance: float = 1e-9) -> None:
    np.testing.assert_allclose(np.array(value, dtype=float), np.array(expected, dtype=float), tolerance, tolerance)


# --- for each procedure, random inputs, and a check of the last state against another library


def convolution(rng: Random) -> Inputs:
    X, K = matrix(rng, rng.randint(3, 7), rng.randint(3, 7)), matrix(rng, rng.randint(1, 3), rng.randint(1, 3))
    return dict(X=X, K=K, b=rng.randint(-2, 2), s=rng.randint(1, 2), p=rng.randint(0, 2), d=1)


def check_convolution(X: Any, K: Any, b: int, s: int, p: int, d: int, **values: Any) -> None:
    expected = F.conv2d(torch.tensor(X)[None, None].double(), torch.tensor(K)[None, None].double(), None, s, p, d) + b
    close(values["O"], expected[0, 0])
    assert values["o"] == values["O"][-1][-1]


def pooling(rng: Random) -> Inputs:
    k = rng.randint(1, 3)
    X = matrix(rng, rng.randint(3, 6), rng.randint(3, 6), -9)
    return dict(X=X, k=k, s=rng.randint(1, 3), p=rng.randint(0, k // 2))


def check_pooling(X: Any, k: int, s: int, p: int, **values: Any) -> None:
    tensor = torch.tensor(X)[None].double()
    close(values["M"], F.max_pool2d(tensor, k, s, p)[0])
    close(values["A"], F.avg_pool2d(tensor, k, s, p)[0])


def suppression(rng: Random) -> Inputs:
    count = rng.randint(1, 7)
    scores = [score / 100 for score in rng.sample(range(100), count)]
    return dict(boxes=[box(rng) for _ in range(count)], scores=scores, tau=rng.choice([0.2, 0.35, 0.5]))


def check_suppression(boxes: Any, scores: Any, tau: float, **values: Any) -> None:
    from torchvision.ops import nms

    expected = nms(torch.tensor(boxes).double(), torch.tensor(scores), tau).tolist()
    assert values["keep"] == [chr(65 + k) for k in expected]
    assert sorted(values["keep"] + values["suppressed"]) == [chr(65 + k) for k in range(len(boxes))]


def softening(name: str) -> Callable[[Random], Inputs]:
    def inputs(rng: Random) -> Inputs:
        tau = suppression(rng).pop("tau")
        return {**{k: v for k, v in suppression(rng).items() if k != "tau"}, name: tau}

    return inputs


def check_softening(boxes: Any, scores: Any, **values: Any) -> None:
    """Compare with the algorithm of the paper, on tensors."""
    from torchvision.ops import box_iou

    iou = box_iou(torch.tensor(boxes).double(), torch.tensor(boxes).double())
    if "sigma" in values:
        factors = torch.exp(-iou.square() / values["sigma"])
    else:
        factors = torch.where(iou >= values["N_t"] - 1e-12, 1 - iou, 1)
    current, order = torch.tensor(scores).double(), []
    while len(order) < len(boxes):
        waiting = [k for k in range(len(boxes)) if k not in order]
        order.append(max(waiting, key=lambda k: current[k]))
        for k in waiting:
            current[k] *= factors[order[-1], k] if k != order[-1] else 1
    close(values["final"], current)
    assert values["order"] == [chr(65 + k) for k in order]


def ranking(rng: Random) -> Inputs:
    hits = [rng.randint(0, 1) for _ in range(rng.randint(1, 9))]
    return dict(hits=hits, n=max(1, sum(hits)) + rng.randint(0, 3))


def check_average_precision(hits: Any, n: int, **values: Any) -> None:
    """Compare with the area of rectangles, with pycocotools' 101 recalls, and with a maximum per recall."""
    counts = np.cumsum(hits)
    precision, recall = counts / np.arange(1, len(hits) + 1), counts / n
    best = np.maximum.accumulate(precision[::-1])[::-1]
    close(values["AP"], np.sum(np.diff(recall, prepend=0) * best))
    for name, count in (("AP11", 11), ("AP101", 101)):
        # A recall of k/(count - 1) is reached if counts*(count - 1) >= k*n, in integers.
        reached = [precision[counts * (count - 1) >= k * n] for k in range(count)]
        close(values[name], np.mean([p.max() if len(p) else 0 for p in reached]))


def two_boxes(rng: Random) -> Inputs:
    return dict(A=box(rng), B=box(rng))


def check_iou(A: Any, B: Any, **values: Any) -> None:
    from torchvision.ops import box_area, box_iou

    a, b = torch.tensor([A]).double(), torch.tensor([B]).double()
    close(values["iou"], box_iou(a, b)[0, 0])
    close([values["area_A"], values["area_B"]], [box_area(a)[0], box_area(b)[0]])


def region(rng: Random) -> Inputs:
    s, rows, columns = rng.choice([8, 16]), rng.randint(3, 7), rng.randint(3, 7)
    (x1, x2), (y1, y2) = (sorted(rng.sample(range(size * s + 10), 2)) for size in (columns, rows))
    return dict(X=matrix(rng, rows, columns, 0, 9), roi=[x1, y1, x2, y2], s=s, k=rng.randint(1, 4))


def check_region(X: Any, roi: Any, s: int, k: int, **values: Any) -> None:
    from torchvision.ops import roi_pool

    expected = roi_pool(torch.tensor(X).double()[None, None], [torch.tensor([roi]).double()], k, 1 / s)
    close(values["O"], expected[0, 0].tolist())


def segmentation(rng: Random) -> Inputs:
    rows, columns = rng.randint(2, 5), rng.randint(2, 6)
    return dict(X=matrix(rng, rows, columns, 0, 3), R=matrix(rng, rows, columns, 0, rng.randint(1, 4)))


def check_segmentation(X: Any, R: Any, table: Any, **values: Any) -> None:
    from scipy.ndimage import find_objects

    levels, labels = np.array(X), np.array(R)

    def similarity(a: int, b: int) -> float:
        either = (labels == a) | (labels == b)
        p, q = (np.bincount(levels[labels == k], minlength=4) / (labels == k).sum() for k in (a, b))
        hull = levels[find_objects(either.astype(int))[0]].size
        return float(np.minimum(p, q).sum() + 2 - hull / levels.size)  # size and fill together

    for row in table:
        adjacent = [(labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1])]
        edges = np.concatenate([np.sort(np.stack([a.ravel(), b.ravel()]), axis=0) for a, b in adjacent], axis=1)
        pairs = sorted({(int(a), int(b)) for a, b in edges.T if a != b})
        best = max(pairs, key=lambda pair: round(similarity(*pair), 9))
        close(row["similarity"], similarity(*best))
        assert (row["regions"], row["new"]) == (f"{best[0]} + {best[1]}", labels.max() + 1)
        labels[np.isin(labels, best)] = labels.max() + 1
        down, across = find_objects(labels)[-1]
        assert row["box"] == [across.start, down.start, across.stop, down.stop]
    assert len(np.unique(labels)) == 1 and values["labels"] == labels.tolist()


FUNCTIONS = ["(x - 2)^2", "x^2 + 3y^2", "x^2 + x*y + y^2", "sin(x) + (y - 1)^2", "a^2 + 2b^2 + (c - a)^2"]
TORCH_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "(x - 2)^2": lambda x: (x - 2) ** 2,
    "x^2 + 3y^2": lambda x, y: x**2 + 3 * y**2,
    "x^2 + x*y + y^2": lambda x, y: x**2 + x * y + y**2,
    "sin(x) + (y - 1)^2": lambda x, y: torch.sin(x) + (y - 1) ** 2,
    "a^2 + 2b^2 + (c - a)^2": lambda a, b, c: a**2 + 2 * b**2 + (c - a) ** 2,
}


def descent(**ranges: tuple[float, float]) -> Callable[[Random], Inputs]:
    def inputs(rng: Random) -> Inputs:
        f = rng.choice(FUNCTIONS)
        count = TORCH_FUNCTIONS[f].__code__.co_argcount
        settings = {name: round(rng.uniform(*limits), 3) for name, limits in ranges.items()}
        return dict(f=f, start=numbers(rng, count, -3, 3), steps=rng.randint(1, 12), **settings)

    return inputs


def check_descent(make: Callable[..., torch.optim.Optimizer]) -> Callable[..., None]:
    def check(f: str, start: list[int], steps: int, lr: float, values: Any = None, **rest: Any) -> None:
        settings = {name: rest[name] for name in ("beta", "beta1", "beta2") if name in rest}
        weights = [torch.tensor(float(value), requires_grad=True) for value in start]
        optimizer, losses = make(weights, lr, **settings), []
        for _ in range(steps):
            optimizer.zero_grad()
            loss = TORCH_FUNCTIONS[f](*weights)
            losses.append(loss.item())
            loss.backward()
            optimizer.step()
        close(rest["theta"], [weight.item() for weight in weights], 1e-7)
        close(rest["L"], [*losses, TORCH_FUNCTIONS[f](*weights).item()], 1e-7)
        method = {"beta": "momentum", "beta1": "adam"}.get(next(iter(settings), ""), "gd")
        again = formulas.get("optimizer-steps").solve(method=method, f=f, start=start, lr=lr, steps=steps, **settings)
        close(rest["theta"], again["theta"])
        close(rest["L"], again["L"])

    return check


def perceptron(rng: Random) -> Inputs:
    count, features = rng.randint(2, 8), rng.randint(1, 3)
    y = [1, -1, *(rng.choice([1, -1]) for _ in range(count - 2))]
    return dict(X=matrix(rng, count, features), y=y, eta=rng.choice([1, 2, 0.5]), epochs=rng.randint(1, 5))


def check_perceptron(X: Any, y: Any, eta: float, epochs: int, w: Any, b: Any, **values: Any) -> None:
    from sklearn.linear_model import Perceptron

    model = Perceptron(penalty=None, eta0=eta, max_iter=epochs, tol=None, shuffle=False).fit(X, y)
    close(w, model.coef_[0])
    close(b, model.intercept_[0])


def regression(rng: Random) -> Inputs:
    count = rng.randint(2, 6)
    start = dict(w0=rng.randint(-2, 2), b0=rng.randint(-2, 2))
    return dict(x=numbers(rng, count), y=numbers(rng, count), **start, eta=0.01, steps=rng.randint(1, 15))


def check_regression(x: Any, y: Any, w0: int, b0: int, eta: float, steps: int, w: Any, b: Any, **values: Any) -> None:
    inputs, targets = torch.tensor(x).double(), torch.tensor(y).double()
    parameters = [torch.tensor(float(value), requires_grad=True) for value in (w0, b0)]
    optimizer = torch.optim.SGD(parameters, eta)
    for _ in range(steps):
        optimizer.zero_grad()
        F.mse_loss(parameters[0] * inputs + parameters[1], targets).backward()
        optimizer.step()
    close([w, b], [parameter.item() for parameter in parameters])
    close(values["loss"], F.mse_loss(parameters[0] * inputs + parameters[1], targets).item())


GRAPHS: dict[str, Callable[..., Any]] = {
    "(w*x + b - y)^2": lambda b, w, x, y: (w * x + b - y) ** 2,
    "sigmoid(w*x + b)": lambda b, w, x: torch.sigmoid(w * x + b),
    "u = x*y; v = u + x; u*v": lambda x, y: (x * y) * (x * y + x),
    "x*x + exp(y)/x": lambda x, y: x * x + torch.exp(y) / x,
    "tanh(a)*max(b, 2c) - a": lambda a, b, c: torch.tanh(a) * torch.maximum(b, 2 * c) - a,
}


def graph(rng: Random) -> Inputs:
    f = rng.choice(list(GRAPHS))
    values = [rng.choice([-1, 1]) * rng.randint(1, 30) / 10 + 0.01 * k for k in range(GRAPHS[f].__code__.co_argcount)]
    return dict(f=f, values=[round(value, 3) for value in values])


def check_graph(f: str, gradients: Any, point: Any, **values: Any) -> None:
    leaves = [torch.tensor(float(value), requires_grad=True) for value in point]
    output = GRAPHS[f](*leaves)
    output.backward()
    names = GRAPHS[f].__code__.co_varnames
    close([gradients[name] for name in names], [leaf.grad.item() for leaf in leaves])
    assert output.item() == pytest.approx(list(values["values"].values())[-1])


def channel(rng: Random) -> Inputs:
    settings = dict(gamma=rng.randint(1, 8) / 4, beta=rng.randint(-3, 3), epsilon=rng.choice([1e-5, 0.5]))
    return dict(x=[*numbers(rng, rng.randint(1, 6)), 10], **settings)


def check_batch_norm(x: Any, gamma: float, beta: float, epsilon: float, y: Any, mu: Any, v: Any, **values: Any) -> None:
    tensor = torch.tensor(x).double()[:, None]
    weight, bias = torch.tensor([float(gamma)]), torch.tensor([float(beta)])
    close(y, F.batch_norm(tensor, None, None, weight, bias, training=True, eps=epsilon)[:, 0])
    close([mu, v], [tensor.mean(), tensor.var(correction=0)])


def logits(rng: Random) -> Inputs:
    z = [value / 2 for value in numbers(rng, rng.randint(2, 6))]
    return dict(z=z, c=rng.randrange(len(z)))


def check_softmax(z: Any, c: int, p: Any, L: float, gradient: Any, **values: Any) -> None:
    tensor = torch.tensor(z, requires_grad=True)
    loss = F.cross_entropy(tensor, torch.tensor(c))
    loss.backward()
    close(p, torch.softmax(tensor, 0).detach())
    close(L, loss.item())
    close(gradient, tensor.grad)


def training_and_other(rng: Random) -> Inputs:
    return dict(X=[*numbers(rng, rng.randint(2, 6)), 10, 11], T=numbers(rng, rng.randint(1, 3)), ddof=rng.randint(0, 1))


def check_standardization(X: Any, T: Any, ddof: int, z: Any, **values: Any) -> None:
    from sklearn.preprocessing import StandardScaler

    if ddof == 0:
        scaler = StandardScaler().fit(np.array(X)[:, None])
        close(z, scaler.transform(np.array(T)[:, None])[:, 0])
    close(z, (np.array(T) - np.mean(X)) / np.std(X, ddof=ddof))


def folds(rng: Random) -> Inputs:
    x = rng.sample(range(-20, 20), rng.randint(4, 9))
    return dict(x=x, k=rng.randint(2, len(x) - 1))


def check_folds(x: Any, k: int, scores: Any, **values: Any) -> None:
    from sklearn.model_selection import KFold
    from sklearn.preprocessing import StandardScaler

    column = np.array(x)[:, None]
    for fold, (training, validation) in zip(scores, KFold(k).split(column), strict=True):
        close(fold, StandardScaler().fit(column[training]).transform(column[validation])[:, 0])


def schedule(rng: Random) -> Inputs:
    epochs = rng.randint(3, 20)
    kinds = rng.choice(["step", "exponential", "cosine", "warmup-cosine"])
    settings = dict(gamma=rng.choice([0.5, 0.9]), s=rng.randint(1, 6), eta_min=0.01, warmup=rng.randint(1, epochs - 1))
    return dict(schedule=kinds, eta0=rng.choice([0.1, 0.4]), epochs=epochs, **settings)


def check_schedule(
    schedule: str, eta0: float, epochs: int, gamma: float, s: int, eta_min: float, warmup: int, etas: Any, **_: Any
) -> None:
    from torch.optim import lr_scheduler as lrs

    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], eta0)
    make = {
        "step": lambda: lrs.StepLR(optimizer, s, gamma),
        "exponential": lambda: lrs.ExponentialLR(optimizer, gamma),
        "cosine": lambda: lrs.CosineAnnealingLR(optimizer, epochs, eta_min),
        "warmup-cosine": lambda: lrs.LambdaLR(
            optimizer,
            lambda t: t / warmup if t < warmup else (1 + math.cos(math.pi * (t - warmup) / (epochs - warmup))) / 2,
        ),
    }
    scheduler, expected = make[schedule](), []
    for _epoch in range(epochs):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    close(etas, expected)


def losses(rng: Random) -> Inputs:
    return dict(val=[loss / 10 for loss in numbers(rng, rng.randint(1, 12), 1, 9)], patience=rng.randint(1, 4))


def check_early_stopping(val: Any, patience: int, best: int, stop: int, **values: Any) -> None:
    # As in scikit-learn: a counter of epochs without improvement, which ends training when it reaches the patience.
    lowest, waited, best_epoch, epoch = math.inf, 0, 0, 0
    for epoch, loss in enumerate(val, 1):
        waited += 1
        if loss < lowest:
            lowest, waited, best_epoch = loss, 0, epoch
        if waited == patience:
            break
    assert (best, stop) == (best_epoch, epoch)


def sentences(rng: Random) -> Inputs:
    def sentence(count: int) -> str:
        return " ".join(rng.choice("the a cat dog sat on mat".split()) for _ in range(count))

    references = [sentence(rng.randint(4, 10)) for _ in range(rng.randint(1, 3))]
    words = rng.choice(references).split()
    return dict(
        candidate=" ".join([*words[: rng.randint(2, len(words))], sentence(rng.randint(1, 3))]), references=references
    )


def check_bleu(candidate: str, references: Any, **values: Any) -> None:
    from sacrebleu.metrics import BLEU

    score = BLEU(tokenize="none", smooth_method="none", effective_order=False, force=True).corpus_score(
        [candidate], [[reference] for reference in references]
    )
    close(values["BLEU"], score.score / 100)
    close(values["BP"], score.bp)
    close([values[f"p{n}"] for n in range(1, 5)], [precision / 100 for precision in score.precisions])


def tokens(rng: Random) -> Inputs:
    count, keys, d_k, d_v = (rng.randint(1, 4) for _ in range(4))
    sizes = dict(Q=(count, d_k), K=(keys, d_k), V=(keys, d_v))
    return {name: matrix(rng, *size, -2, 2) for name, size in sizes.items()} | dict(d_k=d_k)


def check_attention(Q: Any, K: Any, V: Any, O: Any, **values: Any) -> None:
    q, k, v = (torch.tensor(rows).double()[None] for rows in (Q, K, V))
    close(O, F.scaled_dot_product_attention(q, k, v)[0])


def sgd(weights: Any, lr: float, beta: float = 0.0) -> torch.optim.Optimizer:
    return torch.optim.SGD(weights, lr, momentum=beta)


def adam(weights: Any, lr: float, beta1: float, beta2: float) -> torch.optim.Optimizer:
    return torch.optim.Adam(weights, lr, (beta1, beta2), eps=1e-8)


def code(rng: Random) -> Inputs:
    size = rng.randint(1, 5)
    return {name: [value / 4 for value in numbers(rng, size)] for name in ("mu", "logvar", "eps")}


def check_reparametrization(mu: Any, logvar: Any, eps: Any, z: Any, dz_dmu: Any, dz_dlogvar: Any, **_: Any) -> None:
    means, logs, noise = (torch.tensor(list(map(float, v)), requires_grad=True) for v in (mu, logvar, eps))
    normal = torch.distributions.Normal(means, logs.exp().sqrt())
    sample = normal.icdf(torch.special.ndtr(noise.detach()))
    close(z, sample.detach(), 1e-7)
    gradients = torch.autograd.grad(sample.sum(), [means, logs])
    close(dz_dmu, gradients[0], 1e-7)
    close(dz_dlogvar, gradients[1], 1e-7)


def next_words(rng: Random) -> Inputs:
    """Return a table of probabilities in which no two sentences have the same probability, but by accident."""
    count = rng.randint(2, 4)

    def row() -> list[float]:
        weights = [rng.randint(1, 10_000) for _ in range(count - 1)]
        p = [round(weight / sum(weights) * 0.9, 6) for weight in weights]
        return [*p, round(1 - sum(p), 6)]

    inputs = dict(words=list("abcd"[:count]), start=row(), P=[row() for _ in range(count)])
    return dict(
        inputs, k=rng.randint(1, 9), steps=rng.randint(1, 4), alpha=rng.choice([0, 0.6, 1]), end=rng.choice("ab")
    )


def check_beam_search(
    words: Any, start: Any, P: Any, k: int, steps: int, alpha: float, end: str, beam: Any, greedy: Any, **values: Any
) -> None:
    def likelihood(sentence: tuple[int, ...]) -> float:
        return math.prod([start[sentence[0]], *(P[i][j] for i, j in itertools.pairwise(sentence))])

    def score(sentence: tuple[int, ...]) -> float:
        return math.log(likelihood(sentence)) / len(sentence) ** alpha

    def extensions(sentence: tuple[int, ...]) -> list[tuple[int, ...]]:
        if sentence and words[sentence[-1]] == end:
            return [sentence]
        return [(*sentence, word) for word in range(len(words))]

    def best(width: int, key: Callable[..., float]) -> list[str]:
        hypotheses: list[tuple[int, ...]] = [()]
        for _ in range(steps):
            hypotheses = sorted({longer for one in hypotheses for longer in extensions(one)}, key=key, reverse=True)[
                :width
            ]
        return [words[word] for word in hypotheses[0]]

    assert beam == best(k, score)
    assert greedy == best(1, likelihood)
    sentence = tuple(words.index(word) for word in beam)
    close(values["p_beam"], likelihood(sentence))
    close(values["score"], score(sentence))
    if k == 9 and steps == 2:  # nothing is dropped: the best of all sentences
        everything = [pair for word in range(len(words)) for pair in extensions((word,))]
        close(score(sentence), max(map(score, everything)))


def decoder_state(rng: Random) -> Inputs:
    size = rng.randint(1, 4)
    return dict(s=numbers(rng, size, -2, 2), H=matrix(rng, rng.randint(1, 4), size, -2, 2))


def check_dot_attention(s: Any, H: Any, c: Any, a: Any, **values: Any) -> None:
    state, states = torch.tensor([s]).double()[None], torch.tensor(H).double()[None]
    close(c, F.scaled_dot_product_attention(state, states, states, scale=1.0)[0, 0])
    close(a, torch.softmax((states @ state.transpose(1, 2)).flatten(), 0))


def inputs_and_weights(rng: Random) -> Inputs:
    count, width, d_k, d_v = (rng.randint(1, 4) for _ in range(4))
    sizes = dict(X=(count, width), W_q=(width, d_k), W_k=(width, d_k), W_v=(width, d_v))
    settings = dict(scale=rng.choice(["yes", "no"]), mask=rng.choice(["none", "causal"]))
    visible = [[int(i == j or rng.random() < 0.5) for j in range(count)] for i in range(count)]
    return (
        {name: matrix(rng, *size, -2, 2) for name, size in sizes.items()} | settings | rng.choice([{}, {"M": visible}])
    )


def check_attention_from_x(
    X: Any, W_q: Any, W_k: Any, W_v: Any, scale: str, mask: str, O: Any, M: Any = None, **values: Any
) -> None:
    x, *weights = (torch.tensor(rows).double() for rows in (X, W_q, W_k, W_v))
    q, k, v = ((x @ weight)[None] for weight in weights)
    factor = None if scale == "yes" else 1.0
    if M:
        expected = F.scaled_dot_product_attention(q, k, v, torch.tensor(M).bool()[None], scale=factor)
    else:
        expected = F.scaled_dot_product_attention(q, k, v, is_causal=mask == "causal", scale=factor)
    close(O, expected[0])


def masked_tokens(rng: Random) -> Inputs:
    queries, d_k, d_v = (rng.randint(1, 4) for _ in range(3))
    mask = rng.choice(["causal", "none"])
    keys = queries + rng.randint(0, 2)
    sizes = dict(Q=(queries, d_k), K=(keys, d_k), V=(keys, d_v))
    inputs: Inputs = {name: matrix(rng, *size, -2, 2) for name, size in sizes.items()}
    inputs |= dict(mask=mask, scale=rng.choice(["yes", "no"]))
    if rng.random() < 0.5:
        inputs["length"] = rng.randint(1, keys)
    if rng.random() < 0.5:
        inputs["M"] = [[int(j == 0 or rng.random() < 0.6) for j in range(keys)] for _ in range(queries)]
    return inputs


def check_masked_attention(
    Q: Any,
    K: Any,
    V: Any,
    mask: str,
    scale: str,
    O: Any,
    A: Any,
    length: int | None = None,
    M: Any = None,
    **values: Any,
) -> None:
    q, k, v = (torch.tensor(rows).double()[None] for rows in (Q, K, V))
    hidden = torch.arange(len(K)) >= (length or len(K))
    hidden = hidden | torch.zeros(len(Q), 1, dtype=torch.bool)
    if mask == "causal":
        hidden = hidden | torch.ones(len(Q), len(K), dtype=torch.bool).triu(1 + len(K) - len(Q))
    if M:
        hidden = hidden | (torch.tensor(M) == 0)
    factor = None if scale == "yes" else 1.0
    close(O, F.scaled_dot_product_attention(q, k, v, ~hidden[None], scale=factor)[0])
    close(np.array(A)[hidden.numpy()], 0)


def next_token(rng: Random) -> Inputs:
    count = rng.randint(1, 6)
    inputs: Inputs = dict(z=[value / 2 for value in rng.sample(range(-6, 9), count)], T=rng.choice([0.5, 0.8, 1, 2]))
    options = dict(k=rng.randint(1, count), p=rng.choice([0.3, 0.55, 0.83, 0.97]), u=rng.randint(0, 99) / 100)
    return inputs | {name: value for name, value in options.items() if rng.random() < 0.8}


def check_sampling(
    z: Any, T: float, q: Any, k: int | None = None, p: float | None = None, u: float | None = None, **values: Any
) -> None:
    expected = torch.softmax(torch.tensor(z).double() / T, 0)
    order = expected.argsort(descending=True).tolist()
    keep = torch.zeros(len(z))
    keep[order[:k]] = 1
    expected = expected * keep / (expected * keep).sum()
    if p is not None:  # the shortest beginning of the order with this probability
        size = next(n for n in range(1, len(z) + 1) if expected[order[:n]].sum() >= p - 1e-12 or n == len(z))
        keep[order[size:]] = 0
        expected = expected * keep / (expected * keep).sum()
    close(q, expected)
    number = int(expected.argmax()) if u is None else int((expected.cumsum(0) <= u).sum())
    assert values["number"] == number + 1


def two_texts(rng: Random) -> Inputs:
    unit = rng.choice(["words", "characters"])
    joint = " " if unit == "words" else ""
    reference, hypothesis = (joint.join(rng.choices("abc", k=rng.randint(1, 7))) for _ in range(2))
    return dict(reference=reference, hypothesis=hypothesis, unit=unit)


def check_edit_distance(reference: str, hypothesis: str, unit: str, d: int, E: Any, table: Any, **values: Any) -> None:
    from sacrebleu.metrics.lib_ter import BeamEditDistance

    a, b = (text.split() if unit == "words" else list(text) for text in (reference, hypothesis))
    assert d == BeamEditDistance(a)(b)[0]
    close(float(Fraction(E)), d / len(a))
    assert [row["reference"] for row in table if row["reference"]] == a
    assert [row["hypothesis"] for row in table if row["hypothesis"]] == b
    assert d == sum(row["operation"] != "=" for row in table)


def layer(blocks: int) -> Callable[[Random], Inputs]:
    """Return a maker of inputs and weights of a recurrent layer with this number of blocks of rows."""

    def make(rng: Random) -> Inputs:
        features, hidden, steps = rng.randint(1, 3), rng.randint(1, 3), rng.randint(1, 4)
        inputs = dict(X=matrix(rng, steps, features, -2, 2), W_x=matrix(rng, blocks * hidden, features, -2, 2))
        inputs["W_h"] = matrix(rng, blocks * hidden, hidden, -2, 2)
        if rng.random() < 0.5:
            inputs |= dict(b_x=numbers(rng, blocks * hidden, -2, 2), h0=numbers(rng, hidden, -1, 1))
        return inputs

    return make


def check_layer(kind: Callable[..., Any]) -> Callable[..., None]:
    """Return a check against a layer of torch, such as `torch.nn.LSTM`."""

    def check(X: Any, W_x: Any, W_h: Any, b_x: Any = None, h0: Any = None, **values: Any) -> None:
        hidden = len(W_h[0])
        network = kind(len(X[0]), hidden, batch_first=True).double()
        with torch.no_grad():
            for name, weights in (("weight_ih_l0", W_x), ("weight_hh_l0", W_h), ("bias_ih_l0", b_x or [0] * len(W_x))):
                getattr(network, name).copy_(torch.tensor(weights))
            network.bias_hh_l0.zero_()
        start = torch.tensor([[h0 or [0] * hidden]]).double()
        is_lstm = isinstance(network, torch.nn.LSTM)
        outputs, last = network(torch.tensor([X]).double(), (start, torch.zeros_like(start)) if is_lstm else start)
        close(values["H"], outputs[0].detach())
        if is_lstm:
            close(values["C"][-1], last[1][0, 0].detach())

    return check


def sentence_and_window(rng: Random) -> Inputs:
    words = [f"w{rng.randint(0, 5)}" for _ in range(rng.randint(2, 7))]
    return dict(sentence=" ".join(words), c=rng.randint(1, 3))


def check_skip_gram(sentence: str, c: int, **values: Any) -> None:
    words = sentence.split()
    windows = [(words[max(0, t - c) : t], words[t], words[t + 1 : t + 1 + c]) for t in range(len(words))]
    expected = [(center, word) for left, center, right in windows for word in [*left, *right]]
    assert [(pair["center"], pair["context"]) for pair in values["pairs"]] == expected
    assert (values["T"], values["N"]) == (len(words), len(expected))


def words_to_merge(rng: Random) -> Inputs:
    words = list({"".join(rng.choices("abc", k=rng.randint(2, 5))): None for _ in range(rng.randint(1, 4))})
    return dict(words=words, counts=[rng.randint(1, 6) for _ in words], k=rng.randint(1, 5))


def check_byte_pairs(words: Any, counts: Any, k: int, merges: Any, words_after: Any, after: int, **values: Any) -> None:
    from quizzes.content.beyond.language_extras.checks import bpe_encode

    learned = values["table"]
    encoded = [bpe_encode(word, [row["pair"] for row in learned])["tokens"] for word in words]
    assert [" ".join(tokens) for tokens in encoded] == words_after
    assert after == sum(len(tokens) * count for tokens, count in zip(encoded, counts, strict=True))
    assert all(a["count"] >= b["count"] for a, b in itertools.pairwise(learned)) and len(merges) <= k


def grid_of_windows(rng: Random) -> Inputs:
    M = rng.randint(2, 4)
    return dict(h=M * rng.randint(1, 3), w=M * rng.randint(1, 3), M=M, s=rng.randint(0, M - 1))


def check_shift(h: int, w: int, M: int, s: int, **values: Any) -> None:
    """Compare with the regions of the official code, window by window."""
    regions = torch.zeros(h, w)
    slices = (slice(0, -M), slice(-M, -s), slice(-s, None)) if s else (slice(None),)
    for number, (rows, columns) in enumerate(itertools.product(slices, slices)):
        regions[rows, columns] = number
    windows = F.unfold(regions[None, None], M, stride=M)[0].T
    same = windows[:, :, None] == windows[:, None]
    assert values["n"] == len(windows) and values["allowed"] == int(same.sum()) == same.numel() - values["blocked"]
    assert values["masked"] == int((~same).flatten(1).any(1).sum())
    tokens = F.unfold(torch.arange(h * w).view(1, 1, h, w).roll((-s, -s), (2, 3)).double(), M, stride=M)[0].T
    assert [row["tokens"] for row in values["table"]] == [", ".join(str(int(t)) for t in row) for row in tokens]


def costs(rng: Random) -> Inputs:
    rows = rng.randint(1, 5)
    return dict(cost=matrix(rng, rows, rng.randint(rows, 6), -3, 9))


def check_matching(cost: Any, match: list[str], total: float, **_: Any) -> None:
    from scipy.optimize import linear_sum_assignment

    table = np.array(cost, dtype=float)
    columns = [ord(letter) - ord("A") for letter in match]
    assert len(set(columns)) == len(table) == len(columns)
    close(total, table[linear_sum_assignment(table)].sum())
    close(total, table[range(len(table)), columns].sum())


def confusion_counts(rng: Random) -> Inputs:
    classes = rng.randint(2, 4)
    C = matrix(rng, classes, classes, 0, 9)
    C[0][0] += 1
    if rng.random() < 0.3:  # a class that neither occurs nor is predicted
        C = [[*row[:-1], 0] for row in C[:-1]] + [[0] * classes]
    return dict(C=C)


def check_mean_iou(C: Any, mIoU: float, acc: float, mean_acc: float, fw: float, **_: Any) -> None:
    from sklearn.metrics import accuracy_score, jaccard_score, recall_score

    pairs = [(t, p) for t, row in enumerate(C) for p, count in enumerate(row) for _ in range(count)]
    true, predicted = zip(*pairs, strict=True)
    close(mIoU, jaccard_score(true, predicted, average="macro"))
    close(fw, jaccard_score(true, predicted, average="weighted"))
    close(acc, accuracy_score(true, predicted))
    close(mean_acc, recall_score(true, predicted, average="macro", labels=sorted(set(true))))


def segment_maps(rng: Random) -> Inputs:
    rows, columns = rng.randint(2, 5), rng.randint(3, 6)
    T = [[1 + i * 2 // rows * 2 + j * 2 // columns for j in range(columns)] for i in range(rows)]
    P = [[rng.choice([label, label, label, label, 0, 5]) for label in row] for row in T]
    T = [[label if rng.random() < 0.8 else 0 for label in row] for row in T]
    return dict(P=P, T=T)


def check_panoptic(P: Any, T: Any, TP: int, FP: int, FN: int, ignored: int, PQ: float, **_: Any) -> None:
    """Compare with the definition, segment by segment, on arrays."""
    predicted, true = np.array(P), np.array(T)
    valid = true > 0
    ious = {
        (p, t): ((predicted == p) & (true == t)).sum() / (valid & ((predicted == p) | (true == t))).sum()
        for p in set(predicted[predicted > 0])
        for t in set(true[valid])
    }
    matches = {pair: iou for pair, iou in ious.items() if iou > 0.5}
    free = set(predicted[predicted > 0]) - {p for p, _ in matches}
    void = {p for p in free if valid[predicted == p].mean() < 0.5}
    assert (TP, FP, ignored) == (len(matches), len(free - void), len(void))
    assert len(set(true[valid])) - len(matches) == FN
    close(PQ, sum(matches.values()) / (TP + FP / 2 + FN / 2))


def interest(rng: Random) -> Inputs:
    inputs = region(rng)
    return dict(inputs, k=rng.randint(1, 3), n=rng.randint(1, 3), aligned=rng.randint(0, 1))


def check_roi_align(X: Any, roi: Any, s: int, k: int, n: int, aligned: int, **values: Any) -> None:
    from torchvision.ops import roi_align

    image, boxes = torch.tensor(X).double()[None, None], [torch.tensor([roi]).double()]
    close(values["O"], roi_align(image, boxes, k, 1 / s, n, bool(aligned))[0, 0].tolist())


def unpooling(rng: Random) -> Inputs:
    k = rng.randint(1, 3)
    rows, columns = (k * rng.randint(1, 3) for _ in range(2))
    inputs: Inputs = dict(X=matrix(rng, rows, columns, -9, 9), k=k)
    if rng.random() < 0.5:
        inputs["V"] = matrix(rng, rows // k, columns // k)
    return inputs


def check_unpooling(X: Any, k: int, M: Any, I: Any, U: Any, V: Any = None, **_: Any) -> None:
    maxima, indices = F.max_pool2d(torch.tensor(X)[None, None].double(), k, return_indices=True)
    close(M, maxima[0, 0])
    close(I, indices[0, 0])
    values = maxima if V is None else torch.tensor(V)[None, None].double()
    close(U, F.max_unpool2d(values, indices, k)[0, 0])


def transposed_convolution(rng: Random) -> Inputs:
    X, K = matrix(rng, rng.randint(1, 3), rng.randint(1, 3)), matrix(rng, rng.randint(2, 3), rng.randint(2, 3))
    s, d = rng.randint(1, 3), rng.randint(1, 2)
    return dict(X=X, K=K, b=rng.randint(-2, 2), s=s, p=0 if d == 1 else 1, q=rng.randint(0, max(s, d) - 1), d=d)


def check_transposed_convolution(X: Any, K: Any, b: int, s: int, p: int, q: int, d: int, O: Any, **_: Any) -> None:
    x, weight = (torch.tensor(rows)[None, None].double() for rows in (X, K))
    close(O, F.conv_transpose2d(x, weight, torch.tensor([float(b)]), s, p, q, 1, d)[0, 0])


def map_to_resize(rng: Random) -> Inputs:
    X = matrix(rng, rng.randint(1, 4), rng.randint(1, 4))
    sizes = dict(H=rng.randint(1, 7), W=rng.randint(1, 7))
    return dict(X=X, **sizes, mode=rng.choice(["bilinear", "nearest"]), align=rng.choice(["yes", "no"]))


def check_resizing(X: Any, H: int, W: int, mode: str, align: str, O: Any, **_: Any) -> None:
    option = None if mode == "nearest" else align == "yes"
    close(O, F.interpolate(torch.tensor(X)[None, None].double(), size=(H, W), mode=mode, align_corners=option)[0, 0])


def pixels_and_costs(rng: Random) -> Inputs:
    pixels, labels = rng.randint(2, 5), rng.randint(2, 3)
    U = [[rng.randint(0, 30) / 10 for _ in range(labels)] for _ in range(pixels)]
    widths = dict(w1=rng.randint(1, 4), w2=rng.randint(0, 3), alpha=rng.randint(1, 9), beta=rng.randint(2, 20))
    P, I = matrix(rng, pixels, 2, 0, 6), numbers(rng, pixels, 0, 60)
    return dict(U=U, P=P, I=I, **widths, gamma=rng.randint(1, 4), T=rng.randint(1, 4))


def check_mean_field(
    U: Any, P: Any, I: Any, w1: float, w2: float, alpha: float, beta: float, gamma: float, T: int, Q: Any, K: Any,
    label: Any, **_: Any,
) -> None:  # fmt: skip
    """Compare with an update of tensors, and the penalty with a sum over all pairs of different labels."""
    unary, positions, intensities = torch.tensor(U), torch.tensor(P).double(), torch.tensor(I).double()[:, None]
    distance, difference = (torch.cdist(x, x).square() for x in (positions, intensities))
    kernel = w1 * torch.exp(-distance / (2 * alpha**2) - difference / (2 * beta**2))
    kernel = (kernel + w2 * torch.exp(-distance / (2 * gamma**2))).fill_diagonal_(0)
    close(K, kernel, 1e-6)
    compatibility = 1 - torch.eye(len(U[0]))
    marginals = torch.softmax(-unary, 1)
    for _ in range(T):
        marginals = torch.softmax(-unary - torch.einsum("ij,jl,lk->ik", kernel, marginals, compatibility), 1)
    close(Q, marginals, 1e-6)
    assert label == [k + 1 for k in marginals.argmax(1).tolist()]


CASES: dict[str, tuple[Callable[[Random], Inputs], Callable[..., None]]] = {
    "conv-values": (convolution, check_convolution),
    "pooling-values": (pooling, check_pooling),
    "nms": (suppression, check_suppression),
    "soft-nms": (softening("N_t"), check_softening),
    "soft-nms-gaussian": (softening("sigma"), check_softening),
    "ap": (ranking, check_average_precision),
    "iou": (two_boxes, check_iou),
    "roi-pool": (region, check_region),
    "selective-search": (segmentation, check_segmentation),
    "gd-steps": (descent(lr=(0.0, 0.2)), check_descent(sgd)),
    "momentum-steps": (descent(lr=(0.0, 0.1), beta=(0.0, 0.95)), check_descent(sgd)),
    "adam-steps": (descent(lr=(0.0, 0.5), beta1=(0.1, 0.95), beta2=(0.5, 0.999)), check_descent(adam)),
    "perceptron-training": (perceptron, check_perceptron),
    "linear-regression-descent": (regression, check_regression),
    "backprop-steps": (graph, check_graph),
    "bn-forward": (channel, check_batch_norm),
    "softmax-cross-entropy": (logits, check_softmax),
    "standardise": (training_and_other, check_standardization),
    "k-fold-standardization": (folds, check_folds),
    "learning-rate-schedule": (schedule, check_schedule),
    "early-stopping": (losses, check_early_stopping),
    "bleu": (sentences, check_bleu),
    "self-attention": (tokens, check_attention),
    "vae-reparam": (code, check_reparametrization),
    "beam-search": (next_words, check_beam_search),
    "dot-attention": (decoder_state, check_dot_attention),
    "attention-from-x": (inputs_and_weights, check_attention_from_x),
    "masked-attention": (masked_tokens, check_masked_attention),
    "sampling": (next_token, check_sampling),
    "edit-distance": (two_texts, check_edit_distance),
    "rnn-sequence": (layer(1), check_layer(torch.nn.RNN)),
    "lstm-sequence": (layer(4), check_layer(torch.nn.LSTM)),
    "gru-sequence": (layer(3), check_layer(torch.nn.GRU)),
    "skip-gram-pairs": (sentence_and_window, check_skip_gram),
    "bpe": (words_to_merge, check_byte_pairs),
    "swin-shift": (grid_of_windows, check_shift),
    "hungarian-assign": (costs, check_matching),
    "miou": (confusion_counts, check_mean_iou),
    "panoptic-segments": (segment_maps, check_panoptic),
    "roi-align": (interest, check_roi_align),
    "max-unpool": (unpooling, check_unpooling),
    "dense-crf": (pixels_and_costs, check_mean_field),
    "transposed-conv": (transposed_convolution, check_transposed_convolution),
    "interpolation": (map_to_resize, check_resizing),
}


def test_every_procedure_has_a_check():
    assert CASES.keys() == procedures.entries().keys()


def test_no_procedure_without_a_formula_has_the_name_of_a_topic_or_chapter():
    own = {id for id, entry in procedures.entries().items() if not entry.has_formula}
    assert own and not own & {*syllabus.topics(), *syllabus.chapters()}


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    return [leaf for item in value for leaf in leaves(item)] if isinstance(value, list) else [value]


def texts(values: Any) -> set[str]:
    """Return the numbers among values as a caption writes them, without their signs."""
    result = set()
    for leaf in leaves(values):
        if isinstance(leaf, str):
            result |= set(NUMBER.findall(leaf)) | set(re.findall(r"\d+", leaf))
        elif isinstance(leaf, int | float) and not isinstance(leaf, bool):
            result.add(number_text(abs(leaf)))
    return result


@pytest.mark.parametrize("id", CASES)
def test_states_over_random_inputs(id):
    make_inputs, check = CASES[id]
    stepped = procedures.get(id)
    for run in range(RUNS):
        inputs = make_inputs(Random(f"{id}/{run}"))
        states = stepped.states(inputs)
        data = [state.to_json(number) for number, state in enumerate(states, 1)]
        assert json.loads(json.dumps(data, allow_nan=False)) == data
        input_texts = texts({name: to_json(value) for name, value in stepped.complete(inputs).items()}) | CONSTANTS
        for state in states:
            assert state.caption.strip() and state.caption == state.caption.strip()
            unexplained = set(NUMBER.findall(state.caption)) - input_texts - texts(state.values)
            assert not unexplained, f"{unexplained} of {state.caption!r} are not among {state.values}"
        result = states[-1].values
        arguments = {"point" if id == "backprop-steps" and k == "values" else k: v for k, v in inputs.items()}
        check(**{**result, **arguments})
        if procedures.entries()[id].has_formula:
            for name, value in formulas.get(id).solve(**inputs).items():
                plain = to_json(value)
                assert (
                    result[name] == plain
                    if isinstance(plain, str)
                    else leaves(result[name]) == pytest.approx(leaves(plain))
                )


@pytest.mark.parametrize(
    ("id", "inputs", "sentence"),
    [
        ("nms", dict(boxes=[[5, 5, 1, 1]], scores=[1]), "x1, y1, x2, y2 with x1 < x2 and y1 < y2"),
        ("nms", dict(boxes=[[1, 1, 5, 5]], scores=[1, 0.5]), "one number per box"),
        ("iou", dict(A=[5, 5, 1, 1]), "A must be x1, y1, x2, y2 with x1 < x2"),
        ("iou", dict(B=[0, 5, 1, 5]), "B must be x1, y1, x2, y2 with x1 < x2"),
        ("roi-pool", dict(roi=[5, 5, 1, 1]), "roi must be x1, y1, x2, y2 with x1 < x2"),
        ("selective-search", dict(R=[[0, 1]]), "X and R must have the same shape, not 4x5 and 1x2"),
        ("selective-search", dict(X=[[0] * 50], R=[[*range(50)]]), "Use at most 1024 pixels in 40 regions"),
        ("conv-values", dict(X=[[1, 2], [3, 4]]), "larger than the padded map X, 2x2"),
        ("conv-values", dict(X=[[1] * 110] * 110, K=[[1]]), "has more states than can be stepped through"),
        ("pooling-values", dict(k=9), "larger than the map X"),
        ("gd-steps", dict(start=[1]), r"start must have one number for each weight \(x, y\): 2, not 1"),
        ("gd-steps", dict(lr=1e9, steps=200), "its value is too large"),
        ("gd-steps", dict(f="ln(x)", start=[1], lr=5, steps=9), "has no value"),
        ("gd-steps", dict(steps=1001), "steps .* must be an integer from 1 to 1000"),
        ("perceptron-training", dict(y=[1]), "one label per row of X: 7, not 1"),
        ("perceptron-training", dict(X=[[1]], y=[2]), "Every label in y must be -1 or 1"),
        ("linear-regression-descent", dict(y=[1]), "one target per input: 5, not 1"),
        ("linear-regression-descent", dict(eta=1e9, steps=100), "its value is too large"),
        ("backprop-steps", dict(values=[1]), r"one number for each variable \(b, w, x, y\): 4, not 1"),
        ("backprop-steps", dict(f="1/x", values=[0]), "has no value"),
        ("softmax-cross-entropy", dict(c=3), "c must be a class from 0 to 2"),
        ("softmax-cross-entropy", dict(z=[0, 9999], c=0), "too small"),
        ("standardise", dict(X=[2, 2]), "standardise has no value there"),
        ("k-fold-standardization", dict(k=7), "at most the number of values, 6, not 7"),
        ("k-fold-standardization", dict(x=[1, 1, 2], k=3), "training values of fold 3 are all equal"),
        ("learning-rate-schedule", dict(warmup=20), "warmup must be less than the number of epochs, 20"),
        ("learning-rate-schedule", dict(schedule="cosin"), "Did you mean 'cosine"),
        ("bn-forward", dict(x=[1, 1], epsilon=0), "no value there"),
        ("self-attention", dict(K=[[1, 0]]), "K has 1 row"),
        ("vae-reparam", dict(eps=[1]), "mu has 3 values and eps has 1"),
        ("beam-search", dict(start=[0.5, 0.5]), "For 4 words, start needs as many values"),
        ("beam-search", dict(end="bird"), "end must be one of the words the, a, cat, dog, not 'bird'"),
        ("beam-search", dict(start=[0, 0, 0, 0]), "start must have a positive probability"),
        ("beam-search", dict(start=[0.4, 0.4, 0, 0]), "start must add up to 1 .* not to 0.8"),
        ("dot-attention", dict(s=[1]), "s has 1 value and H has 2 columns"),
        ("attention-from-x", dict(M=[[1, 0, 0], [0, 0, 0], [1, 1, 1]]), "Row 2 of M hides every key"),
        ("attention-from-x", dict(M=[[1, 1], [1, 1]]), "M must have 3 rows and columns"),
        ("masked-attention", dict(length=4), "length must be at most the number of keys, 3"),
        ("masked-attention", dict(M=[[0, 0, 1], [1, 1, 1], [1, 1, 1]]), "The masks hide every key of query 1"),
        ("masked-attention", dict(K=[[1, 0]], V=[[1, 0]]), "at least as many keys as queries"),
        ("sampling", dict(k=9), "k must be at most the number of logits, 5"),
        ("sampling", dict(words=["a"]), "one word per logit: 5 words, not 1"),
        ("edit-distance", dict(reference=" "), "The reference is empty"),
        ("bleu", dict(hypothesis="a b", reference="a b"), "The steps are those of one candidate"),
        ("bpe", dict(words=["ab", "ab"], counts=[1, 1]), "Each word must be there once"),
        ("bpe", dict(text="a b"), "No word has two characters"),
        ("hungarian-assign", dict(cost=[[1], [2]]), "at least as many queries as objects"),
        ("hungarian-assign", dict(cost=[[1] * 27]), "cost must have at most 26 columns, not 27"),
        ("swin-shift", dict(h=5), "Windows of 2x2 tokens don't divide a grid of 5x4"),
        ("swin-shift", dict(s=2), "The shift s must be from 0 to 1, not 2"),
        ("miou", dict(C=[[0, 0], [0, 0]]), "C counts no pixels"),
        ("panoptic-segments", dict(P=[[1]]), "P and T must have the same shape, not 1x1 and 4x5"),
        ("roi-align", dict(roi=[5, 5, 1, 1]), "roi must be x1, y1, x2, y2 with x1 < x2"),
        ("early-stopping", dict(patience=0), "patience .* must be an integer from 1 to 1000"),
    ],
)
def test_unusable_inputs_are_one_sentence(id, inputs, sentence):
    with pytest.raises(UserError, match=sentence) as error:
        procedures.get(id).states(inputs)
    assert "\n" not in str(error.value)
