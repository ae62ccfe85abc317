"""Calibration of the verdict: how often it is wrong where the true effect is known.

Two ways to know it: differences drawn from a distribution with a known mean, and null claims, whose arms differ only in
what can't matter on average. They are not in the catalog, since they say nothing about deep learning.
"""

from collections.abc import Callable, Iterator
from itertools import product
from math import sqrt
from typing import Any

import numpy as np

from workbench.claims import verdict
from workbench.claims.arms import trial
from workbench.claims.claim import Empirical
from workbench.claims.deciders import Paired
from workbench.claims.results import Results
from workbench.claims.verdict import Verdict

Sampler = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]


def two_modes(share: float) -> Sampler:
    """Return a sampler in which this share of the seeds falls into a lower mode, as runs do that fail to learn."""
    spread = 0.2  # of each mode

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
        modes: np.ndarray = (share - (rng.random(shape) < share)) / sqrt(share * (1 - share))
        return sqrt(1 - spread**2) * modes + spread * rng.normal(size=shape)

    return draw


# Noise between seeds: mean 0 and standard deviation 1.
DISTRIBUTIONS: dict[str, Sampler] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "skewed to the right": lambda rng, shape: rng.exponential(size=shape) - 1,
    "skewed to the left": lambda rng, shape: 1 - rng.exponential(size=shape),
    "two equal modes": two_modes(0.5),
    "a quarter of the seeds fail": two_modes(0.25),
    "an eighth of the seeds fail": two_modes(0.125),
}


def share_that_holds(
    distribution: str, mean: float, noise: float, draws: int, rng: np.random.Generator, seeds: int = 8
) -> float:
    """Return the share of simulated claims that hold, with a minimum effect of 1.

    Args:
        distribution: A name of `DISTRIBUTIONS`.
        mean: The true mean of the difference between the arms, in minimum effects.
        noise: Its standard deviation over seeds, in minimum effects.
        draws: The number of claims.
        rng: The random number generator.
        seeds: The number of seeds of each claim.
    """
    decider, zeros = Paired(min_effect=1.0), [0.0] * seeds
    differences = mean + noise * DISTRIBUTIONS[distribution](rng, (draws, seeds))
    decisions = (decider.decide({"first": row, "second": zeros}) for row in differences.tolist())
    return sum(decision.outcome == "holds" for decision in decisions) / draws


def null_accuracy(seed: int, *, shift: int, is_renumbered: bool, **options: Any) -> float:
    """Return the test accuracy (%) of an MLP that reads digits.

    Args:
        seed: The seed.
        shift: Added to the seed.
        is_renumbered: Whether the classes have other numbers, drawn by the seed, in all splits.
        **options: Options of the run.
    """
    import torch

    from workbench.data.sources import Relabeled
    from workbench.engine.spec import RunSpec
    from workbench.engine.training.trainer import SeedRun, Trainer

    run = SeedRun(RunSpec.create("mlp", task="digits", use_recipe=False, seed=seed + shift, **options))
    if is_renumbered:
        numbers = torch.randperm(10, generator=torch.Generator().manual_seed(seed))
        for split, source in run.state.sources.items():
            targets = source.batch(slice(0, len(source)))["target"]
            run.state.sources[split] = Relabeled(source, numbers[targets])
    for _ in Trainer([run]).run():
        pass
    return 100 * run.state.evaluate("test")["accuracy"]


OPTIMIZERS = {"gd": 0.5, "sgd": 0.1, "momentum": 0.03, "adam": 3e-3, "rmsprop": 1e-3}  # name -> learning rate
SIZES = ([32], [64, 64])
SAMPLES = (200, 1200)


def null_claims() -> list[Empirical]:
    """Return 40 claims that a difference exists where there is none on average."""
    claims = []
    for (optimizer, lr), sizes, samples in product(OPTIMIZERS.items(), SIZES, SAMPLES):
        options = dict(optimizer=optimizer, lr=lr, steps=150, evaluate_every=150, train_samples=samples, init="he")
        options |= dict(batch_size="full" if optimizer == "gd" else 32, options={"hidden_sizes": sizes})
        plain = trial(null_accuracy, shift=0, is_renumbered=False, **options)
        changes: dict[str, dict[str, Any]] = {
            "other-seeds": dict(shift=1000),
            "other-numbers": dict(is_renumbered=True),
        }
        claims += [
            Empirical(
                id=f"null-{name}-{optimizer}-{'-'.join(map(str, sizes))}-{samples}",
                statement="Other seeds, or other numbers of the classes, change the mean test accuracy.",
                topic="hyperparameters",
                arms=dict(changed=plain.changed(change), plain=plain),
                measure="test accuracy",
                decider=Paired(min_effect=1.0, unit="points of accuracy"),
                expected="does_not_hold",
            )
            for name, change in changes.items()
        ]
    return claims


def verdicts(claims: list[Empirical], seeds: int) -> Iterator[Verdict]:
    """Yield the verdict on each null claim. Every value is stored at once, and what has one is not computed again."""
    for claim in claims:
        results = Results(claim)
        for seed, (name, arm) in product(range(seeds), claim.arms.items()):
            if results.get(name, "main", seed) is None:
                value = null_accuracy(seed, **arm.options)
                results.add({"arm": name, "phase": "main", "seed": seed, "values": {"value": value}})
        yield verdict.decide(claim, results, range(seeds))
