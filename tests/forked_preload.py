"""Imports of the process that workers are forked from, including those that a first training step triggers."""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import torch

import workbench.engine.autograd
import workbench.engine.interpret.receptive_field
import workbench.engine.training.trainer  # noqa: F401
from workbench import tasks

torch.set_num_threads(1)
tasks.get("digits").compute_baseline(0)
weight = torch.zeros(1, requires_grad=True)
weight.grad = torch.ones(1)  # not by a backward pass, after which autograd can't be used in a fork
torch.optim.Adam([weight], fused=True).step()
