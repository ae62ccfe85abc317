"""Answers that are an expression, compared by value; `forms` compares the form, if one is asked for.

Simplification would not decide: SymPy can't show every equal pair equal, and values at points decide in milliseconds.
Points alone would miss narrow regions, so the pieces of both expressions are searched for as well: wherever the
argument of a `sign`, `max` or `floor` crosses a kink or a condition changes, the expressions are compared on both
sides. At the kink itself, where a case holds at one point alone, they are not: the value there is a convention.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, cached_property, lru_cache
from itertools import product
from random import Random
from typing import TypeAlias

from quizzes.answers.forms import IN_TERMS, advise, describe_form, has_form
from quizzes.answers.kind import Kind, Reading
from quizzes.expressions.arithmetic import Library, UndefinedValue, Value
from quizzes.expressions.functions import FUNCTIONS
from quizzes.expressions.nodes import Call, Comparison, Op, Tree, walk
from quizzes.expressions.parser import parse, read, write
from quizzes.expressions.tree import compile_tree, evaluate, run_compiled, substitute
from quizzes.question import Answer, Part

POINTS, MAX_POINTS, TOLERANCE = 60, 180, 1e-20
SEARCH_POINTS = 300  # points at which the pieces of expressions are searched for
POINTS_PER_PIECE = 3
CROSSINGS_PER_KINK = 6  # that are approached
HALVINGS = 26  # of the distance to a kink
UNEVEN = 0.4837  # the share at which it is divided; halves would hit a kink at 0 itself, whose value is a convention
MAX_PIECE_POINTS = 200
CORNERS = 64
INWARD = 1e-6  # distance of a point from a corner of the domain, as a share of the domain's width
CLEAR = 1e-12  # relative difference that 30 digits show without doubt
NEAR_KINK = 1e-9  # an integer point this near to a kink is not compared: a value on a kink is a convention

Point: TypeAlias = dict[str, Value]
Variables: TypeAlias = dict[str, list[float]]  # each with the interval in which it is compared
Domain: TypeAlias = tuple[tuple[str, float, float], ...]
Region: TypeAlias = tuple[Value, ...]  # for each kink, which part of its argument's range a point is in

NOT_EVALUATED = (None, False)  # in place of the part, of what is in the case that does not hold


@cache
def _thirty_digits() -> Library:
    from mpmath import MPContext

    context = MPContext()
    context.dps = 30
    context.trap_complex = True  # a root of a negative number is an error, as in `evaluate`
    return context


class Expression(Kind):
    """Two expressions are equal if they agree, to 20 of 30 digits, at many points and in each of their pieces."""

    def format_hint(self, part: Part) -> str:
        symbols = "" if any(form.startswith(IN_TERMS) for form in part.form) else f" in {', '.join(_symbols(part))}"
        return ", ".join([f"an expression{symbols}", *map(describe_form, part.form)]).replace(
            "n, in terms", "n in terms"
        )

    def read(self, text: str, part: Part) -> Reading:
        tree = read(text, _symbols(part))
        return Reading(tree, write(tree))

    def score(self, value: Tree, expected: Answer, part: Part) -> float:
        expected_tree = parse(expected, _symbols(part))
        if value == expected_tree or _differ_at_a_point(value, expected_tree, part):
            return float(value == expected_tree)
        return float(equal(in_variables(value, part), text_in_variables(expected, part), part.variables))

    def form_feedback(self, value: Tree, part: Part) -> str:
        expected = parse(part.answer, _symbols(part))
        missing = (form for form in part.form if not has_form(value, form, expected))
        return next(map(advise, missing), "")

    def are_indistinguishable(self, a: Answer, b: Answer, part: Part) -> bool:
        return bool(self.score(parse(a, _symbols(part)), b, part))

    def format_answer(self, value: Answer | Tree, part: Part) -> str:
        return value if isinstance(value, str) else write(value)


def _symbols(part: Part) -> tuple[str, ...]:
    """Return the symbols that an answer may have."""
    return (*part.variables, *part.definitions)


def in_variables(tree: Tree, part: Part) -> Tree:
    """Replace the symbols that a part defines by their definitions."""
    definitions = {name: parse(text, tuple(part.variables)) for name, text in part.definitions.items()}
    return substitute(tree, definitions) if definitions else tree


def text_in_variables(text: str, part: Part) -> str:
    """Return an expression of the program's own without the symbols that a part defines."""
    return write(in_variables(parse(text, _symbols(part)), part)) if part.definitions else text


