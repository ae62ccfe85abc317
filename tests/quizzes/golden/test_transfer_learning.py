"""Transfer learning: trainable parameters against torchvision's networks."""

import pytest

from quizzes.content.transfer_learning.transfer_learning.drills import NETWORKS, transfer_trainable
from quizzes.formulas import get


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        (dict(F=512, K=10), 5_130),
        (dict(F=2048, K=5), 10_245),
        (dict(F=512, K=10, P_bn=9_600), 14_730),
    ],
)
def test_golden_values(inputs, expected):
    assert get("transfer-trainable").solve(**inputs)["P"] == expected


@pytest.mark.parametrize(
    ("mistake", "expected"),
    [("frozen-counted", 11_181_642), ("bias-left-out", 5_120), ("old-head", 513_000), ("head-on-old-head", 10_010)],
)
def test_values_of_mistakes(mistake, expected):
    formula = transfer_trainable.formula
    truth = formula.evaluate(formula.complete(dict(F=512, K=10, P_all=11_689_512)))
    rule = next(rule for rule in transfer_trainable.mistake_rules if rule.name == mistake)
    assert formula.evaluate_with_mistake(rule.replaced, truth, ["P"])["P"] == expected


def test_the_table_of_modes_has_the_values_by_hand():
    values = get("transfer-table").solve(k=3, C1=16, C2=32, K=5)
    assert values == {"B": 5_136, "T_head": 165, "T_bn": 261, "T_block": 4_837, "T_all": 5_301}


@pytest.mark.parametrize("network", sorted(NETWORKS))
def test_the_networks_match_torchvision(network):
    torch, torchvision = pytest.importorskip("torch"), pytest.importorskip("torchvision")
    with torch.device("meta"):
        net = torchvision.models.get_model(network)
    layers = list(net.modules())
    head = [layer for layer in layers if isinstance(layer, torch.nn.Linear)][-1]
    norms = [layer for layer in layers if isinstance(layer, torch.nn.BatchNorm2d)]
    assert NETWORKS[network] == (
        head.in_features,
        sum(p.numel() for p in net.parameters()),
        sum(p.numel() for layer in norms for p in layer.parameters()),
    )
