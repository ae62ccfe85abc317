"""Answers that are an expression, compared by value and not by form.

Simplification is no verdict: SymPy cannot show every equal pair equal, and values at points decide in milliseconds.
Points alone would miss what lies between them, so the pieces of both expressions are looked for as well: wherever the
argument of a `sign`, `max` or `floor` changes its side, they are compared on both sides.
"""

import math
from collections.abc import Iterator
from contextlib import suppress
from functools import cache, cached_property, lru_cache
from itertools import product
from random import Random
from typing import Any

from quizzes.answers.kind import Kind, Reading
from quizzes.expressions.parser import parse, read, write
from quizzes.expressions.tree import Call, Op, Tree, UndefinedValue, compile_tree, run_compiled, walk
from quizzes.question import Part

POINTS, TRIED, AGREEMENT = 60, 180, 1e-20
EXPLORED = 300  # points at which the pieces of expressions are looked for
EACH = 3  # points at which one piece is compared
CROSSINGS = 6  # places at which a kink is closed in on
HALVINGS = 26  # how closely
UNEVEN = 0.4837  # and not in halves, which would meet a kink at 0 itself, where values are a convention
MOST = 200  # pieces' points that are compared at most
CORNERS = 64
INWARDS = 1e-6  # how far from a corner of the domain it is compared, of the domain's width
NEAR = 1e-9  # no nearer to a kink may a whole number be that is compared: what holds on the kink is a convention
STEPPED = ("floor", "ceil")
CHOSEN = ("min", "max")
HARD = ("sign", "abs", "relu", *STEPPED, *CHOSEN)
SIDED = ("sign", "abs", "relu", "sqrt")  # what turns or jumps at 0

Point = dict[str, Any]
Sides = tuple[tuple[Any, ...], bool]
Domain = tuple[tuple[str, float, float], ...]


@cache
def _thirty_digits() -> Any:
    from mpmath import MPContext

    context = MPContext()
    context.dps = 30
    context.trap_complex = True  # a root of a negative number is an error here too, and no complex number
    return context


class Expression(Kind):
    """Two expressions are equal when they agree, to 20 of 30 digits, at many points and in each of their pieces."""

    def format_hint(self, part: Part) -> str:
        return f"an expression in {', '.join(part.variables)}"

    def read(self, text: str, part: Part) -> Reading:
        tree = read(text, part.variables)
        return Reading(tree, write(tree))

    def score(self, value: Tree, truth: str, part: Part) -> float:
        return float(equal(value, truth, part.variables))

    def indistinguishable(self, a: str, b: str, part: Part) -> bool:
        return equal(parse(a, tuple(part.variables)), b, part.variables)

    def write(self, value: Any, part: Part) -> str:
        return value if isinstance(value, str) else write(value)


def equal(given: Tree, truth: str, variables: dict[str, list[float]]) -> bool:
    """Whether an expression has the value of another wherever that has one, at points in the intervals."""
    curve = _curve(truth, tuple((name, *ends) for name, ends in variables.items()))
    compute = compile_tree(given, _thirty_digits())

    def agrees(point: Point, wanted: Any) -> bool:
        off = run_compiled(lambda values: abs(compute(values) - wanted), point)
        return bool(off <= AGREEMENT * max(1, abs(wanted)))

    compared = 0
    try:
        for point, wanted in curve.points():
            compared += 1
            if not agrees(point, wanted):
                return False
    except UndefinedValue:
        return False
    kinks = _Kinks(given)
    for point, wanted in curve.whole():
        if not kinks.on_one(point):
            with suppress(UndefinedValue):  # a gap at one point, such as x^2/x has at 0
                compared += 1
                if not agrees(point, wanted):
                    return False
    try:
        return compared > 0 and all(agrees(*pair) for pair in curve.pieces(kinks))
    except UndefinedValue:
        return False