def _differ_at_a_point(a: Tree, b: Tree, part: Part) -> bool:
    """Return whether two expressions differ at one point of the domain, which shows quickly that most are not equal."""
    variables = tuple((name, low, high) for name, (low, high) in part.variables.items())
    point = _first_point(variables, tuple(part.definitions.items()))
    try:
        first, second = (evaluate(tree, point, _thirty_digits()) for tree in (a, b))
    except UndefinedValue:
        return False
    return bool(abs(first - second) > CLEAR * max(1, abs(first), abs(second)))


@lru_cache(maxsize=256)
def _first_point(variables: Domain, definitions: tuple[tuple[str, str], ...]) -> Point:
    """Return a point of a domain, with the values of defined symbols that have one there."""
    lib = _thirty_digits()
    point = {name: low + (high - low) * lib.mpf((k + 1) * UNEVEN % 1) for k, (name, low, high) in enumerate(variables)}
    for name, text in definitions:
        with suppress(UndefinedValue):
            point[name] = evaluate(parse(text, tuple(name for name, _, _ in variables)), point, lib)
    return point


def equal(tree: Tree, expected: str, variables: Variables) -> bool:
    """Return whether an expression has the value of the expected one wherever that has one, at points in the domain."""
    curve = _curve(expected, tuple((name, low, high) for name, (low, high) in variables.items()))
    compute = compile_tree(tree, _thirty_digits())

    def agrees(point: Point, value: Value) -> bool:
        error = run_compiled(lambda values: abs(compute(values) - value), point)
        return bool(error <= TOLERANCE * max(1, abs(value)))

    compared = 0
    try:
        for point, value in curve.points():
            compared += 1
            if not agrees(point, value):
                return False
    except UndefinedValue:
        return False
    kinks = _Kinks(tree)
    for point, value in curve.integer_points():
        if not kinks.is_on_kink(point):
            with suppress(UndefinedValue):  # a gap at one point, such as that of x^2/x at 0
                compared += 1
                if not agrees(point, value):
                    return False
    try:
        return compared > 0 and all(agrees(*pair) for pair in curve.pieces(kinks))
    except UndefinedValue:
        return False


def one_sided(expected: str, variables: Variables) -> list[str]:
    """Return the functions and conditions in an expression of the program's own that change outside the domain alone.

    An answer without such a function, or with its kink elsewhere, would be graded correct.
    """
    curve = _curve(expected, tuple((name, low, high) for name, (low, high) in variables.items()))
    points = [{name: float(value) for name, value in point.items()} for point, _ in curve.pieces(_Kinks())]
    regions = [located[0] for point in points if (located := curve.kinks.locate(point))]
    pairs = zip(curve.kinks.nodes, zip(*regions, strict=True), strict=False)
    never_crossed = [node for node, intervals in pairs if len({*intervals} - {None}) < 2]
    return [write(node) for node in never_crossed if _is_kinked(node)]


