"""Claims: statements of the notes that are tested, with their verdicts.

workbench.claims.run("linear-stack-collapses").verdict
"""

from workbench.claims.verdict import Verdict


def run(id: str, seeds: int | None = None) -> Verdict:
    """Return the verdict on a claim, and compute what has no result yet.

    Args:
        id: The claim.
        seeds: The number of seeds; by default what its declaration says.

    Raises:
        UserError: If there is no such claim, or its results can't be written.
    """
    from workbench.claims import catalog
    from workbench.claims.runner import Runner

    claim = catalog.get(id)
    with Runner() as runner:
        return next(runner.run([claim], seeds))