def one_sided(truth: str, variables: dict[str, list[float]]) -> list[str]:
    """The functions with a kink or step in an expression of our own that lie on one side of it everywhere.

    An answer that leaves such a step out, or has it elsewhere, would be marked right.
    """
    curve = _curve(truth, tuple((name, *ends) for name, ends in variables.items()))
    points = [{name: float(value) for name, value in point.items()} for point, _ in curve.pieces(_Kinks())]
    met = zip(*(at[0] for point in points if (at := curve.kinks.at(point))), strict=True)
    sided = (pair for pair in zip(curve.kinks.nodes, met, strict=False) if len(set(pair[1])) == 1)
    return [write(node) for node, _ in sided if isinstance(node, Call) and node.function in HARD]


class _Kinks:
    """The places of an expression where it may turn or jump, and on which side of each of them a point lies."""

    def __init__(self, *trees: Tree):
        self.trees = trees
        self.nodes = [node for tree in trees for node in walk(tree) if _turns(node)]
        self._seen: dict[int, tuple[Any, bool]] = {}
        self._programs = [compile_tree(tree, math, self._watch) for tree in trees] if self.nodes else []

    def _watch(self, tree: Tree, args: list[Any]) -> None:
        if _turns(tree):
            self._seen[id(tree)] = _side(tree, args)

    def at(self, point: Point) -> Sides | None:
        """The side of each kink, and whether the point lies on one; None where an expression has no value."""
        self._seen = {}
        try:
            for compute in self._programs:
                run_compiled(compute, point)
        except UndefinedValue:
            return None
        seen = [self._seen[id(node)] for node in self.nodes]
        return tuple(side for side, _ in seen), any(on for _, on in seen)

    def on_one(self, point: Point) -> bool:
        """Whether a point lies on a kink."""
        sides = self.at({name: float(value) for name, value in point.items()})
        return sides is not None and sides[1]


def _turns(tree: Tree) -> bool:
    if isinstance(tree, Call):
        return tree.function in (*STEPPED, *CHOSEN, *SIDED)
    return isinstance(tree, Op) and tree.op == "^"


def _side(tree: Tree, args: list[Any]) -> tuple[Any, bool]:
    """On which side of a function's kink its arguments lie, and whether they lie on it."""
    if isinstance(tree, Call) and tree.function in STEPPED:
        return math.floor(args[0]), abs(args[0] - round(args[0])) < NEAR
    if isinstance(tree, Call) and tree.function in CHOSEN:
        first, second = sorted(args)[-2:] if tree.function == "max" else sorted(args)[:2]
        return args.index(max(args) if tree.function == "max" else min(args)), abs(first - second) < NEAR
    return args[0] > 0, abs(args[0]) < NEAR


