"""Layer tables against torch's own flop counter, published figures, and counts by hand."""

import json

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import models
from models.cost import count_macs, summarize, tensors_in, trace
from models.summary import OPERATIONS, Layer
from models.tracing import example_inputs
from tests.networks import by_tier

NAMES = models.names()
# Multiply-accumulates of one sample, by the papers' tables or torchvision's own networks.
PUBLISHED = {
    "linear-regression": 10,
    "softmax-regression": 7_840,
    "mlp": 203_264,
    "lenet5": 117_600 + 150_000 + 48_000 + 10_080,
    "lenet5-modern": 416_520,
    "alexnet": 724_406_816,
    "alexnet-torchvision": 714_188_480,
    "vgg11": 7_609_090_048,
    "vgg13": 11_308_466_176,
    "vgg16": 15_470_264_320,
    "vgg19": 19_632_062_464,
    "googlenet": 1_591_044_096 - 8_372_224,  # auxiliary classifiers don't run in evaluation
    "googlenet-torchvision": 1_498_376_192,
    "neocognitron": 25 * (16 * 16 * (24 + 1) + 24 * 10 * 10)  # excitation and inhibition, then C-cells
    + 25 * (8 * 8 * 24 * (24 + 1) + 24 * 6 * 6)
    + 25 * 2 * 2 * 24 * (24 + 1)
    + 24 * 2 * 2,
    "resnet18": 1_814_073_344,
    "resnet34": 3_663_761_408,
    "resnet50": 4_089_184_256,
    "resnet101": 7_801_405_440,
    "resnet152": 11_513_626_624,
    "densenet121": 2_834_161_664,
    "densenet169": 3_359_843_328,
    "densenet201": 4_291_365_888,
    "mobilenet-v1": 568_740_352,
    "mobilenet-v2": 300_774_272,
    "efficientnet-b0": 385_814_752,
    "efficientnet-b1": 686_802_832,
    "efficientnet-b2": 1_087_529_456,
    "efficientnet-b3": 1_827_141_392,
    "efficientnet-b4": 4_393_771_024,
    "efficientnet-b5": 10_266_384_752,
    "efficientnet-b6": 19_067_593_536,
    "efficientnet-b7": 37_745_884_192,
    "convnext-tiny": 4_455_531_264,
    "convnext-small": 8_683_712_256,
    "convnext-base": 15_354_729_472,
    "convnext-large": 34_361_433_600,
}


def traced(network, *shape):
    with torch.device("meta"):
        return trace(network(), torch.zeros(1, *shape))


@pytest.mark.parametrize("name", by_tier(PUBLISHED))
def test_macs_are_the_published(name):
    assert summarize(name).table()["macs"] == PUBLISHED[name]


@pytest.mark.parametrize("preset", ["paper", "mini"])
@pytest.mark.parametrize("name", by_tier(NAMES))
def test_the_table_adds_up_and_agrees_with_torchs_flop_counter(name, preset):
    table = summarize(name, preset).table()
    with torch.device("meta"):
        network = models.build(name, preset).eval()
        inputs = example_inputs(network)
        with FlopCounterMode(display=False) as counter:
            output = network(*inputs)
    output = tensors_in(output)[0]  # of several outputs, the first is shown
    assert table["macs"] == sum(row["macs"] for row in table["layers"]) == counter.get_total_flops() / 2
    assert table["flops"] == counter.get_total_flops()
    assert table["params"] == sum(row["params"] for row in table["layers"])
    assert table["params"] == sum(weight.numel() for weight in network.parameters())
    assert (table["input_shape"], table["output_shape"]) == (list(inputs[0].shape[1:]), list(output.shape[1:]))
    named, counted = dict(network.named_modules()), set()
    for row in table["layers"]:
        module = named[row["name"]]
        assert row["type"] == type(module).__name__
        own = set(module.parameters(recurse=False)) - counted  # weights that two layers share count once
        counted |= own
        assert row["params"] == sum(weight.numel() for weight in own)


class SelfAttention(nn.MultiheadAttention):
    """Attention of a sequence to itself."""

    def __init__(self, embed_dim, num_heads, need_weights=True):
        super().__init__(embed_dim, num_heads, batch_first=True)
        self.need_weights = need_weights

    def forward(self, x):
        return super().forward(x, x, x, need_weights=self.need_weights)


class FusedAttention(nn.Module):
    """Attention of queries to nine keys, whose values have as many features as the queries or a given number."""

    def __init__(self, values=4, is_causal=False):
        super().__init__()
        self.values, self.is_causal = values, is_causal

    def forward(self, query):
        key, value = (query.new_zeros(1, 2, 9, features) for features in (4, self.values))
        return F.scaled_dot_product_attention(query, key, value, is_causal=self.is_causal)


