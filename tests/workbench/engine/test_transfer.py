"""Networks that begin with a run's weights, or published ones; frozen backbones, and the speed of each layer."""

import pickle
import subprocess
import sys
from collections import OrderedDict
from dataclasses import replace
from functools import cache
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

import models
from models import registry
from models.registry import Part
from models.tracing import example_inputs, hooked
from tests.networks import by_tier
from tests.patience import PATIENCE
from tests.trained_runs import train_run
from workbench.engine import RunSpec, checkpoints, transfer
from workbench.engine.overview import overview
from workbench.engine.resume import header
from workbench.engine.training import frozen
from workbench.engine.training.state import SeedState
from workbench.engine.training.trainer import SeedRun, Trainer, train
from workbench.errors import UserError
from workbench.tasks.base import StepContext

LENET = dict(model="lenet5-modern", device="cpu", steps=3, batch_size=16)


@pytest.fixture
def trained():
    """A run of three steps with its best checkpoint."""
    return train_run("lenet5-modern", steps=3, batch_size=16)


def are_same(a, b):
    return all(torch.equal(a[name], b[name]) for name in a)


def best_weights(run):
    return checkpoints.load(run.folder / "best.safetensors")[0]


def begin(**options):
    return SeedState(RunSpec.create(**{**LENET, **options}))


def fresh_weights(seed=0, **options):
    torch.manual_seed(seed)
    return models.build("lenet5-modern", preset="mini", **options).state_dict()


def test_a_network_begins_with_the_best_weights_of_a_run(trained):
    for origin in (trained.id, str(trained.folder / "best.safetensors")):
        state = begin(origin=origin)
        assert are_same(best_weights(trained), state.network.state_dict())
        assert state.transferred == dict(source=origin, loaded=10, missing=[], left_over=[])


def test_a_head_of_another_size_stays_fresh(trained):
    best, fresh = best_weights(trained), fresh_weights(num_classes=12)
    state = begin(origin=trained.id, options={"num_classes": 12})
    now = state.network.state_dict()
    head = [name for name in now if now[name].shape != best[name].shape]
    assert head == ["output.weight", "output.bias"] == state.transferred["left_over"]
    assert all(torch.equal(now[name], fresh[name] if name in head else best[name]) for name in now)


@pytest.mark.parametrize(
    ("model", "preset"),
    [
        ("lenet5-modern", "mini"),
        pytest.param("resnet18", "mini", marks=pytest.mark.full),
        pytest.param("mobilenet-v2", "mini", marks=pytest.mark.full),
        ("mlp", "mini"),
    ],
)
def test_a_frozen_backbone_stays_as_it_was_and_the_head_learns(model, preset):
    donor = train_run(model, preset=preset, steps=4, batch_size=16, optimizer="momentum")
    run = SeedRun(donor.spec.with_options(origin=donor.id, freeze="backbone", seed=1))
    network = run.state.network
    before = checkpoints.snapshot(network)
    *_, end = Trainer([run]).run()
    after = network.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    last = [name for name, layer in network.named_modules() if isinstance(layer, nn.Linear)][-1]
    assert changed == {f"{last}.weight", f"{last}.bias"}  # neither another weight nor a norm's statistics
    assert end["status"] == "done"


FROZEN = {
    "convolutions": dict(model="lenet5-modern", optimizer="sgd", lr=0.1),
    "dropout and norms": dict(model="mlp", dropout=0.5, batch_norm=True, optimizer="momentum", lr=0.05),
    "all penalties": dict(model="mlp", l2=1e-3, clip_norm=0.1, label_smoothing=0.1, optimizer="sgd", lr=0.1),
}


@pytest.fixture(params=FROZEN)
def frozen_spec(request):
    fields = {name: FROZEN[request.param][name] for name in ("dropout", "batch_norm") if name in FROZEN[request.param]}
    donor = train_run(FROZEN[request.param]["model"], steps=20, **fields)
    changes = {"origin": donor.id, "freeze": "backbone", "steps": 50, "evaluate_every": 20}
    return RunSpec.create(device="cpu", **FROZEN[request.param], **changes)


