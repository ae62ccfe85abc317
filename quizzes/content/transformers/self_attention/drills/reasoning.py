"""Self-attention and positional encoding: drills that derive, diagnose and debug."""

from random import Random
from typing import Any

from quizzes.content.transformers.self_attention.formulas import (
    CAUSAL_LEAK,
    HEAD_MERGE,
    HEAD_SPLIT,
    HEAD_SPLIT_VIEW,
    LOGIT_VARIANCE,
    MERGE,
    split_heads,
)
from quizzes.drill import Inputs, Mistake, derive, drill, one_of
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step


@drill(
    LOGIT_VARIANCE,
    tier=3,
    asks=one_of(derive("var"), derive("c")),
    prompt="A query and a key have {d} entries each, all independent. The entries of the query have the mean {n} and "
    "the variance a, those of the key the mean {m} and the variance b. Derive the variance var of their dot product, "
    "or the factor c that scales the dot product to variance 1, as asked below. Answer in terms of a and b.",
    hints=(
        "The variances of independent terms add up. What is the variance of one product?",
        "Var(q k) = E[q^2] E[k^2] - (E[q] E[k])^2, and E[x^2] is the variance plus the square of the mean.",
        "First step: write E[q^2] and E[k^2] in terms of a, b and the means.",
    ),
    mistakes=[
        Mistake(
            "means-ignored",
            "var = d*a*b; c = 1/sqrt(d*a*b)",
            "You ignored the means. They add to the mean squares.",
        ),
        Mistake(
            "variances-added",
            "var = d*(a + b); c = 1/sqrt(d*(a + b))",
            "You added the variances of the two factors. For a product, multiply the mean squares.",
        ),
        Mistake(
            "terms-squared",
            "var = d^2*((a + n^2)*(b + m^2) - n^2*m^2); c = 1/(d*sqrt((a + n^2)*(b + m^2) - n^2*m^2))",
            "You multiplied by the square of the number of entries. The variances of independent terms add up.",
        ),
        Mistake(
            "reciprocal",
            "c = 1/var",
            "That scales to the reciprocal of the variance. A factor multiplies the variance by its square.",
        ),
        Mistake(
            "one-term",
            "var = (a + n^2)*(b + m^2) - n^2*m^2; c = 1/sqrt((a + n^2)*(b + m^2) - n^2*m^2)",
            "That is one term. The dot product has as many terms as entries.",
        ),
    ],
)
def logit_variance(rng: Random) -> Inputs:
    """Variance of a score"""
    n, m = rng.choice([(0, 1), (0, 2), (0, 3), (1, 0), (2, 0), (3, 0), (1, 2), (2, 1), (1, 1), (2, 3)])
    return dict(d=rng.choice([2, 3, 4, 8, 16, 32, 64]), n=n, m=m, variables={"a": [0.2, 4], "b": [0.2, 4]})


def _illegal_with_diagonal(A: list[list[Any]]) -> int:
    return sum(value > 0 for i, row in enumerate(A) for value in row[i:])


def _leak_with_diagonal(A: list[list[Any]]) -> Any:
    return sum(value for i, row in enumerate(A) for value in row[i:])


@drill(
    CAUSAL_LEAK,
    tier=2,
    asks=("n", "w", "r", "bug"),
    visualization="matrices A",
    prompt="The training loss of a GPT is {loss}, but its samples are nonsense. One of its heads has these attention "
    "weights, one row per query:\n  A = {A}\n"
    "How many nonzero weights n are illegal, and how much weight w leaks in total? What is row 2 with the correct mask "
    "and the same scores (r)? What is wrong with the mask (bug)?",
    hint="Which entries of row i must be 0? What is left in row 2 must again add up to 1, in the same ratio.",
    mistakes=[
        Mistake(
            "diagonal-counted",
            {"n": _illegal_with_diagonal, "w": _leak_with_diagonal},
            "You counted the diagonal. A token may see itself.",
        ),
        Mistake(
            "zeros-counted",
            "n = len(A)*(len(A) - 1)/2",
            "You counted all entries above the diagonal. Those that are 0 leak nothing.",
        ),
        Mistake(
            "not-normalized-again",
            "r[j] = [j <= 2]*A[2, j]",
            "You set the illegal weights to 0. The mask applies before the softmax, so the rest adds up to 1 again.",
        ),
        Mistake(
            "uniform",
            "r[j] = [j <= 2]/2 + 0*A[2, j]",
            "You gave all visible keys the same weight. The scores are the same, so their ratio stays.",
        ),
        Mistake(
            "mean-leak",
            "w = sum(i, sum(j, [j > i]*A[i, j]))/len(A)",
            "That is the mean per query. Add up the leaks of all rows.",
        ),
        Mistake(
            "another-bug",
            {"bug": lambda A: "two" if A[0][1] and not A[0][2] else "one"},
            "Compare each row with the diagonal: the number of nonzero weights to its right shows how far a query "
            "looks ahead.",
        ),
    ],
)
def causal_leak(rng: Random) -> Inputs:
    """A causal mask that leaks"""
    T, bug = rng.choice([4, 4, 5]), rng.choice(["one", "two", "none"])
    reach = {"one": 1, "two": 2, "none": T}[bug]
    A = []
    for i in range(T):
        visible = min(T, i + 1 + reach)
        cuts = sorted(rng.sample(range(1, 10), visible - 1))
        A.append([(b - a) / 10 for a, b in zip([0, *cuts], [*cuts, 10], strict=True)] + [0] * (T - visible))
    if A[1][0] == A[1][1] or (T == 4 and bug == "two" and rng.random() < 0.5):
        raise UndefinedValue("equal weights in row 2")
    return dict(A=A, loss=rng.choice([0.02, 0.03, 0.05, 0.08, 0.1]))