BY_HAND = [  # network, shape of a sample, its multiply-accumulates
    (lambda: nn.Conv2d(8, 16, 3, stride=2, padding=1, groups=4), (8, 9, 9), 16 * 5 * 5 * (8 // 4) * 9),
    (lambda: nn.Conv2d(8, 8, (1, 5), dilation=(1, 2), groups=8), (8, 3, 12), 8 * 3 * 4 * 5),
    (lambda: nn.Conv1d(4, 6, 3), (4, 10), 6 * 8 * 4 * 3),
    (lambda: nn.ConvTranspose2d(8, 16, 4, stride=2, groups=2), (8, 5, 5), 8 * 5 * 5 * (16 // 2) * 16),
    (lambda: nn.Linear(6, 4), (7, 6), 7 * 6 * 4),
    (lambda: nn.Linear(6, 4, bias=False), (7, 6), 7 * 6 * 4),
    (lambda: nn.LSTM(5, 3, batch_first=True), (7, 5), 7 * 4 * 3 * (5 + 3)),
    (lambda: nn.LSTM(5, 3, 2, bias=False, bidirectional=True, batch_first=True), (7, 5), 7 * 8 * 3 * (5 + 3 + 6 + 3)),
    (lambda: nn.LSTM(5, 3, proj_size=2, batch_first=True), (7, 5), 7 * (4 * 3 * (5 + 2) + 3 * 2)),
    (lambda: nn.GRU(5, 3, batch_first=True), (7, 5), 7 * 3 * 3 * (5 + 3)),
    (lambda: nn.RNN(5, 3, 2, batch_first=True), (7, 5), 7 * 3 * (5 + 3 + 3 + 3)),
    # Four projections, and twice L x L x d within the heads.
    (lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (6, 8), 6 * (4 * 64 + 2 * 128) + 2 * 6 * 6 * 8),
    (lambda: SelfAttention(8, 2), (6, 8), 6 * 4 * 64 + 2 * 6 * 6 * 8),
    (lambda: SelfAttention(8, 2, need_weights=False), (6, 8), 6 * 4 * 64 + 2 * 6 * 6 * 8),
    (lambda: FusedAttention(), (2, 6, 4), 2 * (6 * 9 * 4 + 6 * 9 * 4)),
    (lambda: FusedAttention(values=5), (2, 6, 4), 2 * (6 * 9 * 4 + 6 * 9 * 5)),
    (lambda: FusedAttention(is_causal=True), (2, 6, 4), 2 * (6 * 9 * 4 + 6 * 9 * 4)),  # masked products count too
    (lambda: nn.BatchNorm2d(3), (3, 4, 4), 0),
]


@pytest.mark.parametrize("device", ["meta", "cpu"])
@pytest.mark.parametrize(
    ("network", "shape", "expected"), BY_HAND, ids=lambda x: str(x) if isinstance(x, tuple) else ""
)
@pytest.mark.filterwarnings("ignore:LSTM with projections")
def test_macs_counted_by_hand_and_by_torch(network, shape, expected, device):
    module = network().to(device)
    traced_layer = trace(module, torch.zeros(1, *shape, device=device))
    assert traced_layer.total_macs == expected
    assert traced_layer.total_params == sum(weight.numel() for weight in module.parameters())
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module.to("meta").eval()(torch.zeros(1, *shape, device="meta"))
    assert counter.get_total_flops() == 2 * expected


def test_attention_is_traced_module_by_module_and_its_fast_path_stays_as_it_was():
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2)
    layer = trace(encoder, torch.zeros(1, 6, 8))
    assert [row["macs"] for row in layer.rows() if row["type"] == "Linear"][:2] == [6 * 8 * 16, 6 * 16 * 8]
    assert layer.total_macs == 2 * (6 * (4 * 64 + 2 * 128) + 2 * 6 * 6 * 8)
    assert torch.backends.mha.get_fastpath_enabled()


def test_recurrent_layers_on_other_devices_count_all_weights_at_each_position():
    lstm = nn.LSTM(5, 3, 2)
    weights = [parameter.detach() for parameter in lstm.parameters()]
    x, state = torch.zeros(7, 1, 5), torch.zeros(2, 1, 3)
    arguments = {
        "_cudnn_rnn": (x, weights, 4, torch.zeros(200), state, state),
        "miopen_rnn": (x, weights, 4, state, state),
        "_lstm_mps": (x, [state, state], weights, True),
    }
    for operation, args in arguments.items():
        assert count_macs(operation, args, (x,)) == trace(lstm, x).total_macs == 7 * 4 * 3 * (5 + 3 + 3 + 3)


class Tokens(nn.Module):
    """Reads integers, as its own example inputs say."""

    def __init__(self):
        super().__init__()
        self.embedding, self.head = nn.Embedding(9, 4), nn.Linear(4, 9)

    def example_inputs(self, batch_size=1):
        return (torch.zeros(batch_size, 7, dtype=torch.int64, device=self.head.weight.device),)

    def forward(self, tokens):
        return self.head(self.embedding(tokens))


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_a_network_is_traced_with_its_own_example_inputs(device):
    layer = trace(Tokens().to(device))
    assert (layer.output_shape, layer.total_macs, layer.total_params) == ([7, 9], 7 * 4 * 9, 9 * 4 + 4 * 9 + 9)


class Odd(nn.Module):
    """Shares a module and a weight, multiplies in its own code, and has a parameter of its own and an unused head."""

    def __init__(self):
        super().__init__()
        self.offset = nn.Parameter(torch.zeros(4))
        self.twice = nn.Linear(4, 4)
        self.tied = nn.Linear(4, 4)
        self.tied.weight = self.twice.weight
        self.idle = nn.Sequential(nn.Linear(4, 2))

    def forward(self, x):
        x = self.twice(self.twice(x + self.offset))
        return self.tied(x) + x @ x.transpose(1, 2) @ x


def test_shared_parameters_count_once_and_macs_each_time():
    layer = traced(Odd, 3, 4)
    rows = {row["name"]: row for row in layer.rows()}
    assert {name: row["params"] for name, row in rows.items()} == {"": 4, "twice": 20, "tied": 4, "idle.0": 10}
    assert {name: row["macs"] for name, row in rows.items()} == {"": 72, "twice": 96, "tied": 48, "idle.0": 0}
    assert rows["idle.0"]["output_shape"] == []
    assert rows["twice"]["output_shape"] == [3, 4]


def children(layer):
    return [(child.name.rpartition(".")[2], child.inputs) for child in layer.children if not child.is_activation]


def test_merges_are_found_in_what_the_network_computes():
    [layer] = [layer for layer in summarize("resnet50").network.walk() if layer.name == "layer1.1"]
    assert children(layer)[-1] == ("add", ["bn3", "input"])
    [merge] = [child for child in layer.children if child.type == "add"]
    assert merge.activations == ["ReLU"]
    [first] = [layer for layer in summarize("resnet50").network.walk() if layer.name == "layer1.0"]
    assert children(first)[-2:] == [("downsample", ["input"]), ("add", ["bn3", "downsample"])]
    with torch.device("meta"):
        plain = trace(models.build("resnet50", residual=False))
    assert not [layer for layer in plain.walk() if layer.type in OPERATIONS]
    [c3] = [layer for layer in summarize("lenet5").network.children if layer.name == "c3"]
    assert children(c3)[-1] == ("concatenate", ["three", "four", "six"])


def test_a_sum_in_place_is_a_sum():
    class InPlace(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear, self.gate, self.sigmoid = nn.Linear(4, 4), nn.Linear(4, 4), nn.Sigmoid()

        def forward(self, x):
            y = self.linear(x)
            y += x
            return y * self.sigmoid(self.gate(y))

    layer = traced(InPlace, 4)
    assert children(layer) == [
        ("linear", ["input"]),
        ("add", ["linear", "input"]),
        ("gate", ["add"]),
        ("multiply", ["add", "gate"]),
    ]
    assert layer.children[2].activations == ["Sigmoid"]


@pytest.mark.parametrize("inplace", [False, True])
def test_activations_are_listed_with_the_layer_before_and_are_rows_of_their_own(inplace):
    def network():
        relu = nn.ReLU(inplace)  # one module, used twice
        return nn.Sequential(nn.Linear(4, 3), relu, nn.Dropout(0.5), nn.Linear(3, 2), relu)

    layer = traced(network, 4)
    assert [(child.type, child.inputs, child.activations) for child in layer.children if not child.is_activation] == [
        ("Linear", ["input"], ["ReLU"]),
        ("Dropout", ["0"], []),
        ("Linear", ["2"], ["ReLU"]),
    ]
    assert [row["type"] for row in layer.rows()] == ["Linear", "ReLU", "Dropout", "Linear"]


def test_an_activation_of_the_input_is_a_layer_like_others():
    layer = traced(lambda: nn.Sequential(nn.ReLU(), nn.Linear(4, 3)), 4)
    assert [(child.type, child.inputs) for child in layer.children] == [("ReLU", ["input"]), ("Linear", ["0"])]
    assert not any(child.is_activation for child in layer.walk())


def test_a_block_that_runs_twice_lists_its_activation_once():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.block = nn.Sequential(nn.Linear(4, 4), nn.ReLU())

        def forward(self, x):
            return self.block(self.block(x))

    [block] = traced(Twice, 4).children
    assert block.children[0].activations == ["ReLU"] and block.total_macs == 2 * 16


def test_disabled_options_are_no_layers():
    def rows(**options):
        return [row["type"] for row in summarize("mlp", "mini", **options).table()["layers"]]

    assert rows() == ["Linear", "ReLU", "Linear"]
    assert rows(batch_norm=True, dropout=0.5) == ["Linear", "BatchNorm1d", "ReLU", "Dropout", "Linear"]


def test_tracing_leaves_a_network_unchanged():
    torch.manual_seed(0)
    network = models.build("resnet18", "mini")
    network.layer1.eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert trace(network).output_shape == [8]
    assert network.training and not network.layer1.training and network.layer2.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not network.conv1._forward_hooks


def test_a_summary_is_converted_to_plain_data_and_back():
    summary = summarize("resnet18", "mini")
    assert type(summary).from_dict(json.loads(json.dumps(summary.to_dict()))) == summary
    assert isinstance(Layer.from_dict(summary.to_dict()["network"]).children[0], Layer)
