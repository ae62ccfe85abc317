"""Encoder-decoder networks: published sizes, padding, attention against torch's and a loop, and step by step."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import models
from models.layers.attention import AdditiveScore, masked_weights
from models.layers.maxout_readout import MaxoutReadout
from models.layers.recurrent_encoder import RecurrentEncoder, read_source, reverse_within, source_lengths, source_mask
from models.layers.tokens import END, FIRST, PAD, START

torch.set_num_threads(1)
VOCABULARY = 12
SMALL = dict(source_vocab_size=VOCABULARY, target_vocab_size=VOCABULARY, embedding_size=5, bias=True)
LUONG = [
    dict(score=score, input_feeding=feeding, cell=layer, num_layers=num_layers, reverse=reverse)
    for score, feeding, layer, num_layers, reverse in [
        ("dot", False, "lstm", 1, False),
        ("general", False, "gru", 2, True),
        ("concat", False, "lstm", 2, False),
        ("dot", True, "gru", 1, False),
        ("concat", True, "lstm", 2, True),
    ]
]
NETWORKS = [
    *(("seq2seq", dict(cell=layer, num_layers=2)) for layer in ("lstm", "gru")),
    ("seq2seq", dict(reverse=False)),
    ("seq2seq-gru", dict(maxout_size=6)),
    ("bahdanau-attention", dict(maxout_size=6, attention_size=9)),
    *(("luong-attention", options) for options in LUONG),
]
WITH_ATTENTION = [each for each in NETWORKS if "attention" in each[0]]


def build(name, options):
    torch.manual_seed(0)
    return models.build(name, "mini", hidden_size=8, **SMALL, **options).double().eval()


def texts(lengths, seed=0):
    """Random tokens with an end, padded: (N, longest)."""
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.full((len(lengths), max(lengths)), PAD)
    for row, length in zip(tokens, lengths, strict=True):
        row[: length - 1] = torch.randint(FIRST, VOCABULARY, (length - 1,), generator=generator)
        row[length - 1] = END
    return tokens


def shifted(target):
    return torch.cat([torch.full((len(target), 1), START), target[:, :-1]], dim=1)


def lstm(inputs, hidden, gates=4):
    return gates * hidden * (inputs + hidden)  # without biases


def gru(inputs, hidden):
    return lstm(inputs, hidden, gates=3)


# The published sizes: each a sum over embeddings, recurrent layers, attention and outputs.
SIZES = {
    "seq2seq": 1000 * (160_000 + 80_000) + 2 * 4 * lstm(1000, 1000) + 1000 * 80_000,
    "seq2seq-gru": (
        2 * 15_000 * 100 + gru(100, 1000) + 2 * 1000**2 + gru(1100, 1000) + 2 * 500 * (1000 + 100 + 1000)
        + 500 * 100 + 100 * 15_000
    ),
    "bahdanau-attention": (
        2 * 30_000 * 620 + 2 * gru(620, 1000) + 1000**2 + 1000 * (1000 + 2000 + 1) + gru(620 + 2000, 1000)
        + 1000 * (1000 + 620 + 2000) + 500 * 30_000
    ),
    "luong-attention": 3 * 50_000 * 1000 + 2 * 4 * lstm(1000, 1000) + 1000**2 + 2 * 1000**2,
}  # fmt: skip
REFERENCE = {  # as the table of architectures has them
    "seq2seq": 384_000_000,
    "seq2seq-gru": 18_250_000,
    "bahdanau-attention": 80_401_000,
    "luong-attention": 217_000_000,
}


@pytest.mark.parametrize("name", SIZES)
def test_a_published_network_has_as_many_weights_as_its_sizes_say(name):
    with torch.device("meta"):
        network = models.build(name)
    count = sum(weight.numel() for weight in network.parameters())
    assert count == SIZES[name] == REFERENCE[name]


def test_the_recurrent_part_and_the_state_of_the_published_seq2seq():
    with torch.device("meta"):
        network = models.build("seq2seq")
        layers = [network.encoder.layers, network.decoder]
        assert sum(weight.numel() for layer in layers for weight in layer.parameters()) == 64_000_000
        state = network.encode(torch.full((1, 7), END))
    assert sum(part.numel() for part in state) == 8000


def test_input_feeding_adds_the_attentional_vector_to_the_inputs_of_the_decoder():
    with torch.device("meta"):
        counts = [
            sum(weight.numel() for weight in models.build("luong-attention", input_feeding=feeding).parameters())
            for feeding in (True, False)
        ]
    assert counts[0] - counts[1] == 4 * 1000 * 1000


@pytest.mark.parametrize(("name", "options"), NETWORKS)
def test_padding_changes_nothing(name, options):
    network = build(name, options)
    source, target = texts([3, 9, 6]), texts([4, 2, 7], seed=1)
    wide = F.pad(source, (0, 5))
    logits = network(source, shifted(target))
    torch.testing.assert_close(network(wide, shifted(target)), logits, rtol=0, atol=1e-12)
    for k, (length, steps) in enumerate([(3, 4), (9, 2), (6, 7)]):
        alone = network(source[k : k + 1, :length], shifted(target)[k : k + 1, :steps])
        torch.testing.assert_close(alone[0], logits[k, :steps], rtol=0, atol=1e-12)


@pytest.mark.parametrize(("name", "options"), NETWORKS)
def test_step_by_step_the_logits_are_those_of_teacher_forcing(name, options):
    network = build(name, options)
    source, target_in = texts([5, 8]), shifted(texts([6, 6], seed=1))
    state, steps = network.encode(source), []
    for token in target_in.unbind(dim=1):
        logits, state = network.step(token, state)
        steps.append(logits)
    torch.testing.assert_close(torch.stack(steps, dim=1), network(source, target_in), rtol=0, atol=1e-12)
    assert all(len(part) == 2 for part in state)  # the sample comes first
    assert network.sentence_vector(source).shape[0] == 2 and network.sentence_vector(source).dim() == 2


@pytest.mark.parametrize(("name", "options"), NETWORKS)
def test_every_weight_learns(name, options):
    network = build(name, options)
    target = texts([6, 7], seed=1)
    F.cross_entropy(
        network(texts([5, 8]), shifted(target)).flatten(0, 1), target.flatten(), ignore_index=PAD
    ).backward()
    for key, weight in network.named_parameters():
        assert weight.grad is not None and weight.grad.abs().max() > 1e-9, key


@pytest.mark.parametrize(("name", "options"), WITH_ATTENTION)
def test_weights_sum_to_1_and_padding_has_none(name, options):
    network = build(name, options)
    source, target = texts([3, 9]), texts([5, 5], seed=1)
    logits, weights = network.attend(source, shifted(target))
    torch.testing.assert_close(logits, network(source, shifted(target)), rtol=0, atol=0)
    assert weights.shape == (2, 5, 9) and (weights[0, :, 3:] == 0).all() and (weights[0, :, :3] > 0).all()
    torch.testing.assert_close(weights.sum(dim=2), torch.ones(2, 5).double())


def test_dot_attention_is_torchs_scaled_dot_product_attention_with_scale_1():
    network = build("luong-attention", dict(score="dot"))
    source, target_in = texts([4, 7]), shifted(texts([6, 6], seed=1))
    keys, state = network.encoder(source)
    hidden, _ = network.decoder(
        network.embedding(target_in), tuple(part.transpose(0, 1).contiguous() for part in state)
    )
    mask = source_mask(source)[:, None].expand(-1, 6, -1)
    context = F.scaled_dot_product_attention(hidden, keys, keys, attn_mask=mask, scale=1.0)
    expected = network.head(network.attentional(torch.cat([context, hidden], dim=2)).tanh())
    torch.testing.assert_close(network(source, target_in), expected, rtol=0, atol=1e-12)


def test_the_general_score_with_the_identity_is_the_dot_product():
    dot, general = build("luong-attention", dict(score="dot")), build("luong-attention", dict(score="general"))
    general.load_state_dict({**dot.state_dict(), "general.weight": torch.eye(8).double()})
    source, target_in = texts([4, 7]), shifted(texts([6, 6], seed=1))
    torch.testing.assert_close(general(source, target_in), dot(source, target_in), rtol=0, atol=1e-12)


def test_the_additive_score_is_that_of_a_loop_and_of_one_matrix_for_both():
    torch.manual_seed(0)
    score = AdditiveScore(4, 6, 5).double()
    queries, keys = torch.randn(2, 3, 4).double(), torch.randn(2, 7, 6).double()
    w, u, v = score.query.weight, score.key.weight, score.v.weight[0]
    ours = score(queries, score.key(keys))
    for n in range(2):
        for t in range(3):
            for j in range(7):
                by_parts = v @ torch.tanh(w @ queries[n, t] + u @ keys[n, j])
                together = v @ torch.tanh(torch.cat([w, u], dim=1) @ torch.cat([queries[n, t], keys[n, j]]))
                torch.testing.assert_close(ours[n, t, j], by_parts, rtol=0, atol=1e-12)
                torch.testing.assert_close(ours[n, t, j], together, rtol=0, atol=1e-12)


def test_masked_weights_are_a_softmax_over_the_tokens_alone():
    scores = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(0))
    mask = torch.tensor([[True] * 5, [True, True, False, False, False]])
    weights = masked_weights(scores, mask)
    torch.testing.assert_close(weights[0], scores[0].softmax(dim=1))
    torch.testing.assert_close(weights[1, :, :2], scores[1, :, :2].softmax(dim=1))


@torch.no_grad()
def test_bahdanaus_decoder_is_the_papers_step_by_step():
    network = build("bahdanau-attention", dict(maxout_size=6, attention_size=9))
    source, target_in = texts([6]), shifted(texts([4], seed=1))
    outputs, last = network.encoder(network.source_embedding(source))
    s, h = torch.tanh(network.first_state(last[1])), outputs[0]  # of the backward GRU, after the first word
    torch.testing.assert_close(last[1], outputs[:, 0, 8:], rtol=0, atol=1e-12)
    for t, token in enumerate(target_in[0]):
        energies = [
            network.score.v.weight[0] @ torch.tanh(network.score.query(s)[0] + network.score.key(h_j)) for h_j in h
        ]
        a = torch.stack(energies).softmax(dim=0)
        c = sum(weight * h_j for weight, h_j in zip(a, h, strict=True))[None]
        y = network.embedding(token[None])
        s = network.decoder(torch.cat([y, c], dim=1), s)
        sums = network.readout.hidden(s) + network.readout.token(y) + network.readout.context(c)
        units = torch.stack([sums[0, 2 * k : 2 * k + 2].max() for k in range(6)])
        expected = network.head(units)
        torch.testing.assert_close(network(source, target_in)[0, t], expected, rtol=0, atol=1e-12)


@torch.no_grad()
def test_chos_summary_enters_every_step_and_the_output():
    network = build("seq2seq-gru", dict(maxout_size=6))
    state = network.encode(texts([5]))
    hidden, summary = state
    token = torch.tensor([FIRST])
    before, _ = network.step(token, state)
    after, (new_hidden, same) = network.step(token, (hidden, summary + 1))
    assert not torch.allclose(before, after) and torch.equal(same, summary + 1)
    cell = nn.GRUCell(5 + 8, 8).double()
    cell.load_state_dict({key.removesuffix("_l0"): weight for key, weight in network.decoder.state_dict().items()})
    expected = cell(torch.cat([network.embedding(token), summary + 1], dim=1), hidden)
    torch.testing.assert_close(new_hidden, expected, rtol=0, atol=1e-12)


def test_the_readout_takes_the_larger_of_two_linear_functions():
    torch.manual_seed(0)
    readout = MaxoutReadout(3, 4, 5, 2, bias=True)
    parts = torch.randn(7, 3), torch.randn(7, 4), torch.randn(7, 5)
    weight = torch.cat([readout.hidden.weight, readout.token.weight, readout.context.weight], dim=1)
    sums = torch.cat(parts, dim=1) @ weight.T + readout.hidden.bias
    expected = torch.maximum(sums[:, ::2], sums[:, 1::2])
    torch.testing.assert_close(readout(*parts), expected)


def test_reading_in_reverse_is_reading_the_reversed_source():
    torch.manual_seed(0)
    encoder = RecurrentEncoder(VOCABULARY, 5, 8, 2, "lstm", reverse=True, bias=True).double()
    source = texts([4, 7])
    outputs, state = encoder(source)
    encoder.reverse = False
    backward = reverse_within(source, source_lengths(source))
    assert backward[0].tolist() == [*source[0, :4].flip(0).tolist(), PAD, PAD, PAD]
    other_outputs, other_state = encoder(backward)
    for ours, theirs in zip(state, other_state, strict=True):
        torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(outputs[0, :4], other_outputs[0, :4].flip(0))  # output j belongs to token j
    assert (outputs[0, 4:] == 0).all()


@pytest.mark.parametrize("cls", [nn.LSTM, nn.GRU])
def test_packed_layers_read_each_text_as_if_it_were_alone(cls):
    torch.manual_seed(0)
    layers = cls(3, 4, 2, batch_first=True, bidirectional=True).double()
    x, lengths = torch.randn(3, 6, 3).double(), torch.tensor([2, 6, 4])
    outputs, state = read_source(layers, x, torch.arange(6) < lengths[:, None])
    for k, length in enumerate(lengths.tolist()):
        alone, last = layers(x[k : k + 1, :length])
        torch.testing.assert_close(outputs[k, :length], alone[0])
        for ours, theirs in zip(state, last if isinstance(last, tuple) else (last,), strict=True):
            torch.testing.assert_close(ours[k], theirs[:, 0])


def test_an_empty_source_counts_as_one_token():
    assert source_lengths(torch.full((2, 3), PAD)).tolist() == [1, 1]
    assert source_mask(torch.full((1, 3), PAD)).tolist() == [[True, False, False]]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("seq2seq", dict(cell="elman"), "cell must be rnn, lstm, gru, not 'elman'"),
        ("seq2seq", dict(hidden_size=0), "must be 1 or more"),
        ("seq2seq-gru", dict(maxout_size=0), "must be 1 or more"),
        ("bahdanau-attention", dict(attention_size=0), "must be 1 or more"),
        ("luong-attention", dict(score="cosine"), "score must be one of dot, general, concat, not 'cosine'"),
        ("luong-attention", dict(num_layers=0), "must be 1 or more"),
    ],
)
def test_unusable_arguments_are_rejected(name, options, message):
    with pytest.raises(models.registry.UserError, match=message):
        models.build(name, "mini", **options)
