"""The family tree: nothing builds on what came after it, and everything stands in it once."""

import pytest

import models
from workbench.render import family_tree
from workbench.render.milestones import MILESTONES

KNOWN = family_tree.members()


def test_every_network_is_in_the_tree_once():
    shown = [member for member, _ in family_tree.lines()]
    assert sorted(name for member in shown for name in member.networks) == models.names()
    assert sorted(member.family for member in shown) == sorted(KNOWN)


@pytest.mark.parametrize("family", KNOWN)
def test_what_a_family_builds_on_is_known_and_no_younger(family):
    for above in KNOWN[family].builds_on:
        assert above in KNOWN and above != family
        assert KNOWN[above].year <= KNOWN[family].year


@pytest.mark.parametrize("family", KNOWN)
def test_each_leads_back_to_a_root(family):
    seen = []
    while family:
        assert family not in seen
        seen.append(family)
        family = family_tree.parent(KNOWN[family], KNOWN)


@pytest.mark.parametrize(
    "line",
    [  # year and order as the papers have them
        "neocognitron 1980 lenet5 1998 alexnet 2012 vgg 2014 resnet 2015 densenet 2016",
        "resnet 2015 convnext 2022",
        "alexnet 2012 network-in-network 2013 googlenet 2014",
        "depthwise-separable 2014 mobilenet-v1 2017 mobilenet-v2 2018 efficientnet 2019",
        "perceptron 1958 mlp 1986",
        "transformer 2017 vit 2020 swin 2021",
    ],
)
def test_who_builds_on_whom(line):
    words = line.split()
    families, years = words[::2], [int(year) for year in words[1::2]]
    assert [KNOWN[family].year for family in families] == years
    assert [family_tree.parent(KNOWN[family], KNOWN) for family in families[1:]] == families[:-1]


@pytest.mark.parametrize("family", MILESTONES)
def test_each_says_its_idea_in_a_sentence(family):
    idea = MILESTONES[family]["idea"]
    assert 30 < len(idea) < 240 and idea[0].isupper() and idea.endswith(".")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_it_keeps_to_its_width_and_tells_every_idea(width):
    for member, drawn in family_tree.lines(width):
        assert max(map(len, drawn)) <= width
        assert drawn[0].startswith(str(member.year)) and member.family in drawn[0]
        words = " ".join(drawn).replace("│", " ").split()
        assert all(word in words for word in member.idea.split())


def test_a_part_of_it_has_what_it_builds_on():
    shown = {member.family for member, _ in family_tree.lines(80, ["densenet121"])}
    assert shown == {"densenet", "resnet", "vgg", "alexnet", "lenet5", "neocognitron", "mlp", "perceptron"}
    assert not list(family_tree.lines(80, []))


def test_a_family_that_is_here_speaks_for_itself(monkeypatch):
    monkeypatch.setitem(MILESTONES, "resnet", dict(year=1, paper="", idea="", builds_on=()))
    assert family_tree.members()["resnet"].year == 2015
