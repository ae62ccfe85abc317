"""Claims about backpropagation: the chain rule, and PyTorch's graph."""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.claims.claim import Exact, Scaling
from workbench.claims.deciders import Slope
from workbench.claims.dense_networks import dense
from workbench.claims.evidence import Evidence, equal, near, true

if TYPE_CHECKING:
    from torch import Tensor, nn


def network_and_batch(seed: int) -> "tuple[nn.Sequential, Tensor, Tensor]":
    """Return a tanh network in float64 with 8 samples and their classes."""
    import torch

    network = dense([4, 6, 3], "tanh", seed).double()
    return network, torch.randn(8, 4, dtype=torch.float64), torch.randint(0, 3, (8,))


def gradients_three_ways(seed: int) -> Iterator[Evidence]:
    import torch
    from torch.nn.functional import cross_entropy

    network, x, y = network_and_batch(seed)
    torch.autograd.backward(cross_entropy(network(x), y))
    for name, weight in network.named_parameters():
        yield near(f"{name}: central differences of the loss", weight.grad, _differences(network, weight, x, y), 1e-7)
    w1, b1, w2, b2 = (weight.detach().numpy() for weight in network.parameters())
    hidden = np.tanh(x.numpy() @ w1.T + b1)
    logits = hidden @ w2.T + b2
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    above = (probabilities - np.eye(3)[y.numpy()]) / 8  # dL / dlogits
    below = (above @ w2) * (1 - hidden**2)  # dL / d(pre-activations of the hidden layer)
    by_hand = [below.T @ x.numpy(), below.sum(axis=0), above.T @ hidden, above.sum(axis=0)]
    for (name, weight), gradient in zip(network.named_parameters(), by_hand, strict=True):
        yield near(f"{name}: the chain rule by hand", weight.grad, gradient, 1e-12)


def _differences(network: "nn.Module", weight: "Tensor", x: "Tensor", y: "Tensor", h: float = 1e-5) -> np.ndarray:
    """Return (L(w + h) - L(w - h)) / 2h for each element of a weight."""
    import torch
    from torch.nn.functional import cross_entropy

    slopes = np.zeros(tuple(weight.shape))
    with torch.no_grad():
        for index in np.ndindex(slopes.shape):
            value, losses = float(weight[index]), []
            for shifted in (value + h, value - h):
                weight[index] = shifted
                losses.append(float(cross_entropy(network(x), y)))
            weight[index] = value
            slopes[index] = (losses[0] - losses[1]) / (2 * h)
    return slopes


BACKPROP_IS_CHAIN_RULE = Exact(
    id="backprop-is-chain-rule",
    statement="The backward pass computes the gradient of the loss with respect to every weight by the chain rule.",
    topic="backprop",
    evidence=gradients_three_ways,
    expected="holds",
    source="Rumelhart, Hinton, Williams, Learning representations by back-propagating errors 1986",
)