class _Kinks:
    """The parts of expressions that may have a kink or a jump, and where a point is relative to them."""

    def __init__(self, *trees: Tree):
        self.trees = trees
        self.nodes = [node for tree in trees for node in walk(tree) if _may_have_kink(node)]
        self._located: dict[int, tuple[Value, bool]] = {}  # by the node's id, at the last point
        self._evaluators = [compile_tree(tree, math, self._watch) for tree in trees] if self.nodes else []

    def _watch(self, tree: Tree, args: list[Value]) -> None:
        if _may_have_kink(tree):
            self._located[id(tree)] = _locate(tree, args)

    def locate(self, point: Point) -> tuple[Region, bool] | None:
        """Return the region of a point, and whether it is on a kink; None if an expression has no value there."""
        self._located = {}
        try:
            for compute in self._evaluators:
                run_compiled(compute, point)
        except UndefinedValue:
            return None
        located = [self._located.get(id(node), NOT_EVALUATED) for node in self.nodes]
        return tuple(interval for interval, _ in located), any(is_on_kink for _, is_on_kink in located)

    def is_on_kink(self, point: Point) -> bool:
        """Return whether a point is on a kink."""
        located = self.locate({name: float(value) for name, value in point.items()})
        return located is not None and located[1]


def _may_have_kink(tree: Tree) -> bool:
    if isinstance(tree, Call):
        return bool(FUNCTIONS[tree.function].kinks)
    return isinstance(tree, Comparison) or (isinstance(tree, Op) and tree.op == "^")


def _is_kinked(tree: Tree) -> bool:
    """Return whether an expression must be crossed to be compared; a root or power may well be positive throughout."""
    return isinstance(tree, Comparison) or (isinstance(tree, Call) and FUNCTIONS[tree.function].kinks != "end")


def _locate(tree: Tree, args: list[Value]) -> tuple[Value, bool]:
    """Return the interval between kinks that the arguments of a function are in, and whether they are on a kink."""
    if isinstance(tree, Comparison):
        return args[0] > args[1], abs(args[0] - args[1]) < NEAR_KINK
    kinks = FUNCTIONS[tree.function].kinks if isinstance(tree, Call) else "zero"
    if kinks == "integers":
        return math.floor(args[0]), abs(args[0] - round(args[0])) < NEAR_KINK
    if isinstance(tree, Call) and kinks == "equal":
        first, second = sorted(args)[-2:] if tree.function == "max" else sorted(args)[:2]
        return args.index(max(args) if tree.function == "max" else min(args)), abs(first - second) < NEAR_KINK
    return args[0] > 0, abs(args[0]) < NEAR_KINK


