"""DETR: drills about the matching of objects with queries."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from quizzes.content.vision_transformers.detr.formulas import DETR_COST, DETR_MATCH, HUNGARIAN, MATCHINGS, pair_costs
from quizzes.content.vision_transformers.detr.matching import (
    Number,
    best_matching,
    greedy_matching,
    letters,
    total_cost,
)
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue, exact
from quizzes.question import Step

Costs = list[list[Number]]


def _listing(rows: Sequence[Sequence[float]], heading: str = "") -> str:
    """Return a table of costs: a line per object, a column per query."""
    columns = [letters([column])[0] for column in range(len(rows[0]))]
    digits = 0 if all(value == int(value) for row in rows for value in row) else 1
    lines = [["", *columns], *([str(k), *(f"{value:.{digits}f}" for value in row)] for k, row in enumerate(rows, 1))]
    table = [f"  {first:>2}{''.join(f'{cell:>7}' for cell in cells)}" for first, *cells in lines]
    return "\n".join([heading, *table] if heading else table)


def _all_totals(cost: Costs) -> list[Number]:
    """Return the total costs of all matchings of up to four rows, the smallest first."""

    def totals(row: int, used: tuple[int, ...]) -> list[Number]:
        if row == len(cost):
            return [0]
        columns = [column for column in range(len(cost[0])) if column not in used]
        return [cost[row][c] + total for c in columns for total in totals(row + 1, (*used, c))]

    return sorted(totals(0, ()))


def _largest(cost: Costs) -> list[int]:
    return best_matching([[-value for value in row] for row in cost])


def _best_of_each(cost: Costs) -> list[int]:
    return [row.index(min(row)) for row in cost]


def _check_interesting(cost: Costs) -> None:
    """Draw again unless one matching alone is best, and the greedy one is another."""
    first, second, *_ = _all_totals(cost)
    if first == second or greedy_matching(cost) == best_matching(cost) or len(set(_best_of_each(cost))) == len(cost):
        raise UndefinedValue("several matchings are best, or the greedy one is")


def _wrong(rule: Callable[[Costs], list[int]]) -> dict[str, Callable[..., Any]]:
    """Return the answers of a student who matches by another rule."""
    return {
        "match": lambda cost: letters(rule(cost)),
        "total": lambda cost: total_cost(cost, rule(cost)),
    }


@drill(
    DETR_COST,
    id="detr-matching-cost",
    tier=2,
    asks=("L1", "giou", "cost"),
    prompt="A query of DETR predicts the box b = {b} and, for the class of an object, the probability {p}. The "
    "object's box is t = {t}. Boxes are center x, center y, width, height, relative to the image.\n"
    "What are the L1 distance of the boxes (L1), their generalized IoU (giou), and the cost of matching the query with "
    "the object (cost)?\n"
    "Conventions: the cost is -probability + {w1} L1 + {w2} (1 - GIoU).",
    hints=(
        "How far apart are the four numbers of the boxes? Which corners do the boxes have?",
        "GIoU = I/U - (C - U)/C, with the area I of the intersection, U of the union and C of the smallest box around "
        "both. A corner is half a width from the center.",
        "First step: add up the absolute differences of the four numbers.",
    ),
    mistakes=[
        Mistake("l1-squared", "L1 = sum(i, (b[i] - t[i])^2)", "You squared the differences. L1 adds absolute values."),
        Mistake("l1-averaged", "L1 = mean(i, abs(b[i] - t[i]))", "You averaged. The L1 distance is the sum."),
        Mistake("iou-for-giou", "giou = I_x*I_y/U", "That is the IoU. Subtract the share (C - U)/C of the hull."),
        Mistake(
            "hull-over-union",
            "giou = I_x*I_y/U - (C_x*C_y - U)/U",
            "You divided the empty part of the hull by the union. Divide it by the area of the hull.",
        ),
        Mistake(
            "overlap-not-subtracted",
            "U = b[3]*b[4] + t[3]*t[4]",
            "You counted the intersection twice in the union. Subtract it once from the sum of the areas.",
        ),
        Mistake(
            "log-probability",
            "cost = -ln(p) + w1*L1 + w2*(1 - giou)",
            "You used the logarithm, as the loss does. The matching cost uses the probability itself.",
        ),
        Mistake(
            "probability-added",
            "cost = p + w1*L1 + w2*(1 - giou)",
            "A high probability must make the pair cheaper, so subtract it.",
        ),
        Mistake("giou-not-reversed", "cost = -p + w1*L1 + w2*giou", "A large overlap must be cheap: use 1 - GIoU."),
        Mistake("weights-swapped", "cost = -p + w2*L1 + w1*(1 - giou)", "You swapped the weights of L1 and GIoU."),
        Mistake("weights-left-out", "cost = -p + L1 + 1 - giou", "You left out the weights of L1 and GIoU."),
    ],
)
def detr_matching_cost(rng: Random) -> Inputs:
    """Cost of a query for an object"""
    if rng.random() < 0.5:
        w1, w2 = 5, 2
    else:
        w1, w2 = rng.choice([2, 3, 4, 5]), rng.choice([2, 3, 4])
    if w1 == w2:
        raise UndefinedValue("equal weights")

    def box() -> list[float]:
        width, height = rng.choice([2, 4, 6]), rng.choice([2, 4, 6])
        x, y = rng.randint(width // 2, 10 - width // 2), rng.randint(height // 2, 10 - height // 2)
        return [value / 10 for value in (x, y, width, height)]

    b, t = box(), box()
    if b == t:
        raise UndefinedValue("equal boxes")
    return dict(p=rng.choice([10, 20, 30, 40, 50, 60, 70, 80, 90]) / 100, b=b, t=t, w1=w1, w2=w2)


def _match_steps(P: Costs, D: Costs, G: Costs, w1: Number, w2: Number, match: list[str], **_: Any) -> list[Step]:
    costs = pair_costs(exact(P), exact(D), exact(G), exact(w1), exact(w2))
    lines = [
        Step(f"Object {k}: {', '.join(f'{letters([q])[0]} {float(value):g}' for q, value in enumerate(row))}.")
        for k, row in enumerate(costs, 1)
    ]
    totals = _all_totals(costs)
    return [
        Step(f"Compute the cost of each pair, -p + {w1:g} L1 + {w2:g} (1 - GIoU)."),
        *lines,
        Step(
            f"Compare all matchings. The smallest total is {float(totals[0]):g}, of {', '.join(match)}; the next one "
            f"is {float(totals[1]):g}."
        ),
    ]


def _match_wrong(rule: Callable[[Costs], list[int]]) -> dict[str, Callable[..., Any]]:
    return {"match": lambda P, D, G, w1, w2: letters(rule(pair_costs(P, D, G, w1, w2)))}


@drill(
    DETR_MATCH,
    id="detr-matching-cost:queries",
    tier=3,
    asks=("cost", "match"),
    decimals=2,
    steps=_match_steps,
    prompt="DETR has three queries, A, B and C, and the image has {m} objects. Each row below is an object, each "
    "column a query.\n"
    "{listing}\n"
    "What is the cost of each pair (cost, a row per object)? Which query is matched with each object (match, in the "
    "order of the objects)?\n"
    "Conventions: the cost is -p + {w1} L1 + {w2} (1 - GIoU).",
    hints=(
        "A query may have one object only. Can every object have its cheapest query?",
        "The matching has the smallest sum of costs. With few objects, compare all matchings.",
        "First step: compute the cost of object 1 and query A.",
    ),
    mistakes=[
        Mistake(
            "probability-added",
            "cost[i, j] = P[i, j] + w1*D[i, j] + w2*(1 - G[i, j])",
            "A high probability must make the pair cheaper, so subtract it.",
        ),
        Mistake(
            "giou-not-reversed",
            "cost[i, j] = -P[i, j] + w1*D[i, j] + w2*G[i, j]",
            "A large overlap must be cheap: use 1 - GIoU.",
        ),
        Mistake(
            "weights-left-out",
            "cost[i, j] = -P[i, j] + D[i, j] + 1 - G[i, j]",
            "You left out the weights of L1 and GIoU.",
        ),
        Mistake(
            "row-by-row",
            _match_wrong(greedy_matching),
            "You gave each object in turn the cheapest query that was left. Compare the sums of all matchings.",
        ),
        Mistake(
            "largest-total", _match_wrong(_largest), "You maximized the total cost. The best matching is cheapest."
        ),
    ],
)
def detr_match(rng: Random) -> Inputs:
    """Matching of objects with queries, from predictions"""
    rows = rng.choice([2, 2, 3])
    P = [[rng.randint(1, 9) / 10 for _ in range(3)] for _ in range(rows)]
    D = [[rng.randint(1, 12) / 10 for _ in range(3)] for _ in range(rows)]
    G = [[rng.randint(-5, 9) / 10 for _ in range(3)] for _ in range(rows)]
    w1, w2 = rng.choice([(5, 2), (5, 2), (4, 2), (2, 3), (3, 2)])
    _check_interesting(pair_costs(exact(P), exact(D), exact(G), w1, w2))
    parts = [("probability of the object's class (p)", P), ("L1 distance (L1)", D), ("GIoU", G)]
    listing = "\n".join(_listing(values, f"{name}:") for name, values in parts)
    return dict(P=P, D=D, G=G, w1=w1, w2=w2, m=rows, labels=letters(range(3)), listing=listing)


def _assign_steps(cost: Costs, match: list[str], **_: Any) -> list[Step]:
    costs = exact(cost)
    totals, greedy = _all_totals(costs), greedy_matching(costs)
    return [
        Step(
            f"Giving each object in turn the cheapest free query leads to {', '.join(letters(greedy))}, with a total "
            f"of {float(total_cost(costs, greedy)):g}."
        ),
        Step(
            "Compare with all other matchings, because an object that takes a costlier query may save more for another."
        ),
        Step(
            f"The smallest total is {float(totals[0]):g}, of {', '.join(match)}; the next one is {float(totals[1]):g}."
        ),
    ]


@drill(
    HUNGARIAN,
    id="hungarian-assign",
    tier=2,
    asks=("match", "total"),
    steps=_assign_steps,
    prompt="Each row is an object, each column a query, and the numbers are the costs of matching them.\n"
    "{listing}\n"
    "Each object is matched with one query, and no query with two objects. Which query does each object have in the "
    "matching with the smallest total cost (match, in the order of the objects), and what is that total cost (total)?",
    hints=(
        "Which objects have the same cheapest query? Which of them loses less by another one?",
        "Compare the sums of all matchings, or subtract the minimum of each row and column and look for zeros.",
        "First step: mark the smallest cost of each row.",
    ),
    mistakes=[
        Mistake(
            "row-by-row",
            _wrong(greedy_matching),
            "You gave each object in turn the cheapest query that was left. Compare the sums of all matchings.",
        ),
        Mistake(
            "minima-added",
            {"total": lambda cost: total_cost(cost, _best_of_each(cost))},
            "You added the smallest cost of each row. Two of these share a query, which has one object at most.",
        ),
        Mistake("largest-total", _wrong(_largest), "You maximized the total cost. The best matching is the cheapest."),
    ],
)
def hungarian_assign(rng: Random) -> Inputs:
    """Matching of the smallest total cost"""
    rows, columns = rng.choice([(3, 3), (3, 3), (3, 4), (2, 3)])
    cost = [[rng.randint(1, 9) for _ in range(columns)] for _ in range(rows)]
    _check_interesting([[*row] for row in cost])
    if rng.random() < 0.5:
        cost = [[value / 10 for value in row] for row in cost]
    return dict(cost=cost, labels=letters(range(columns)), listing=_listing(cost))


@drill(
    MATCHINGS,
    id="hungarian-assign:count",
    tier=1,
    asks=("A", "B"),
    prompt="A detector has N = {N} queries, and an image has m = {m} objects.\n"
    "In how many ways can each object be matched with a query of its own (A)? How many ways are there if several "
    "objects could share a query (B)?",
    hint="How many queries can the first object have? How many are left for the next one?",
    mistakes=[
        Mistake(
            "order-ignored",
            {"A": lambda N, m: _product(N, m) // _product(m, m)},
            "You counted sets of queries. It matters which object has which query.",
        ),
        Mistake("queries-repeat", "A = N^m", "You let objects share a query. Each choice leaves one query less."),
        Mistake("multiplied", "A = N*m", "That is the number of pairs. A matching has a query for each object."),
        Mistake("power-reversed", "B = m^N", "Each of the m objects chooses among N queries: N^m."),
        Mistake("sum-of-choices", "B = N*m", "Choices of different objects multiply, they don't add up."),
    ],
)
def matching_count(rng: Random) -> Inputs:
    """Number of matchings"""
    return dict(N=rng.randint(4, 20), m=rng.randint(2, 4))


def _product(N: Number, m: Number) -> int:
    result = 1
    for k in range(int(m)):
        result *= int(N) - k
    return result
