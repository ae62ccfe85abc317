"""GPT-2 and GPT: the libraries' weights and outputs, generation with a cache, and what is masked."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import models
from models.cost import summarize
from workbench.errors import UserError

torch.set_num_threads(1)
SIZES = dict(vocab_size=50, embedding_size=24, num_layers=3, num_heads=4, max_length=12)
FAMILIES = ["gpt", "gpt1"]


def tokens(length=12, batch_size=3, seed=1):
    return torch.randint(50, (batch_size, length), generator=torch.Generator().manual_seed(seed))


def randomize(network):
    """Give each tensor values of its own, because fresh norms and biases hide which are mixed up."""
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.2 * torch.randn_like(weight))
    return network.double().eval()


def hugging_face(name, device="cpu", **sizes):
    import transformers

    torch.manual_seed(0)
    kind, config = {
        "gpt": (transformers.GPT2LMHeadModel, transformers.GPT2Config),
        "gpt1": (transformers.OpenAIGPTLMHeadModel, transformers.OpenAIGPTConfig),
    }[name]
    names = dict(
        vocab_size="vocab_size",
        embedding_size="n_embd",
        num_layers="n_layer",
        num_heads="n_head",
        max_length="n_positions",
    )
    with torch.device(device):
        return kind(config(**{names[size]: value for size, value in sizes.items()}))


class NanoGPT(nn.Module):
    """A network with the state dict of nanoGPT, written from its names: torch's attention and dense layers."""

    def __init__(self, bias=True, vocab_size=50, embedding_size=24, num_layers=3, num_heads=4, max_length=12):
        super().__init__()
        size, self.num_heads = embedding_size, num_heads

        def block():
            attn = nn.ModuleDict({"c_attn": nn.Linear(size, 3 * size, bias), "c_proj": nn.Linear(size, size, bias)})
            attn.register_buffer("bias", torch.ones(1, 1, max_length, max_length).tril())
            mlp = nn.ModuleDict({"c_fc": nn.Linear(size, 4 * size, bias), "c_proj": nn.Linear(4 * size, size, bias)})
            norms = {name: nn.LayerNorm(size, bias=bias) for name in ("ln_1", "ln_2")}
            return nn.ModuleDict({"ln_1": norms["ln_1"], "attn": attn, "ln_2": norms["ln_2"], "mlp": mlp})

        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(vocab_size, size),
                "wpe": nn.Embedding(max_length, size),
                "h": nn.ModuleList(block() for _ in range(num_layers)),
                "ln_f": nn.LayerNorm(size, bias=bias),
            }
        )
        self.lm_head = nn.Linear(size, vocab_size, bias=False)
        self.transformer["wte"].weight = self.lm_head.weight

    def forward(self, text):
        parts = self.transformer
        x = parts["wte"](text) + parts["wpe"].weight[: text.shape[1]]
        for block in parts["h"]:
            attn, mlp = block["attn"], block["mlp"]
            heads = attn["c_attn"](block["ln_1"](x)).chunk(3, dim=2)
            query, key, value = (part.unflatten(2, (self.num_heads, -1)).transpose(1, 2) for part in heads)
            scores = query @ key.mT / query.shape[3] ** 0.5
            hidden = attn.bias[..., : text.shape[1], : text.shape[1]] == 0
            y = scores.masked_fill(hidden, -torch.inf).softmax(3) @ value
            x = x + attn["c_proj"](y.transpose(1, 2).flatten(2))
            x = x + mlp["c_proj"](F.gelu(mlp["c_fc"](block["ln_2"](x))))
        return self.lm_head(parts["ln_f"](x))


@pytest.mark.parametrize("name", FAMILIES)
@torch.no_grad()
def test_with_the_weights_of_transformers_the_logits_are_its(name):
    theirs = randomize(hugging_face(name, **SIZES))
    ours = models.build(name, **SIZES).double().eval()
    ours.load_reference(theirs.state_dict())
    torch.testing.assert_close(ours(tokens()), theirs(tokens()).logits, rtol=0, atol=1e-12)
    single = theirs.float()(tokens()).logits
    torch.testing.assert_close(ours.float()(tokens()), single, rtol=0, atol=1e-4)
    assert list(ours.state_dict()) == [key for key in theirs.state_dict() if not key.endswith(".attn.bias")]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("prefix", ["", "_orig_mod."])
@torch.no_grad()
def test_with_the_weights_of_nanogpt_the_logits_are_its(bias, prefix):
    torch.manual_seed(0)
    theirs = randomize(NanoGPT(bias))
    ours = models.build("gpt", **SIZES, exact_gelu=True).double().eval()
    ours.load_reference({prefix + name: tensor for name, tensor in theirs.state_dict().items()})
    torch.testing.assert_close(ours(tokens()), theirs(tokens()), rtol=0, atol=1e-12)
    assert len([name for name in NanoGPT(num_layers=12).state_dict() if not name.endswith(".attn.bias")]) == 149


