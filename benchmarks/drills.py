"""Time to draw and render a question of every drill.

    python benchmarks/drills.py [VARIANTS] [NAME ...] [--dry]

All questions are drawn in one process with SymPy loaded: this is `drill show` without its start. Target: 95% within
20 ms, for every drill.
"""

import time
from itertools import chain
from statistics import median, quantiles

import _options

from quizzes import bank
from workbench.render import question as lines


def measure(drill: str, variants: int) -> list[float]:
    """Return the milliseconds for each variant, after two more for warmup."""
    times = []
    for seed in range(variants + 2):
        started = time.perf_counter()
        lines.render_question(bank.draw(drill, seed))
        times.append(1000 * (time.perf_counter() - started))
    return times[2:]


def main(variants: int, drills: list[str]) -> None:
    all_times = {drill: measure(drill, variants) for drill in drills}
    slowest = sorted(((quantiles(times, n=20)[-1], drill) for drill, times in all_times.items()), reverse=True)
    print(f"{len(all_times)} drills, {variants} variants each: median {median(chain(*all_times.values())):.1f} ms")
    for percentile, drill in slowest[:10]:
        print(f"{drill:36}{median(all_times[drill]):7.1f} ms   95% within {percentile:6.1f} ms")


if __name__ == "__main__":
    names = list(bank.all_drills())
    options = _options.read(__doc__, "VARIANTS", 60, dry=2, names=names, dry_names=names[:3])
    main(options.count, options.names)