def losses_of(run):
    return [event["metrics"]["loss"] for event in Trainer([run]).run() if event["event"] in ("metric", "eval")]


def test_features_of_a_frozen_backbone_are_computed_once(frozen_spec):
    run, samples = SeedRun(frozen_spec), []
    network = run.state.network
    first = next(layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear))
    first.register_forward_pre_hook(lambda layer, args: samples.append((layer.training, len(args[0]))))
    losses_of(run)
    assert sum(count for _, count in samples) == 1257 + 180 + 360  # once for each sample of each split
    assert not any(training for training, _ in samples)


def test_a_head_learns_on_cached_features_as_on_the_whole_network(frozen_spec, monkeypatch):
    cached = losses_of(SeedRun(frozen_spec))
    monkeypatch.setattr(frozen, "MAX_NUMBERS", 0)
    run, modes = SeedRun(frozen_spec), set()
    backbone = [module for module in run.state.network.modules() if not [*module.children()]]
    backbone.remove(transfer.head(run.state.network))
    for module in backbone:
        module.register_forward_pre_hook(lambda module, args: modes.add(module.training))
    assert losses_of(run) == pytest.approx(cached, rel=1e-4) and modes == {False}


def test_a_head_learns_as_by_hand_on_a_network_in_evaluation_mode(frozen_spec):
    lr = frozen_spec.optimizer.lr
    frozen_spec = frozen_spec.with_options(optimizer="sgd", lr=lr, l2=0.0, clip_norm=0, label_smoothing=0.0)
    run = SeedRun(frozen_spec)
    network = SeedState(frozen_spec).network.eval()
    source, rows = run.state.sources["train"], iter(SeedState(frozen_spec).sampler)
    weights, expected = list(transfer.head(network).parameters()), []
    for _ in range(50):
        batch = source.batch(next(rows))
        loss = F.cross_entropy(network(batch["image"]), batch["target"])
        expected.append(loss.item())
        with torch.no_grad():
            for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
                weight -= lr * gradient
    events = Trainer([run]).run()
    losses = [event["metrics"]["loss"] for event in events if event["event"] == "metric"]
    assert losses == pytest.approx(expected, rel=1e-4)
    for weight, other in zip(transfer.head(run.state.network).parameters(), weights, strict=True):
        torch.testing.assert_close(weight, other, rtol=1e-3, atol=1e-5)


def test_evaluations_and_checkpoints_of_a_head_are_those_of_the_whole_network(frozen_spec, tmp_path):
    shown = []
    run = SeedRun(frozen_spec, tmp_path, shown.extend)
    *_, end = Trainer([run]).run()
    state = run.state
    assert end["metrics"] == pytest.approx(state.task.evaluate(state.network, state.sources["test"]), rel=1e-5)
    weights, _ = checkpoints.load(tmp_path / "last.safetensors")
    assert are_same(weights, state.network.state_dict()) and weights.keys() == state.network.state_dict().keys()
    batch = state.sources["validation"].batch(slice(0, 12))
    with torch.no_grad():
        predicted = state.task.forward(state.network.eval(), batch, StepContext()).argmax(dim=1)
    assert [row["predicted"] for row in shown[-13:-1]] == predicted.tolist()


def test_augmentation_needs_the_whole_network_in_every_step(trained):
    spec = RunSpec.create(**LENET | dict(steps=6), origin=trained.id, freeze="backbone", augment={"noise": 0.1})
    run, passes = SeedRun(spec), []
    run.state.network.c1.register_forward_pre_hook(lambda layer, args: passes.append(layer.training))
    list(Trainer([run]).run())
    assert len(passes) >= 6 and not any(passes)


