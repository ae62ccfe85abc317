"""Share of wrong verdicts on claims whose true effect is known.

    python benchmarks/calibration.py [DRAWS] [simulated|trained ...] [--dry]

simulated   differences between two arms, drawn from distributions with a known mean: the share of claims that hold
trained     40 null claims, whose arms differ only in their seeds or in the numbers of the classes; what has been
            trained is stored in the data directory, so that a run that was stopped continues

Target: of the simulated claims whose true effect is 0 or half the minimum, at most 3% hold with noise up to 1 minimum
effect; of those whose true effect is twice the minimum, at least 80% with noise of 0.75. With more noise, a few seeds
that fail are easily missed: 8 seeds are then too few.
"""

import _options
import numpy as np

from models.startup import skip_compiler
from workbench.claims.calibration import DISTRIBUTIONS, null_claims, share_that_holds, verdicts

NOISES = (0.75, 1.0, 1.5, 2.5)  # standard deviation over seeds, in minimum effects
MEANS = (0.0, 0.5, 2.0)  # true effects, in minimum effects


def simulate(draws: int) -> None:
    print(f"Share of {draws:,} claims that hold, 8 seeds each (%), for a true effect of 0, 0.5 and 2 minimum effects")
    print(f"{'noise, in minimum effects':30}" + "".join(f"{noise:>20g}" for noise in NOISES))
    rng = np.random.default_rng(0)
    for name in DISTRIBUTIONS:
        cells = [
            " ".join(f"{100 * share_that_holds(name, mean, noise, draws, rng):5.1f}" for mean in MEANS)
            for noise in NOISES
        ]
        print(f"{name:30}" + "".join(f"{cell:>20}" for cell in cells), flush=True)


def train(is_dry: bool) -> None:
    skip_compiler()
    claims = null_claims()
    results = []
    for result in verdicts(claims[:1] if is_dry else claims, 2 if is_dry else 8):
        low, high = result.interval or (0.0, 0.0)
        print(f"{result.claim:40}{result.effect:7.2f} [{low:6.2f}, {high:6.2f}]  {result.verdict}", flush=True)
        results.append(result.verdict)
    print(f"{results.count('holds')} of {len(results)} null claims hold")


if __name__ == "__main__":
    parts = ("simulated", "trained")
    options = _options.read(__doc__, "DRAWS", 10_000, dry=20, names=parts, dry_names=parts)
    if "simulated" in options.names:
        simulate(options.count)
    if "trained" in options.names:
        train(options.dry)
