"""BERT: published sizes, transformers' networks with the same weights, padding, and pairs of sentences."""

import pytest
import torch
from torch import nn
from transformers import BertConfig, BertForPreTraining, BertForSequenceClassification, BertModel

import models
from models.layers.tokens import PAD
from workbench.errors import UserError

torch.set_num_threads(1)
CLS, SEP, MASK = 1, 2, 3
SMALL = dict(vocab_size=50, hidden_size=24, num_layers=3, num_heads=4, intermediate_size=40, max_length=20)
CONFIG = dict(vocab_size=50, hidden_size=24, num_hidden_layers=3, num_attention_heads=4, intermediate_size=40)
WORDS = torch.tensor([[CLS, 5, MASK, SEP, 8, 9, SEP], [CLS, 9, SEP, 7, SEP, PAD, PAD]])
SEGMENTS = torch.tensor([[0, 0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 0, 0]])


def build(**options):
    torch.manual_seed(0)
    return models.build("bert", **{**SMALL, "special_tokens": (CLS, SEP, MASK), **options}).double().eval()


def reference(network_class):
    torch.manual_seed(1)
    network = network_class(BertConfig(**CONFIG, max_position_embeddings=20, num_labels=3)).double().eval()
    for name, weight in network.named_parameters():
        nn.init.normal_(weight, mean=float("LayerNorm.weight" in name), std=0.3)
    return network


def count(network):
    return sum(weight.numel() for weight in network.parameters())


def test_the_published_networks_have_as_many_weights_as_the_references():
    with torch.device("meta"):
        counts = [count(models.build("bert", num_relations=relations)) for relations in (0, 2)]
        theirs = [count(cls(BertConfig())) for cls in (BertModel, BertForPreTraining)]
    assert counts == theirs == [109_482_240, 110_106_428]
    with torch.device("meta"):
        large = dict(hidden_size=1024, num_layers=24, num_heads=16, intermediate_size=4096)
        assert count(models.build("bert", **large)) == 335_141_888
        assert count(models.build("bert", vocab_size=28_996, special_tokens=(101, 102, 103))) == 108_310_272


@torch.no_grad()
def test_with_the_weights_of_the_encoder_outputs_are_the_references():
    theirs, network = reference(BertModel), build()
    expected = theirs(WORDS, token_type_ids=SEGMENTS, attention_mask=(WORDS != PAD).long())
    network.load_reference(theirs.state_dict())
    outputs = network(WORDS, SEGMENTS)
    is_word = WORDS != PAD
    torch.testing.assert_close(outputs["hidden"][is_word], expected.last_hidden_state[is_word], rtol=0, atol=1e-10)
    torch.testing.assert_close(outputs["pooled"], expected.pooler_output, rtol=0, atol=1e-10)
    # No mask, and a mask of ones.
    whole = theirs(WORDS[:1], token_type_ids=SEGMENTS[:1])
    torch.testing.assert_close(network(WORDS[:1], SEGMENTS[:1])["hidden"], whole.last_hidden_state, rtol=0, atol=1e-10)


@torch.no_grad()
def test_with_the_weights_of_pre_training_outputs_are_the_references():
    theirs, network = reference(BertForPreTraining), build(num_relations=2)
    expected = theirs(WORDS, token_type_ids=SEGMENTS, attention_mask=(WORDS != PAD).long())
    assert not torch.allclose(network(WORDS, SEGMENTS)["relation"], expected.seq_relationship_logits, atol=1e-2)
    network.load_reference(theirs.state_dict())
    outputs, is_word = network(WORDS, SEGMENTS), WORDS != PAD
    torch.testing.assert_close(outputs["words"][is_word], expected.prediction_logits[is_word], rtol=0, atol=1e-10)
    torch.testing.assert_close(outputs["relation"], expected.seq_relationship_logits, rtol=0, atol=1e-10)
    encoder = build()  # without heads, it takes the encoder alone
    encoder.load_reference(theirs.state_dict())
    torch.testing.assert_close(encoder(WORDS, SEGMENTS)["pooled"], network.read(WORDS, SEGMENTS)[1])


@torch.no_grad()
def test_with_the_weights_of_a_classifier_outputs_are_the_references():
    theirs, network = reference(BertForSequenceClassification), build(num_classes=3)
    network.load_reference(theirs.state_dict())
    sentences = torch.tensor([[5, 6, 7, 8], [9, 5, PAD, PAD]])
    whole = torch.tensor([[CLS, 5, 6, 7, 8, SEP], [CLS, 9, 5, SEP, PAD, PAD]])
    expected = theirs(whole, attention_mask=(whole != PAD).long()).logits
    torch.testing.assert_close(network(sentences), expected, rtol=0, atol=1e-10)


def test_pairs_are_joined_without_padding_in_between():
    network = build()
    first, second = torch.tensor([[5, 6, PAD], [7, 8, 9]]), torch.tensor([[5, 5], [6, PAD]])
    words, segments = network.join(first, second)
    assert words.tolist() == [[CLS, 5, 6, SEP, 5, 5, SEP, PAD][:7], [CLS, 7, 8, 9, SEP, 6, SEP]]
    assert segments.tolist() == [[0, 0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 1, 1]]
    words, segments = network.join(first[:1])
    assert words.tolist() == [[CLS, 5, 6, SEP]] and not segments.any()


@torch.no_grad()
def test_padding_changes_nothing():
    network = build(num_relations=2)
    outputs, alone = network(WORDS, SEGMENTS), network(WORDS[1:, :5], SEGMENTS[1:, :5])
    torch.testing.assert_close(outputs["words"][1:, :5], alone["words"], rtol=0, atol=1e-12)
    before = network.read(WORDS, SEGMENTS)[0][1, :5]
    network.embeddings.word_embeddings.weight[PAD] += 1e3
    assert torch.equal(network.read(WORDS, SEGMENTS)[0][1, :5], before)


def test_special_tokens_follow_the_vocabulary_unless_it_is_the_published_one():
    with torch.device("meta"):
        published, own = models.build("bert"), models.build("bert", vocab_size=40)
    tokens = [(network.cls_token, network.sep_token, network.mask_token) for network in (published, own)]
    assert tokens == [(101, 102, 103), (40, 41, 42)]
    assert own.embeddings.word_embeddings.num_embeddings == 43


@pytest.mark.parametrize(
    ("options", "message"),
    [(dict(num_heads=5), "hidden_size must be a multiple of num_heads, 5, not 24"), (dict(vocab_size=0), "1 or more")],
)
def test_unusable_arguments_are_rejected(options, message):
    with pytest.raises(UserError, match=message):
        models.build("bert", **{**SMALL, **options})


def test_a_text_longer_than_the_positions_is_rejected():
    with pytest.raises(UserError, match="The text has 21 tokens, and this network has positions for 20"):
        build()(torch.ones(1, 21, dtype=torch.int64))
