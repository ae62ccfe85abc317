"""Attention with several heads, against torch's module and against loops."""

import pytest
import torch
from torch import nn

from models.layers.dot_product_attention import DotProductAttention, attention_weights, causal_mask, recorded_attention
from models.layers.positions import sinusoids


def tensors(*shapes, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(*shape, generator=generator, dtype=torch.double) for shape in shapes]


@pytest.mark.parametrize("queries, keys", [(6, 6), (3, 6), (1, 6)])
@pytest.mark.parametrize("is_causal", [False, True])
@pytest.mark.parametrize("is_padded", [False, True])
def test_it_equals_the_attention_of_each_query_by_itself(queries, keys, is_causal, is_padded):
    query, key, value = tensors((2, queries, 8), (2, keys, 8), (2, keys, 8))
    mask = torch.ones(2, 1, 1, keys, dtype=torch.bool)
    mask[0, ..., 1] = not is_padded
    output = DotProductAttention(2)(query, key, value, mask if is_padded else None, is_causal)
    for n in range(2):
        for head in range(2):
            part = slice(4 * head, 4 * head + 4)
            for q in range(queries):
                visible = [k for k in range(keys) if mask[n, 0, 0, k] and not (is_causal and k > keys - queries + q)]
                scores = torch.stack([query[n, q, part] @ key[n, k, part] / 2 for k in visible])
                expected = scores.softmax(0) @ value[n, visible][:, part]
                torch.testing.assert_close(output[n, q, part], expected, atol=1e-12, rtol=0)


def test_with_projections_it_equals_torchs_module():
    torch.manual_seed(0)
    reference = nn.MultiheadAttention(12, 3, batch_first=True, dtype=torch.double)
    (x,) = tensors((2, 5, 12))
    query, key, value = nn.functional.linear(x, reference.in_proj_weight, reference.in_proj_bias).chunk(3, dim=2)
    attention = DotProductAttention(3)
    expected, expected_weights = reference(x, x, x, average_attn_weights=False)
    torch.testing.assert_close(reference.out_proj(attention(query, key, value)), expected, atol=1e-12, rtol=0)
    torch.testing.assert_close(attention.weights(query, key), expected_weights, atol=1e-12, rtol=0)


def test_a_bias_is_added_to_the_scaled_scores():
    query, key, value, bias = tensors((1, 4, 6), (1, 4, 6), (1, 4, 6), (2, 4, 4))
    attention = DotProductAttention(2)
    output = attention(query, key, value, bias)
    weights = attention.weights(query, key, bias)
    heads = value.unflatten(2, (2, 3)).transpose(1, 2)
    torch.testing.assert_close((weights @ heads).transpose(1, 2).flatten(2), output, atol=1e-12, rtol=0)
    plain = attention_weights(*(x.unflatten(2, (2, 3)).transpose(1, 2) for x in (query, key)))
    expected = plain * bias.exp() / (plain * bias.exp()).sum(3, keepdim=True)
    torch.testing.assert_close(weights, expected, atol=1e-12, rtol=0)


def test_the_causal_mask_of_the_last_positions():
    assert causal_mask(2, 4).tolist() == [[True, True, True, False], [True] * 4]


def test_weights_are_recorded_by_name_while_the_network_runs():
    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = DotProductAttention(2), DotProductAttention(1)

        def forward(self, x):
            return self.second(x, x, value=self.first(x, x, x, is_causal=True))

    network = Network()
    (x,) = tensors((1, 3, 4))
    with recorded_attention(network) as weights:
        network(x)
    assert list(weights) == ["first", "second"]
    assert weights["first"].shape == (1, 2, 3, 3)
    assert torch.equal(weights["first"].triu(1), torch.zeros(1, 2, 3, 3, dtype=torch.double))
    torch.testing.assert_close(weights["second"], attention_weights(x[:, None], x[:, None]))
    weights.clear()
    network(x)
    assert not weights


def test_sinusoids_are_the_papers_formula():
    code = sinusoids(50, 6)
    for p, i in [(0, 0), (3, 1), (49, 2)]:
        angle = p / 10_000 ** (2 * i / 6)
        expected = torch.tensor([angle]).double()
        torch.testing.assert_close(code[p, 2 * i].double(), expected.sin()[0], atol=1e-6, rtol=0)
        torch.testing.assert_close(code[p, 2 * i + 1].double(), expected.cos()[0], atol=1e-6, rtol=0)
    with pytest.raises(ValueError, match="even"):
        sinusoids(4, 5)
