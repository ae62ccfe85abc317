"""Feature maps of backbones against timm's, which names their channels and strides."""

import pytest
import torch

import models
from tests.networks import by_tier

BACKBONES = {  # ours -> timm's
    "resnet18": "resnet18",
    "resnet50": "resnet50",
    "mobilenet-v1": "mobilenetv1_100",
    "mobilenet-v2": "mobilenetv2_100",
    "efficientnet-b0": "efficientnet_b0",
    "efficientnet-b4": "efficientnet_b4",
    "convnext-tiny": "convnext_tiny",
    "convnext-base": "convnext_base",
}


@pytest.mark.parametrize("name", by_tier(BACKBONES, fast={"resnet18", "mobilenet-v2"}))
def test_channels_and_strides_are_timms(name):
    import timm

    with torch.device("meta"):
        info = timm.create_model(BACKBONES[name], features_only=True).feature_info
        network = models.build(name).eval()
        maps = network.features(torch.zeros(2, 3, 128, 192))
    expected = [(channels, stride) for channels, stride in zip(info.channels(), info.reduction(), strict=True)]
    expected = [(channels, stride) for channels, stride in expected if stride >= 4]
    assert [tuple(m.shape) for m in maps] == [(2, channels, 128 // s, 192 // s) for channels, s in expected]
    assert network.feature_channels == tuple(channels for channels, _ in expected)


WITH_FEATURES = [name for name in models.names() if hasattr(models.build(name, "mini"), "feature_channels")]


@pytest.mark.parametrize("name", by_tier(WITH_FEATURES))
@torch.no_grad()
def test_minis_have_the_channels_that_they_say(name):
    network = models.build(name, "mini").eval()
    maps = network.features(torch.zeros(1, 3, 64, 64))
    assert tuple(m.shape[1] for m in maps) == network.feature_channels
    assert [m.shape[2] for m in maps] == [16, 8, 4, 2]


@torch.no_grad()
def test_the_last_map_is_what_the_classifier_reads():
    torch.manual_seed(0)
    network = models.build("mobilenet-v2", "mini").eval()
    x = torch.randn(2, *network.input_shape)
    pooled = network.avgpool(network.head(network.features(x)[-1])).flatten(1)
    torch.testing.assert_close(network.fc(pooled), network(x))
