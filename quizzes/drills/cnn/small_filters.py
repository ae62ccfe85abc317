"""Stacks of 3 x 3 filters."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.cnn_costs import SMALL_FILTERS


@drill(
    SMALL_FILTERS,
    id="stack-3x3-vs-5x5",
    tier=2,
    asks="r W B q",
    decimals=2,
    prompt="{L} convolutions of 3 x 3 follow one another, all at stride 1 with {C} channels in and out. Find the side "
    "r of their receptive field and their weights W together; then the weights B of a single layer of r x r filters "
    "with {C} channels in and out, and how many per cent of B the stack saves (q). No biases anywhere.",
    hint="Each 3 x 3 layer lets the field grow by one pixel on every side.",
)
def stack_3x3_vs_5x5(rng: Random) -> dict[str, Any]:
    """A stack of 3 x 3 against one large filter"""
    return dict(L=rng.choice([2, 2, 3, 3, 4, 5]), C=rng.choice([8, 16, 24, 32, 48, 64, 96, 128, 256, 512]))


stack_3x3_vs_5x5.mistake(
    "three-a-layer", "r = 3*L", "Neighbouring windows overlap: each further layer adds only 2 pixels, so r = 2L + 1."
)
stack_3x3_vs_5x5.mistake("no-centre", "r = 2*L", "The first pixel is there before any layer: r = 2L + 1.")
stack_3x3_vs_5x5.mistake("one-layer", "W = 9*C^2", "Every layer of the stack has its own weights: times L.")
stack_3x3_vs_5x5.mistake(
    "stack-channels-once", "W = 9*L*C", "Each of the C filters of a layer reaches through C channels: C^2 a layer."
)
stack_3x3_vs_5x5.mistake(
    "large-channels-once", "B = r^2*C", "Each of the C filters reaches through C channels: r^2 C^2 weights."
)
stack_3x3_vs_5x5.mistake("stack-biases", "W = 9*L*C^2 + L*C", "Biases are left out here, in both.")
stack_3x3_vs_5x5.mistake("large-biases", "B = r^2*C^2 + C", "Biases are left out here, in both.")
stack_3x3_vs_5x5.mistake(
    "share-that-stays", "q = 100*W/B", "That is the share that the stack still has; saved is what is missing to 100."
)
stack_3x3_vs_5x5.mistake(
    "of-the-stack", "q = 100*(B/W - 1)", "What is saved is measured against the single large layer: (B - W)/B."
)
stack_3x3_vs_5x5.torch(
    """
small = [torch.nn.Conv2d(C, C, 3, bias=False, device="meta") for _ in range(L)]
x = torch.zeros(1, 1, 101, 101, requires_grad=True)
y = x
for _ in range(L):
    y = F.conv2d(y, torch.ones(1, 1, 3, 3))
seen, = torch.autograd.grad(y[0, 0, 40, 40], x)
r = int(seen.any(dim=-1).sum())
large = torch.nn.Conv2d(C, C, r, bias=False, device="meta")
W, B = sum(layer.weight.numel() for layer in small), large.weight.numel()
q = 100 - 100 * W / B
"""
)
