"""Checks of the drills about self-attention and positional encoding."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _num_parameters(*modules: nn.Module) -> int:
    return sum({id(p): p.numel() for module in modules for p in module.parameters()}.values())


def _macs(*products: tuple[tuple[int, ...], tuple[int, ...]]) -> int:
    """Return the MACs of matrix products, as torch's counter sees them on tensors without memory."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.device("meta"):
        for a, b in products:
            torch.matmul(torch.empty(a), torch.empty(b))
    return int(counter.get_total_flops()) // 2


def _attention(Q: Tensor, K: Tensor, V: Tensor, **options: Any) -> tuple[Tensor, Tensor]:
    """Return attention weights and outputs; with the identity as values, the output is the weights."""
    weights = F.scaled_dot_product_attention(Q[None], K[None], torch.eye(len(K))[None], **options)[0]
    return weights, F.scaled_dot_product_attention(Q[None], K[None], V[None], **options)[0]


def self_attention_hand(Q: Tensor, K: Tensor, V: Tensor, tokens: int) -> dict[str, Any]:
    # With the identity as values, the output is the attention weights.
    A = F.scaled_dot_product_attention(Q[None], K[None], torch.eye(tokens)[None])[0]
    O = F.scaled_dot_product_attention(Q[None], K[None], V[None])[0]
    return dict(A=A, O=O)


def two_keys(x1: float, x2: float, d_k: int) -> Tensor:
    # A query and keys with these dot products: only their first entry is not 0.
    query, keys = torch.zeros(1, d_k), torch.zeros(2, d_k)
    query[0, 0], keys[:, 0] = 1, torch.tensor([float(x1), float(x2)])
    return _attention(query, keys, torch.eye(2))[0][0, 0]


def masked_attention(Q: Tensor, K: Tensor, V: Tensor) -> dict[str, Any]:
    A, O = _attention(Q, K, V, is_causal=True)
    return dict(A=A, O=O)


def masked_pairs(T: int) -> int:
    return int(torch.ones(T, T, dtype=torch.bool).tril().sum())


def masked_padding(S: Tensor, n: int) -> dict[str, Any]:
    T = len(S)
    visible = torch.ones(T, T).tril() * (torch.arange(T) < n)
    return dict(N=int(visible.sum()), A=F.softmax(S.masked_fill(visible == 0, -torch.inf), dim=1))


def masked_encoder_decoder(S: int, T: int) -> dict[str, Any]:
    source, target = torch.zeros(1, S, 4), torch.zeros(1, T, 4)
    attention = nn.MultiheadAttention(4, 1, batch_first=True).double()
    causal = nn.Transformer.generate_square_subsequent_mask(T, dtype=torch.double)
    calls = dict(encoder=(source, source, None), decoder=(target, target, causal), cross=(target, source, None))
    weights = {
        name: attention(query.double(), key.double(), key.double(), attn_mask=mask)[1][0]
        for name, (query, key, mask) in calls.items()
    }
    names = {(S, S): "source", (T, T): "target", (T, S): "both", (S, T): "swapped"}
    visible = {name: int((weight > 0).sum()) for name, weight in weights.items()}
    return dict(
        sizes={name: names[tuple(weight.shape)] for name, weight in weights.items()},
        n_e=visible["encoder"],
        n_d=visible["decoder"],
        n_c=visible["cross"],
    )


def self_attention_two_heads(Q: Tensor, K: Tensor, V: Tensor) -> dict[str, Any]:
    q, k, v = (rows.view(-1, 2, 2).transpose(0, 1)[None] for rows in (Q, K, V))
    weights = F.scaled_dot_product_attention(q, k, torch.eye(len(K)).expand(1, 2, -1, -1))[0]
    output = F.scaled_dot_product_attention(q, k, v)[0]
    return dict(A1=weights[0], A2=weights[1], O=output.transpose(0, 1).reshape(len(Q), 4))


def attention_order(B: int, T: int, d: int, h: int) -> dict[str, Any]:
    import math

    def run(B: int, T: int, d: int, device: str) -> tuple[Tensor, ...]:
        x, qkv = torch.randn(B, T, d, device=device), nn.Linear(d, 3 * d, device=device)
        later = torch.ones(T, T, dtype=torch.bool, device=device).triu(1)
        q, k, v = qkv(x.to(qkv.weight.dtype)).chunk(3, dim=-1)
        q, k, v = (t.view(B, T, h, -1).transpose(1, 2) for t in (q, k, v))
        s = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
        a = s.masked_fill(later, -math.inf).softmax(dim=-1)
        y = (a @ v).transpose(1, 2).reshape(B, T, d)
        return s, y, F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(B, T, d)

    # On a small input, the lines in the correct order give the output of torch's own operation.
    _, y, expected = run(2, 3, 2 * h, "cpu")
    torch.testing.assert_close(y, expected, rtol=1e-4, atol=1e-5)
    s = run(B, T, d, "meta")[0]
    return dict(steps=["project", "split", "scores", "mask", "softmax", "merge"], S=list(s.shape))


