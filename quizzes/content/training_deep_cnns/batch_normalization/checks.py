"""Batch normalization: the drills' answers computed by PyTorch or another library."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def bn_forward(x: Tensor, gamma: float, beta: float, epsilon: float) -> dict[str, Any]:
    # Without momentum, the running statistics after one batch are those of the batch.
    bn = torch.nn.BatchNorm1d(1, eps=epsilon, momentum=None)
    bn.weight.data.fill_(gamma), bn.bias.data.fill_(beta)
    y = bn(x[:, None])[:, 0]
    mu, v = bn.running_mean[0], bn.running_var[0] * (len(x) - 1) / len(x)
    return dict(mu=mu, v=v, y=y)


def bn_features(X: Tensor, gamma: Tensor, beta: Tensor, epsilon: float) -> dict[str, Any]:
    # Without momentum, the running statistics after one batch are those of the batch.
    bn = torch.nn.BatchNorm1d(2, eps=epsilon, momentum=None)
    bn.weight.data, bn.bias.data = gamma, beta
    Y = bn(X)
    mu, v = bn.running_mean, bn.running_var * (len(X) - 1) / len(X)
    return dict(mu=mu, v=v, Y=Y)


def bn_running_stats(x: Tensor, alpha: float, R_mean0: float, R_var0: float) -> dict[str, Any]:
    bn = torch.nn.BatchNorm1d(1, momentum=alpha)
    bn.running_mean.fill_(R_mean0), bn.running_var.fill_(R_var0)
    bn(x[:, None])
    R_mean, R_var = bn.running_mean[0], bn.running_var[0]
    return dict(R_mean=R_mean, R_var=R_var)


def bn_train_then_eval(
    x: Tensor, gamma: float, beta: float, epsilon: float, alpha: float, R_mean0: float, R_var0: float
) -> dict[str, Any]:
    bn = torch.nn.BatchNorm1d(1, eps=epsilon, momentum=alpha)
    bn.weight.data.fill_(gamma), bn.bias.data.fill_(beta)
    bn.running_mean.fill_(R_mean0), bn.running_var.fill_(R_var0)
    y = bn(x[:, None])[:, 0]
    R_mean, R_var = bn.running_mean[0].item(), bn.running_var[0].item()
    z = bn.eval()(x[:, None])[:, 0]
    v, mu = torch.var_mean(x, correction=0)
    return dict(mu=mu, v=v, y=y, R_mean=R_mean, R_var=R_var, z=z)


def bn_params_count(N: int, C: int, H: int, W: int) -> dict[str, Any]:
    bn = torch.nn.BatchNorm2d(C)
    P = sum(p.numel() for p in bn.parameters())
    B = sum(b.numel() for name, b in bn.named_buffers() if name != "num_batches_tracked")
    M = torch.zeros(1).expand(N, C, H, W).select(1, 0).numel()
    return dict(P=P, B=B, M=M)


def conv_block_params(k: int, C_in: int, C_out: int) -> dict[str, Any]:
    conv, bn = torch.nn.Conv2d(C_in, C_out, k, bias=False), torch.nn.BatchNorm2d(C_out)
    P_conv, P_bn = (sum(p.numel() for p in layer.parameters()) for layer in (conv, bn))
    P = sum(p.numel() for p in torch.nn.Sequential(conv, bn).parameters())
    return dict(P_conv=P_conv, P_bn=P_bn, P=P)


def bn_fold(W: float, b: float, mu: float, v: float, gamma: float, beta: float, epsilon: float) -> dict[str, Any]:
    from torch.nn.utils.fusion import fuse_linear_bn_weights

    weight, bias, mean, variance, scale, shift = (torch.tensor([float(value)]) for value in (W, b, mu, v, gamma, beta))
    weight, bias = fuse_linear_bn_weights(weight[None], bias, mean, variance, epsilon, scale, shift)
    W_folded, b_folded = weight[0, 0].detach(), bias[0].detach()
    return dict(W_folded=W_folded, b_folded=b_folded)


def layer_norm(X: Tensor, epsilon: float) -> dict[str, Any]:
    v, mu = torch.var_mean(X, dim=1, correction=0)
    Y = F.layer_norm(X, X.shape[1:], eps=epsilon)
    return dict(mu=mu, v=v, Y=Y)


def group_norm(X: Tensor, G: int, epsilon: float) -> Tensor:
    return F.group_norm(X[None], G, eps=epsilon)[0]


def norm_sizes(C: int, H: int, W: int, G: int) -> dict[str, Any]:
    image = torch.zeros(1).expand(C, H, W)
    M_layer, M_instance = image.numel(), image[0].numel()
    M_group = image.chunk(G)[0].numel()
    layer, group = torch.nn.LayerNorm([C, H, W]), torch.nn.GroupNorm(G, C)
    P_layer, P_group = (sum(p.numel() for p in norm.parameters()) for norm in (layer, group))
    return dict(M_layer=M_layer, M_instance=M_instance, M_group=M_group, P_layer=P_layer, P_group=P_group)
