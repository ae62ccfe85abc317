"""What a network begins with: a run's weights, or published ones; what is frozen, and how fast each layer goes."""

import pickle
from collections import OrderedDict
from functools import cache
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import models
from tests.networks import by_tier
from workbench.engine import RunSpec, checkpoints, runs, transfer
from workbench.engine.learner import Learner
from workbench.engine.loop import Fit
from workbench.engine.resume import header
from workbench.errors import UserError

LENET = dict(model="lenet5-modern", device="cpu", steps=3, batch_size=16)


@pytest.fixture
def learnt(home):
    """A run of three steps with its best checkpoint."""
    run = runs.create(RunSpec(**LENET))
    fit = Fit(run.spec, folder=run.folder)
    list(fit.run())
    return run


def same(a, b):
    return all(torch.equal(a[name], b[name]) for name in a)


def test_a_network_begins_with_the_best_weights_of_a_run(learnt):
    best, _ = checkpoints.load(learnt.folder / "best.safetensors")
    for origin in (learnt.id, str(learnt.folder / "best.safetensors")):
        assert same(best, Learner(RunSpec(**LENET, origin=origin)).network.state_dict())


def test_a_head_of_another_size_stays_fresh(learnt, tmp_path):
    best, _ = checkpoints.load(learnt.folder / "best.safetensors")
    spec = RunSpec(**LENET | dict(origin=learnt.id, options={"num_classes": 12}))
    torch.manual_seed(spec.seed)
    fresh = models.build("lenet5-modern", preset="mini", num_classes=12).state_dict()
    now = Learner(spec).network.state_dict()
    head = [name for name in now if now[name].shape != best[name].shape]
    assert len(head) == 2
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
def test_a_frozen_backbone_stays_as_it_came_and_the_head_learns(model, preset, home):
    spec = RunSpec(model=model, preset=preset, device="cpu", steps=4, batch_size=16, optimizer="momentum")
    run = runs.create(spec)
    list(Fit(spec, folder=run.folder).run())
    frozen = RunSpec(**{**spec.__dict__, "origin": run.id, "freeze": "backbone", "seed": 1})
    fit = Fit(frozen)
    before = checkpoints.snapshot(fit.network)
    *_, end = fit.run()
    after = fit.network.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    last = [name for name, layer in fit.network.named_modules() if isinstance(layer, nn.Linear)][-1]
    assert changed == {f"{last}.weight", f"{last}.bias"}  # neither another weight nor a norm's statistics
    assert end["status"] == "done"


def test_how_many_are_trained_is_told(learnt):
    start = next(Fit(RunSpec(**LENET, origin=learnt.id, freeze="backbone")).run())
    head = transfer.head(models.build("lenet5-modern", preset="mini"))
    assert start["trainable"] == sum(weight.numel() for weight in head.parameters())
    assert next(Fit(RunSpec(**LENET)).run())["trainable"] == start["params"]


