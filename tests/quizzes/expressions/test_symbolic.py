"""SymPy's drawings are the same from whatever thread they are asked for."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

EQUATIONS = ["o = floor((n + 2p - f)/s) + 1", "L = -sum(i, y[i]*ln(p[i]))", "a = ceil(x/2)", "q = sqrt(x^2 + y^2)"]
THREADS = 8


@pytest.fixture
def busy_threads() -> Iterator[None]:
    """Threads that take turns after nearly every step, where SymPy took the terminal for one without Unicode."""
    from sympy.printing.pretty.pretty_symbology import pretty_use_unicode

    interval, unicode = sys.getswitchinterval(), pretty_use_unicode(False)
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)
    pretty_use_unicode(unicode)


def test_many_threads_draw_what_one_draws(busy_threads: None) -> None:
    from quizzes.expressions.symbolic import pretty_text

    alone = [pretty_text(text) for text in EQUATIONS]
    together = Barrier(THREADS)

    def draw(_: int) -> list[list[str]]:
        together.wait()
        return [[pretty_text(text) for text in EQUATIONS] for _ in range(3)]

    with ThreadPoolExecutor(THREADS) as threads:
        for drawn in threads.map(draw, range(THREADS)):
            assert drawn == [alone] * 3
