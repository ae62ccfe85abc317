"""Runs on a device that has no float64, as Apple's GPUs, and whose numbers have to be brought to the CPU.

No such device is needed: tensors that were moved there are of a class of their own, which refuses what it would refuse.
"""

import json

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map
from workbench.engine.learner import Learner
from workbench.engine.loop import Fit

from workbench import data, tasks
from workbench.engine import RunSpec, devices

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


def stand_in(name, seed):
    """A few random samples, shaped as those of the data set are."""
    known, rng = data.info(name), np.random.default_rng(seed)
    parts = {}
    for part, count in {"train": 64, "validation": 24, "test": 24}.items():
        pictures = rng.integers(0, 256, (count, *known.shape), dtype=np.uint8)
        numbers = rng.normal(size=(count, *known.shape))
        targets = np.arange(count) % len(known.classes) if known.classes else rng.normal(170, 10, count)
        parts[part] = (pictures if len(known.shape) == 3 else numbers, targets)
    return parts


def run(spec, folder, **more):
    shown = []
    folder.mkdir(exist_ok=True)
    fit = Fit(spec, folder=folder, show=shown.extend, **more)
    events = [{key: event[key] for key in ("event", "step", "metrics")} for event in fit.run()]
    assert {type(weight) for weight in fit.network.parameters()} == {OnDevice if spec.device == "mps" else nn.Parameter}
    return events, json.loads(json.dumps(shown, allow_nan=False))


@pytest.mark.parametrize("name", tasks.names())
def test_every_task_trains_there_as_on_the_cpu(machine, tmp_path, monkeypatch, name):
    monkeypatch.setattr(data, "load", stand_in)
    pictured = len(tasks.info(name).inputs) == 3
    more = dict(augment={"shift": 1, "noise": 0.1}) if pictured else dict(clip_norm=1.0, l1=1e-4, init="he")
    spec = dict(model="lenet5-modern" if pictured else "mlp", task=name, steps=4, batch_size=16, **more)
    events, pictures = run(RunSpec(**spec, device="mps"), tmp_path)
    same, expected = run(RunSpec(**spec, device="cpu"), tmp_path / "cpu")
    assert [event["event"] for event in events].count("eval") == 3
    assert {"sample"} < {picture["picture"] for picture in pictures}
    # Filters with their channels innermost, as on the CPU alone, add up in another order.
    close = [
        value if isinstance(value, str) else pytest.approx(value, rel=1e-3, abs=2e-3)
        for value in tree_leaves([same, expected])
    ]
    assert tree_leaves([events, pictures]) == close
    again, _ = run(RunSpec(**spec | {"steps": 8}, device="mps"), tmp_path, resume=True)
    assert (again[0]["step"], again[-1]["step"]) == (4, 8)


def test_what_is_done_aside_leaves_the_devices_own_random_numbers_as_they_were(machine, monkeypatch):
    generator = torch.Generator().manual_seed(0)
    monkeypatch.setattr(torch.mps, "get_rng_state", lambda: generator.get_state())
    monkeypatch.setattr(torch.mps, "set_rng_state", lambda state: generator.set_state(state))
    learner = Learner(RunSpec("mlp", task="moons", device="mps"))
    before = generator.get_state()
    learner.aside(lambda: torch.rand(3, generator=generator))
    assert torch.equal(generator.get_state(), before)
