"""Where a run computes: the device, and what can be done on it."""

import os
import shutil

import torch

from workbench.errors import UserError


def available(device: str) -> torch.device:
    """The device of that name; for `auto` the fastest kind there is.

    Raises:
        UserError: This machine hasn't got it.
    """
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if device == "auto":
        return torch.device("cuda" if cuda else "mps" if mps else "cpu")
    kind, _, index = device.partition(":")
    there = {"cpu": True, "mps": mps, "cuda": cuda and int(index or 0) < torch.cuda.device_count()}
    if not there[kind]:
        raise UserError(f"There is no device {device} here: use --device auto, or cpu.")
    return torch.device(device)


def check(device: torch.device, bf16: bool, compile: bool) -> None:
    """Refuse what this device can't do.

    Raises:
        UserError: It can't compute in bfloat16, or nothing here can compile for it.
    """
    if bf16 and not (device.type == "cpu" or (device.type == "cuda" and torch.cuda.is_bf16_supported())):
        raise UserError(f"{device} doesn't compute in bfloat16: leave --bf16 out.")
    compilers = (os.environ.get("CXX"), "g++", "clang++", "cl")
    if compile and device.type == "cpu" and not any(name and shutil.which(name) for name in compilers):
        raise UserError("There is no C++ compiler here, which --compile needs: install g++, or leave it out.")
    if compile and device.type == "mps":
        raise UserError("--compile is for cpu and cuda: leave it out.")


def chance(device: torch.device) -> dict[str, torch.Tensor]:
    """The states of the random generators that a run draws from."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        states["mps"] = torch.mps.get_rng_state()
    return states


def restore_chance(device: torch.device, states: dict[str, torch.Tensor]) -> None:
    """Set the generators as `chance` found them; those of another kind of device are passed over."""
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
    elif device.type == "mps" and "mps" in states:
        torch.mps.set_rng_state(states["mps"])
