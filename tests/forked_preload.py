"""What the server of forked workers has done before any of them: all imports, those of a first step of training too."""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import torch

import workbench.engine.autograd
import workbench.engine.inside
import workbench.engine.loop
import workbench.engine.predict  # noqa: F401
from workbench import tasks

torch.set_num_threads(1)
tasks.get("digits").floor(0)
weight = torch.zeros(1, requires_grad=True)
weight.grad = torch.ones(1)  # by hand: after a backward pass autograd can't be used in a fork
torch.optim.Adam([weight], fused=True).step()
