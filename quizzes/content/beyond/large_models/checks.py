"""Checks of the drills about LoRA, rotary positions, experts, quantization and adversarial examples."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _lora(d_in: int, d_out: int, r: int) -> nn.Sequential:
    """Return the two factors of an update."""
    return nn.Sequential(*(nn.Linear(a, b, bias=False, device="meta") for a, b in ((d_in, r), (r, d_out))))


def _count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def lora_params(d_in: int, d_out: int, r: int) -> int:
    return _count(_lora(d_in, d_out, r))


def lora_model(N: int, m: int, d_in: int, d_out: int, r: int) -> dict[str, Any]:
    P = N * m * _count(_lora(d_in, d_out, r))
    W = N * m * _count(nn.Linear(d_in, d_out, bias=False, device="meta"))
    return dict(P=P, W=W, share=100 * P / W)


def lora_merge(W: Tensor, B: Tensor, A: Tensor, alpha: float, r: int, x: Tensor) -> dict[str, Any]:
    M = torch.addmm(W, B, A, alpha=float(alpha) / r)
    y = F.linear(x, W) + alpha / r * F.linear(F.linear(x, A), B)  # without merging
    return dict(M=M, y=y)


def lora_budget(N: int, m: int, d: int, B: int) -> dict[str, Any]:
    def trained(r: int) -> int:
        return N * m * _count(_lora(d, d, r))

    low, high = 1, d
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if trained(middle) <= B else (low, middle - 1)
    full = N * m * _count(nn.Linear(d, d, bias=False, device="meta"))
    return dict(r=low, P=trained(low), even=full / trained(1))


def lora_memory(P: float, share: float, M: float) -> dict[str, Any]:
    # The bytes per parameter: fp16 weight and gradient, fp32 copy and two moments.
    trained = sum(torch.empty(1, dtype=dtype).element_size() for dtype in [torch.float16] * 2 + [torch.float32] * 3)
    frozen = torch.empty(1, dtype=torch.float16).element_size()
    full, lora = P * trained, P * frozen + P * share / 100 * trained
    method = "full" if full <= M else "lora" if lora <= M else "neither"
    return dict(full=full, lora=lora, method=method)


def lora_gradient(s: float, w: float, x: float, y: float) -> dict[str, Any]:
    a = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
    b = torch.tensor([0.3, 1.5, -0.7], requires_grad=True)
    loss = F.mse_loss((w + s * b * a) * x, torch.full((3,), float(y)), reduction="sum") / 2
    g_a, g_b = torch.autograd.grad(loss, (a, b))
    return dict(g_a=g_a, g_b=g_b, a=a.detach(), b=b.detach())


def lora_debug(d_in: int, d_out: int, r: int, program: str) -> dict[str, Any]:
    correct = _count(_lora(d_in, d_out, r))
    if "requires_grad_(False)" not in program:
        return dict(line=1, printed=correct + _count(nn.Linear(d_in, d_out, bias=False)), correct=correct)
    return dict(line=3, printed=_count(nn.Linear(d_in, r, bias=False)), correct=correct)


def _turn(a: Tensor, b: Tensor, theta: Tensor) -> Tensor:
    """Return pairs that are rotated by complex multiplication, as real and imaginary parts."""
    return torch.view_as_real(torch.complex(a, b) * torch.polar(torch.ones_like(theta), theta))


def _angles(pos: int, d: int, base: float) -> Tensor:
    return pos * torch.pow(torch.tensor(float(base)), -torch.arange(0, d, 2) / d)


def rope_rotation(x1: float, x2: float, pos: int, i: int, d: int) -> dict[str, Any]:
    theta = _angles(pos, d, 10000)[i]
    y1, y2 = _turn(torch.tensor(float(x1)), torch.tensor(float(x2)), theta)
    return dict(theta=theta, y1=y1, y2=y2)


def rope_vector(x: Tensor, pos: int, base: float, pairing: str) -> dict[str, Any]:
    theta = _angles(pos, len(x), base)
    if pairing == "adjacent":
        return dict(theta=theta, y=_turn(x[0::2], x[1::2], theta).flatten())
    return dict(theta=theta, y=_turn_halves(x, theta))


def _turn_halves(x: Tensor, theta: Tensor) -> Tensor:
    """Return a vector whose halves are the real and the imaginary parts that are rotated."""
    first, second = x.chunk(2)
    return _turn(first, second, theta).T.flatten()


def rope_wavelength(i: int, d: int, base: float) -> Tensor:
    return 2 * torch.pi / _angles(1, d, base)[i]


def rope_relative(q: Tensor, k: Tensor, m: int, n: int, f: float) -> dict[str, Any]:
    def angle(pos: int) -> Tensor:
        return torch.tensor(float(pos * f))

    return dict(s=_turn(q[0], q[1], angle(m)) @ _turn(k[0], k[1], angle(n)), u=torch.dot(q, k))


def rope_diagnose(x: Tensor, pos: int, i: int, d: int, out: Tensor) -> dict[str, Any]:
    theta = _angles(pos, d, 10000)[i]
    angles = dict(correct=theta, sign=-theta, degrees=torch.deg2rad(theta), frequency=_angles(pos, 2 * d, 10000)[i])
    pairs = {bug: _turn(x[0], x[1], angle) for bug, angle in angles.items()}
    (bug,) = [bug for bug, pair in pairs.items() if torch.allclose(pair, out, atol=1e-4, rtol=0)]
    return dict(y=pairs["correct"], bug=bug)


def rope_debug(x: Tensor, pos: int, program: str) -> dict[str, Any]:
    theta = _angles(pos, len(x), 10000)
    correct = _turn_halves(x, theta)
    if "(-torch.arange" not in program:
        slow = _angles(pos, len(x), 1 / 10000)
        return dict(line=2, printed=_turn_halves(x, slow), correct=correct)
    # Without the minus sign, the sine of the first half has the other sign.
    a, b = x.chunk(2)
    printed = torch.cat([_turn(a, -b, theta)[:, 0], _turn(a, b, theta)[:, 1]])
    return dict(line=4, printed=printed, correct=correct)


def moe_active(E: int, k: int, P: float, S: float) -> dict[str, Any]:
    experts = torch.full((E,), float(P))
    A, T = S + experts[:k].sum(), S + experts.sum()
    return dict(A=A, T=T, share=100 * A / T)


def moe_total(E: int, P: float, S: float) -> Tensor:
    return S + torch.full((E,), float(P)).sum()


def moe_layers(N: int, d: int, f: int, E: int, k: int) -> dict[str, Any]:
    def dense(inputs: int, outputs: int) -> nn.Linear:
        return nn.Linear(inputs, outputs, bias=False, device="meta")

    expert = _count(nn.Sequential(dense(d, f), dense(f, d)))
    shared = _count(nn.MultiheadAttention(d, 1, bias=False, device="meta")) + _count(dense(d, E))
    return dict(P=expert, S=N * shared, A=N * (shared + k * expert), T=N * (shared + E * expert))


def moe_routing(z: Tensor, y: Tensor, k: int) -> dict[str, Any]:
    values, experts = torch.topk(z, k)
    w = torch.zeros_like(z).scatter(0, experts, F.softmax(values, dim=0))
    return dict(w=w, o=w @ y)


def moe_balance(R: Tensor) -> dict[str, Any]:
    experts = R.shape[1]
    f = F.one_hot(R.argmax(1), experts).double().mean(0)
    P = R.mean(0)
    return dict(f=f, P=P, L=experts * torch.dot(f, P))


def moe_derive(f: float) -> dict[str, Any]:
    p = torch.tensor([0.1, 0.4, 0.8], requires_grad=True)
    fractions, probabilities = torch.tensor([f, 1 - f]), torch.stack([p, 1 - p])
    L = 2 * fractions @ probabilities
    (g,) = torch.autograd.grad(L.sum(), p)
    return dict(L=L.detach(), g=g, p=p.detach())


def moe_diagnose(n: list[int], c: float) -> dict[str, Any]:
    from fractions import Fraction

    capacity = Fraction(str(c)) * sum(n) // len(n)
    queues = [list(range(count))[int(capacity) :] for count in n]  # the tokens beyond the capacity
    dropped = sum(map(len, queues))
    problem = "none" if not dropped else "collapse" if 3 * max(n) >= 2 * sum(n) else "capacity"
    return dict(C=int(capacity), dropped=dropped, problem=problem)


def moe_decide(S: float, P: float, k: int, M: float) -> dict[str, Any]:
    size = torch.empty(1, dtype=torch.float16).element_size()
    E = 0
    while size * (S + (E + 1) * P) <= M:
        E += 1
    T, A = S + E * P, S + k * P
    return dict(E=E, T=T, F=2 * A, ratio=T / A)


def _affine(lo: float, hi: float) -> tuple[float, int]:
    """Return scale and zero point; the zero point is the level of 0 on a scale that starts at lo."""
    scale = (hi - lo) / 255
    return scale, int(torch.round(torch.tensor(-lo / scale)))


def _quantize(x: float | Tensor, scale: float, zero_point: int, low: int = 0, high: int = 255) -> Tensor:
    """Return the integers of values, from the values that they stand for."""
    values = torch.fake_quantize_per_tensor_affine(
        torch.as_tensor(x, dtype=torch.float64), scale, zero_point, low, high
    )
    return torch.round(values / scale).int() + zero_point


def quantise_uint8(lo: float, hi: float, x: float) -> dict[str, Any]:
    scale, zero_point = _affine(lo, hi)
    x_hat = torch.fake_quantize_per_tensor_affine(torch.tensor([float(x)]), scale, zero_point, 0, 255)[0]
    return dict(s=scale, z=zero_point, q=int(_quantize(x, scale, zero_point)), x_hat=x_hat)


def quantise_scale(lo: float, hi: float, b: int) -> Tensor:
    levels = torch.linspace(float(lo), float(hi), 2**b)
    return levels.diff().mean()


def quantise_int8(x: Tensor) -> dict[str, Any]:
    scale = float(torch.linalg.vector_norm(x, torch.inf)) / 127
    q = _quantize(x, scale, 0, -127, 127)
    x_hat = torch.fake_quantize_per_tensor_affine(x, scale, 0, -127, 127)
    return dict(s=scale, q=q, E=torch.dist(x, x_hat, torch.inf))


def quantise_memory(P: float, M: float) -> dict[str, Any]:
    half, byte = (torch.empty(1, dtype=dtype).element_size() for dtype in (torch.float16, torch.uint8))
    sizes = {16: P * half, 8: P * byte, 4: P * byte / 2}
    best = next((f"b{bits}" for bits, size in sizes.items() if size <= M), "none")
    return dict(m16=sizes[16], m8=sizes[8], m4=sizes[4], best=best)


def quantise_dot(
    w: list[int], x: list[int], z_w: int, z_x: int, s_w: float, s_x: float, s_y: float, z_y: int
) -> dict[str, Any]:
    weights, inputs = (torch.tensor(values, dtype=torch.int64) for values in (w, x))
    acc = torch.dot(weights - z_w, inputs - z_x)
    y = torch.dot((weights - z_w) * s_w, (inputs - z_x) * s_x)  # in real numbers
    return dict(acc=int(acc), y=y, q=int(_quantize(float(y), s_y, z_y)))


def quantise_diagnose(x: Tensor, outlier: float) -> dict[str, Any]:
    own = float(x.abs().max()) / 127
    shared = float(torch.cat([x, torch.tensor([float(outlier)])]).abs().max()) / 127
    lost = int((_quantize(x, shared, 0, -127, 127) == 0).sum())
    return dict(s1=own, s2=shared, lost=lost, problem="outlier" if lost >= len(x) / 2 else "fine")


def quantise_debug(lo: float, hi: float, x: float, program: str) -> dict[str, Any]:
    scale, zero_point = _affine(lo, hi)
    correct = int(_quantize(x, scale, zero_point))
    if "- z," in program:
        shifted = x - 2 * zero_point * scale  # so that adding the zero point subtracts it
        return dict(line=4, printed=int(_quantize(shifted, scale, zero_point)), correct=correct)
    if "clamp" in program:
        return dict(line=4, printed=int(_quantize(x, scale, 0)) + zero_point, correct=correct)
    return dict(line=4, printed=int(torch.round(torch.tensor(x / scale))) + zero_point, correct=correct)


def quantise_order(lo: float, hi: float, x: float) -> dict[str, Any]:
    scale, zero_point = _affine(lo, hi)
    steps = ["divide", "round", "shift", "clip", "back", "multiply"]
    return dict(steps=steps, q=int(_quantize(x, scale, zero_point)))


def fgsm_step(x: Tensor, g: Tensor, eps: float) -> Tensor:
    return torch.clamp(x.add(torch.sign(g), alpha=float(eps)), 0, 1)


def fgsm_targeted(x: Tensor, g: Tensor, eps: float) -> Tensor:
    # A step of gradient descent with the signs as gradient.
    return torch.clamp(x.addcdiv(g, g.abs(), value=-float(eps)), 0, 1)


def fgsm_logistic(w: Tensor, b: float, x: Tensor, y: int, eps: float) -> dict[str, Any]:
    values, target = x.clone().requires_grad_(), torch.tensor(float(y))
    logit = w @ values + b
    (g,) = torch.autograd.grad(F.binary_cross_entropy_with_logits(logit, target), values)
    x_adv = fgsm_step(x, g, eps)
    return dict(p=torch.sigmoid(logit.detach()), g=g, x_adv=x_adv, p_adv=torch.sigmoid(w @ x_adv + b))


def fgsm_flip(z: float, n1: float) -> Tensor:
    # Four weights with this sum of absolute values: the change of each input that lowers the logit by z.
    w = torch.tensor([0.4, -0.3, 0.2, -0.1]) * float(n1)
    fall: Tensor = w @ torch.sign(w)
    return torch.tensor(float(z)) / fall


def fgsm_derive(m: float, eps: float) -> dict[str, Any]:
    from itertools import product

    sizes = [1, 2, 3, 6]
    changes = [m * eps * torch.tensor(list(product([-1.0, 1.0], repeat=n))).sum(1) for n in sizes]
    d, c = (torch.stack(values) for values in ([x.max() for x in changes], [x.std(correction=0) for x in changes]))
    return dict(d=d, c=c, n=sizes)


def fgsm_pgd(x: Tensor, G: Tensor, eps: float, step: float) -> dict[str, Any]:
    rows, current = [], x
    for gradient in G:
        current = x + torch.clamp(current + step * gradient.sign() - x, -eps, eps)
        current = current.clamp(0, 1)
        rows.append(current)
    return dict(X=torch.stack(rows), x_adv=current, r=torch.dist(current, x, torch.inf))


def fgsm_diagnose(x: Tensor, g: Tensor, eps: float, out: Tensor) -> dict[str, Any]:
    x_adv = fgsm_step(x, g, eps)
    attacks = dict(
        correct=x_adv,
        gradient=torch.clamp(x + eps * g, 0, 1),
        descent=torch.clamp(x - eps * g.sign(), 0, 1),
        unclipped=x + eps * g.sign(),
    )
    (bug,) = [bug for bug, values in attacks.items() if torch.allclose(values, out, atol=1e-5, rtol=0)]
    return dict(x_adv=x_adv, r=torch.dist(out, x, torch.inf), bug=bug)


def fgsm_debug(w: Tensor, x: Tensor, y: int, eps: float, program: str) -> dict[str, Any]:
    values = x.clone().requires_grad_()
    F.binary_cross_entropy_with_logits(w @ values, torch.tensor(float(y))).backward()
    assert values.grad is not None
    signs = values.grad.sign()
    if "clamp" not in program:
        printed = x + eps * signs
    elif "sign" in program:
        printed = torch.clamp(x - eps * signs, 0, 1)
    else:
        printed = torch.clamp(x + eps * values.grad, 0, 1)
    return dict(line=5, printed=printed, correct=torch.clamp(x + eps * signs, 0, 1))
