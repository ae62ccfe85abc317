"""The CPU time of a call, for claims about speed. A worker computes with one thread."""

import time
from collections.abc import Callable

SHORTEST = 0.005  # seconds that one measurement takes at least: the clock is too coarse for less


def cpu_ms(call: Callable[[], object], repeats: int = 5) -> float:
    """Return the CPU time of a call in milliseconds: the smallest of several measurements, after a warmup.

    Everything that interrupts a call makes it slower and nothing makes it faster, so the smallest is the best estimate.
    """
    call()
    calls = 1
    while (first := _seconds(call, calls)) < SHORTEST:
        calls *= 2
    measured = [first, *(_seconds(call, calls) for _ in range(repeats - 1))]
    return 1000 * min(measured) / calls


def _seconds(call: Callable[[], object], calls: int) -> float:
    start = time.process_time()
    for _ in range(calls):
        call()
    return time.process_time() - start
