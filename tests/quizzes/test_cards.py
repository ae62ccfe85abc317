"""Cards: how they are read, shuffled and looked up; each of them is examined in `tests/content`."""

import pytest

from quizzes import BadInput, cards
from quizzes.cards import read_cards
from quizzes.marking import mark


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
