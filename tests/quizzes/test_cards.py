"""Every card: plain data, its right answer right, every wrong one not, and a source."""

import json
from dataclasses import asdict
from itertools import permutations

import pytest

from quizzes import BadInput, cards
from quizzes.answers import KINDS
from quizzes.cards import read_cards
from quizzes.marking import mark
from workbench import syllabus

CARDS = list(cards.all_cards())


def answered(question, value):
    part = question.parts[0]
    return mark(question, {part.part: KINDS[part.kind].write(value, part)})


@pytest.mark.parametrize("id", CARDS)
def test_card(id):
    card = cards.get(id)
    question = card.draw(1)
    part = question.parts[0]
    assert json.loads(json.dumps(asdict(question))) == asdict(question)
    assert card.topic in syllabus.topics()
    assert question.prompt and question.why and len(question.source) > 10
    assert len(set(part.choices)) == len(part.choices) and len(set(part.items)) == len(part.items)
    for seed in range(5):
        assert answered(card.draw(seed), card.draw(seed).parts[0].answer).mark == "right"


@pytest.mark.parametrize("id", [id for id in CARDS if cards.get(id).kind in ("choice", "choices")])
def test_only_the_right_choices_are_right(id):
    card = cards.get(id)
    right = {card.content["answer"]} if card.kind == "choice" else set(card.content["right"])
    assert not right & set(card.content["wrong"])
    question = card.draw(3)
    part = question.parts[0]
    for letter, text in zip("abcdefgh", part.choices, strict=False):
        assert (mark(question, {"answer": letter}).mark in ("right", "partly")) == (text in right)
        if card.kind == "choice":
            assert (mark(question, {"answer": text}).mark == "right") == (text in right)


@pytest.mark.parametrize("id", [id for id in CARDS if cards.get(id).kind == "order"])
def test_only_the_true_order_is_right(id):
    question = cards.get(id).draw(1)
    letters = question.parts[0].answer
    assert [letters] == [list(p) for p in permutations(letters) if answered(question, p).mark == "right"]


@pytest.mark.parametrize("id", [id for id in CARDS if cards.get(id).kind == "match"])
def test_pairs_are_matched_by_what_stands_there(id):
    card = cards.get(id)
    question = card.draw(2)
    part = question.parts[0]
    partner = dict(card.content["pairs"])
    text = ", ".join(
        f"{c}={part.choices.index(partner[item]) + 1}" for c, item in zip("abcdefgh", part.items, strict=False)
    )
    assert mark(question, {"answer": text}).mark == "right"


@pytest.mark.parametrize("id", [id for id in CARDS if cards.get(id).kind == "cloze"])
def test_every_accepted_word_fills_the_gap(id):
    card = cards.get(id)
    assert "___" in card.ask
    for word in card.content["accept"]:
        assert mark(card.draw(1), {"answer": f" {word.upper()} "}).mark == "right"
        assert word.casefold() not in card.ask.casefold()
    assert mark(card.draw(1), {"answer": "something else"}).mark == "wrong"


def test_a_point_before_a_number_counts():
    card = cards.get("activations/sigmoid-slope")
    assert mark(card.draw(1), {"answer": ".25"}).mark == "right"
    assert mark(card.draw(1), {"answer": "25"}).mark == "wrong"


def test_shuffled_by_the_seed_alone():
    draws = [cards.get("convolution/shared-weights").draw(seed).parts[0].choices for seed in range(12)]
    assert len({tuple(d) for d in draws}) > 3
    assert draws == [cards.get("convolution/shared-weights").draw(seed).parts[0].choices for seed in range(12)]


def test_a_card_with_the_wrong_fields_is_refused(tmp_path):
    file = tmp_path / "iou.toml"
    file.write_text('[[card]]\nid="a"\nkind="choice"\nask="?"\nwhy="."\nsource="."\nanswer="x"\n', encoding="utf-8")
    with pytest.raises(ValueError, match="a choice card has answer, wrong"):
        read_cards(file)


def test_unknown_cards_offer_the_nearest():
    with pytest.raises(BadInput, match="did you mean convolution/equivariance"):
        cards.get("convolution/equivarience")
