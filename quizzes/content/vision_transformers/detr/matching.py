"""The Hungarian method: Kuhn, The Hungarian method for the assignment problem (1955), as Munkres (1957) arranged it.

The table of costs has a row for each object and a column for each query. Subtracting a number from a row or a column
changes the cost of every matching alike, so the best one stays the best; a matching of zeros can't be improved.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from typing import NamedTuple

from workbench.errors import UserError

Number = int | Fraction

MAX_QUERIES = 26  # they are named by letters


class Stage(NamedTuple):
    """The table after one operation of the method.

    Attributes:
        kind: `square`, `rows`, `columns`, `shifted` or `matched`.
        table: The reduced costs, with rows of "no object" below.
        numbers: The minima that were subtracted; of a shift, the smallest number outside of the lines.
        lines: The rows and the columns that cover all zeros; of a shift only.
        queries: The query of each row in a largest matching of zeros, None for none; of a shift or the end.
    """

    kind: str
    table: list[list[Number]]
    numbers: list[Number] = []
    lines: tuple[list[int], list[int]] = ([], [])
    queries: Sequence[int | None] = ()


def stages(cost: Sequence[Sequence[Number]]) -> Iterator[Stage]:
    """Yield the stages of the method for the costs of objects (rows) and queries (columns).

    Raises:
        UserError: If there are more objects than queries, or more than 26 queries.
    """
    check_costs(cost)
    size = len(cost[0])
    table: list[list[Number]] = [list(row) for row in cost] + [[0] * size for _ in range(size - len(cost))]
    yield Stage("square", table)
    minima = [min(row) for row in table]
    table = [[value - least for value in row] for row, least in zip(table, minima, strict=True)]
    yield Stage("rows", table, minima)
    minima = [min(column) for column in zip(*table, strict=True)]
    table = [[value - least for value, least in zip(row, minima, strict=True)] for row in table]
    yield Stage("columns", table, minima)
    while None in (queries := match_zeros(table)):
        rows, columns = cover(table, queries)
        outside = min(table[i][j] for i, j in product(range(size), repeat=2) if i not in rows and j not in columns)
        table = [
            [value + outside * ((i in rows) + (j in columns) - 1) for j, value in enumerate(row)]
            for i, row in enumerate(table)
        ]
        yield Stage("shifted", table, [outside], (rows, columns), queries)
    yield Stage("matched", table, queries=queries)


def check_costs(cost: Sequence[Sequence[Number]]) -> None:
    """Check that there are enough queries for the objects, and few enough for letters.

    Raises:
        UserError: If not.
    """
    if len(cost) > len(cost[0]):
        raise UserError(
            f"cost has {len(cost)} rows and {len(cost[0])} columns: give a row per object and a column per query, and "
            "at least as many queries as objects."
        )
    if len(cost[0]) > MAX_QUERIES:
        raise UserError(f"cost must have at most {MAX_QUERIES} columns, not {len(cost[0])}.")


def match_zeros(table: list[list[Number]]) -> list[int | None]:
    """Return the query of each row in a largest matching that uses zeros only; None for a row that has none."""
    rows: dict[int, int] = {}  # by column

    def find(row: int, visited: set[int]) -> bool:
        for column, value in enumerate(table[row]):
            if value == 0 and column not in visited:
                visited.add(column)
                if column not in rows or find(rows[column], visited):
                    rows[column] = row
                    return True
        return False

    for row in range(len(table)):
        find(row, set())
    columns = {row: column for column, row in rows.items()}
    return [columns.get(row) for row in range(len(table))]


def cover(table: list[list[Number]], queries: Sequence[int | None]) -> tuple[list[int], list[int]]:
    """Return as many rows and columns as a largest matching of zeros has pairs, which cover all zeros (Kőnig 1931)."""
    owner = {column: row for row, column in enumerate(queries) if column is not None}
    reached = [row for row, column in enumerate(queries) if column is None]  # grows while it is visited
    columns: set[int] = set()
    for row in reached:
        for column, value in enumerate(table[row]):
            if value == 0 and column not in columns:
                columns.add(column)
                reached.append(owner[column])
    return [row for row in range(len(table)) if row not in reached], sorted(columns)


def best_matching(cost: Sequence[Sequence[Number]]) -> list[int]:
    """Return the query of each object in a matching of the smallest total cost.

    Raises:
        UserError: As `stages` does.
    """
    *_, last = stages(cost)
    return [query for query in last.queries if query is not None][: len(cost)]


def total_cost(cost: Sequence[Sequence[Number]], queries: Sequence[int]) -> Number:
    """Return the sum of the costs of the matched pairs."""
    return sum((row[query] for row, query in zip(cost, queries, strict=True)), Fraction(0))


def greedy_matching(cost: Sequence[Sequence[Number]]) -> list[int]:
    """Return the queries if each object in turn takes the cheapest one that is left."""
    queries: list[int] = []
    for row in cost:
        queries.append(min((q for q in range(len(row)) if q not in queries), key=lambda q: row[q]))
    return queries


def letters(queries: Sequence[int]) -> list[str]:
    """Return the letters of queries."""
    return [chr(65 + query) for query in queries]
