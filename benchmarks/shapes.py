"""Rendering speed of the synthetic scenes.

    python benchmarks/shapes.py [SCENES] [--dry]

One process renders scenes of 64x64 pixels with one to four objects. The share is the time for rendering; the rest is
the time to sample the scenes. Target: 2,000 scenes per second on one core.
"""

from statistics import median
from time import perf_counter

import _options

from workbench.data.scenes import Options, draw, scene

ROUNDS = 7


def main(count: int) -> None:
    options = Options()
    draw(scene(options, 0))
    speeds, shares = [], []
    for turn in range(ROUNDS):
        started = perf_counter()
        scenes = [scene(options, turn * count + k) for k in range(count)]
        sampled = perf_counter()
        for one in scenes:
            draw(one)
        ended = perf_counter()
        speeds.append(count / (ended - started))
        shares.append((ended - sampled) / (ended - started))
    print(f"{median(speeds):.0f} scenes per second (minimum {min(speeds):.0f}, maximum {max(speeds):.0f})")
    print(f"rendering takes {median(shares):.0%} of the time")


if __name__ == "__main__":
    main(_options.read(__doc__, "SCENES", 500, dry=10).count)