@pytest.mark.parametrize("name", models.names())
def test_the_head_is_the_last_layer_to_run(name):
    options = [{}, {"batch_norm": True}] if "batch_norm" in models.arguments(name) else [{}]
    for more in options:
        network = models.build(name, "mini", **more).eval()
        calls: list[nn.Module] = []
        with torch.no_grad(), hooked(network, before=lambda _, module, *__, calls=calls: calls.append(module)):
            network(*example_inputs(network))
        # A layer that runs for each frame of a video counts where it runs first.
        weighted = [*dict.fromkeys(layer for layer in calls if [*layer.parameters(recurse=False)])]
        assert transfer.head(network) is weighted[-1]
        groups = transfer.groups(network, 0.5)
        grouped = [weight for group in groups for weight in group["params"]]
        trained = {weight for weight in network.parameters() if weight.requires_grad}
        assert len(grouped) == len(set(grouped)) and set(grouped) == trained
        scales = {id(weight): group["scale"] for group in groups for weight in group["params"]}
        running = (weight for layer in weighted for weight in layer.parameters(recurse=False))
        in_order = [scales[id(weight)] for weight in dict.fromkeys(running) if weight.requires_grad]
        assert in_order == sorted(in_order) and in_order[-1] == 1.0


def test_how_many_are_trained_is_reported(trained):
    start = next(train([RunSpec.create(**LENET, origin=trained.id, freeze="backbone")]))
    head = transfer.head(models.build("lenet5-modern", preset="mini"))
    assert start["trainable"] == sum(weight.numel() for weight in head.parameters())
    assert next(train([RunSpec.create(**LENET)]))["trainable"] == start["params"]


