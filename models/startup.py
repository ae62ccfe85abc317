"""A faster start of processes that use torch without compiling anything."""

import sys
from types import ModuleType
from typing import Any

COMPILER = "torch._dynamo"


def skip_compiler() -> None:
    """Keep torch from importing its compiler in this process, from now on.

    Torch marks its optimizers, and its kernels for meta tensors, as code that must not be compiled, and imports the
    compiler for that: longer than importing torch itself. Where nothing is compiled, a stand-in with the functions
    that they call is enough: `disable` returns the function as it is, and `graph_break` does nothing. torchvision asks
    whether it could compile: it can't. If the compiler was imported before, nothing happens.
    """
    if COMPILER in sys.modules:
        return
    import torch

    stand_in: Any = ModuleType(COMPILER)
    stand_in.disable = lambda function=None, *_, **__: function if function else lambda other: other
    stand_in.graph_break = lambda *_, **__: None
    stand_in.__path__ = []  # a package, of which torchvision imports `utils`
    stand_in.utils = ModuleType(f"{COMPILER}.utils")
    stand_in.utils.is_compile_supported = lambda device_type: False
    sys.modules[COMPILER] = torch._dynamo = stand_in
    sys.modules[f"{COMPILER}.utils"] = stand_in.utils


def restore_compiler() -> None:
    """Undo `skip_compiler`: the next use of torch's compiler imports it. If it was not skipped, nothing happens."""
    import torch

    if hasattr(sys.modules.get(COMPILER), "__file__") or COMPILER not in sys.modules:
        return
    for name in (COMPILER, f"{COMPILER}.utils"):
        sys.modules.pop(name, None)
    del torch._dynamo
