"""Claims about initial weights and the scale of inputs."""

from typing import TYPE_CHECKING, cast

from workbench.claims.arms import run, trial
from workbench.claims.claim import Empirical
from workbench.claims.deciders import Interaction, NonInferior, Paired
from workbench.claims.measures import Final

if TYPE_CHECKING:
    from models.dense.mlp import MLP

WIDTH = 64  # of every layer, and pixels of a digit: so all layers have one fan-in
RATES = dict(lr=(0.01, 0.03, 0.1))
ACCURACY = Final("test", "accuracy", scale=100)
VALIDATION_LOSS = Final("validation", "loss", scale=-1)
POINTS = "points of accuracy"


def signal_ratio(seed: int, *, depth: int, init: str) -> float:
    """Return log10 of the mean square of the last hidden pre-activations over that of the first ones, before training.

    The layers are dense, with ReLU between them.
    """
    import torch

    import models
    from workbench import data
    from workbench.engine.spec.sections import INITS
    from workbench.engine.training.initialization import initialize_weights

    torch.manual_seed(seed)
    network = cast("MLP", models.build("mlp", "mini", hidden_sizes=(WIDTH,) * depth))
    initialize_weights(network, INITS[init]())
    x = torch.from_numpy(data.load("digits", seed)["train"][0][:256]).flatten(1)
    x = (x - x.mean()) / x.std()
    sizes = []
    with torch.no_grad():
        for layer in list(network.layers)[:-1]:
            z = layer(x)
            sizes.append(z.square().mean())
            x = torch.relu(z)
    return float((sizes[-1] / sizes[0]).log10())


HE_KEEPS_THE_SIGNAL = Empirical(
    id="he-keeps-activation-variance",
    statement="Through 20 dense ReLU layers He initialization keeps the scale of the pre-activations, while Xavier "
    "initialization shrinks their mean square by orders of magnitude.",
    topic="initialization",
    arms=dict(he=trial(signal_ratio, depth=20, init="he"), xavier=trial(signal_ratio, depth=20, init="xavier")),
    control=dict(depth=2),
    measure="log10 of the last over the first mean square",
    decider=Paired(min_effect=3.0, unit="orders of magnitude"),
    expected="holds",
    source="He et al. 2015, arXiv:1502.01852, section 2.2",
    note="Derivation: ReLU halves the mean square of a symmetric input. He's variance 2/n makes up for it, Xavier's "
    "1/n does not: 19 layers divide it by 2^19.",
)

DEEP = run(
    "mlp",
    "digits",
    optimizer="sgd",
    lr=0.1,
    batch_size=32,
    steps=150,
    evaluate_every=150,
    init="he",
    options={"hidden_sizes": [WIDTH] * 10, "activation": "relu"},
)
HE = DEEP
XAVIER = DEEP.changed(dict(init="xavier"))

XAVIER_FOR_LINEAR_LAYERS = Empirical(
    id="he-for-conv-xavier-for-linear",
    statement="In the dense layers of a ReLU network with ten hidden layers, Xavier initialization trains better than "
    "He initialization.",
    topic="initialization",
    arms=dict(he=HE, xavier=XAVIER),
    tune=RATES,
    tuned_by=VALIDATION_LOSS,
    measure=Final("train_eval", "loss"),
    if_diverged=2.302585,
    decider=Paired(min_effect=0.05, unit="nats of training loss"),
    expected="does_not_hold",
    source="He et al. 2015, arXiv:1502.01852; Glorot, Bengio 2010",
    note="The choice follows the activation, not the kind of layer: He for ReLU, Xavier for tanh. A run that diverges "
    "counts as a guess, ln 10.",
)

INIT_FOLLOWS_THE_ACTIVATION = Empirical(
    id="init-follows-activation",
    statement="He initialization gains more on Xavier initialization in a ReLU network than in a tanh network, both "
    "with ten dense hidden layers.",
    topic="initialization",
    arms=dict(
        relu_xavier=XAVIER,
        relu_he=HE,
        tanh_xavier=XAVIER.changed(dict(options={"activation": "tanh"})),
        tanh_he=HE.changed(dict(options={"activation": "tanh"})),
    ),
    control=dict(options={"hidden_sizes": [WIDTH]}),
    measure=Final("train_eval", "loss"),
    if_diverged=2.302585,
    decider=Interaction(min_effect=0.2, unit="nats of training loss"),
    expected="holds",
    source="He et al. 2015, arXiv:1502.01852; Glorot, Bengio 2010",
    note="One learning rate for all arms: a shallow network, the control, shows no difference at it.",
)

