"""Runs on a device that has no float64, as Apple's GPUs, and whose numbers have to be brought to the CPU.

No such device is needed: tensors that were moved there are of a class of their own, which rejects what it would reject.
"""

import json

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

from workbench import data, tasks
from workbench.engine import RunSpec, devices
from workbench.engine.training.state import preserved_rng
from workbench.engine.training.trainer import SeedRun, Trainer

MPS = torch.device("mps")
LEAVES = (Tensor.tolist, Tensor.item, Tensor.__float__, Tensor.__int__, Tensor.__bool__)
BOTH = (Tensor.to, Tensor.copy_, torch._has_compatible_shallow_copy_type)  # may be given tensors of both devices


class OnDevice(Tensor):
    """A tensor on the device."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func in (Tensor.numpy, Tensor.__array__):
            raise TypeError("can't convert mps:0 device type tensor to numpy: use Tensor.cpu()")
        given = [value for value in tree_leaves((args, kwargs)) if isinstance(value, Tensor)]
        with torch._C.DisableTorchFunctionSubclass():
            if func == Tensor.device.__get__:
                return MPS
            if func is Tensor.cpu or (func is Tensor.to and device_of(args[1:], kwargs) == torch.device("cpu")):
                return func(*args, **kwargs).as_subclass(Tensor)
            if func not in BOTH and any(not isinstance(value, OnDevice) and value.dim() for value in given):
                raise RuntimeError(f"{func.__name__}: expected all tensors to be on the same device, but not all are")
            result = func(*args, **kwargs)
            return on_device(list(result) if func is Tensor.__iter__ else result) if func not in LEAVES else result

    def __deepcopy__(self, memo):
        return memo.setdefault(id(self), self.detach().clone().requires_grad_(self.requires_grad))


class Machine(TorchFunctionMode):
    """What is moved to the device, or made there, is on it."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is Tensor.to and device_of(args[1:], kwargs) == MPS:
            _, dtype, _, memory_format = torch._C._nn._parse_to(*args[1:], **kwargs)
            changes = {"dtype": dtype or args[0].dtype, "memory_format": memory_format or torch.preserve_format}
            return on_device(args[0].to("cpu", **changes))
        if kwargs.get("device") is not None and torch.device(kwargs["device"]) == MPS:
            return on_device(func(*args, **{**kwargs, "device": "cpu"}))
        return func(*args, **kwargs)


def device_of(args, kwargs):
    """The device that `Tensor.to` is given, if it is given one."""
    return None if args and isinstance(args[0], Tensor) else torch._C._nn._parse_to(*args, **kwargs)[0]


def on_device(result):
    """All tensors in it, refused where they are float64."""

    def put(value):
        if not isinstance(value, Tensor):
            return value
        if value.dtype in (torch.float64, torch.complex128):
            raise TypeError(
                "Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64."
            )
        return value if isinstance(value, OnDevice) else value.as_subclass(OnDevice)

    return tree_map(put, result)


@pytest.fixture
def machine(monkeypatch):
    import torch._dynamo  # the optimizers import it, and it can't be while a mode looks at every function

    monkeypatch.setattr(devices, "available", torch.device)
    monkeypatch.setattr(torch.mps, "get_rng_state", lambda: torch.get_rng_state())
    monkeypatch.setattr(torch.mps, "set_rng_state", lambda state: torch.set_rng_state(state))
    torch.__future__.set_overwrite_module_params_on_conversion(True)  # so that a parameter becomes one on the device
    with Machine():
        yield
    torch.__future__.set_overwrite_module_params_on_conversion(False)


def test_the_device_has_no_float64(machine):
    moved = torch.ones(2, 3).to(MPS)
    for wrong in (Tensor.double, lambda one: one.to(torch.float64), lambda one: next(iter(one)).double()):
        with pytest.raises(TypeError, match="float64"):
            wrong(moved)
        wrong(moved.cpu())
    with pytest.raises(RuntimeError, match="same device"):
        moved + torch.ones(2, 3)
    with pytest.raises(TypeError, match="numpy"):
        moved.numpy()
    with pytest.raises(TypeError, match="float64"):
        torch.ones(3, dtype=torch.float64).to(MPS)
    assert (moved.new_zeros(2).device, torch.zeros(2, device=MPS).device) == (MPS, MPS)
    assert moved.sum().item() == 6


