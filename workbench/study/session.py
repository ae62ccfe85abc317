"""A set of questions: which one is next, and how an answer is graded, stored and scheduled."""

import json
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from random import Random

from quizzes.marking import mark
from quizzes.question import Mark, Outcome, PartMark, Question
from workbench import syllabus
from workbench.errors import unknown_name
from workbench.store import Attempt, Store
from workbench.study import schedule
from workbench.user_bank import user_bank


def items_of(name: str | None) -> list[str]:
    """Return the ids of the drills and cards with a name.

    Args:
        name: A topic, a chapter, a pack, a drill or a card; None for everything.

    Raises:
        UserError: If nothing has that name.
    """
    everything = user_bank().all_drills_and_cards()
    if name is None:
        return list(everything)
    if name in everything:
        return [name]
    items = [id for id, item in everything.items() if name in _groups(id, item.topics)]
    if not items:
        topics = {topic for item in everything.values() for topic in item.topics}
        raise unknown_name("chapter, topic, drill or card with questions called", name, sorted({*topics, *everything}))
    return items


def _groups(id: str, topics: list[str]) -> set[str]:
    """Return the topics and chapters of a drill or card, and its pack if the id begins with one."""
    pack, slash, _ = id.partition("/")
    return {*topics, *(syllabus.topics()[topic].chapter for topic in topics), *([pack] if slash else [])}


def choose(store: Store, items: list[str], count: int, at: datetime, rng: Random) -> list[str]:
    """Choose items to ask: those that are due, then new ones (easy ones first), then those least likely recalled.

    Args:
        store: The states of the items.
        items: The items to choose from.
        count: How many to choose; items repeat if there are fewer.
        at: The current time in UTC.
        rng: Orders new items of one level.
    """
    states = {item: state for item, state in store.items().items() if item in items}
    due = [state.item for state in schedule.due(states.values(), at)]
    new = [item for item in items if item not in states]
    rng.shuffle(new)
    bank = user_bank()
    new.sort(key=lambda item: bank.find(item).tier)
    others = [state for state in states.values() if state.item not in due]
    others.sort(key=lambda state: schedule.retrievability(state, at))
    order = [*due, *new, *(state.item for state in others)]
    return [order[k % len(order)] for k in range(count)] if order else []


class Session:
    """A set of questions about items; an item that was not correct is asked once more at the end.

    Args:
        store: Where attempts are saved.
        items: The items to ask, in order.
        rng: Chooses the variants.
        clock: Returns the current time in UTC.
    """

    def __init__(self, store: Store, items: list[str], rng: Random, clock: Callable[[], datetime] = schedule.now):
        self.store, self.rng, self.clock = store, rng, clock
        self.queue = deque(items)
        self.repeated: set[str] = set()
        self.marks: list[Mark] = []

    def next(self) -> Question | None:
        """Return a new variant of the next item; None at the end."""
        return self.draw(self.queue.popleft()) if self.queue else None

    def draw(self, item: str) -> Question:
        """Return a new variant of an item."""
        return user_bank().draw(item, self.rng.randrange(1, 100_000))

    def answer(
        self, question: Question, answers: Mapping[str, str], hinted: bool = False, seconds: float = 0.0
    ) -> Mark:
        """Grade an answer and save it, unless it can't be read.

        Args:
            question: The question.
            answers: The typed texts by part.
            hinted: Whether a hint was shown.
            seconds: Time since the question was shown.
        """
        result = mark(question, answers)
        if result.mark != Outcome.NOT_UNDERSTOOD:
            self._record(question, answers, result, hinted, seconds)
        return result

    def give_up(self, question: Question, seconds: float = 0.0) -> Mark:
        """Save that the solution was shown without an answer, which counts as incorrect."""
        parts = [PartMark(part.part, Outcome.WRONG, mistake="given-up") for part in question.parts]
        result = Mark(Outcome.WRONG, 0.0, "", parts)
        self._record(question, {}, result, False, seconds)
        return result

    def _record(
        self, question: Question, answers: Mapping[str, str], result: Mark, hinted: bool, seconds: float
    ) -> None:
        with self.store.transaction():  # so that of two programs only one has the item's review of the day
            self._save(question, answers, result, hinted, seconds)
        self.marks.append(result)
        if result.mark != "right" and question.drill not in self.repeated:
            self.repeated.add(question.drill)
            self.queue.append(question.drill)

    def _save(self, question: Question, answers: Mapping[str, str], result: Mark, hinted: bool, seconds: float) -> None:
        at, item = self.clock(), question.drill
        state = self.store.items().get(item)
        rating = None
        if not schedule.was_reviewed_today(state, at):
            rating = schedule.rate(result, hinted, seconds, self.store.attempts(item))
            state = schedule.review(item, question.topic, state, rating, seconds, at)
        mistakes = dict.fromkeys(part.mistake for part in result.parts if part.mistake)
        attempt = Attempt(
            item=item,
            seed=question.seed,
            topic=question.topic,
            answers=json.dumps(dict(answers), ensure_ascii=False),
            mark=result.mark,
            score=result.score,
            mistakes=",".join(mistakes),
            hinted=hinted,
            seconds=round(seconds, 1),
            at=at.isoformat(),
            rating=rating,
        )
        self.store.save_attempt(attempt, state if rating else None)
