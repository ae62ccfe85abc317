"""Which class is it? Any number of classes, told from the rows of a table."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench import data
from workbench.errors import UserError
from workbench.render.shape import format_shape
from workbench.tasks import rows
from workbench.tasks.regions import regions
from workbench.tasks.task import SHOWN, Batch, Floor, Task

AUXILIARY = 0.3  # what the loss of an auxiliary classifier weighs (Szegedy et al. 2014)


class Classification(Task):
    """Cross-entropy and accuracy; between two classes also the area under the ROC curve.

    A batch is inputs (N, features), standardised, and classes (N,). A network says a score a class, or a single logit
    between two. One with auxiliary classifiers says a tuple in training: first its own scores, then theirs.
    """

    def fit(self, parts: dict[str, Any], input_shape: tuple[int, ...]) -> dict[str, Batch]:
        return {
            part: (rows.as_read(inputs, input_shape, self.known), torch.from_numpy(parts[part][1]))
            for part, inputs in self.flat(parts).items()
        }

    def flat(self, parts: dict[str, Any]) -> dict[str, np.ndarray]:
        """Every part's inputs as a method without depth reads them: (N, features); perhaps fewer to train."""
        return rows.standardised(parts)

    def scores(self, outputs: Tensor) -> Tensor:
        """A score a class (N, classes), such that their softmax are the chances.

        A single logit z stands for the scores (0, z): their softmax is the sigmoid of z, and their cross-entropy the
        binary cross-entropy of z. Outputs beyond the classes, as of a network that was made for a thousand, are left
        out.

        Raises:
            UserError: The network doesn't say as many.
        """
        classes = len(self.known.classes)
        if outputs.dim() == 1:
            outputs = outputs[:, None]
        if classes == 2 and outputs.shape[1:] == (1,):
            return torch.cat([torch.zeros_like(outputs), outputs], dim=1)
        if outputs.dim() != 2 or outputs.shape[1] < classes:
            says = format_shape(outputs.shape[1:])
            fits = "1 output or 2" if classes == 2 else f"{classes} outputs"
            raise UserError(f"This network says {says}, and {classes} classes are to be told apart: size it to {fits}.")
        return outputs[:, :classes]

    def loss(self, outputs: Tensor | tuple[Tensor, ...], batch: Batch) -> Tensor:
        if isinstance(outputs, tuple):
            own, *auxiliary = (self.loss(scores, batch) for scores in outputs)
            return own + AUXILIARY * sum(auxiliary)
        return F.cross_entropy(self.scores(outputs), batch[1])

    def metrics(self, outputs: Tensor | tuple[Tensor, ...], batch: Batch) -> dict[str, float]:
        own = outputs[0] if isinstance(outputs, tuple) else outputs
        return {"accuracy": (self.scores(own).argmax(dim=1) == batch[1]).sum().item() / len(batch[1])}

    def measure(self, outputs: Tensor, samples: Batch) -> dict[str, float]:
        """The chance that the second class's samples score above the first's; none where only one class is there."""
        if len(self.known.classes) != 2 or len(samples[1].unique()) < 2 or not outputs.isfinite().all():
            return {}
        from sklearn.metrics import roc_auc_score

        scores = self.scores(outputs)
        return {"auc": float(roc_auc_score(samples[1].cpu(), (scores[:, 1] - scores[:, 0]).float().cpu()))}

    def floor(self, seed: int) -> Floor:
        """Logistic regression, or to name always the commonest class where even that is better."""
        from sklearn.linear_model import LogisticRegression

        parts = data.load(self.data, seed)
        inputs, classes, tested = self.flat(parts), parts["train"][1], parts["test"][1]
        fitted = LogisticRegression(max_iter=1000).fit(inputs["train"], classes[: len(inputs["train"])])
        linear = fitted.score(inputs["test"], tested)
        guess = np.mean(tested == np.bincount(classes).argmax())
        floors = [
            Floor("logistic regression", "accuracy", float(linear)),
            Floor("the commonest class", "accuracy", float(guess)),
        ]
        return max(floors, key=lambda floor: floor.value)

    @torch.inference_mode()
    def pictures(self, network: nn.Module, samples: Batch) -> list[dict[str, Any]]:
        chances = self.scores(self.outputs(network, samples)).softmax(dim=1)
        shown = [
            {
                "picture": "sample",
                **self.seen(one),
                "target": int(target),
                "predicted": int(chance.argmax()),
                "probability": float(chance.max()),
            }
            for one, target, chance, _ in zip(*samples, chances, range(SHOWN), strict=False)
        ]
        together = [confusion(samples[1], chances.argmax(dim=1), self.known.classes)]
        if self.known.shape == (2,):
            known = self.known
            together.append(
                regions(
                    lambda points: self.scores(self.outputs(network, (points,))).softmax(dim=1),
                    samples,
                    known.features,
                    known.classes,
                )
            )
        return shown + together

    def seen(self, one: Tensor) -> dict[str, Any]:
        """One sample as plain data."""
        return {"values": one.double().round(decimals=3).tolist()}


def confusion(true: Tensor, predicted: Tensor, classes: tuple[str, ...]) -> dict[str, Any]:
    """How often each class (row) was taken for each (column)."""
    count = len(classes)
    counts = torch.bincount(true * count + predicted, minlength=count**2).view(count, count)
    return {"picture": "confusion", "classes": list(classes), "counts": counts.tolist()}
