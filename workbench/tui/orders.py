"""What the Lab was told: the form as it stands, and the runs that wait for their turn. It outlives the Lab's screen."""

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.engine import Run, RunSpec


class Orders:
    """One form, and one run after the other where several seeds were ordered.

    Attributes:
        texts: Field of a spec -> what was written there.
        made: The runs of the last order that were started so far.
        waiting: The seeds' specs that come after them.
    """

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.made: list[Run] = []
        self.waiting: list[RunSpec] = []

    def order(self, spec: "RunSpec", seeds: list[int]) -> "Run":
        """Start a run of the first seed; the others wait for it.

        Raises:
            UserError: The run's folder can't be written.
        """
        from workbench.engine import start

        first, *others = [replace(spec, seed=seed) for seed in seeds]
        self.made, self.waiting = [start(first)], others
        return self.made[0]

    def look(self) -> None:
        """Start the next run once the one before it has ended; none, where that was stopped or refused.

        Raises:
            UserError: As `order`; then nothing waits any more.
        """
        if not self.waiting or (status := self.made[-1].status()) == "running":
            return
        from workbench.engine import start

        spec, *others = self.waiting
        self.waiting = []
        end = self.made[-1].last_event()
        refused = (end is not None and end["event"] == "end" and end.get("refused")) or end is None
        if status != "stopped" and not refused:
            self.made.append(start(spec))
            self.waiting = others