def test_each_layer_learns_a_share_as_fast_as_the_next(trained):
    """Of plain gradient descent, the first update of a layer is its share of what it would be at the full speed."""
    plain = RunSpec.create(**LENET, origin=trained.id, optimizer="sgd", lr=0.1)
    changes = []
    for spec in (plain, plain.with_options(layer_decay=0.5)):
        state = SeedState(spec)
        before = [weight.detach().clone() for weight in state.network.parameters()]
        state.update()
        after = state.network.parameters()
        changes.append([weight.detach() - old for weight, old in zip(after, before, strict=True)])
    layers = len(changes[0]) // 2  # each a weight and a bias
    for index, (full, share) in enumerate(zip(*changes, strict=True)):
        torch.testing.assert_close(share, full * 0.5 ** (layers - 1 - index // 2), rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("decay_on", ["all", "weights"])
def test_a_schedule_preserves_the_shares_of_the_layers(trained, decay_on):
    state = begin(origin=trained.id, layer_decay=0.5, decay_on=decay_on)
    state.set_lr(0.08)
    lrs = [group["lr"] for group in state.optimizer.param_groups]
    assert sorted(set(lrs))[-3:] == pytest.approx([0.02, 0.04, 0.08])
    assert len(lrs) == (5 if decay_on == "all" else 10)


def test_a_resumed_run_needs_its_origin_no_more(trained):
    options = dict(batch_size=16, origin=trained.id, layer_decay=0.5, seed=2)
    whole = SeedRun(RunSpec.create("lenet5-modern", steps=3, device="cpu", **options))
    list(Trainer([whole]).run())
    run = train_run("lenet5-modern", stopped_at=2, steps=3, **options)
    details = overview(run)["initial_weights"]
    assert details == dict(source=trained.id, loaded=10, missing=[], left_over=[])
    assert overview(trained)["continued_by"] == [run.id]
    trained.remove()
    resumed = SeedRun(run.spec, folder=run.folder, resume=True)
    list(Trainer([resumed]).run())
    assert are_same(whole.state.network.state_dict(), resumed.state.network.state_dict())


@pytest.fixture
def declare(monkeypatch):
    """A function that declares parts of a network, or takes all of them away."""

    def declare_parts(name, **parts):
        monkeypatch.setitem(registry._registry(), name, replace(models.info(name), parts=parts))

    return declare_parts


def test_every_network_has_a_backbone_to_begin_with(trained):
    best, fresh = best_weights(trained), fresh_weights(num_classes=12)
    state = begin(origin=trained.id, part="backbone", options={"num_classes": 12})
    now = state.network.state_dict()
    head = ["output.bias", "output.weight"]
    assert all(torch.equal(now[name], fresh[name] if name in head else best[name]) for name in now)
    assert state.transferred == dict(source=trained.id, part="backbone", loaded=8, missing=[], left_over=head)
    # A head that would fit stays fresh as well.
    now = begin(origin=trained.id, part="backbone", seed=5).network.state_dict()
    fresh = fresh_weights(seed=5)
    assert all(torch.equal(now[name], fresh[name] if name in head else best[name]) for name in now)


def test_a_declared_part_alone_is_taken_over(trained, declare):
    declare("lenet5-modern", filters=Part(("c1.", "c3.")))
    best, fresh = best_weights(trained), fresh_weights(image_size=24)
    state = begin(origin=trained.id, part="filters", options={"image_size": 24})  # C5 has another size
    now = state.network.state_dict()
    for name in now:
        assert torch.equal(now[name], best[name] if name.startswith(("c1.", "c3.")) else fresh[name]), name
    assert state.transferred == dict(source=trained.id, part="filters", loaded=4, missing=[], left_over=[])


def test_a_part_of_another_network_may_have_another_prefix(declare):
    declare("mlp", backbone=Part(("layers.0.",)))
    declare("softmax-regression", backbone=Part(("linear.",)))
    donor = train_run("softmax-regression", steps=3)
    spec = RunSpec.create("mlp", origin=donor.id, part="backbone", options={"hidden_sizes": [10]}, device="cpu")
    network = SeedState(spec).network
    best = best_weights(donor)
    assert torch.equal(network.layers[0].weight, best["linear.weight"])
    assert torch.equal(network.layers[0].bias, best["linear.bias"])
    with pytest.raises(UserError, match=r"layers\.0\.weight is 10x64 there, and 32x64 here"):
        SeedState(spec.with_options(options={}))


def test_weights_that_a_part_lacks_are_an_error_unless_it_may_be_partial(trained, declare, monkeypatch):
    whole, small = Part(("c1.", "c3.")), Part(("c1.",))
    own_parts, donor_parts = {"filters": whole}, {"filters": small}
    lenet, other = (
        models.info("lenet5-modern"),
        replace(models.info("lenet5-modern"), name="another", parts=donor_parts),
    )
    monkeypatch.setitem(registry._registry(), "another", other)
    monkeypatch.setitem(registry._registry(), "lenet5-modern", replace(lenet, parts=own_parts))
    weights, metadata = checkpoints.load(trained.folder / "best.safetensors")
    origin = str(trained.folder / "best.safetensors")
    checkpoints.write(trained.folder / "best.safetensors", weights, metadata | {"model": "another"})

    with pytest.raises(UserError, match=r"\(another\) doesn't fit .*: c3\.weight, c3\.bias are missing\."):
        begin(origin=origin, part="filters")
    own_parts["filters"] = replace(whole, partial=True)
    state = begin(origin=origin, part="filters")
    assert state.transferred == dict(
        source=origin, part="filters", loaded=2, missing=["c3.weight", "c3.bias"], left_over=[]
    )
    now, fresh = state.network.state_dict(), fresh_weights()
    assert all(torch.equal(now[name], weights[name] if name.startswith("c1.") else fresh[name]) for name in now)
    own_parts["filters"], donor_parts["filters"] = small, whole
    assert begin(origin=origin, part="filters").transferred["left_over"] == ["c3.bias", "c3.weight"]


def test_what_was_taken_over_is_in_the_first_event_and_in_the_overview(trained, declare):
    declare("lenet5-modern", filters=Part(("c1.", "c3.")))
    run = train_run("lenet5-modern", stopped_at=2, steps=4, batch_size=16, origin=trained.id, part="filters")
    start = run.reader().read(1)[0]
    expected = dict(source=trained.id, part="filters", loaded=4, missing=[], left_over=[])
    assert start["initial_weights"] == expected == overview(run)["initial_weights"]
    assert overview(trained)["initial_weights"] is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(part="backbone"), "weights of another run"),
        (dict(part="backbone", weights="w.pth", model="resnet18"), "weights of another run"),
        (dict(part="backbon", origin="a-0001"), "Did you mean 'backbone'"),
        (dict(part=3, origin="a-0001"), "part must be a name"),
    ],
)
def test_parts_that_mean_nothing_are_an_error(options, message):
    with pytest.raises(UserError, match=message):
        RunSpec.create(**{"model": "lenet5-modern", **options})


def test_a_part_that_the_other_network_lacks_is_an_error(trained, declare):
    declare("mlp", filters=Part(("layers.0.",)))
    with pytest.raises(UserError, match="Unknown part of lenet5-modern 'filters'"):
        SeedState(RunSpec.create("mlp", origin=trained.id, part="filters", device="cpu"))


