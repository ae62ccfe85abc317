"""`workbench evaluate`: the losses and metrics of a trained network on a split of its data, or on another task."""

from typing import Annotated

import typer

from workbench.cli import completion
from workbench.cli.output import Json, plural, print_json, progress_note
from workbench.untrusted import printable

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: workbench evaluate lenet5-modern-0001 --split validation")
def evaluate(
    run_id: Annotated[
        str,
        typer.Argument(metavar="RUN", help="Run id: see 'workbench runs list'.", autocompletion=completion.runs),
    ],
    split: Annotated[
        str,
        typer.Option(
            metavar="test|validation|train",
            help="Split of the data; of another task also all.",
            autocompletion=completion.splits,
        ),
    ] = "test",
    task: Annotated[
        str | None,
        typer.Option(
            help="Another task with the same inputs and classes, or csv:PATH. Default: the run's task.",
            autocompletion=completion.task_names,
        ),
    ] = None,
    crf: Annotated[
        bool,
        typer.Option("--crf", help="Refine the classes of pixels by a fully connected CRF, as DeepLab v1 and v2 do."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Evaluate a trained network on a split of its data.

    The weights are those of the run's best checkpoint, or of its last if there is no best one. Metrics on the test set
    are compared with the task's baseline. Inputs of another task are scaled by the training set of the run, as in
    training.
    """
    from workbench.engine import Verifier
    from workbench.engine.evaluate import ALL, check
    from workbench.engine.evaluate import evaluate as evaluate_network
    from workbench.engine.runs import get
    from workbench.render.metrics import format_metrics

    run = get(run_id)
    check(run, split, task)
    progress_note("Running PyTorch ...")
    with Verifier() as worker:
        result = evaluate_network(worker, run, split, task, crf)
    if as_json:
        print_json(result)
        return
    samples = plural(result["samples"], "sample")
    about = f"all samples of {result['task']} ({samples})"
    if split != ALL:
        about = f"the {split} set of {result['task']} ({samples})"
    if result["task"] != result["trained_on"]:
        about += f", trained on {result['trained_on']}"
    if crf:
        about += ", refined by a CRF"
    print(printable(f"{run.id}, {result['checkpoint']} checkpoint, step {result['step']}, on {about}:"))
    print(f"  {format_metrics(result['metrics'])}")
    if "reason" in result:
        print(f"  {printable(result['reason'])}")
    if baseline := result.get("baseline"):
        print(f"  baseline ({baseline['method']}): {format_metrics({baseline['metric']: baseline['value']})}")