def mha_params(d: int, h: int) -> dict[str, Any]:
    attention = nn.MultiheadAttention(d, h, device="meta")
    return dict(P=_num_parameters(attention), d_k=attention.head_dim)


def mha_budget(M: int, h: int) -> dict[str, Any]:
    def count(size: int) -> int:
        return _num_parameters(nn.MultiheadAttention(size * h, h, device="meta"))

    size = 1
    while count(2 * size) <= M:
        size *= 2
    while count(size + 1) <= M:
        size += 1
    return dict(d=size * h, P=count(size))


def mha_grouped(d: int, h: int, g: int, e: int) -> dict[str, Any]:
    def weights(groups: int) -> tuple[int, int]:
        sizes = [(d, h * e), (d, groups * e), (d, groups * e), (h * e, d)]
        layers = [nn.Linear(i, o, bias=False, device="meta") for i, o in sizes]
        return _num_parameters(*layers), layers[1].out_features

    P, w = weights(g)
    return dict(w=w, P=P, r=P / weights(h)[0])


def mha_shapes(B: int, T: int, d: int, h: int) -> dict[str, Any]:
    x = torch.empty(B, T, d, device="meta")
    q = x.unflatten(-1, (h, -1)).transpose(1, 2)
    output = F.scaled_dot_product_attention(q, q, q).transpose(1, 2).flatten(2)
    return dict(q=list(q.shape), S=list((q @ q.mT).shape), O=list(output.shape))


def _layer(layer: Any, norms: tuple[str, ...], attentions: tuple[str, ...]) -> dict[str, Any]:
    A = _num_parameters(*(getattr(layer, name) for name in attentions))
    N = _num_parameters(*(getattr(layer, name) for name in norms))
    F_ = _num_parameters(layer.linear1, layer.linear2)
    return dict(A=A, F=F_, N=N, P=_num_parameters(layer))


def encoder_layer_params(d: int, f: int, h: int) -> dict[str, Any]:
    layer = nn.TransformerEncoderLayer(d, h, f, device="meta")
    return _layer(layer, ("norm1", "norm2"), ("self_attn",))


def _largest_hidden_width(kind: Any, d: int, M: int) -> dict[str, Any]:
    low, high = 1, M
    while low < high:
        middle = (low + high + 1) // 2
        fits = _num_parameters(kind(d, 1, middle, device="meta")) <= M
        low, high = (middle, high) if fits else (low, middle - 1)
    return dict(f=low, P=_num_parameters(kind(d, 1, low, device="meta")))


def encoder_budget(d: int, M: int) -> dict[str, Any]:
    return _largest_hidden_width(nn.TransformerEncoderLayer, d, M)


def decoder_budget(d: int, M: int) -> dict[str, Any]:
    return _largest_hidden_width(nn.TransformerDecoderLayer, d, M)


def decoder_layer_params(d: int, f: int, h: int) -> dict[str, Any]:
    layer = nn.TransformerDecoderLayer(d, h, f, device="meta")
    return _layer(layer, ("norm1", "norm2", "norm3"), ("self_attn", "multihead_attn"))


def transformer_size(d: int, f: int, L: int, V: int) -> dict[str, Any]:
    encoder = nn.TransformerEncoderLayer(d, 1, f, device="meta")
    decoder = nn.TransformerDecoderLayer(d, 1, f, device="meta")
    attentions = [encoder.self_attn, decoder.self_attn, decoder.multihead_attn]
    # The paper's attention has no biases.
    one, two, three = (
        sum(p.numel() for name, p in attention.named_parameters() if "bias" in name) for attention in attentions
    )
    E, D = _num_parameters(encoder) - one, _num_parameters(decoder) - two - three
    return dict(E=E, D=D, P=L * E + L * D + _num_parameters(nn.Embedding(V, d, device="meta")))