@pytest.mark.parametrize(
    ("detector", "classifier"),
    [
        *(("rcnn", "alexnet"), ("fast-rcnn", "vgg16"), ("faster-rcnn", "vgg16"), ("rpn", "vgg16")),
        *(("faster-rcnn", "rpn"), ("faster-rcnn-r50-fpn", "resnet50"), ("classification-localization", "vgg16")),
    ],
)
def test_the_backbone_of_a_detector_is_that_of_its_classifier(detector, classifier):
    with torch.device("meta"):
        ours, theirs = (models.build(name).state_dict() for name in (detector, classifier))
    own, other = (
        {
            short: weights[name].shape
            for short, name in transfer._names(models.info(network).parts["backbone"], weights, is_cut=True).items()
        }
        for network, weights in ((detector, ours), (classifier, theirs))
    )
    counts = {name for name in other if name.endswith("num_batches_tracked")}  # fixed norms count no batches
    assert len(own) > 5 and own == {name: shape for name, shape in other.items() if name not in counts - own.keys()}


@pytest.mark.full
@pytest.mark.parametrize(("name", "theirs"), [("mobilenet-v1", "mobilenetv1_100"), ("vit-b16", "vit_base_patch16_224")])
def test_reference_names_are_those_of_timm(name, theirs):
    import timm

    with torch.device("meta"):
        theirs = timm.create_model(theirs)
    assert models.reference_names(name) == list(theirs.state_dict())


@cache
def published(name: str) -> nn.Module:
    import timm
    import torchvision

    torch.manual_seed(1)
    if models.info(name).reference == "timm":
        return timm.create_model("mobilenetv1_100", num_classes=7)
    return torchvision.models.get_model(name.replace("-", "_"), weights=None, num_classes=7)


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
@pytest.mark.parametrize(
    "name", by_tier(["resnet18", "mobilenet-v1", "mobilenet-v2", "densenet121", "efficientnet-b0"], fast={"resnet18"})
)
def test_with_published_weights_outputs_are_those_of_the_published_network(name, ending, tmp_path):
    theirs = published(name).eval()
    path = tmp_path / f"weights{ending}"
    if ending == ".pth":
        torch.save(theirs.state_dict(), path)
    else:  # whose tensors come in another order
        save_file(theirs.state_dict(), path)
    spec = RunSpec.create(model=name, preset="paper", weights=str(path))
    network = models.build(name, num_classes=7).eval()
    transfer.load_initial_weights(network, spec)
    image = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(network(image), theirs(image), rtol=1e-4, atol=1e-5)


def test_published_weights_of_other_classes_leave_the_head_fresh(tmp_path):
    theirs = published("resnet18").state_dict()
    torch.save({"state_dict": {f"module.{name}": value for name, value in theirs.items()}}, tmp_path / "wrapped.pth")
    network = models.build("resnet18", num_classes=5)
    head = network.fc.weight.clone()
    transfer.load_initial_weights(
        network, RunSpec.create(model="resnet18", preset="paper", weights=str(tmp_path / "wrapped.pth"))
    )
    assert torch.equal(network.fc.weight, head)
    assert torch.equal(network.layer4[1].conv2.weight, theirs["layer4.1.conv2.weight"])


@pytest.mark.full
def test_files_from_before_names_changed_are_read(tmp_path):
    """DenseNet's published file has a dot where a dot is no longer allowed, and counts no batches."""
    theirs = published("densenet121").state_dict()
    old = {
        name.replace(".norm1.", ".norm.1.").replace(".conv2.", ".conv.2."): value
        for name, value in theirs.items()
        if "num_batches" not in name
    }
    torch.save(OrderedDict(old), tmp_path / "old.pth")
    network = models.build("densenet121", num_classes=7)
    transfer.load_initial_weights(
        network, RunSpec.create(model="densenet121", preset="paper", weights=str(tmp_path / "old.pth"))
    )
    assert are_same({name: theirs[name] for name in theirs if "num_batches" not in name}, network.state_dict() | theirs)
    assert all(
        torch.equal(value, network.state_dict()[name]) for name, value in theirs.items() if "batches" not in name
    )