def random_splits(name, seed):
    """Return a few random samples, shaped like those of a dataset."""
    dataset, rng = data.info(name), np.random.default_rng(seed)
    splits = {}
    for split, count in {"train": 64, "validation": 24, "test": 24}.items():
        images = rng.integers(0, 256, (count, *dataset.shape), dtype=np.uint8)
        numbers = rng.normal(size=(count, *dataset.shape))
        targets = np.arange(count) % len(dataset.classes) if dataset.classes else rng.normal(170, 10, count)
        splits[split] = (images if len(dataset.shape) == 3 else numbers, targets)
    return splits


def is_simple(name):
    """Return whether a task's data are inputs with one target each, of which random ones can be made."""
    info = tasks.info(name)
    has_vector = info.outputs.keys() <= {"logits", "value"} and all(len(one.dims) == 1 for one in info.outputs.values())
    return [*info.inputs] in (["image"], ["features"]) and has_vector


def numbers_of(spec, folder, **more):
    """Train, and return the numbers of the events, and the visualizations."""
    visualizations = []
    folder.mkdir(exist_ok=True)
    run = SeedRun(spec, folder=folder, show=visualizations.extend, **more)
    events = [{key: event[key] for key in ("event", "step", "metrics")} for event in Trainer([run]).run()]
    classes = {type(weight) for weight in run.state.network.parameters()}
    assert classes == {OnDevice if spec.runtime.device == "mps" else nn.Parameter}
    return events, json.loads(json.dumps(visualizations, allow_nan=False))


@pytest.mark.parametrize("name", [name for name in tasks.names() if is_simple(name)])
def test_every_task_trains_there_as_on_the_cpu(machine, tmp_path, monkeypatch, name):
    monkeypatch.setattr(data, "load", random_splits)
    has_images = "image" in tasks.info(name).inputs
    more = dict(augment={"shift": 1, "noise": 0.1}) if has_images else dict(clip_norm=1.0, l1=1e-4, init="he")
    spec = dict(model="lenet5-modern" if has_images else "mlp", task=name, steps=4, batch_size=16, **more)
    events, visualizations = numbers_of(RunSpec.create(**spec, device="mps"), tmp_path)
    same, expected = numbers_of(RunSpec.create(**spec, device="cpu"), tmp_path / "cpu")
    assert [event["event"] for event in events].count("eval") == 3
    assert {"sample"} < {visualization["kind"] for visualization in visualizations}
    # Filters with their channels innermost, as on the CPU alone, are summed in another order.
    close = [
        pytest.approx(value, rel=1e-3, abs=2e-3) if isinstance(value, float) else value
        for value in tree_leaves([same, expected])
    ]
    assert tree_leaves([events, visualizations]) == close
    resumed, _ = numbers_of(RunSpec.create(**spec | {"steps": 8}, device="mps"), tmp_path, resume=True)
    assert (resumed[0]["step"], resumed[-1]["step"]) == (4, 8)


@pytest.mark.parametrize(
    "options",
    [
        {"ema": 0.9, "schedule": "one-cycle"},
        {"accumulate": 2, "label_smoothing": 0.1, "decay_on": "weights", "weight_decay": 0.1},
        {"class_weights": True, "batch_norm": True, "dropout": 0.2},
    ],
    ids=lambda options: "-".join(options),
)
def test_every_option_works_there(machine, tmp_path, options):
    spec = RunSpec.create("mlp", task="moons", steps=4, batch_size=16, device="mps", **options)
    events, _ = numbers_of(spec, tmp_path)
    assert all(np.isfinite(value) for event in events for value in event["metrics"].values())
    resumed, _ = numbers_of(RunSpec.from_json(spec.to_json()), tmp_path, resume=True)
    assert resumed[-1]["step"] == 4


def test_a_frozen_backbone_works_there(machine, tmp_path):
    spec = RunSpec.create("mlp", task="moons", steps=4, device="cpu")
    numbers_of(spec, tmp_path)
    options = dict(origin=str(tmp_path / "best.safetensors"), freeze="backbone", device="mps")
    events, _ = numbers_of(spec.with_options(**options), tmp_path / "frozen")
    assert events[-1]["metrics"]["loss"] > 0


def test_preserved_random_numbers_are_the_devices_own(machine, monkeypatch):
    generator = torch.Generator().manual_seed(0)
    monkeypatch.setattr(torch.mps, "get_rng_state", lambda: generator.get_state())
    monkeypatch.setattr(torch.mps, "set_rng_state", lambda state: generator.set_state(state))
    before = generator.get_state()
    with preserved_rng(MPS):
        torch.rand(3, generator=generator)
    assert torch.equal(generator.get_state(), before)
