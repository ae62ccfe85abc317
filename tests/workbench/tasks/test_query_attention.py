"""Attention of the queries of a DETR: weights of the decoder, as plain data and as images."""

import json

import pytest
import torch
from PIL import Image
from torch import nn

import models
from tests.workbench.tasks.test_detection import splits, task  # noqa: F401  # fixtures
from workbench.errors import UserError
from workbench.render import predictions
from workbench.tasks import query_attention


@pytest.fixture
def network():
    torch.manual_seed(0)
    network = models.build("detr", "mini", decoder_layers=2)
    nn.init.normal_(network.class_embed.weight, std=0.5)  # so that queries differ
    return network


@pytest.fixture
def path(splits, tmp_path):  # noqa: F811
    file = tmp_path / "scene.png"
    Image.fromarray(splits["test"][0][0].transpose(1, 2, 0)).save(file)
    return str(file)


def test_weights_are_those_of_the_attention_of_torch(network):
    x = torch.randn(1, 3, 64, 64)
    network.eval()
    with torch.no_grad():
        outputs, maps = network.attend(x)
        assert all(torch.equal(values, network(x)[name]) for name, values in outputs.items())
        _, memory, positions = network.encode(x)
        layer, queries = network.decoder.layers[0], network.query_embed.weight
        own = layer.self_attn
        y = torch.zeros(1, 8, 64)
        attended = own(*own.project(y + queries, slice(0, 2)), *own.project(y, slice(2, 3)), None, is_causal=False)
        y = layer.norm1(y + attended)
        theirs = nn.MultiheadAttention(64, 8, batch_first=True)
        theirs.load_state_dict(
            {name: value for name, value in layer.multihead_attn.state_dict().items() if "attention" not in name}
        )
        _, expected = theirs(y + queries, memory + positions, memory, average_attn_weights=False)
    torch.testing.assert_close(next(iter(maps.values())).flatten(3), expected)
    assert [tuple(weights.shape) for weights in maps.values()] == [(1, 8, 8, 8, 8)] * 2


def test_a_query_is_answered_with_its_object_and_its_weights(task, network, path):  # noqa: F811
    answer = json.loads(
        json.dumps(task.respond(network, {"image": path, "query": "3", "layer": "1", "head": "2"}, seed=0))
    )
    assert answer["query"] == 3 and answer["class"] in task.dataset.classes and 0 <= answer["score"] <= 1
    assert sum(map(sum, answer["weights"])) == pytest.approx(1, abs=1e-3)
    assert "query 3, layer 1, head 2" in answer["caption"]
    assert len(answer["images"]) == 2 and predictions.draw([answer], "image-attention", 80, 24)
    best = task.respond(network, {"image": path, "query": "best"}, seed=0)
    scores = [task.respond(network, {"image": path, "query": str(k)}, seed=0)["score"] for k in range(1, 9)]
    assert best["score"] == max(scores) and best["query"] == scores.index(max(scores)) + 1


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (dict(query="9"), "query must be best, or an integer from 1 to 8, not '9'"),
        (dict(query="x"), "query must be best, or an integer"),
        (dict(layer="3"), "layer must be an integer from 1 to 2, not 3"),
    ],
)
def test_impossible_questions_are_rejected(task, network, path, question, message):  # noqa: F811
    with pytest.raises(UserError, match=message):
        task.respond(network, {"image": path, **question}, seed=0)


def test_other_detectors_have_no_queries(task, path):  # noqa: F811
    network = models.build("yolo-v1", "mini")
    with pytest.raises(UserError, match="YoloV1 has no queries"):
        task.respond(network, {"image": path, "query": "1"}, seed=0)
    assert query_attention.visualize(network, torch.zeros(3, 64, 64), task.dataset.classes, 0.0) == []


def test_a_run_shows_where_the_queries_with_objects_look(task, network):  # noqa: F811
    image = torch.randn(3, 64, 64)
    (visualization,) = query_attention.visualize(network, image, task.dataset.classes, 0.0)
    assert len(visualization["images"]) == 8 and predictions.draw([visualization], "image-attention", 120, 30)
    assert query_attention.visualize(network, image, task.dataset.classes, 1.1) == []


def test_a_box_is_drawn_where_it_is():
    drawing = query_attention.draw_box(torch.zeros(3, 10, 20), torch.tensor([0.5, 0.5, 0.5, 0.4]))
    rows, columns = (drawing[0] > 0).any(dim=1).nonzero()[:, 0], (drawing[0] > 0).any(dim=0).nonzero()[:, 0]
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (3, 7, 5, 15)
    assert drawing[0, 5, 10] == 0