class Code:
    def __reduce__(self):
        return print, ("executed",)


def write_bad(kind, path):
    weights = published("resnet18").state_dict()
    match kind:
        case "code":
            path.write_bytes(pickle.dumps(Code(), protocol=2))
        case "code inside":
            torch.save({"fc.weight": Code()}, path)
        case "cut":
            torch.save(weights, path)
            path.write_bytes(path.read_bytes()[:1000])
        case "empty":
            path.write_bytes(b"")
        case "text":
            path.write_text("weights")
        case "a list":
            torch.save([1, 2], path)
        case "missing":
            torch.save({name: value for name, value in weights.items() if name != "layer1.0.conv1.weight"}, path)
        case "left over":
            torch.save(weights | {"extra.weight": torch.ones(1)}, path)
        case "another":
            torch.save(published("mobilenet-v2").state_dict(), path)
        case "shape":
            torch.save(weights | {"conv1.weight": torch.ones(64, 1, 7, 7)}, path)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("code", "never"),
        ("code inside", "never"),
        ("cut", "weights.pth"),
        ("empty", "weights.pth"),
        ("text", "weights.pth"),
        ("a list", "no state dict"),
        ("missing", "layer1.0.conv1.weight is missing"),
        ("left over", "extra.weight is left over"),
        ("another", "more are missing, and features.0.0.weight"),
        ("shape", "conv1.weight"),
        ("nothing", "There is no file"),
    ],
)
@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
def test_weights_that_do_not_fit_are_an_error_of_one_sentence(kind, message, ending, tmp_path, capsys):
    path = tmp_path / "weights.pth"
    write_bad(kind, path)
    if ending == ".safetensors":
        if kind not in ("cut", "empty", "text", "nothing"):
            return
        message = message.replace(".pth", ending)
        path = path.rename(path.with_suffix(ending)) if path.exists() else path.with_suffix(ending)
    with pytest.raises(UserError) as error:
        transfer.load_initial_weights(
            models.build("resnet18", num_classes=7), RunSpec.create(model="resnet18", preset="paper", weights=str(path))
        )
    assert message in str(error.value) and "\n" not in str(error.value)
    assert capsys.readouterr().out == ""  # nothing was executed


def test_weights_of_another_network_or_preset_are_an_error(trained, tmp_path):
    with pytest.raises(UserError, match="is a lenet5-modern, not a resnet18"):
        SeedState(RunSpec.create(model="resnet18", origin=trained.id))
    with pytest.raises(UserError, match="same preset"):
        SeedState(RunSpec.create(**LENET | dict(preset="paper", origin=trained.id)))
    with pytest.raises(UserError, match="Unknown run"):
        SeedState(RunSpec.create(**LENET, origin="lenet5-modern-9999"))
    save_file(published("resnet18").state_dict(), tmp_path / "theirs.safetensors")
    with pytest.raises(UserError, match="--weights"):
        SeedState(RunSpec.create(model="resnet18", origin=str(tmp_path / "theirs.safetensors")))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(freeze="backbone"), "Fresh weights can't be frozen"),
        (dict(layer_decay=0.5), "trained before"),
        (dict(origin="a-0001", weights="b.pth"), "not both"),
        (dict(origin="a-0001", freeze="backbone", layer_decay=0.5), "one layer"),
        (dict(origin="a-0001", freeze="head"), "backbone"),
        (dict(origin="a-0001", layer_decay=1.5), "1 at most"),
        (dict(weights="b.pth", model="lenet5-modern"), "by --from"),
    ],
)
def test_options_that_mean_nothing_are_an_error(options, message):
    with pytest.raises(UserError, match=message):
        RunSpec.create(**{"model": "resnet18"} | options)


class Bytes:
    """Thirty bytes of a pickle that become three billion in memory."""

    def __reduce__(self):
        return bytearray, (3 * 10**9,)


