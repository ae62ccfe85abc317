"""Checks of the drills about batch normalization."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def bn_forward(x: Tensor, gamma: float, beta: float, epsilon: float) -> dict[str, Any]:
    weight, bias = torch.tensor([float(gamma)]), torch.tensor([float(beta)])
    y = F.batch_norm(x[:, None], None, None, weight, bias, training=True, eps=epsilon)[:, 0]
    v, mu = torch.var_mean(x, correction=0)
    return dict(mu=mu, v=v, y=y)


def bn_features(X: Tensor, gamma: Tensor, beta: Tensor, epsilon: float) -> dict[str, Any]:
    Y = F.batch_norm(X, None, None, gamma, beta, training=True, eps=epsilon)
    v, mu = torch.var_mean(X, dim=0, correction=0)
    return dict(mu=mu, v=v, Y=Y)


def bn_running_stats(x: Tensor, alpha: float, R_mean0: float, R_var0: float) -> dict[str, Any]:
    R_mean, R_var = torch.tensor([float(R_mean0)]), torch.tensor([float(R_var0)])
    F.batch_norm(x[:, None], R_mean, R_var, training=True, momentum=alpha)  # updates them in place
    return dict(R_mean=R_mean[0], R_var=R_var[0])


def bn_train_then_eval(
    x: Tensor, gamma: float, beta: float, epsilon: float, alpha: float, R_mean0: float, R_var0: float
) -> dict[str, Any]:
    weight, bias = torch.tensor([float(gamma)]), torch.tensor([float(beta)])
    R_mean, R_var = torch.tensor([float(R_mean0)]), torch.tensor([float(R_var0)])
    X = x[:, None]
    Y = F.batch_norm(X, R_mean, R_var, weight, bias, training=True, momentum=alpha, eps=epsilon)  # updates R in place
    Z = F.batch_norm(X, R_mean, R_var, weight, bias, eps=epsilon)
    v, mu = torch.var_mean(x, correction=0)
    return dict(mu=mu, v=v, y=Y[:, 0], R_mean=R_mean[0], R_var=R_var[0], z=Z[:, 0])


def bn_params_count(N: int, C: int, H: int, W: int) -> dict[str, Any]:
    bn = torch.nn.BatchNorm2d(C)
    P = sum(p.numel() for p in bn.parameters())
    B = sum(b.numel() for name, b in bn.named_buffers() if name != "num_batches_tracked")
    M = torch.empty(N, C, H, W, device="meta")[:, 0].numel()  # the values of one channel
    return dict(P=P, B=B, M=M)


def conv_block_params(k: int, C_in: int, C_out: int) -> dict[str, Any]:
    conv, bn = torch.nn.Conv2d(C_in, C_out, k, bias=False), torch.nn.BatchNorm2d(C_out)
    block = torch.nn.Sequential(conv, bn)
    P_conv, P_bn, P = (sum(p.numel() for p in module.parameters()) for module in (conv, bn, block))
    return dict(P_conv=P_conv, P_bn=P_bn, P=P)


def bn_fold(W: float, b: float, mu: float, v: float, gamma: float, beta: float, epsilon: float) -> dict[str, Any]:
    from torch.nn.utils.fusion import fuse_linear_bn_weights

    weight, bias, mean, variance, scale, shift = (torch.tensor([float(value)]) for value in (W, b, mu, v, gamma, beta))
    W_folded, b_folded = fuse_linear_bn_weights(weight[None], bias, mean, variance, epsilon, scale, shift)
    return dict(W_folded=W_folded[0, 0], b_folded=b_folded[0])


def layer_norm(X: Tensor, epsilon: float) -> dict[str, Any]:
    v, mu = torch.var_mean(X, dim=1, correction=0)
    return dict(mu=mu, v=v, Y=F.layer_norm(X, X.shape[1:], eps=epsilon))


def group_norm(X: Tensor, G: int, epsilon: float) -> Tensor:
    return F.group_norm(X[None], G, eps=epsilon)[0]


def norm_sizes(C: int, H: int, W: int, G: int) -> dict[str, Any]:
    image = torch.empty(C, H, W, device="meta")
    M_layer, M_instance, M_group = image.numel(), image[0].numel(), image.chunk(G)[0].numel()
    layer, group = torch.nn.LayerNorm([C, H, W]), torch.nn.GroupNorm(G, C)
    P_layer, P_group = (sum(p.numel() for p in norm.parameters()) for norm in (layer, group))
    return dict(M_layer=M_layer, M_instance=M_instance, M_group=M_group, P_layer=P_layer, P_group=P_group)
