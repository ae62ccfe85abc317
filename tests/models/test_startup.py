"""Training without torch's compiler: nothing of it is imported, and every optimizer's weights are the same bit for bit.

It fails if a new torch imports its compiler in another way, or asks more of it than the stand-in has.
"""

import subprocess
import sys

import pytest

CODE = """
import sys, torch
{start}
from torch import nn
torch.set_num_threads(1)
torch.manual_seed(0)
x, y = torch.randn(64, 9), torch.randn(64, 2)
fused = {{"fused": True}}
for kind, options in (
    ("SGD", {{"momentum": 0.9, **fused}}), ("Adam", fused), ("AdamW", fused), ("Adagrad", fused), ("RMSprop", {{}})
):
    torch.manual_seed(1)
    network = nn.Sequential(nn.Linear(9, 8), nn.Tanh(), nn.Linear(8, 2))
    optimizer = getattr(torch.optim, kind)(network.parameters(), lr=0.01, **options)
    for _ in range(5):
        optimizer.zero_grad()
        nn.functional.mse_loss(network(x), y).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 0.5)
        optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())
    print(kind, [weight.tolist() for weight in network.parameters()])
print(sorted({{"sympy", "triton", "torch._inductor", "torch._dynamo.eval_frame"}} & set(sys.modules)))
"""


def run(start: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", CODE.format(start=start)], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.full
def test_optimizers_without_the_compiler_are_torchs_own():
    *weights, modules = run("from models.startup import skip_compiler; skip_compiler()")
    *expected, with_compiler = run("")
    assert modules == "[]" and "torch._dynamo.eval_frame" in with_compiler
    assert weights == expected and len(weights) == 5


def test_the_compiler_is_restored_for_exports():
    code = """
import torch
from models.startup import restore_compiler, skip_compiler
restore_compiler()
skip_compiler()
torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], fused=True)
import torchvision
restore_compiler()
restore_compiler()
batch = torch.export.Dim("batch")
program = torch.export.export(torch.nn.Linear(3, 2), (torch.zeros(2, 3),), dynamic_shapes=({0: batch},))
print(tuple(program.module()(torch.zeros(5, 3)).shape))
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "(5, 2)\n", result.stderr
