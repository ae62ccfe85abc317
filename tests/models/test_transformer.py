"""The Transformer: published sizes, torch's own with the same weights, masks that leak nothing, and step by step."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import models
from models.layers.dot_product_attention import recorded_attention
from models.layers.tokens import END, FIRST, PAD, START
from workbench.errors import UserError

torch.set_num_threads(1)
SMALL = dict(hidden_size=16, num_heads=4, ffn_size=24, num_layers=3, dropout=0.0)
VOCABULARIES = dict(source_vocab_size=9, target_vocab_size=11)
SOURCE = torch.tensor([[4, 5, 6, 7, END], [8, 4, END, PAD, PAD]])
TARGET = torch.tensor([[START, 5, 6, 10], [START, 4, 9, 9]])
VARIANTS = [
    {},
    dict(positions="learned"),
    dict(norm_first=True, final_norm=True),
    dict(bias=True, source_vocab_size=11),
]


def build(**options):
    torch.manual_seed(0)
    network = models.build("transformer", "mini", **{**SMALL, **VOCABULARIES, **options}).double().eval()
    for name, weight in network.named_parameters():  # fresh biases and norms hide which are mixed up
        if weight.dim() == 1:
            nn.init.normal_(weight, mean=float("norm" in name and name.endswith("weight")), std=0.3)
    return network


@pytest.mark.parametrize(
    ("name", "d", "ffn", "total"),
    [("transformer", 512, 2048, 63_045_632), ("transformer-big", 1024, 4096, 214_171_648)],
)
def test_the_published_network_has_as_many_weights_as_its_parts(name, d, ffn, total):
    with torch.device("meta"):
        network = models.build(name)
    small = d * ffn + ffn + ffn * d + d
    layers = 6 * (4 * d * d + small + 2 * 2 * d) + 6 * (8 * d * d + small + 3 * 2 * d)
    counts = {part: sum(p.numel() for p in getattr(network, part).parameters()) for part in ("encoder", "decoder")}
    assert sum(counts.values()) == layers
    assert sum(p.numel() for p in network.parameters()) == total == 37_000 * d + layers


def test_biases_and_last_norms_make_the_stacks_those_of_torch():
    with torch.device("meta"):
        ours, theirs = models.build("transformer", bias=True, final_norm=True), nn.Transformer()
    own = {name: value.shape for name, value in ours.state_dict().items() if name != "embedding.weight"}
    assert own == {name: value.shape for name, value in theirs.state_dict().items()}


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("norm_first", [False, True])
@torch.no_grad()
def test_with_torchs_weights_outputs_are_torchs(norm_first):
    torch.manual_seed(1)
    theirs = nn.Transformer(16, 4, 3, 3, 24, dropout=0.0, batch_first=True, norm_first=norm_first).double().eval()
    for weight in theirs.parameters():
        nn.init.normal_(weight, mean=float(weight.dim() == 1), std=0.3)
    network = build(norm_first=norm_first, final_norm=True, bias=True)
    embeddings = (network.source_embedding, network.embedding)
    scaled = [4 * F.embedding(tokens, table.weight) for tokens, table in zip((SOURCE, TARGET), embeddings, strict=True)]
    x, y = (vectors + network.source_positions[: vectors.shape[1]] for vectors in scaled)
    causal = nn.Transformer.generate_square_subsequent_mask(4, dtype=torch.double)
    padding = SOURCE == PAD
    outputs = theirs(x, y, tgt_mask=causal, src_key_padding_mask=padding, memory_key_padding_mask=padding)
    expected = outputs @ network.embedding.weight.T
    assert not torch.allclose(network(SOURCE, TARGET), expected, atol=1e-2)
    network.load_reference(theirs.state_dict())
    torch.testing.assert_close(network(SOURCE, TARGET), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("options", VARIANTS)
@torch.no_grad()
def test_padding_and_the_future_change_nothing(options):
    network = build(**options)
    logits = network(SOURCE, TARGET)
    alone = network(SOURCE[1:, :3], TARGET[1:])
    torch.testing.assert_close(logits[1:], alone, rtol=0, atol=1e-12)
    for place in range(1, 4):
        other = TARGET.clone()
        other[:, place] = FIRST + 3
        changed = network(SOURCE, other)
        assert torch.equal(changed[:, :place], logits[:, :place])
        assert not torch.allclose(changed[:, place:], logits[:, place:])
    # The vectors of the padding themselves are changed: its keys and values have no weight at all.
    (network.source_embedding or network.embedding).weight[PAD] += 1e3
    assert torch.equal(network(SOURCE, TARGET)[1, :, 1:], logits[1, :, 1:])  # but the logit of padding itself


@pytest.mark.parametrize("options", VARIANTS)
@torch.no_grad()
def test_steps_with_cached_keys_and_values_are_the_whole_at_once(options):
    network = build(**options)
    logits, state = network(SOURCE, TARGET), network.encode(SOURCE)
    for t, token in enumerate(TARGET.unbind(dim=1)):
        step, state = network.step(token, state)
        torch.testing.assert_close(step, logits[:, t], rtol=0, atol=1e-12)
    assert all(len(part) == 2 for part in state) and state[3].shape == (2, 4, 16)


@torch.no_grad()
def test_attention_to_the_source_is_that_of_the_last_layer():
    network = build()
    logits, weights = network.attend(SOURCE, TARGET)
    with recorded_attention(network) as every:
        torch.testing.assert_close(logits, network(SOURCE, TARGET))
    torch.testing.assert_close(weights, every["decoder.layers.2.multihead_attn.attention"].mean(dim=1))
    assert (weights[1, :, 3:] == 0).all() and len(every) == 3 + 2 * 3
    torch.testing.assert_close(weights.sum(dim=2), torch.ones(2, 4).double())


@torch.no_grad()
def test_one_vocabulary_has_one_matrix_and_two_have_two():
    shared, separate = build(source_vocab_size=11), build()
    assert shared.source_embedding is None and separate.source_embedding.num_embeddings == 9
    hidden = []
    shared.decoder.layers[-1].norm3.register_forward_hook(lambda module, args, output: hidden.append(output))
    logits = shared(SOURCE, TARGET)
    torch.testing.assert_close(logits, hidden[0] @ shared.embedding.weight.T)


def test_dropout_is_that_of_the_paper():
    network = models.build("transformer", "mini", dropout=0.3).train()
    assert {module.p for module in network.modules() if isinstance(module, nn.Dropout)} == {0.3}
    assert not torch.equal(network(SOURCE, TARGET), network(SOURCE, TARGET))
    assert models.info("transformer-big").presets["paper"]["dropout"] == 0.3


@torch.no_grad()
def test_a_text_longer_than_the_positions_is_rejected():
    network = build(max_length=4)
    with pytest.raises(UserError, match=r"The text has 5 tokens, and this network has positions for 4\. Use a shorter"):
        network(SOURCE, TARGET)
    state = network.encode(SOURCE[:, :4])
    for _ in range(4):
        _, state = network.step(TARGET[:, 0], state)
    with pytest.raises(UserError, match="The text has 5 tokens"):
        network.step(TARGET[:, 0], state)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(positions="rotary"), "positions must be sinusoidal or learned, not 'rotary'"),
        (dict(hidden_size=18), r"hidden_size must be a multiple of 2 \* num_heads, 8, not 18"),
        (dict(num_layers=0), "must be 1 or more"),
    ],
)
def test_unusable_arguments_are_rejected(options, message):
    with pytest.raises(UserError, match=message):
        models.build("transformer", "mini", **options)