SMALL_NORMAL = DEEP.changed(dict(init="normal", init_scale=0.01))

SMALL_NORMAL_INIT = Empirical(
    id="small-normal-init",
    statement="Initial weights from a normal distribution with standard deviation 0.01 train a ReLU network with ten "
    "hidden layers as well as He's.",
    topic="initialization",
    arms=dict(small=SMALL_NORMAL, he=HE),
    tune=RATES,
    tuned_by=VALIDATION_LOSS,
    measure=ACCURACY,
    if_diverged=10.0,
    decider=NonInferior(margin=3.0, unit=POINTS),
    expected="does_not_hold",
    note="Derivation: with 64 inputs each layer multiplies the spread of its input by 0.01 sqrt(64 / 2), about 0.06; "
    "after ten layers nothing of the input is left. With batch norm it works: see small-normal-init-batch-norm.",
)

SMALL_NORMAL_INIT_WITH_BATCH_NORM = Empirical(
    id="small-normal-init-batch-norm",
    statement="With initial weights from a normal distribution with standard deviation 0.01, a ReLU network with ten "
    "hidden layers trains with batch norm and does not without.",
    topic="initialization",
    arms=dict(normalized=SMALL_NORMAL.changed(dict(batch_norm=True)), plain=SMALL_NORMAL),
    control=dict(init_scale=(2 / WIDTH) ** 0.5),
    tune=RATES,
    tuned_by=VALIDATION_LOSS,
    measure=ACCURACY,
    if_diverged=10.0,
    decider=Paired(min_effect=20.0, unit=POINTS),
    expected="holds",
    source="Ioffe, Szegedy 2015, arXiv:1502.03167, section 3.3",
    note="Derivation: batch norm divides by the spread of its input, so the scale of the weights before it cancels in "
    "its output. The control has weights of He's scale.",
)


def trained_on_shifted_inputs(seed: int, *, shift: float, lr: float) -> dict[str, float]:
    """Return the accuracies (%) of a ReLU network after 150 updates on pixels with deviation 1 and mean `shift`."""
    import torch
    import torch.nn.functional as F

    import models
    from workbench import data
    from workbench.engine.spec.sections import INITS
    from workbench.engine.training.initialization import initialize_weights

    splits = data.load("digits", seed)
    pixels = {split: torch.from_numpy(columns[0]).flatten(1) for split, columns in splits.items()}
    targets = {split: torch.from_numpy(columns[1]) for split, columns in splits.items()}
    mean, deviation = pixels["train"].mean(), pixels["train"].std()
    x = {split: (values - mean) / deviation + shift for split, values in pixels.items()}
    torch.manual_seed(seed)
    network = models.build("mlp", "mini", hidden_sizes=(WIDTH, WIDTH))
    initialize_weights(network, INITS["he"]())
    optimizer = torch.optim.SGD(network.parameters(), lr)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(150):
        rows = torch.randint(len(x["train"]), (32,), generator=generator)
        optimizer.zero_grad()
        F.cross_entropy(network(x["train"][rows]), targets["train"][rows]).backward()
        optimizer.step()
    with torch.no_grad():
        hits = {split: network(x[split]).argmax(dim=1) == targets[split] for split in ("validation", "test")}
    return {f"{split} accuracy": 100 * float(hit.float().mean()) for split, hit in hits.items()}


STANDARDIZED = trial(trained_on_shifted_inputs, shift=0.0, lr=0.1)

RELU_WITHOUT_INPUT_NORMALIZATION = Empirical(
    id="relu-no-input-normalisation",
    statement="A ReLU network trains as well on inputs whose mean is ten standard deviations from 0 as on "
    "standardized inputs.",
    topic="standardization",
    arms=dict(shifted=STANDARDIZED.changed(dict(shift=10.0)), standardized=STANDARDIZED),
    tune=dict(lr=(1e-4, 1e-3, 1e-2, 1e-1)),
    tuned_by="validation accuracy",
    measure="test accuracy",
    decider=NonInferior(margin=5.0, unit=POINTS),
    expected="does_not_hold",
    source="Krizhevsky, Sutskever, Hinton 2012, section 3.3",
    note="AlexNet's paper says that ReLU needs no input normalization to keep it from saturating. A mean far from 0 "
    "still makes the loss much steeper along one direction than along the others, which slows gradient descent.",
)
