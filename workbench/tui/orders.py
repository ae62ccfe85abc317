"""The form of the Lab and the runs that were started from it. They outlive the Lab's screen."""

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.engine import Run, RunSpec
    from workbench.engine.executor import Executor, Trial


class Orders:
    """One form, and a run for each seed that was chosen in it, as many at once as there are processors.

    Attributes:
        texts: Option -> the text in its field.
    """

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self._trials: list[Trial] = []
        self._executor: Executor | None = None

    @property
    def runs(self) -> "list[Run]":
        """The runs of the last start, in the order in which they began."""
        return [trial.run for trial in self._trials if trial.run is not None]

    @property
    def waiting(self) -> int:
        """The number of seeds whose runs have not begun."""
        return sum(trial.run is None and not trial.is_done and not trial.is_cancelled for trial in self._trials)

    @property
    def is_done(self) -> bool:
        """Whether all runs have ended."""
        return all(trial.is_done for trial in self._trials)

    def warm(self) -> None:
        """Start a worker, so that the first run begins at once."""
        if self._executor is None:
            from workbench.engine.executor import Executor

            self._executor = Executor()
        self._executor.warm()

    def start(self, spec: "RunSpec", seeds: list[int]) -> "Run":
        """Start a run for each seed, and return the first one.

        Raises:
            UserError: If the run's folder can't be written.
        """
        from workbench.engine import runs
        from workbench.engine.executor import Trial

        self.warm()
        assert self._executor is not None
        specs = [replace(spec, seed=seed) for seed in seeds]
        first = runs.create(specs[0])  # here, so that it can be shown at once
        self._trials = [Trial(specs[0], run=first), *map(Trial, specs[1:])]
        for trial in self._trials:
            self._executor.submit(trial)
        return first

    def stop(self) -> None:
        """Stop the runs of the last start with a checkpoint, and start no further one."""
        for trial in self._trials:
            trial.cancel()

    def look(self) -> None:
        """Remove the runs that could not begin; the Lab shows why the first one could not.

        Raises:
            UserError: If a run could not be made at all. Then no further one starts.
        """
        for trial in self._trials:
            if trial.error is not None:
                error, trial.error = trial.error, None
                self.stop()
                raise error
        for trial in self._trials[1:]:
            if trial.end is not None and trial.end.get("refused") and trial.run is not None:
                self.stop()
                trial.run.remove()
                trial.run = None

    def close(self) -> None:
        """End the workers that have nothing to do; runs continue to their end."""
        if self._executor is not None:
            self._executor.close()
            self._executor = None
