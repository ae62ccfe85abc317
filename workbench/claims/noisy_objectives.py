"""Objectives with noisy gradients that are drawn step by step: rare words, a moving minimum, two wells."""

from math import log10

from workbench.claims.dense_networks import optimizer

WORDS, SAMPLES_PER_STEP, STEPS = 300, 32, 400
RARE = 0.02  # a word in fewer texts is rare
LARGEST = 1e6  # squared distance that is counted where the updates diverge


def rare_words(seed: int, *, name: str, lr: float, is_sparse: bool) -> dict[str, float]:
    """Train logistic regression on texts whose class depends on rare words.

    The k-th word occurs in a share 1/k of the texts (Zipf's law). Each step draws new texts.

    Args:
        seed: The seed of the texts.
        name: The optimizer.
        lr: Its learning rate.
        is_sparse: Whether the inputs are words; otherwise they are normal with the same mean variance, so that every
            gradient is dense and has one scale.

    Returns:
        `excess`: the decimal logarithm of the test loss above that of the true weights; `score`: the same on other
        samples, negative.
    """
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits as loss

    generator = torch.Generator().manual_seed(seed)
    share = 1 / torch.arange(1.0, WORDS + 1)
    deviation = (share * (1 - share)).mean().sqrt()
    signs = torch.randint(0, 2, (WORDS,), generator=generator) * 2.0 - 1
    true_weights = torch.where(share < RARE, 2 * signs, torch.zeros(WORDS))

    def sample(count: int) -> tuple[torch.Tensor, torch.Tensor]:
        if is_sparse:
            x = (torch.rand(count, WORDS, generator=generator) < share).float()
        else:
            x = torch.randn(count, WORDS, generator=generator) * deviation
        return x, (torch.rand(count, generator=generator) < (x @ true_weights).sigmoid()).float()

    test, validation = sample(2000), sample(2000)
    weights = torch.zeros(WORDS, requires_grad=True)
    update = optimizer(name, [weights], lr)
    for _ in range(STEPS):
        x, y = sample(SAMPLES_PER_STEP)
        weights.grad = None
        torch.autograd.backward(loss(x @ weights, y))
        update.step()

    def excess(x: torch.Tensor, y: torch.Tensor) -> float:
        with torch.inference_mode():
            return log10(max(float(loss(x @ weights, y) - loss(x @ true_weights, y)), 1e-6))

    return {"excess": excess(*test), "score": -excess(*validation)}


def moving_minimum(seed: int, *, name: str, lr: float, factor: float, speed: float = 0.1) -> dict[str, float]:
    """Follow the minimum of a quadratic of 20 variables, which takes a random step at every update.

    Args:
        seed: The seed of its path and of the gradient's noise.
        name: The optimizer.
        lr: Its learning rate.
        factor: The factor of objective and gradient in the second half of the 1,000 updates.
        speed: The standard deviation of the minimum's steps, along each axis; the gradient's noise has 1.

    Returns:
        `distance`: the decimal logarithm of the mean squared distance along an axis; `score`: the same, negative.
    """
    import torch

    steps, generator = 1000, torch.Generator().manual_seed(seed)
    minimum, weights = torch.randn(20, generator=generator), torch.zeros(20)
    update, total = optimizer(name, [weights.requires_grad_()], lr), 0.0
    for step in range(steps):
        minimum = minimum + speed * torch.randn(20, generator=generator)
        distance = weights.detach() - minimum
        total += float(distance.square().mean().nan_to_num(LARGEST, LARGEST).clamp(max=LARGEST))
        scale = factor if 2 * step >= steps else 1.0
        weights.grad = scale * (distance + torch.randn(20, generator=generator))
        update.step()
    return {"distance": log10(total / steps), "score": -log10(total / steps)}


def share_in_flat_well(seed: int, *, batch_size: int, noise: float) -> float:
    """Return the share of 64 starts in a sharp well that end in the flat one, in percent, after 1,000 updates.

    The cost is the mean over 64 samples of the lower of two parabolas: 10 (x + 1)^2 + 0.3 and (x - 1)^2 / 2, tilted
    by a slope that is random for each sample and 0 on average.

    Args:
        seed: The seed of the slopes, the starts and the order.
        batch_size: The number of samples per update, 64 for all.
        noise: The standard deviation of the slopes.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    slopes = noise * torch.randn(64, generator=generator)
    slopes = slopes - slopes.mean()
    x = -1 + 0.1 * torch.randn(64, generator=generator)
    for _ in range(1000):
        in_sharp_well = 10 * (x + 1) ** 2 + 0.3 < (x - 1) ** 2 / 2
        rows = torch.rand(64, 64, generator=generator).argsort(dim=1)[:, :batch_size]
        gradient = torch.where(in_sharp_well, 20 * (x + 1), x - 1) + slopes[rows].mean(dim=1)
        x = x - 0.03 * gradient
    return 100 * float((10 * (x + 1) ** 2 + 0.3 >= (x - 1) ** 2 / 2).double().mean())