def old_file(objects):
    """Return a file as torch.save wrote it before 1.6, with these bytes as the pickle of its objects."""
    info = dict(protocol_version=1001, little_endian=True, type_sizes={})
    before = (torch.serialization.MAGIC_NUMBER, torch.serialization.PROTOCOL_VERSION, info)
    return b"".join(pickle.dumps(one, protocol=2) for one in before) + objects + pickle.dumps([], protocol=2)


@pytest.mark.parametrize("kind", ["packed", "overlapping", "bytes", "old bytes", "old lists"])
def test_a_small_file_that_becomes_large_in_memory_is_an_error_before_it_is_read(kind, tmp_path, monkeypatch):
    path = tmp_path / "weights.pth"
    if kind == "packed":
        with ZipFile(path, "w", ZIP_DEFLATED) as archive:
            archive.writestr("archive/data.pkl", bytes(10**7))
    elif kind == "overlapping":
        torch.save({"w": torch.zeros(1000)}, path)
        with ZipFile(path, "a") as archive:
            archive.filelist += archive.filelist * 3  # each entry four times in the directory
            archive._didModify = True
    elif kind == "bytes":
        torch.save({"w": Bytes()}, path)
    else:
        lists = b"\x80\x02(" + b"]" * 1_100_000 + b"l."
        path.write_bytes(old_file(lists if kind == "old lists" else pickle.dumps({"w": Bytes()}, protocol=2)))
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(UserError, match=r"weights\.pth (is compressed|holds more than weights)") as error:
        transfer.read(path)
    assert "\n" not in str(error.value)


BOMB = """
import resource, sys
from pathlib import Path
from workbench.engine import transfer
from workbench.errors import UserError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    transfer.read(Path(sys.argv[1]))
except UserError as error:
    print(error)
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * (1 if sys.platform == "darwin" else 1024)
assert grown < 50_000_000, grown
"""


@pytest.mark.full
@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell the largest memory")
def test_two_gigabytes_of_zeros_in_two_megabytes_take_no_memory(tmp_path):
    path = tmp_path / "weights.pth"
    with ZipFile(path, "w", ZIP_DEFLATED) as archive, archive.open("archive/data.pkl", "w", force_zip64=True) as entry:
        for _ in range(200):
            entry.write(bytes(10**7))
    assert path.stat().st_size < 3_000_000
    output = subprocess.run([sys.executable, "-P", "-c", BOMB, path], capture_output=True, text=True, timeout=PATIENCE)
    assert output.returncode == 0 and output.stdout.count("\n") == 1, output.stderr
    assert "is compressed, which torch.save never does" in output.stdout


def test_a_tensor_that_repeats_a_few_numbers_is_an_error(tmp_path):
    torch.save({"w": torch.zeros(1, 1).expand(10**9, 512)}, tmp_path / "weights.pth")
    with pytest.raises(UserError, match="w as a few numbers, repeated"):
        transfer.read(tmp_path / "weights.pth")


def test_a_file_in_the_old_format_is_read(tmp_path):
    torch.save({"w": torch.arange(3.0)}, tmp_path / "w.pth", _use_new_zipfile_serialization=False)
    assert torch.equal(transfer.read(tmp_path / "w.pth")["w"], torch.arange(3.0))


def test_a_header_longer_than_its_file_is_an_error(tmp_path):
    path = tmp_path / "w.safetensors"
    path.write_bytes((2**60).to_bytes(8, "little") + b"{}" * 100)
    for read in (transfer.read, checkpoints.load, header):
        with pytest.raises(UserError, match=r"w\.safetensors"):
            read(path)


def test_a_run_whose_best_checkpoint_is_damaged_gives_the_weights_of_its_last_and_says_so(trained):
    best = trained.folder / "best.safetensors"
    content = bytearray(best.read_bytes())
    content[-3] ^= 1
    best.write_bytes(content)
    last, _ = checkpoints.load(trained.folder / "last.safetensors")
    for part in (None, "backbone"):
        state = begin(origin=trained.id, part=part)
        assert torch.equal(state.network.state_dict()["c1.weight"], last["c1.weight"])
        reason = state.transferred["reason"]
        assert reason.startswith("The best checkpoint can't be used (its checksum is wrong), so the last")
    with pytest.raises(UserError, match="is damaged"):  # a file that is named is used itself, or not at all
        begin(origin=str(best))
