"""Overfitting and underfitting: procedures."""

from collections.abc import Iterator

from quizzes.content.training_deep_cnns.over_and_underfitting.formulas import EARLY_STOPPING, run_epochs
from quizzes.expressions.tree import Value
from quizzes.procedure import State, number_text, procedure
from quizzes.question import Visualization


@procedure(
    "early-stopping",
    EARLY_STOPPING,
    title="Early stopping with patience, epoch by epoch",
    example=dict(val=[0.9, 0.7, 0.55, 0.5, 0.52, 0.49, 0.5, 0.53, 0.51, 0.56], patience=3),
)
def early_stopping(val: list[Value], patience: int) -> Iterator[State]:
    """Remember the epoch of the lowest loss; stop after `patience` epochs without a lower one."""
    lowest: Value = None
    for epoch, best in run_epochs(val, patience):
        loss, waited = val[epoch - 1], epoch - best
        if waited == 0:
            before = f", below {number_text(lowest, loss)}" if lowest is not None else ""
            lowest = loss
            caption = f"Epoch {epoch}: the loss is {number_text(loss)}, the lowest so far{before}. Save the weights."
        else:
            caption = (
                f"Epoch {epoch}: the loss is {number_text(loss, lowest)}, not below the lowest loss, "
                f"{number_text(lowest)} in epoch {best}. Epochs without improvement: {waited} of {patience}."
            )
        if waited == patience:
            caption += f" Stop, and restore the weights of epoch {best}."
        elif epoch == len(val):
            caption += f" There are no more epochs. Restore the weights of epoch {best}."
        yield State(
            caption,
            dict(epoch=epoch, loss=loss, lowest=lowest, best=best, waited=waited, stop=epoch),
            Visualization(
                "progress",
                dict(x="epoch", curves={"validation loss": val}, first=1, at=epoch - 1, marks={"best": best - 1}),
            ),
        )
