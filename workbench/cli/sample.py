"""`workbench sample`: what a trained network generates."""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli import completion
from workbench.cli.output import Json, print_json, print_rows, progress_note
from workbench.untrusted import printable

if TYPE_CHECKING:
    from workbench.render.halfblock import Rows

HEIGHT = 10_000  # rows: texts can be scrolled

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: workbench sample lstm-0001 --prompt 'The ' --temperature 0.5 --count 3")
def sample(
    run_id: Annotated[
        str,
        typer.Argument(metavar="RUN", help="Run id: see 'workbench runs list'.", autocompletion=completion.runs),
    ],
    prompt: Annotated[str, typer.Option(help="Start of a text, or the text to translate. Default: none.")] = "",
    count: Annotated[int, typer.Option(help="Number of samples.")] = 1,
    length: Annotated[int, typer.Option(help="Number of tokens of a sample. Default: the task's own.")] = 0,
    temperature: Annotated[float, typer.Option(help="Divisor of the logits; 0: always the most probable token.")] = 1.0,
    top_k: Annotated[int, typer.Option(help="Number of most probable tokens to choose from; 0: all.")] = 0,
    top_p: Annotated[float, typer.Option(help="Probability of the most probable tokens to choose from.")] = 1.0,
    beams: Annotated[int, typer.Option(help="Number of beams of a beam search; 1: none.")] = 1,
    seed: Annotated[int, typer.Option(help="Seed of the random choices.")] = 0,
    as_json: Json = False,
) -> None:
    """Generate samples with a trained network: texts, images, captions, translations.

    The weights are those of the run's best checkpoint, or of its last if there is no best one. The same seed gives the
    same samples.
    """
    from workbench.engine import Verifier
    from workbench.engine.runs import get
    from workbench.engine.sample import sample as sample_network
    from workbench.tasks.sampling import SampleRequest

    run = get(run_id)
    request = SampleRequest(prompt, count, length, temperature, top_k, top_p, beams, seed)
    progress_note("Running PyTorch ...")
    with Verifier() as worker:
        result = sample_network(worker, run, request)
    if as_json:
        print_json(result)
        return
    drawings = result["visualizations"]
    for kind in dict.fromkeys(one["kind"] for one in drawings):
        print_rows(partial(_draw, drawings, kind))
    if "reason" in result:
        print(printable(result["reason"]))


def _draw(drawings: list[dict[str, Any]], kind: str, width: int, color: bool) -> "Rows":
    from workbench.render import predictions

    return predictions.draw(drawings, kind, width, HEIGHT, color)
