"""Every card, in one loop: JSON data, its own answer correct, every other not, a source, and room on the screen."""

import re
from itertools import permutations

from quizzes.answers import KINDS
from quizzes.cards import all_cards
from quizzes.marking import mark
from tests.content import checks
from workbench import syllabus

SEEDS = range(5)
LETTERS = "abcdefgh"


def graded(question, text):
    return mark(question, {question.parts[0].part: text}).mark


def own_answer(question):
    part = question.parts[0]
    return KINDS[part.kind].format_answer(part.answer, part)


def is_complete(card, question):
    part = question.parts[0]
    if card.topic not in syllabus.topics() or not (
        question.prompt and question.explanation and len(question.source) > 10
    ):
        yield "it lacks a topic, a question, an explanation or a source"
    if len(set(part.choices)) != len(part.choices) or len(set(part.items)) != len(part.items):
        yield "a choice is there twice"
    if graded(question, own_answer(question)) != "right":
        yield f"its own answer {own_answer(question)} is {graded(question, own_answer(question))}"


def only_the_correct_choices_count(card, question):
    if card.kind not in ("choice", "choices"):
        return
    correct = {card.content["answer"]} if card.kind == "choice" else set(card.content["right"])
    if correct & set(card.content["wrong"]):
        yield "a choice is correct and wrong"
    for letter, text in zip(LETTERS, question.parts[0].choices, strict=False):
        if (graded(question, letter) in ("right", "partly")) != (text in correct):
            yield f"{letter}) {text} is {graded(question, letter)}"
        if card.kind == "choice" and (graded(question, text) == "right") != (text in correct):
            yield f"{text}, written out, is {graded(question, text)}"


def only_the_true_order_counts(card, question):
    if card.kind == "order":
        letters = question.parts[0].answer
        orders = [list(order) for order in permutations(letters) if graded(question, ", ".join(order)) == "right"]
        if orders != [letters]:
            yield f"these orders are correct: {orders}"


def pairs_are_matched_by_their_texts(card, question):
    if card.kind == "match":
        part, partner = question.parts[0], dict(card.content["pairs"])
        numbers = [part.choices.index(partner[item]) + 1 for item in part.items]
        text = ", ".join(f"{letter}={number}" for letter, number in zip(LETTERS, numbers, strict=False))
        if graded(question, text) != "right":
            yield f"{text} is {graded(question, text)}"


def every_accepted_word_fills_the_gap(card, question):
    if card.kind == "cloze":
        if "___" not in card.prompt:
            yield "it has no gap"
        for word in card.content["accept"]:
            if graded(question, f" {word.upper()} ") != "right":
                yield f"{word} is not accepted"
            if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", card.prompt, re.IGNORECASE):
                yield f"the question says {word}"
        if graded(question, "something else") != "wrong":
            yield "anything is accepted"


CHECKS = [
    is_complete,
    only_the_correct_choices_count,
    only_the_true_order_counts,
    pairs_are_matched_by_their_texts,
    every_accepted_word_fills_the_gap,
    lambda _, question: checks.is_json_data(question),
    lambda _, question: checks.fits_80_columns(question),
]


def test_every_card_passes_all_checks():
    problems = []
    for card in all_cards().values():
        for seed in SEEDS:
            question = card.draw(seed)
            problems += [f"{card.id}, seed {seed}: {problem}" for check in CHECKS for problem in check(card, question)]
    assert not problems, "\n".join(problems)
