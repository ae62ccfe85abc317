"""Every item of the syllabus's `cards` fields has cards, for the topics of `covered_items.toml`."""

import tomllib
from pathlib import Path

import pytest

from quizzes import cards
from workbench import syllabus

TOPICS = tomllib.loads(Path(__file__).with_name("covered_items.toml").read_text(encoding="utf-8"))


def items(topic):
    """Return the items of a topic's `cards` field."""
    return [item.strip() for item in syllabus.topics()[topic].cards.split(";")]


@pytest.mark.parametrize("topic", TOPICS)
def test_every_item_of_the_topic_has_cards(topic):
    assert sorted(TOPICS[topic]) == sorted(items(topic))
    assert all(TOPICS[topic].values())


@pytest.mark.parametrize("topic", TOPICS)
def test_the_cards_of_the_topic_exist(topic):
    ids = {f"{topic}/{card}" for covered in TOPICS[topic].values() for card in covered}
    assert ids <= set(cards.all_cards())


def test_the_chapters_are_there():
    chapters = {"autoencoders", "sequences", "seq2seq"}
    topics = {name for name, topic in syllabus.topics().items() if topic.chapter in chapters}
    others = {"detr", "self-attention", "gpt", "bert", "bleu", "vit", "t2t-vit", "swin", "mae"}
    assert topics | others <= set(TOPICS)