def test_each_layer_learns_so_much_as_fast_as_the_next(learnt):
    """Of plain gradient descent, the first update of a layer is its share of what it would be at the full rate."""
    plain = RunSpec(**LENET, origin=learnt.id, optimizer="sgd", lr=0.1)
    moved = []
    for spec in (plain, RunSpec(**{**plain.__dict__, "layer_decay": 0.5})):
        learner = Learner(spec)
        before = [weight.detach().clone() for weight in learner.network.parameters()]
        learner.update(next(iter(learner.order)))
        moved.append([weight.detach() - old for weight, old in zip(learner.network.parameters(), before, strict=True)])
    layers = len(moved[0]) // 2  # each a weight and a bias
    for place, (full, part) in enumerate(zip(*moved, strict=True)):
        torch.testing.assert_close(part, full * 0.5 ** (layers - 1 - place // 2), rtol=1e-4, atol=1e-8)


def test_a_schedule_keeps_the_layers_shares(learnt):
    learner = Learner(RunSpec(**LENET, origin=learnt.id, layer_decay=0.5))
    learner.set_rate(0.08)
    assert [group["lr"] for group in learner.optimizer.param_groups][-3:] == pytest.approx([0.02, 0.04, 0.08])


def test_a_run_that_is_taken_up_again_needs_its_origin_no_more(learnt):
    spec = RunSpec(**LENET, origin=learnt.id, layer_decay=0.5, seed=2)
    straight = Fit(spec)
    list(straight.run())
    run = runs.create(spec)
    short = Fit(spec, folder=run.folder, stopped=lambda: short.step == 2)
    list(short.run())
    learnt.remove()
    again = Fit(spec, folder=run.folder, resume=True)
    list(again.run())
    assert same(straight.network.state_dict(), again.network.state_dict())


@pytest.mark.full
@pytest.mark.parametrize("name", [name for name in models.names() if models.info(name).reference == "timm"])
def test_the_names_that_timm_gives(name):
    import timm

    with torch.device("meta"):
        theirs = timm.create_model({"mobilenet-v1": "mobilenetv1_100"}[name])
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
def test_published_weights_say_what_their_own_network_says(name, ending, tmp_path):
    theirs = published(name).eval()
    path = tmp_path / f"weights{ending}"
    if ending == ".pth":
        torch.save(theirs.state_dict(), path)
    else:  # whose tensors come in another order
        save_file(theirs.state_dict(), path)
    spec = RunSpec(model=name, preset="paper", weights=str(path))
    network = models.build(name, num_classes=7).eval()
    transfer.begin(network, spec)
    picture = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(network(picture), theirs(picture), rtol=1e-4, atol=1e-5)


def test_published_weights_of_other_classes_leave_the_head_fresh(tmp_path):
    theirs = published("resnet18").state_dict()
    torch.save({"state_dict": {f"module.{name}": value for name, value in theirs.items()}}, tmp_path / "wrapped.pth")
    network = models.build("resnet18", num_classes=5)
    head = network.fc.weight.clone()
    transfer.begin(network, RunSpec(model="resnet18", preset="paper", weights=str(tmp_path / "wrapped.pth")))
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
    transfer.begin(network, RunSpec(model="densenet121", preset="paper", weights=str(tmp_path / "old.pth")))
    assert same({name: theirs[name] for name in theirs if "num_batches" not in name}, network.state_dict() | theirs)
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
    ("kind", "said"),
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
def test_weights_that_do_not_fit_are_refused_in_a_sentence(kind, said, ending, tmp_path, capsys):
    path = tmp_path / "weights.pth"
    write_bad(kind, path)
    if ending == ".safetensors":
        if kind not in ("cut", "empty", "text", "nothing"):
            return
        said = said.replace(".pth", ending)
        path = path.rename(path.with_suffix(ending)) if path.exists() else path.with_suffix(ending)
    with pytest.raises(UserError) as refusal:
        transfer.begin(
            models.build("resnet18", num_classes=7), RunSpec(model="resnet18", preset="paper", weights=str(path))
        )
    assert said in str(refusal.value) and "\n" not in str(refusal.value)
    assert capsys.readouterr().out == ""  # nothing was executed


def test_weights_of_another_network_or_preset_are_refused(learnt, tmp_path):
    with pytest.raises(UserError, match="is a lenet5-modern, not a resnet18"):
        Learner(RunSpec(model="resnet18", origin=learnt.id))
    with pytest.raises(UserError, match="same preset"):
        Learner(RunSpec(**LENET | dict(preset="paper", origin=learnt.id)))
    with pytest.raises(UserError, match="Unknown run"):
        Learner(RunSpec(**LENET, origin="lenet5-modern-9999"))
    save_file(published("resnet18").state_dict(), tmp_path / "theirs.safetensors")
    with pytest.raises(UserError, match="--weights"):
        Learner(RunSpec(model="resnet18", origin=str(tmp_path / "theirs.safetensors")))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (dict(freeze="backbone"), "Fresh weights can't be frozen"),
        (dict(layer_decay=0.5), "learnt before"),
        (dict(origin="a-0001", weights="b.pth"), "not both"),
        (dict(origin="a-0001", freeze="backbone", layer_decay=0.5), "one layer"),
        (dict(origin="a-0001", freeze="head"), "backbone"),
        (dict(origin="a-0001", layer_decay=1.5), "1 at most"),
        (dict(weights="b.pth", model="lenet5-modern"), "by --from"),
    ],
)
def test_orders_that_mean_nothing_are_refused(given, said):
    with pytest.raises(UserError, match=said):
        RunSpec(**{"model": "resnet18"} | given)


class Bytes:
    """Thirty bytes of a pickle that become three billion in memory."""

    def __reduce__(self):
        return bytearray, (3 * 10**9,)


def old(objects):
    """A file as torch.save wrote it before 1.6, with these bytes as the pickle of its objects."""
    info = dict(protocol_version=1001, little_endian=True, type_sizes={})
    before = (torch.serialization.MAGIC_NUMBER, torch.serialization.PROTOCOL_VERSION, info)
    return b"".join(pickle.dumps(one, protocol=2) for one in before) + objects + pickle.dumps([], protocol=2)


@pytest.mark.parametrize("kind", ["packed", "overlapping", "bytes", "old bytes", "old lists"])
def test_a_small_file_that_becomes_large_in_memory_is_refused_before_it_is_read(kind, tmp_path, monkeypatch):
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
        path.write_bytes(old(lists if kind == "old lists" else pickle.dumps({"w": Bytes()}, protocol=2)))
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(UserError, match=r"weights\.pth (is compressed|holds more than weights)") as refusal:
        transfer.read(path)
    assert "\n" not in str(refusal.value)


def test_a_tensor_that_repeats_a_few_numbers_is_refused(tmp_path):
    torch.save({"w": torch.zeros(1, 1).expand(10**9, 512)}, tmp_path / "weights.pth")
    with pytest.raises(UserError, match="w as a few numbers, repeated"):
        transfer.read(tmp_path / "weights.pth")


def test_a_file_of_before_is_read(tmp_path):
    torch.save({"w": torch.arange(3.0)}, tmp_path / "w.pth", _use_new_zipfile_serialization=False)
    assert torch.equal(transfer.read(tmp_path / "w.pth")["w"], torch.arange(3.0))


def test_a_header_longer_than_its_file_is_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    path.write_bytes((2**60).to_bytes(8, "little") + b"{}" * 100)
    for read in (transfer.read, checkpoints.load, header):
        with pytest.raises(UserError, match=r"w\.safetensors"):
            read(path)