class _Curve:
    """An expression of the program's own over a domain: points, generated on demand, and its values there."""

    def __init__(self, expected: str, domain: Domain):
        self.tree, self.domain = parse(expected, tuple(name for name, _, _ in domain)), domain
        self.compute = compile_tree(self.tree, _thirty_digits())
        self.rng = Random(f"{expected}/{domain}")
        self.start = [self.rng.random() for _ in domain]
        self._points: list[tuple[Point, Value]] = []
        self._source = self._with_values(self._generate_points())
        self._integer_points: list[tuple[Point, Value]] | None = None
        self._own_pieces: list[tuple[Point, Value]] | None = None

    @cached_property
    def kinks(self) -> _Kinks:
        """Its kinks."""
        return _Kinks(self.tree)

    def points(self) -> Iterator[tuple[Point, Value]]:
        """Yield points anywhere in the domain with their values; points without a value are left out."""
        for k in range(POINTS + CORNERS):
            if k == len(self._points):
                pair = next(self._source, None)
                if pair is None:
                    return
                self._points.append(pair)
            yield self._points[k]

    def integer_points(self) -> list[tuple[Point, Value]]:
        """Return integer points off the kinks: some expressions, such as (-1)^n, have a value nowhere else."""
        if self._integer_points is None:
            points = [{name: self._integer(low, high) for name, low, high in self.domain} for _ in range(POINTS // 6)]
            self._integer_points = list(self._with_values(iter([p for p in points if not self.kinks.is_on_kink(p)])))
        return self._integer_points

    def pieces(self, others: _Kinks) -> Iterator[tuple[Point, Value]]:
        """Yield points in every piece of the expression and of another one."""
        if set(others.nodes) <= set(self.kinks.nodes):
            if self._own_pieces is None:
                self._own_pieces = list(self._with_values(self._search_pieces(self.kinks)))
            yield from self._own_pieces
        else:
            yield from self._with_values(self._search_pieces(_Kinks(self.tree, *others.trees)))

    def _with_values(self, points: Iterator[Point]) -> Iterator[tuple[Point, Value]]:
        lib = _thirty_digits()
        for point in points:
            values = {name: lib.mpf(value) for name, value in point.items()}
            with suppress(UndefinedValue):
                yield values, run_compiled(self.compute, values)

    def _generate_points(self) -> Iterator[Point]:
        rng = Random(str(self.start))
        first = next(spread := self._spread(MAX_POINTS))
        yield first
        yield from self._corners()
        yield from ({name: rng.uniform(low, high) for name, low, high in self.domain} for _ in range(POINTS))
        yield from spread

    def _corners(self) -> Iterator[Point]:
        ends = [(low + INWARD * (high - low), high - INWARD * (high - low)) for _, low, high in self.domain]
        for _, corner in zip(range(CORNERS), product(*ends), strict=False):
            yield {name: value for (name, _, _), value in zip(self.domain, corner, strict=True)}

    def _spread(self, count: int) -> Iterator[Point]:
        """Yield points that fill the domain evenly: multiples of irrational steps, modulo 1 (Roberts' sequence)."""
        ratio = 2.0
        for _ in range(30):
            ratio = (1 + ratio) ** (1 / (len(self.domain) + 1))
        for k in range(1, count + 1):
            shares = [(start + k * ratio ** -(j + 1)) % 1 for j, start in enumerate(self.start)]
            yield {name: low + s * (high - low) for (name, low, high), s in zip(self.domain, shares, strict=True)}

    def _integer(self, low: float, high: float) -> float:
        lowest, highest = math.ceil(low), math.floor(high)
        return float(self.rng.randint(lowest, highest)) if lowest <= highest else self.rng.uniform(low, high)

    def _search_pieces(self, kinks: _Kinks) -> Iterator[Point]:
        """Yield a few points in each region that kinks divide the domain into, also in narrow ones next to a kink."""
        if not kinks.nodes:
            return
        regions: dict[Region, list[Point]] = {}

        def visit(point: Point) -> Region | None:
            located = kinks.locate(point)
            if located is None:
                return None
            points = regions.setdefault(located[0], [])
            if len(points) < POINTS_PER_PIECE:
                points.append(point)
            return located[0]

        crossings: dict[int, int] = {}
        last_point: Point | None = None
        last_region: Region | None = None
        for point in [*self._corners(), *self._spread(SEARCH_POINTS)]:
            region = visit(point)
            if last_point and region and last_region and len(regions) < MAX_PIECE_POINTS // POINTS_PER_PIECE:
                for k, (a, b) in enumerate(zip(last_region, region, strict=True)):
                    if a != b and crossings.get(k, 0) < CROSSINGS_PER_KINK:
                        crossings[k] = crossings.get(k, 0) + 1
                        _approach_kink(last_point, point, k, a, visit)
            last_point, last_region = point, region
        for points in [*regions.values()][: MAX_PIECE_POINTS // POINTS_PER_PIECE]:
            yield from points


def _approach_kink(one: Point, other: Point, k: int, interval: Value, visit: Callable[[Point], Region | None]) -> None:
    """Divide the line between two points on different sides of a kink again and again, toward the kink."""
    for _ in range(HALVINGS):
        middle = {name: one[name] + UNEVEN * (other[name] - one[name]) for name in one}
        region = visit(middle)
        if region is None:
            return
        one, other = (middle, other) if region[k] == interval else (one, middle)


@lru_cache(maxsize=256)
def _curve(expected: str, domain: Domain) -> _Curve:
    return _Curve(expected, domain)
