"""Attention maps: the choice of a layer and a head, and rollout."""

import pytest
import torch

from workbench.errors import UserError
from workbench.tasks.attention_maps import rollout, select_for


def maps():
    generator = torch.Generator().manual_seed(0)
    return {f"layer{k}": torch.rand(2, 3, 4, 4, generator=generator).softmax(3) for k in range(2)}


def test_a_question_chooses_layer_and_head():
    weights = maps()
    assert torch.equal(select_for(weights, {"layer": "1", "head": "3"}), weights["layer0"][0, 2])
    torch.testing.assert_close(select_for(weights, {}), sum(weights["layer1"][0, k] for k in range(3)) / 3)


@pytest.mark.parametrize(
    "question, sentence",
    [
        ({"layer": "3"}, "layer must be an integer from 1 to 2, not 3."),
        ({"head": "-1"}, "head must be an integer from 1 to 3, not -1."),
        ({"head": "first"}, "head must be an integer, not 'first'."),
    ],
)
def test_there_is_no_such_map(question, sentence):
    with pytest.raises(UserError, match=f"^{sentence}$"):
        select_for(maps(), question)


def test_rollout_follows_every_path():
    weights = maps()
    first, second = (weights[name][0].mean(0) for name in weights)
    identity = torch.eye(4)
    expected = torch.zeros(4, 4)
    for output in range(4):
        for middle in range(4):
            for source in range(4):
                half = [(w + identity)[pair] / 2 for w, pair in ((second, (output, middle)), (first, (middle, source)))]
                expected[output, source] += half[0] * half[1]
    torch.testing.assert_close(rollout(weights), expected)
    torch.testing.assert_close(rollout(weights).sum(1), torch.ones(4))
