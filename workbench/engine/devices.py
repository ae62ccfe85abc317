"""The device of a run: its availability, its limits, and its random number generators."""

import os
import shutil

import torch

from workbench.errors import UserError


def available(device: str) -> torch.device:
    """Return the device with a name; for `auto`, the fastest kind that is available.

    Raises:
        UserError: If this machine does not have it.
    """
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if device == "auto":
        return torch.device("cuda" if cuda else "mps" if mps else "cpu")
    kind, _, index = device.partition(":")
    is_available = {"cpu": True, "mps": mps, "cuda": cuda and int(index or 0) < torch.cuda.device_count()}
    if not is_available[kind]:
        raise UserError(f"There is no device {device} here: use --device auto, or cpu.")
    return torch.device(device)


def check(device: torch.device, bf16: bool, compile: bool) -> None:
    """Check that a device can do what a spec asks for.

    Raises:
        UserError: If it can't compute in bfloat16, or nothing here can compile for it.
    """
    if bf16 and not (device.type == "cpu" or (device.type == "cuda" and torch.cuda.is_bf16_supported())):
        raise UserError(f"{device} doesn't compute in bfloat16: leave --bf16 out.")
    compilers = (os.environ.get("CXX"), "g++", "clang++", "cl")
    if compile and device.type == "cpu" and not any(name and shutil.which(name) for name in compilers):
        raise UserError("There is no C++ compiler here, which --compile needs: install g++, or leave it out.")
    if compile and device.type == "mps":
        raise UserError("--compile is for cpu and cuda: leave it out.")


def rng_state(device: torch.device) -> dict[str, torch.Tensor]:
    """Return the states of torch's random number generators that a run draws from."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        states["mps"] = torch.mps.get_rng_state()
    return states


def set_rng_state(device: torch.device, states: dict[str, torch.Tensor]) -> None:
    """Set the generators to states that `rng_state` returned; those of another kind of device are ignored."""
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
    elif device.type == "mps" and "mps" in states:
        torch.mps.set_rng_state(states["mps"])
