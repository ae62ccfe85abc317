"""Claims about overfitting and underfitting, and about ImageNet."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from workbench.claims.arms import RunArm, run, trial
from workbench.claims.claim import Empirical, Exact
from workbench.claims.deciders import Paired
from workbench.claims.evidence import Evidence, equal
from workbench.claims.measures import After, Final

if TYPE_CHECKING:
    from workbench.engine.training.state import SeedState

ACCURACY = Final("test", "accuracy", scale=100)
POINTS = "points of accuracy"


def generalization_gap(state: "SeedState") -> float:
    """Return the accuracy on the training set minus that on the test set, in points."""
    return 100 * (state.evaluate("train")["accuracy"] - state.evaluate("test")["accuracy"])


NARROW = run(
    "mlp",
    "digits",
    optimizer="adam",
    lr=3e-3,
    batch_size=32,
    steps=400,
    evaluate_every=400,
    train_samples=100,
    label_noise=0.2,
    init="he",
    options={"hidden_sizes": [4]},
)

SMALLER_MODELS_OVERFIT_LESS = Empirical(
    id="smaller-models-overfit-less",
    statement="On 100 samples with 20% wrong labels, a hidden layer of 256 units leaves a larger gap between training "
    "and test accuracy than one of 4 units.",
    topic="over-and-underfitting",
    arms=dict(wide=NARROW.changed(dict(options={"hidden_sizes": [256]})), narrow=NARROW),
    control=dict(train_samples=1200, label_noise=0.0),
    measure=After(generalization_gap, "training minus test accuracy (points)"),
    decider=Paired(min_effect=5.0, unit=POINTS),
    expected="holds",
    source="Belkin, Hsu, Ma, Mandal 2019, arXiv:1812.11118",
    note="The gap grows with the width; the test accuracy may grow, too (double descent). The 20% wrong labels count "
    "in the training accuracy.",
)


def line_on_circles(seed: int, *, samples: int) -> float:
    """Return the test accuracy (%) of logistic regression on points near two circles, one inside the other."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(seed)
    classes = np.arange(samples + 5000) % 2
    angles, radii = rng.uniform(0, 2 * np.pi, len(classes)), np.where(classes == 1, 0.5, 1.0)
    points = radii[:, None] * np.column_stack([np.cos(angles), np.sin(angles)]) + rng.normal(0, 0.1, (len(classes), 2))
    model = LogisticRegression().fit(points[:samples], classes[:samples])
    return 100 * float(model.score(points[samples:], classes[samples:]))


MORE_DATA_AGAINST_UNDERFITTING = Empirical(
    id="underfit-more-data",
    statement="More training data cures underfitting: a linear model of two circles, one inside the other, gains "
    "accuracy from 2,000 samples instead of 50.",
    topic="over-and-underfitting",
    arms=dict(more=trial(line_on_circles, samples=2000), few=trial(line_on_circles, samples=50)),
    measure="test accuracy",
    decider=Paired(min_effect=5.0, unit=POINTS),
    expected="does_not_hold",
    note="Derivation: a line next to the inner circle, of half the radius, has all of it and a third of the outer "
    "circle on the correct sides, so no line is correct for more than 2/3, whatever the number of samples. More data "
    "reduces the variance of a model, not its bias. A larger model cures it: see underfit-larger-model.",
)

LINEAR = run(
    "logistic-regression",
    "circles",
    optimizer="adam",
    lr=1e-2,
    batch_size=32,
    steps=200,
    evaluate_every=200,
    init="he",
)

LARGER_MODEL_AGAINST_UNDERFITTING = Empirical(
    id="underfit-larger-model",
    statement="A larger model cures underfitting: two hidden layers tell two circles, one inside the other, apart, "
    "and a linear model does not.",
    topic="over-and-underfitting",
    arms=dict(deep=RunArm("mlp", {**LINEAR.options, "options": {"hidden_sizes": [16, 16]}}), linear=LINEAR),
    control=dict(task="breast-cancer"),
    measure=ACCURACY,
    decider=Paired(min_effect=20.0, unit=POINTS),
    expected="holds",
    note="Derivation: the distance from the center separates the circles, and no line comes close "
    "(underfit-more-data). A linear model separates the control, the breast cancer data, well.",
)

WRONG_LABELS = run(
    "mlp",
    "digits",
    optimizer="adam",
    lr=1e-3,
    batch_size=32,
    steps=400,
    evaluate_every=10,
    train_samples=200,
    label_noise=0.3,
    init="he",
    options={"hidden_sizes": [128, 128]},
)

EARLY_STOPPING = Empirical(
    id="early-stopping",
    statement="With 30% wrong labels, stopping when the validation accuracy has not improved for 80 updates, and "
    "taking the best weights, improves test accuracy over 400 updates.",
    topic="over-and-underfitting",
    arms=dict(stopped=WRONG_LABELS.changed(dict(patience=8, monitor="accuracy")), full=WRONG_LABELS),
    control=dict(label_noise=0.0),
    measure=ACCURACY,
    decider=Paired(min_effect=2.0, unit=POINTS),
    expected="holds",
    source="Prechelt 1998, Early Stopping - But When?",
    note="The stop is chosen on the validation set, whose samples the other arm does not use.",
)

FEW_IMAGES = run(
    "lenet5-modern",
    "digits",
    optimizer="adam",
    lr=2e-3,
    batch_size=32,
    steps=200,
    evaluate_every=200,
    train_samples=100,
    init="xavier",
)

AUGMENTATION = Empirical(
    id="augmentation-helps-small-samples",
    statement="Random shifts, rotations and zooms of 100 training images improve the test accuracy of LeNet-5.",
    topic="over-and-underfitting",
    arms=dict(
        augmented=FEW_IMAGES.changed(dict(augment={"shift": 1.0, "rotate": 10.0, "zoom": 0.1})), plain=FEW_IMAGES
    ),
    control=dict(train_samples=1200),
    measure=ACCURACY,
    decider=Paired(min_effect=2.0, unit=POINTS),
    expected="holds",
    source="Krizhevsky, Sutskever, Hinton 2012, section 4.1",
)


def imagenet_classes(seed: int) -> Iterator[Evidence]:
    import torch
    from torchvision import models as reference

    import models

    names = reference.ResNet50_Weights.DEFAULT.meta["categories"]
    yield equal("classes that torchvision names", len(names), 1000)
    with torch.device("meta"):
        for name in ("alexnet", "vgg16", "resnet50"):
            outputs = list(models.build(name, "paper").parameters())[-1]
            yield equal(f"outputs of {name}", len(outputs), len(names))


IMAGENET_CLASSES = Exact(
    id="imagenet-size",
    statement="The classification task of ImageNet has 1,000 classes, one output of AlexNet, VGG and ResNet for each.",
    topic="imagenet",
    evidence=imagenet_classes,
    is_structural=True,
    seeds=1,
    expected="holds",
    source="Russakovsky et al. 2015, ImageNet Large Scale Visual Recognition Challenge, arXiv:1409.0575, table 2",
    note="Its training set has 1,281,167 images, 732 to 1,300 per class; 50,000 are for validation and 100,000 for "
    "test. The images are not here to be counted.",
)