def errors_of_differences(seed: int, *, is_central: bool) -> list[tuple[float, float]]:
    """Return steps h, and the difference between a finite difference with h and autograd's gradient.

    The function is the loss of a network along a random direction of its weights.

    Args:
        seed: Seed of the network, its samples and the direction.
        is_central: Whether the difference is taken between +h and -h, instead of between h and 0.
    """
    import torch
    from torch.nn.functional import cross_entropy
    from torch.nn.utils import parameters_to_vector, vector_to_parameters

    network, x, y = network_and_batch(seed)
    torch.autograd.backward(cross_entropy(network(x), y))
    weights = parameters_to_vector(network.parameters()).detach().clone()
    gradient = torch.cat([weight.grad.flatten() for weight in network.parameters() if weight.grad is not None])
    direction = torch.randn(len(weights), dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    slope = float(gradient @ direction)

    def loss(h: float) -> float:
        with torch.no_grad():
            vector_to_parameters(weights + h * direction, network.parameters())
            return float(cross_entropy(network(x), y))

    points = []
    for h in (1e-2, 3e-3, 1e-3, 3e-4):
        difference = (loss(h) - loss(-h)) / (2 * h) if is_central else (loss(h) - loss(0.0)) / h
        points.append((h, abs(difference - slope)))
    return points


def errors_of_central_differences(seed: int) -> list[tuple[float, float]]:
    return errors_of_differences(seed, is_central=True)


CENTRAL_DIFFERENCES_APPROACH = Scaling(
    id="central-differences-approach-autograd",
    statement="Central differences approach autograd's gradient with the square of the step h.",
    topic="backprop",
    points=errors_of_central_differences,
    decider=Slope(1.9, 2.1),
    expected="holds",
    note=(
        "Derivation: in the Taylor series of (L(h) - L(-h)) / 2h, even powers cancel: the first error is the third "
        "derivative times h^2 / 6. With steps below about 1e-5, rounding errors of the loss, divided by h, are larger."
    ),
)


def errors_of_forward_differences(seed: int) -> list[tuple[float, float]]:
    return errors_of_differences(seed, is_central=False)


FORWARD_DIFFERENCES_AS_CLOSE = Scaling(
    id="forward-differences-as-close",
    statement="Forward differences approach autograd's gradient with the square of the step h, too.",
    topic="backprop",
    points=errors_of_forward_differences,
    decider=Slope(1.9, 2.1),
    expected="does_not_hold",
    note=(
        "Derivation: the first error of (L(h) - L(0)) / h in its Taylor series is the second derivative times h / 2, "
        "which is proportional to h itself."
    ),
)


def weights_around_backward(seed: int) -> Iterator[Evidence]:
    changed_by_backward, _ = _changes(seed)
    yield true("backward() changes the weights", changed_by_backward > 0, f"by {changed_by_backward:g}")


def weights_around_step(seed: int) -> Iterator[Evidence]:
    changed_by_backward, changed_by_step = _changes(seed)
    yield equal("change of the weights by backward()", changed_by_backward, 0.0)
    yield true("step() changes the weights", changed_by_step > 0, f"by {changed_by_step:g}")


def _changes(seed: int) -> tuple[float, float]:
    """Return the largest change of a weight by backward(), and by the step of an optimizer after it."""
    import torch
    from torch.nn.functional import cross_entropy
    from torch.nn.utils import parameters_to_vector

    network, x, y = network_and_batch(seed)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    weights = [parameters_to_vector(network.parameters()).detach().clone()]
    loss = cross_entropy(network(x), y)
    for change in (lambda: torch.autograd.backward(loss), optimizer.step):
        change()
        weights.append(parameters_to_vector(network.parameters()).detach().clone())
    return float((weights[1] - weights[0]).abs().max()), float((weights[2] - weights[1]).abs().max())


BACKWARD_UPDATES_WEIGHTS = Exact(
    id="backward-updates-weights",
    statement="The backward pass updates the weights.",
    topic="backprop",
    evidence=weights_around_backward,
    is_structural=True,
    expected="does_not_hold",
    source="PyTorch documentation, torch.Tensor.backward",
    note="It only adds the gradients to .grad. The optimizer's step updates the weights (step-updates-weights).",
)

STEP_UPDATES_WEIGHTS = Exact(
    id="step-updates-weights",
    statement="The optimizer's step updates the weights, after the backward pass has computed their gradients.",
    topic="backprop",
    evidence=weights_around_step,
    is_structural=True,
    expected="holds",
    source="PyTorch documentation, torch.optim.Optimizer.step",
)


def tensors_of_a_graph(seed: int) -> "dict[str, Tensor]":
    """Return tensors of a small graph by what they are."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    x, constant = torch.randn(3, generator=generator, requires_grad=True), torch.randn(3, generator=generator)
    weight = torch.nn.Parameter(torch.randn(3, generator=generator))
    hidden = weight * x
    loss = (hidden + constant).sum()
    return {
        "an input that requires a gradient": x,
        "a parameter": weight,
        "a constant input": constant,
        "a detached tensor": hidden.detach(),
        "an intermediate result": hidden,
        "the loss": loss,
    }


def leaves_as_inputs(seed: int) -> Iterator[Evidence]:
    for name, tensor in tensors_of_a_graph(seed).items():
        is_such_input = name == "an input that requires a gradient"
        yield true(f"{name} is a leaf only if it is an input that requires a gradient", tensor.is_leaf == is_such_input)


def leaves_without_history(seed: int) -> Iterator[Evidence]:
    for name, tensor in tensors_of_a_graph(seed).items():
        yield equal(
            f"{name}: whether it is a leaf, and whether it has no grad_fn", tensor.is_leaf, tensor.grad_fn is None
        )


LEAF_NODES_DEFINITION = Exact(
    id="leaf-nodes-definition",
    statement="The leaves of the graph are the inputs that require gradients.",
    topic="autograd",
    evidence=leaves_as_inputs,
    is_structural=True,
    expected="does_not_hold",
    source="PyTorch documentation, torch.Tensor.is_leaf",
    note="Parameters are leaves, and so is every tensor that doesn't require a gradient (leaf-has-no-history).",
)

LEAF_HAS_NO_HISTORY = Exact(
    id="leaf-has-no-history",
    statement="A tensor is a leaf if and only if no recorded operation computed it.",
    topic="autograd",
    evidence=leaves_without_history,
    is_structural=True,
    expected="holds",
    source="PyTorch documentation, torch.Tensor.is_leaf",
)


def graph_of(root: Any) -> dict[Any, list[Any]]:
    """Return each node of the backward graph below a `grad_fn`, with the nodes that it passes gradients to."""
    edges: dict[Any, list[Any]] = {}
    pending = [root]
    while pending:
        node = pending.pop()
        if node not in edges:
            edges[node] = [following for following, _ in node.next_functions if following is not None]
            pending += edges[node]
    return edges


def graphs_by_input(seed: int) -> Iterator[Evidence]:
    import torch

    def kinds(x: torch.Tensor) -> list[str]:
        """Return the kinds of the nodes of a function with a branch and a loop."""
        y = x.exp() if x.item() > 0 else x.sin()
        for _ in range(round(abs(x.item()))):
            y = y * x
        return sorted(type(node).__name__ for node in graph_of(y.grad_fn))

    size = float(np.random.default_rng(seed).uniform(0.6, 1.4))
    positive, negative, larger = (torch.tensor(value, requires_grad=True) for value in (size, -size, size + 2))
    yield true("a positive input is recorded with exp", "ExpBackward0" in kinds(positive))
    yield true("a negative input is recorded with sin", "SinBackward0" in kinds(negative))
    yield equal("an input larger by 2: more nodes by", len(kinds(larger)) - len(kinds(positive)), 2)


GRAPH_IS_DYNAMIC = Exact(
    id="graph-is-dynamic",
    statement="PyTorch builds a new graph in each forward pass, so that a branch or a loop may depend on the input.",
    topic="autograd",
    evidence=graphs_by_input,
    is_structural=True,
    expected="holds",
    source="PyTorch documentation, Autograd mechanics",
)


def repeated_backward(seed: int) -> Iterator[Evidence]:
    import torch
    from torch.nn.functional import cross_entropy

    network, x, y = network_and_batch(seed)

    def gradients() -> list[torch.Tensor]:
        torch.autograd.backward(cross_entropy(network(x), y))
        return [weight.grad.clone() for weight in network.parameters() if weight.grad is not None]

    first, second = gradients(), gradients()
    for k, (once, twice) in enumerate(zip(first, second, strict=True)):
        yield near(f"weight {k}: .grad after two backward passes is twice that after one", twice, 2 * once, 1e-12)
    network.zero_grad()
    for k, (once, again) in enumerate(zip(first, gradients(), strict=True)):
        yield near(f"weight {k}: .grad after zero_grad() and another one", again, once, 1e-12)


GRADIENTS_ACCUMULATE = Exact(
    id="gradients-accumulate",
    statement="backward() adds to .grad, so that gradients accumulate until zero_grad().",
    topic="autograd",
    evidence=repeated_backward,
    is_structural=True,
    expected="holds",
    source="PyTorch documentation, torch.Tensor.backward",
)


def is_acyclic(edges: dict[Any, list[Any]]) -> bool:
    """Return whether a directed graph has a topological order."""
    try:
        list(TopologicalSorter(edges).static_order())
    except CycleError:
        return False
    return True


def dynamic_graph(seed: int) -> Iterator[Evidence]:
    from torch.nn.functional import cross_entropy

    network, x, y = network_and_batch(seed)
    edges = graph_of(cross_entropy(network(x) * network(x), y).grad_fn)
    yield true("the graph of a loss has a topological order", is_acyclic(edges), f"{len(edges)} nodes")
    root, *_ = edges
    last = next(node for node, following in edges.items() if not following)
    yield true("with an edge from a leaf back to the loss, it has none", not is_acyclic({**edges, last: [root]}))


def static_graph(seed: int) -> Iterator[Evidence]:
    import torch

    network, _, _ = network_and_batch(seed)
    traced = torch.fx.symbolic_trace(network)  # once, before any input
    edges: dict[Any, list[Any]] = {node: list(node.users) for node in traced.graph.nodes}
    yield true("a graph that is built once, before any input, has cycles", not is_acyclic(edges), "none")


DAG_IS_ACYCLIC = Exact(
    id="dag-is-acyclic",
    statement="The graph of a backward pass is a DAG, a directed acyclic graph: no path leads back to its start.",
    topic="autograd",
    evidence=dynamic_graph,
    is_structural=True,
    expected="holds",
    source="PyTorch tutorials, A Gentle Introduction to torch.autograd",
    note="That PyTorch's graph is dynamic is another property (graph-is-dynamic, dag-means-dynamic).",
)

DAG_MEANS_DYNAMIC = Exact(
    id="dag-means-dynamic",
    statement="DAG stands for dynamic computational graph: only a graph that is built dynamically is a DAG.",
    topic="autograd",
    evidence=static_graph,
    is_structural=True,
    expected="does_not_hold",
    source="PyTorch tutorials, A Gentle Introduction to torch.autograd",
    note="DAG stands for directed acyclic graph. A static graph is one, too.",
)