def _split_steps(line: int, m: int, prints: Any, fixed: Any, count: int, **_: Any) -> list[Step]:
    return [
        Step(
            f"Line {line} only regroups the values in their order, so a head gets whole tokens. Split the last "
            "dimension into heads, and then move the heads before the tokens."
        ),
        Step(f"Read the values in order, row after row, to see q[0, {m}] as it is: {prints}."),
        Step(f"Head {m} should have its share of every token: {fixed}."),
        Step("Compare all values of q with those of the corrected program.", [f"count = {count}"]),
    ]


@drill(
    HEAD_SPLIT,
    id="debug-head-split",
    tier=3,
    decimals=None,
    asks=("line", "fix", "prints", "fixed", "count"),
    visualization="code program",
    steps=_split_steps,
    prompt="All shapes of this program are as expected, with T = {T} tokens, width d = {d} and h = {h} heads, but the "
    "heads mix tokens. Token t of x has the values t*d to t*d + d - 1. The program prints the head with index {m}.\n"
    "Which line is wrong (line), and how should it read (fix)? What does the program print (prints), and what should "
    "it print (fixed)? How many values of q are in the wrong place (count)?",
    hints=(
        "Does view move values, or does it only cut the same sequence of values into other pieces?",
        "The heads are a split of the last dimension: view(1, T, h, d // h), then transpose(1, 2).",
        "First step: write the values of x in order, and cut them into heads of T rows.",
    ),
    mistakes=[
        Mistake(
            "blames-print",
            {"line": lambda line, **_: line + 1},
            "Printing is right. Look at how the heads are split.",
        ),
        Mistake("blames-input", {"line": lambda line, **_: line - 2}, "The input is right: a row per token."),
        Mistake(
            "other-head",
            {
                "prints": lambda T, d, h, m, **_: split_heads(T, d, h, False)[m - 1],
                "fixed": lambda T, d, h, m, **_: split_heads(T, d, h, True)[m - 1],
            },
            "That is another head. Indices count from 0.",
        ),
        Mistake(
            "works-as-intended",
            {"prints": lambda T, d, h, m, **_: split_heads(T, d, h, True)[m]},
            "That is what the corrected program prints.",
        ),
        Mistake(
            "all-misplaced",
            {"count": lambda T, d, **_: T * d},
            "Some values are in the right place by accident: the first one, for example.",
        ),
    ],
)
def debug_head_split(rng: Random) -> Inputs:
    """Heads that mix tokens"""
    h = rng.choice([2, 2, 3, 4])
    T, d = rng.choice([2, 3, 4, 5]), h * rng.choice([2, 2, 3])
    if T * d > 24:
        raise UndefinedValue("too many values")
    name = rng.choice(["q", "k", "v"])
    m, start = rng.randint(1, h - 1), rng.choice([[], ["import torch"]])
    lines = [
        *start,
        f"T, d, h = {T}, {d}, {h}",
        f"x = torch.arange({T * d}.).view(1, T, d)",
        f"w{name} = nn.Identity()",
        f"{name} = w{name}(x).view(1, h, T, d // h)",
        f"print({name}[0, {m}].tolist())",
    ]
    source = f"w{name}(x)"
    fixes = [
        f"{name} = {source}.view(1, T, h, d // h).transpose({a}, {b})" for a, b in ((1, 2), (2, 1), (-3, -2), (-2, -3))
    ]
    fixes += [f"{name} = {source}.view(1, T, h, d // h).permute(0, 2, 1, 3)"]
    fixes += [text.replace("view(", "reshape(") for text in fixes]
    return dict(T=T, d=d, h=h, m=m, line=len(start) + HEAD_SPLIT_VIEW, fix=fixes, program="\n".join(lines))


