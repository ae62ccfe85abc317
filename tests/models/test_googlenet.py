"""The paper's GoogLeNet and torchvision's, against Table 1, published counts, and torchvision in training."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import models
from models.cost import summarize
from workbench.errors import UserError

# Table 1 of the paper: output, #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj.
TABLE = {
    "inception3a": ([256, 28, 28], (64, 96, 128, 16, 32, 32)),
    "inception3b": ([480, 28, 28], (128, 128, 192, 32, 96, 64)),
    "inception4a": ([512, 14, 14], (192, 96, 208, 16, 48, 64)),
    "inception4b": ([512, 14, 14], (160, 112, 224, 24, 64, 64)),
    "inception4c": ([512, 14, 14], (128, 128, 256, 24, 64, 64)),
    "inception4d": ([528, 14, 14], (112, 144, 288, 32, 64, 64)),
    "inception4e": ([832, 14, 14], (256, 160, 320, 32, 128, 128)),
    "inception5a": ([832, 7, 7], (256, 160, 320, 32, 128, 128)),
    "inception5b": ([1024, 7, 7], (384, 192, 384, 48, 128, 128)),
}
STEM = {
    "conv1": [64, 112, 112],
    "maxpool1": [64, 56, 56],
    "conv3": [192, 56, 56],
    "maxpool2": [192, 28, 28],
    "maxpool3": [480, 14, 14],
    "maxpool4": [832, 7, 7],
    "avgpool": [1024, 1, 1],
}


@pytest.mark.parametrize(("name", "largest"), [("googlenet", "5x5"), ("googlenet-torchvision", "3x3")])
def test_maps_and_filters_are_those_of_table_1(name, largest):
    layers = {layer.name: layer for layer in summarize(name).network.walk()}
    assert {name: layers[name].output_shape for name in STEM} == STEM
    for module, (output, filters) in TABLE.items():
        assert layers[module].output_shape == output
        convolutions = [layer for layer in layers[module].walk() if layer.type == "Conv2d"]
        assert tuple(layer.output_shape[0] for layer in convolutions) == filters
        assert [layer.detail for layer in convolutions] == ["1x1", "1x1", "3x3", "1x1", largest, "1x1"]


def test_every_module_has_the_parameters_of_its_filters_and_biases():
    layers = {layer.name: layer for layer in summarize("googlenet").network.walk()}
    channels = 192
    for module, (output, (a, b, c, d, e, f)) in TABLE.items():
        weights = channels * (a + b + d + f) + 9 * b * c + 25 * d * e
        assert layers[module].total_params == weights + a + b + c + d + e + f
        channels = output[0]


# Caffe's bvlc_googlenet, torchvision's documentation; multiply-accumulates in training, auxiliary classifiers included.
@pytest.mark.parametrize(
    ("name", "params", "training_macs"),
    [("googlenet", 6_998_552, 1_591_044_096), ("googlenet-torchvision", 6_624_904, 1_506_748_416)],
)
def test_auxiliary_classifiers_run_in_training_only(name, params, training_macs):
    with torch.device("meta"):
        network, without = models.build(name), models.build(name, aux_logits=False)
        x = torch.zeros(1, 3, 224, 224)
        with FlopCounterMode(display=False) as counter:
            outputs = network.train()(x)
        assert [logits.shape for logits in outputs] == [(1, 1000)] * 3
        assert network.eval()(x).shape == without.train()(x).shape == (1, 1000)
    assert counter.get_total_flops() / 2 == training_macs
    assert sum(weight.numel() for weight in without.parameters()) == params
    assert all(auxiliary.fc1.in_features == 2048 for auxiliary in (network.aux1, network.aux2))


def torchvisions():
    import torchvision

    torch.manual_seed(0)
    network = torchvision.models.googlenet(weights=None, init_weights=False).double().train()
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return network


@torch.no_grad()
def test_outputs_in_training_are_torchvisions_in_another_order():
    theirs = torchvisions()
    ours = models.build("googlenet-torchvision", dropout=0.0).double().train()
    ours.load_reference(theirs.state_dict())
    for auxiliary in (ours.aux1, ours.aux2):
        assert auxiliary.dropout.p == 0.7
        auxiliary.dropout.p = 0.0
    x = torch.randn(4, 3, 64, 64, dtype=torch.float64)
    logits, aux2, aux1 = theirs(x)
    assert not torch.allclose(aux1, aux2, atol=1e-2)
    for output, expected in zip(ours(x), (logits, aux1, aux2), strict=True):
        torch.testing.assert_close(output, expected, rtol=0, atol=1e-8)


def test_without_auxiliary_classifiers_the_other_weights_are_loaded():
    import torchvision

    with torch.device("meta"):
        theirs = torchvision.models.googlenet(weights=None, init_weights=False)
        models.build("googlenet-torchvision", aux_logits=False).load_reference(theirs.state_dict())
        without_fc = {name: weight for name, weight in theirs.state_dict().items() if name != "fc.bias"}
        with pytest.raises(RuntimeError, match=r"fc\.bias"):
            models.build("googlenet-torchvision", aux_logits=False).load_reference(without_fc)


def test_biases_begin_at_a_fifth_except_in_output_layers():
    torch.manual_seed(0)
    network = models.build("googlenet", "mini")
    biases = {name: set(weight.tolist()) for name, weight in network.named_parameters() if name.endswith("bias")}
    outputs = {"fc.bias", "aux1.fc2.bias", "aux2.fc2.bias"}
    assert {name for name, values in biases.items() if values == {0.0}} == outputs
    assert all(torch.tensor(0.2).item() in values for name, values in biases.items() if name not in outputs)


@pytest.mark.parametrize("name", ["googlenet", "googlenet-torchvision"])
@pytest.mark.parametrize(
    ("options", "message"), [({"channels": 12}, "multiple of 8"), ({"image_size": 40}, "image_size must be")]
)
def test_invalid_arguments_are_rejected(name, options, message):
    with pytest.raises(UserError, match=message):
        models.build(name, "mini", **options)
