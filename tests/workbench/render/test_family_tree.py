"""The family tree: families build on older ones, and each is listed once."""

import pytest

import models
from workbench.render import family_tree
from workbench.render.milestones import MILESTONES

MEMBERS = family_tree.members()


def test_every_network_is_in_the_tree_once():
    members = [member for member, _ in family_tree.render_tree()]
    assert sorted(name for member in members for name in member.networks) == models.names()
    assert sorted(member.family for member in members) == sorted(MEMBERS)


@pytest.mark.parametrize("family", MEMBERS)
def test_a_family_builds_on_members_that_are_not_newer(family):
    for parent in MEMBERS[family].builds_on:
        assert parent in MEMBERS and parent != family
        assert MEMBERS[parent].year <= MEMBERS[family].year


@pytest.mark.parametrize("family", MEMBERS)
def test_parents_lead_to_a_root(family):
    ancestors = []
    while family:
        assert family not in ancestors
        ancestors.append(family)
        family = family_tree.parent_of(MEMBERS[family], MEMBERS)


@pytest.mark.parametrize(
    "line",
    [  # years and order from the papers
        "neocognitron 1980 lenet5 1998 alexnet 2012 vgg 2014 resnet 2015 densenet 2016",
        "resnet 2015 convnext 2022",
        "alexnet 2012 network-in-network 2013 googlenet 2014",
        "depthwise-separable 2014 mobilenet-v1 2017 mobilenet-v2 2018 efficientnet 2019",
        "perceptron 1958 mlp 1986",
        "transformer 2017 vit 2020 swin 2021",
    ],
)
def test_lines_of_descent(line):
    words = line.split()
    families, years = words[::2], [int(year) for year in words[1::2]]
    assert [MEMBERS[family].year for family in families] == years
    assert [family_tree.parent_of(MEMBERS[family], MEMBERS) for family in families[1:]] == families[:-1]


@pytest.mark.parametrize("family", MILESTONES)
def test_a_contribution_is_a_sentence(family):
    contribution = MILESTONES[family]["contribution"]
    assert 30 < len(contribution) < 240 and contribution[0].isupper() and contribution.endswith(".")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_tree_fits_its_width_and_has_every_contribution(width):
    for member, lines in family_tree.render_tree(width):
        assert max(map(len, lines)) <= width
        assert lines[0].startswith(str(member.year)) and member.family in lines[0]
        words = " ".join(lines).replace("│", " ").split()
        assert all(word in words for word in member.contribution.split())


def test_a_part_of_the_tree_includes_what_it_builds_on():
    families = {member.family for member, _ in family_tree.render_tree(80, ["densenet121"])}
    assert families == {"densenet", "resnet", "vgg", "alexnet", "lenet5", "neocognitron", "mlp", "perceptron"}
    assert not list(family_tree.render_tree(80, []))


def test_a_family_of_the_registry_replaces_a_milestone(monkeypatch):
    monkeypatch.setitem(MILESTONES, "resnet", dict(year=1, paper="", contribution="", builds_on=()))
    assert family_tree.members()["resnet"].year == 2015


def test_to_json_has_the_keys_of_the_command():
    assert MEMBERS["senet"].to_json() == {
        "family": "senet",
        "year": 2017,
        "paper": "arXiv:1709.01507",
        "idea": MILESTONES["senet"]["contribution"],
        "builds_on": [*MILESTONES["senet"].get("builds_on", ())],
        "networks": [],
    }