def _merge_steps(line: int, m: int, prints: Any, fixed: Any, **_: Any) -> list[Step]:
    return [
        Step(
            f"Line {line} reads the values head after head, so a row of the result has several tokens of one head. "
            "Move the tokens before the heads first."
        ),
        Step(f"Token {m} is then made of these values: {prints}."),
        Step(f"It should have its own share of every head: {fixed}."),
    ]


@drill(
    HEAD_MERGE,
    id="debug-head-split:merge",
    tier=3,
    decimals=None,
    asks=("line", "fix", "prints", "fixed"),
    visualization="code program",
    steps=_merge_steps,
    prompt="Attention with h = {h} heads, T = {T} tokens and width d = {d} ends with this program. Shapes are as "
    "expected, but the outputs of the tokens are mixed up. Every value says where it belongs: 100 times the head plus "
    "the token, both from 0. The program prints the token with index {m}.\n"
    "Which line is wrong (line), and how should it read (fix)? What does the program print (prints), and what should "
    "it print (fixed)?",
    hints=(
        "In which order does reshape read the values of a tensor of shape (1, heads, tokens, size)?",
        "The result needs the shape (1, tokens, heads*size): move the tokens before the heads by transpose(1, 2).",
        "First step: write the values in order, and cut them into rows of width d.",
    ),
    mistakes=[
        Mistake(
            "blames-print",
            {"line": lambda line, **_: line + 1},
            "Printing is right. Look at how the heads are merged.",
        ),
        Mistake(
            "blames-values",
            {"line": lambda line, **_: line - 1},
            "That line only makes the values. They are where they should be.",
        ),
        Mistake(
            "works-as-intended",
            {"prints": lambda T, d, h, m, **_: [100 * head + m for head in range(h) for _ in range(d // h)]},
            "That is what the corrected program prints.",
        ),
        Mistake(
            "heads-last",
            {"fixed": lambda T, d, h, m, **_: [100 * head + m for _ in range(d // h) for head in range(h)]},
            "You alternated the heads. The values of one head stay together.",
        ),
        Mistake(
            "index-from-1",
            {"fixed": lambda T, d, h, m, **_: [100 * head + m - 1 for head in range(h) for _ in range(d // h)]},
            "That is the token before. Indices count from 0.",
        ),
    ],
)
def debug_head_merge(rng: Random) -> Inputs:
    """Heads that are merged in the wrong order"""
    h = rng.choice([2, 2, 3, 4])
    T, size = rng.choice([2, 3, 4, 5]), rng.choice([2, 2, 3])
    m = rng.randint(1, T - 1)
    name = rng.choice(["y", "out", "o"])
    start = rng.choice([[], ["import torch"]])
    lines = [
        *start,
        f"T, h, size = {T}, {h}, {size}",
        "head = torch.arange(h).view(1, h, 1, 1)",
        "token = torch.arange(T).view(1, 1, T, 1)",
        "unit = torch.zeros(1, 1, 1, size, dtype=torch.long)",
        f"{name} = 100 * head + token + unit",
        f"{name} = {name}.reshape(1, T, h * size)",
        f"print({name}[0, {m}].tolist())",
    ]
    fixes = [
        f"{name} = {name}.transpose({a}, {b}).reshape(1, T, {last})"
        for a, b in ((1, 2), (2, 1), (-3, -2), (-2, -3))
        for last in ("h * size", "size * h", "-1")
    ]
    fixes += [
        f"{name} = {name}.permute(0, 2, 1, 3).reshape(1, T, h * size)",
        f"{name} = {name}.permute(0, 2, 1, 3).reshape(1, T, -1)",
        f"{name} = {name}.transpose(1, 2).flatten(2)",
        f"{name} = {name}.transpose(1, 2).contiguous().view(1, T, h * size)",
        f"{name} = {name}.transpose(1, 2).contiguous().view(1, T, -1)",
    ]
    return dict(T=T, d=h * size, h=h, m=m, line=len(start) + MERGE, fix=fixes, program="\n".join(lines))