def attention_cost(T: int, d: int, h: int) -> dict[str, Any]:
    heads = [((h, T, d // h), (h, d // h, T)), ((h, T, T), (h, T, d // h))]
    macs = _macs(*[((T, d), (d, d))] * 4, *heads)
    scores = torch.matmul(torch.empty(heads[0][0], device="meta"), torch.empty(heads[0][1], device="meta"))
    return dict(M=macs, S=scores.numel())


def attention_memory(B: int, h: int, T: int, b: int) -> float:
    weights = torch.empty(B, h, T, T, device="meta", dtype={2: torch.float16, 4: torch.float32}[b])
    return weights.nbytes / 2**20


def attention_share(m: float, q: float) -> dict[str, Any]:
    widths, lengths = [20, 100, 512, 1000], []
    for d in widths:
        hidden = round(m * d)
        linear = _macs(*[((1, d), (d, d))] * 4, ((1, d), (d, hidden)), ((1, hidden), (hidden, d)))
        low, high = 0.0, 1e7
        per_pair = 2 * _macs(((1, d), (d, 1)))
        for _ in range(100):  # bisection: the share of the two products grows with the length
            T = (low + high) / 2
            products = T * per_pair
            low, high = (T, high) if products / (linear + products) < q else (low, T)
        lengths.append(T)
    return dict(T=lengths, d=widths)


def layer_cost(T: int, d: int, f: int) -> dict[str, Any]:
    def parts(length: int) -> tuple[int, int]:
        products = [((length, d), (d, length)), ((length, length), (length, d))]
        attention = _macs(*[((length, d), (d, d))] * 4, *products)
        return attention, _macs(((length, d), (d, f)), ((length, f), (f, d)))

    A, F_ = parts(T)
    return dict(A=A, F=F_, C=2 * (A + F_), g=sum(parts(2 * T)) / (A + F_))


def decide_attention_or_recurrence(T: int, d: int) -> dict[str, Any]:
    M = _macs(((T, d), (d, T)), ((T, T), (T, d)))
    R = T * _macs(*[((1, d), (d, d))] * 2)
    return dict(M=M, R=R, s=T, cheaper=1 + int(M >= R))


def positional_encoding(pos: int, d: int, base: float) -> dict[str, Any]:
    # A complex number of modulus 1 for each pair: its imaginary part is the sine, its real part the cosine.
    frequencies = torch.exp(-torch.log(torch.tensor(float(base))) * torch.arange(0, d, 2) / d)
    pairs = torch.polar(torch.ones(d // 2), pos * frequencies)
    return dict(w=pos * frequencies, P=torch.stack([pairs.imag, pairs.real], dim=1).flatten())


def positional_wavelength(i: int, d: int, base: float) -> Tensor:
    frequency = torch.tensor(float(base)).pow(torch.tensor(-2.0 * i / d))
    return 2 * torch.acos(torch.tensor(-1.0)) / frequency


def positional_shift(w: float, k: int) -> dict[str, Any]:
    p = torch.arange(6.0)
    pair, shifted = (torch.polar(torch.ones(6), float(w) * position) for position in (p, p + k))
    return dict(u=shifted.imag, v=shifted.real, s=pair.imag, c=pair.real)


def positional_similarity(p: int, q: int, d: int, base: float) -> Tensor:
    one, other = (positional_encoding(position, d, base)["P"] for position in (p, q))
    return torch.dot(one, other)


def logit_variance(d: int, n: float, m: float) -> dict[str, Any]:
    a, b = torch.tensor([0.3, 1.0, 2.5, 3.6]), torch.tensor([2.0, 0.5, 3.1, 1.7])
    # Entries that are their mean plus or minus the standard deviation, each with probability 1/2.
    signs = torch.tensor([-1.0, 1.0])
    products = (n + signs[:, None, None] * a.sqrt()) * (m + signs[None, :, None] * b.sqrt())
    var = d * products.flatten(0, 1).var(dim=0, correction=0)
    return dict(var=var, c=var.rsqrt(), a=a, b=b)


def causal_leak(A: Tensor) -> dict[str, Any]:
    T = len(A)
    visible = torch.ones(T, T, dtype=torch.bool).tril()
    masked = F.softmax(A.log().masked_fill(~visible, -torch.inf), dim=1)
    illegal = A.masked_fill(visible, 0)
    reach = next(k for k in range(T - 1, 0, -1) if A.diagonal(k).any())
    bug = {1: "one", 2: "two"}.get(reach, "none")
    return dict(n=int(illegal.count_nonzero()), w=illegal.sum(), r=masked[1], bug=bug)


def debug_head_split(T: int, d: int, h: int, m: int, program: str) -> dict[str, Any]:
    x = torch.arange(float(T * d)).view(1, T, d)
    wrong, right = x.view(1, h, T, d // h), x.unflatten(2, (h, d // h)).permute(0, 2, 1, 3)
    line = next(k for k, text in enumerate(program.splitlines(), 1) if "view(1, h, T" in text)
    return dict(line=line, prints=wrong[0, m], fixed=right[0, m], count=int((wrong != right).sum()))


def debug_head_merge(T: int, d: int, h: int, m: int, program: str) -> dict[str, Any]:
    y = (100 * torch.arange(h)[:, None, None] + torch.arange(T)[:, None]).expand(h, T, d // h)[None]
    line = next(k for k, text in enumerate(program.splitlines(), 1) if "reshape" in text)
    return dict(line=line, prints=y.reshape(1, T, d)[0, m], fixed=y.permute(0, 2, 1, 3).reshape(1, T, d)[0, m])
