"""How fast pictures are made.

    python benchmarks/shapes.py [PICTURES] [--dry]

Scenes of 64x64 pixels with one to four objects, drawn one after another by one process; and the share of it that the
drawing takes, the rest being the choice of what to draw. Target: 2,000 pictures a second on one core.
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
        chosen = perf_counter()
        for one in scenes:
            draw(one)
        ended = perf_counter()
        speeds.append(count / (ended - started))
        shares.append((ended - chosen) / (ended - started))
    print(f"{median(speeds):.0f} pictures a second (least {min(speeds):.0f}, most {max(speeds):.0f})")
    print(f"drawing takes {median(shares):.2f} of it")


if __name__ == "__main__":
    main(_options.read(__doc__, "PICTURES", 500, dry=10).count)
