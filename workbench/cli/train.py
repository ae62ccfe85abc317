"""`workbench train`: order a run, and watch it or leave it to itself."""

import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from workbench import BadInput
from workbench.cli.reply import Json, say_json

if TYPE_CHECKING:
    from workbench.engine import Run

PATIENCE = 30.0  # seconds for a run to finish its step when nobody listens any more

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: workbench train lenet5-modern --epochs 5")
def train(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A network: see 'workbench models list'.")],
    epochs: Annotated[int | None, typer.Option(help="Passes over the training data; 20 if nothing is said.")] = None,
    steps: Annotated[int | None, typer.Option(help="Updates of the weights, instead of epochs.")] = None,
    task: Annotated[str | None, typer.Option(help="What it learns; the network's own task if nothing is said.")] = None,
    preset: Annotated[str, typer.Option(help="mini (learns in a minute) or paper (as published).")] = "mini",
    batch_size: Annotated[int, typer.Option(help="Samples an update.")] = 32,
    lr: Annotated[float | None, typer.Option(help="Learning rate; 0.003 for adam, 0.1 for sgd.")] = None,
    optimizer: Annotated[str, typer.Option(help="adam or sgd.")] = "adam",
    seed: Annotated[int, typer.Option(help="Decides the split, the first weights and the order.")] = 0,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1 or mps.")] = "cpu",
    detach: Annotated[bool, typer.Option("--detach", help="Print the run's id and leave it running.")] = False,
    as_json: Json = False,
) -> None:
    """Train a network and watch it learn. Ctrl-C writes a checkpoint and stops; a second one stops at once."""
    from workbench.cli.live import show
    from workbench.engine import RunSpec, accepted, start

    spec = RunSpec(
        model=name,
        task=task,
        preset=preset,
        epochs=epochs,
        steps=steps,
        batch_size=batch_size,
        lr=lr,
        optimizer=optimizer,
        seed=seed,
        device=device,
    )
    with StopOnSignal() as asked:
        run = asked.run = start(spec)
        events = accepted(run)
        if detach:
            next(events)  # so that a bad order is refused here, and not found in a list later
            say_json({"run": run.id}) if as_json else print(run.id)
            return
        status = show(events, as_json)
        run.join(PATIENCE)
    if asked.to_stop:
        if status == "stopped":
            print(f"Its checkpoint is {run.folder / 'last.safetensors'}.", file=sys.stderr)
        raise typer.Exit(130)
    raise typer.Exit(0 if status == "done" else 1)


class StopOnSignal:
    """Turns Ctrl-C, a closed terminal and a request to end into the run's own end, so that its events go on to `end`.

    Attributes:
        run: The run to stop, once there is one.
        to_stop: Whether somebody asked.
    """

    def __init__(self) -> None:
        self.run: Run | None = None
        self.to_stop = False

    def __enter__(self) -> "StopOnSignal":
        names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
        self._before = {name: signal.signal(getattr(signal, name), self._asked) for name in names}
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        if kind is not None and self.run is not None:
            self._stop()  # nobody listens any more, such as after `| head`: the command line leaves no process behind
            self.run.join(PATIENCE)
        for name, handler in self._before.items():
            signal.signal(getattr(signal, name), handler)

    def _asked(self, *_: object) -> None:
        if self.run is None:
            raise KeyboardInterrupt
        if self.to_stop:
            self.run.kill()
        self.to_stop = True
        self._stop()

    def _stop(self) -> None:
        assert self.run is not None
        with suppress(BadInput):  # where it has just ended by itself
            self.run.stop()
