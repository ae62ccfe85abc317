"""A network is sized to its task, and which tasks it can learn is known without building it."""

from dataclasses import replace
from functools import cache

import pytest

import models
from models.tensor_spec import parse_all
from tests.networks import by_tier
from workbench import data, tasks
from workbench.engine import RunSpec, networks
from workbench.errors import UserError

LOCAL = [name for name in tasks.names() if not data.info(tasks.info(name).data).files]
FAMILIES = {models.info(name).network: name for name in reversed(models.names())}  # one of each class

IMAGES = {"cifar10", "digits", "mnist", "mnist-5k", "shapes"}
TWO_CLASSES = {"breast-cancer", "circles", "height-weight", "moons", "spirals", "xor"}
MORE_CLASSES = {"iris", "wine"}
NUMBERS = {"diabetes"}
OF_TABLES = IMAGES | TWO_CLASSES | MORE_CLASSES | NUMBERS
COMPATIBLE = {  # of these tasks, those that a network can learn; one that reads images learns images
    "linear-regression": TWO_CLASSES | NUMBERS,
    "logistic-regression": TWO_CLASSES | NUMBERS,
    "softmax-regression": IMAGES | TWO_CLASSES | MORE_CLASSES,
    "mlp": OF_TABLES,
}
VECTORS = [  # networks that read one image or row, and return one vector
    name
    for name in models.names()
    if [*models.info(name).inputs] in (["image"], ["features"])
    and [len(spec.dims) for spec in models.info(name).outputs.values()] == [1]
]


@pytest.mark.parametrize("preset", ["mini", "paper"])
@pytest.mark.parametrize("model", VECTORS)
def test_a_network_can_learn_the_tasks_of_its_inputs_and_outputs(model, preset):
    compatible = {name for name in OF_TABLES if networks.is_compatible(model, preset, name)}
    assert compatible == COMPATIBLE.get(model, IMAGES)


@cache
def samples_for(task, shape):
    """Return the training samples of a task for networks that read one tensor of this shape."""

    class Reader:
        input_shape = shape

    return task.sources(Reader(), seed=0)["train"]


@pytest.mark.parametrize("model", by_tier(FAMILIES.values(), fast={"mlp", "lenet5", "linear-regression"}))
@pytest.mark.parametrize("task", LOCAL)
def test_a_network_fits_the_tasks_that_it_can_learn(model, task):
    try:
        network, own = networks.build(RunSpec.create(model, task=task)), tasks.get(task)
        # Its own task may ask a network for more than its shape, and not every network has one.
        has_shape_only = models.info(model).task != task and hasattr(network, "input_shape")
        has_shape_only &= not hasattr(network, "encode")  # which tasks on codes ask for
        has_shape_only &= not hasattr(network, "detect")  # which detection asks for
        samples = samples_for(own, network.input_shape) if has_shape_only else own.sources(network, seed=0)["train"]
        own.check(network, samples)
        fits = True
    except UserError:
        fits = False
    if models.info(model).task != task and tasks.info(task).outputs.keys() < models.info(model).outputs.keys():
        fits = False  # the task may read the output that it knows, but it is not offered a network with more of them
    assert networks.is_compatible(model, "mini", task) == fits


def test_a_table_of_ones_own_is_learned_by_what_is_sized_to_it(tmp_path):
    table = tmp_path / "own.csv"
    rows = [f"{k},{k % 7}" for k in range(40)]
    table.write_text("a,b,c\n" + "".join(f"{row},{k % 5 / 3}\n" for k, row in enumerate(rows)))
    compatible = {model for model in models.names() if networks.is_compatible(model, "mini", f"csv:{table}")}
    assert compatible == {"mlp", "linear-regression", "logistic-regression"}
    table.write_text("a,b,c\n" + "".join(f"{row},{'xyz'[k % 3]}\n" for k, row in enumerate(rows)))
    compatible = {model for model in models.names() if networks.is_compatible(model, "mini", f"csv:{table}")}
    assert compatible == {"mlp", "softmax-regression"}


def test_sizes_follow_the_features_and_the_classes():
    def adapted(model, task):
        return networks.adapt_to_task(model, networks.default_arguments(model, "paper"), tasks.info(task))

    assert adapted("mlp", "iris") == {"in_features": 4, "out_features": 3}
    assert adapted("mlp", "digits") == {}  # images are resized to what it reads
    assert adapted("mlp", "breast-cancer") == {"in_features": 30, "out_features": 1}
    assert adapted("softmax-regression", "iris") == {"in_features": 4, "num_classes": 3}
    assert adapted("softmax-regression", "breast-cancer") == {"in_features": 30, "num_classes": 2}
    assert adapted("lenet5-modern", "shapes") == {"num_classes": 8}
    assert adapted("linear-regression", "diabetes") == adapted("logistic-regression", "breast-cancer") == {}
    # Two outputs are as good as one for two classes.
    two = networks.adapt_to_task("mlp", {"in_features": 30, "out_features": 2}, tasks.info("breast-cancer"))
    assert two == {}


@pytest.mark.parametrize(
    ("inputs", "outputs", "is_compatible"),
    [
        (dict(tokens="int64[length]"), dict(logits="float32[length, vocab_size]"), True),
        (dict(tokens="int64[length]"), dict(logits="float32[length, 7]"), False),
        (dict(tokens="int64[length]"), dict(logits="float32[vocab_size]"), False),
        (dict(tokens="float32[length]"), dict(logits="float32[length, vocab_size]"), False),
        (dict(words="int64[length]"), dict(logits="float32[length, vocab_size]"), False),
        (dict(tokens="int64[length]"), dict(logits="float32[length, vocab_size]", state="float32[8]"), False),
        (dict(image="float32[3, 32, 32]"), dict(logits="float32[length, vocab_size]"), False),
        (dict(tokens="int64[length]"), dict(reconstruction="float32[length, vocab_size]"), False),
        (dict(tokens="int64[length]"), dict(logits="float32[frames, vocab_size]"), False),
        (dict(tokens="int64[frames]"), dict(logits="float32[length, vocab_size]"), False),
        (dict(tokens="int64[length]"), dict(logits="float64[length, vocab_size]"), False),
    ],
)
def test_declared_tensors_must_agree(inputs, outputs, is_compatible, monkeypatch):
    network = replace(
        models.info("mlp"),
        inputs=parse_all(inputs),
        outputs=parse_all(outputs),
        sizes={"vocabulary": "vocab_size"},
        presets={"mini": {"vocab_size": 5}},
        task="another",
    )
    task = tasks.TaskInfo(
        name="poems",
        title="",
        data="poems",
        inputs=parse_all(dict(tokens="int64[length]")),
        outputs=parse_all(dict(logits="float32[length, vocabulary]")),
        sizes={"vocabulary": (40,)},
    )
    monkeypatch.setattr(models, "info", lambda name: network)
    monkeypatch.setattr(models, "arguments", lambda name: {})
    monkeypatch.setattr(tasks, "info", lambda name: task)
    assert networks.is_compatible("poet", "mini", "poems") == is_compatible