class _Curve:
    """An expression of our own over a domain: points, worked out when they are asked for, and its values there."""

    def __init__(self, truth: str, domain: Domain):
        self.tree, self.domain = parse(truth, tuple(name for name, _, _ in domain)), domain
        self.compute = compile_tree(self.tree, _thirty_digits())
        self.rng = Random(f"{truth}/{domain}")
        self.start = [self.rng.random() for _ in domain]
        self._general: list[tuple[Point, Any]] = []
        self._source = self._valued(self._anywhere())
        self._whole: list[tuple[Point, Any]] | None = None
        self._own: list[tuple[Point, Any]] | None = None

    @cached_property
    def kinks(self) -> _Kinks:
        """Its kinks."""
        return _Kinks(self.tree)

    def points(self) -> Iterator[tuple[Point, Any]]:
        """Points anywhere in the domain, and the values there; where there is none, there is no point."""
        for k in range(POINTS + CORNERS):
            if k == len(self._general):
                found = next(self._source, None)
                if found is None:
                    return
                self._general.append(found)
            yield self._general[k]

    def whole(self) -> list[tuple[Point, Any]]:
        """Points of whole numbers off the kinks: some expressions, as (-1)^n, have a value nowhere else."""
        if self._whole is None:
            drawn = [
                {name: self._whole_number(low, high) for name, low, high in self.domain} for _ in range(POINTS // 6)
            ]
            self._whole = list(self._valued(iter([p for p in drawn if not self.kinks.on_one(p)])))
        return self._whole

    def pieces(self, others: _Kinks) -> Iterator[tuple[Point, Any]]:
        """Points in every piece of the expression and of another one."""
        if set(others.nodes) <= set(self.kinks.nodes):
            if self._own is None:
                self._own = list(self._valued(self._explored(self.kinks)))
            yield from self._own
        else:
            yield from self._valued(self._explored(_Kinks(self.tree, *others.trees)))

    def _valued(self, points: Iterator[Point]) -> Iterator[tuple[Point, Any]]:
        lib = _thirty_digits()
        for point in points:
            values = {name: lib.mpf(value) for name, value in point.items()}
            with suppress(UndefinedValue):
                yield values, run_compiled(self.compute, values)

    def _anywhere(self) -> Iterator[Point]:
        rng = Random(str(self.start))
        first = next(spread := self._spread(TRIED))
        yield first
        yield from self._corners()
        yield from ({name: rng.uniform(low, high) for name, low, high in self.domain} for _ in range(POINTS))
        yield from spread

    def _corners(self) -> Iterator[Point]:
        ends = [(low + INWARDS * (high - low), high - INWARDS * (high - low)) for _, low, high in self.domain]
        for _, corner in zip(range(CORNERS), product(*ends), strict=False):
            yield {name: value for (name, _, _), value in zip(self.domain, corner, strict=True)}

    def _spread(self, count: int) -> Iterator[Point]:
        """Points that fill the domain evenly: multiples of irrational steps, modulo 1 (Roberts' sequence)."""
        ratio = 2.0
        for _ in range(30):
            ratio = (1 + ratio) ** (1 / (len(self.domain) + 1))
        for k in range(1, count + 1):
            shares = [(start + k * ratio ** -(j + 1)) % 1 for j, start in enumerate(self.start)]
            yield {name: low + s * (high - low) for (name, low, high), s in zip(self.domain, shares, strict=True)}

    def _whole_number(self, low: float, high: float) -> float:
        lowest, highest = math.ceil(low), math.floor(high)
        return float(self.rng.randint(lowest, highest)) if lowest <= highest else self.rng.uniform(low, high)

    def _explored(self, kinks: _Kinks) -> Iterator[Point]:
        """A few points in each piece that kinks cut the domain into, also in narrow ones beside a kink."""
        if not kinks.nodes:
            return
        found: dict[Any, list[Point]] = {}

        def visit(point: Point) -> tuple[Any, ...] | None:
            sides = kinks.at(point)
            if sides is None:
                return None
            there = found.setdefault(sides[0], [])
            if len(there) < EACH:
                there.append(point)
            return sides[0]

        crossed: dict[int, int] = {}
        last, before = None, None
        for point in [*self._corners(), *self._spread(EXPLORED)]:
            here = visit(point)
            if last and here and before and len(found) < MOST // EACH:
                for k, (a, b) in enumerate(zip(before, here, strict=True)):
                    if a != b and crossed.get(k, 0) < CROSSINGS:
                        crossed[k] = crossed.get(k, 0) + 1
                        _close_in(last, point, k, a, visit)
            last, before = point, here
        for there in [*found.values()][: MOST // EACH]:
            yield from there


def _close_in(one: Point, other: Point, k: int, side: Any, visit: Any) -> None:
    """Halve the way between two points on different sides of a kink, until it is a tiny step across it."""
    for _ in range(HALVINGS):
        middle = {name: one[name] + UNEVEN * (other[name] - one[name]) for name in one}
        sides = visit(middle)
        if sides is None:
            return
        one, other = (middle, other) if sides[k] == side else (one, middle)


@lru_cache(maxsize=256)
def _curve(truth: str, domain: Domain) -> _Curve:
    return _Curve(truth, domain)
