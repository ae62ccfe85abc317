"""SymPy renders the same text in every thread."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

EQUATIONS = ["o = floor((n + 2p - f)/s) + 1", "L = -sum(i, y[i]*ln(p[i]))", "a = ceil(x/2)", "q = sqrt(x^2 + y^2)"]
THREADS = 8


@pytest.fixture
def busy_threads() -> Iterator[None]:
    """Switch threads after nearly every step, with SymPy set to print without Unicode."""
    from sympy.printing.pretty.pretty_symbology import pretty_use_unicode

    interval, unicode = sys.getswitchinterval(), pretty_use_unicode(False)
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)
    pretty_use_unicode(unicode)


def test_many_threads_render_what_one_renders(busy_threads: None) -> None:
    from quizzes.expressions.symbolic import pretty_text

    alone = [pretty_text(text) for text in EQUATIONS]
    barrier = Barrier(THREADS)

    def render(_: int) -> list[list[str]]:
        barrier.wait()
        return [[pretty_text(text) for text in EQUATIONS] for _ in range(3)]

    with ThreadPoolExecutor(THREADS) as threads:
        for texts in threads.map(render, range(THREADS)):
            assert texts == [alone] * 3