@torch.no_grad()
def test_weights_without_the_head_and_its_prefix_are_loaded():
    theirs = randomize(hugging_face("gpt", **SIZES))
    ours = models.build("gpt", **SIZES).double().eval()
    ours.load_reference(theirs.transformer.state_dict() | {"h.0.attn.bias": torch.ones(1, 1, 12, 12)})
    torch.testing.assert_close(ours(tokens()), theirs(tokens()).logits, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("gpt", dict()),
        ("gpt1", dict()),
        *(
            pytest.param(f"gpt-{size}", dict(embedding_size=width, num_layers=layers, num_heads=heads))
            for size, width, layers, heads in [("medium", 1024, 24, 16), ("large", 1280, 36, 20), ("xl", 1600, 48, 25)]
        ),
    ],
)
def test_the_published_sizes_have_the_layers_of_transformers(name, sizes):
    theirs = hugging_face("gpt1" if name == "gpt1" else "gpt", "meta", **sizes)
    with torch.device("meta"):
        ours = models.build(name)
    shapes = {key: tensor.shape for key, tensor in ours.state_dict().items()}
    ours.load_reference(theirs.state_dict())
    assert {key: tensor.shape for key, tensor in ours.state_dict().items()} == shapes
    assert sum(map(torch.numel, ours.parameters())) == sum(map(torch.numel, theirs.parameters()))
    assert ours.max_length == theirs.config.n_positions


@pytest.mark.parametrize(("name", "macs"), [("gpt", 145_824_153_600), ("gpt1", 64_234_979_328)])
def test_the_cost_is_the_published_one(name, macs):
    assert summarize(name).network.total_macs == macs


@pytest.mark.parametrize("name", FAMILIES)
@torch.no_grad()
def test_cached_logits_are_those_of_the_last_tokens_that_fit_into_the_context(name):
    torch.manual_seed(0)
    network = randomize(models.build(name, **SIZES))
    text, cache = tokens(30), None
    for end in range(1, 31):
        logits, cache = network.step(text[:, end - 1], cache)
        expected = network(text[:, max(0, end - 12) : end])[:, -1]
        torch.testing.assert_close(logits, expected, rtol=0, atol=1e-12)
        prefilled, filled = network.prefill(text[:, :end])
        torch.testing.assert_close(prefilled, expected, rtol=0, atol=1e-12)
        assert [part.shape for part in filled] == [part.shape for part in cache]


@pytest.mark.parametrize("name", FAMILIES)
@torch.no_grad()
def test_an_output_depends_on_no_later_token(name):
    torch.manual_seed(0)
    network, text = randomize(models.build(name, **SIZES)), tokens()
    before = network(text)
    text[:, 7] = (text[:, 7] + 1) % 50
    change = (network(text) - before).abs().amax(dim=(0, 2))
    assert (change[:7] == 0).all() and (change[7:] > 0).all()


def test_initial_weights_are_smaller_where_residual_branches_end():
    torch.manual_seed(0)
    network = models.build("gpt", "mini")
    stds = {name: weight.std().item() for name, weight in network.named_parameters() if weight.dim() > 1}
    for name, std in stds.items():
        assert std == pytest.approx(0.02 / 4**0.5 if name.endswith("c_proj.weight") else 0.02, rel=0.05), name
    # At random weights, the loss is that of a guess.
    text = torch.randint(96, (8, 64))
    loss = F.cross_entropy(network(text[:, :-1]).flatten(0, 1), text[:, 1:].flatten()).item()
    assert loss == pytest.approx(torch.tensor(96.0).log().item(), abs=0.1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda weights: {**weights, "lm_head.weight": weights["lm_head.weight"] + 1}, "differs from the embedding"),
        (lambda weights: {key: each for key, each in weights.items() if "h.2.ln_1" not in key}, "is missing"),
        (lambda weights: {**weights, "transformer.h.3.ln_1.weight": torch.ones(24)}, "is not a tensor of the network"),
        (
            lambda weights: {**weights, "transformer.wpe.weight": torch.ones(20, 24)},
            r"\[20, 24\] there, and \[12, 24\]",
        ),
    ],
)
def test_weights_of_other_networks_are_rejected(change, message):
    weights = hugging_face("gpt", **SIZES).state_dict()
    with pytest.raises(ValueError, match=message):
        models.build("gpt", **SIZES).load_reference(change(dict(weights)))


def test_weights_with_another_vocabulary_are_rejected():
    weights = hugging_face("gpt", **SIZES).state_dict()
    with pytest.raises(ValueError, match="a vocabulary of 50 tokens, and the network one of 60: set vocab_size to 50"):
        models.build("gpt", **{**SIZES, "vocab_size": 60}).load_reference(weights)


def test_a_text_longer_than_the_context_is_rejected():
    with pytest.raises(UserError, match=r"The text has 13 tokens, and .* at most 12\. Shorten the text"):
        models.build("gpt", **SIZES)(tokens(13))
