"""A round of questions: what is asked next, and how an answer is marked, kept and scheduled."""

import json
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from random import Random

from quizzes import bank
from quizzes.marking import mark
from quizzes.question import Mark, Outcome, PartMark, Question
from workbench import syllabus
from workbench.errors import unknown_name
from workbench.store import Attempt, Store
from workbench.study import schedule


def items_of(name: str | None) -> list[str]:
    """The drills and cards of a topic, a chapter or a pack; one drill or card; everything, where no name is given.

    Raises:
        UserError: Where the name is neither.
    """
    everything = bank.everything()
    if name is None:
        return list(everything)
    if name in everything:
        return [name]
    found = [id for id, item in everything.items() if name in _groups(id, item.topic)]
    if not found:
        topics = {item.topic for item in everything.values()}
        raise unknown_name("chapter, topic, drill or card with questions called", name, sorted({*topics, *everything}))
    return found


def _groups(id: str, topic: str) -> tuple[str, ...]:
    """What a drill or card belongs to: its topic, its chapter and, where its id begins with one, its pack."""
    pack, slash, _ = id.partition("/")
    return (topic, syllabus.topics()[topic].chapter, *([pack] if slash else []))


def choose(store: Store, items: list[str], count: int, at: datetime, rng: Random) -> list[str]:
    """What to ask: first what is due, then what was never asked (easy things first), then what is least remembered."""
    states = {item: state for item, state in store.items().items() if item in items}
    due = [state.item for state in schedule.due(states.values(), at)]
    fresh = [item for item in items if item not in states]
    rng.shuffle(fresh)
    fresh.sort(key=lambda item: bank.find(item).tier)
    rest = sorted((s for s in states.values() if s.item not in due), key=lambda s: schedule.recall(s, at))
    order = [*due, *fresh, *(s.item for s in rest)]
    return [order[k % len(order)] for k in range(count)] if order else []


class Session:
    """A round of questions over items; what went wrong comes once more at the end.

    Args:
        store: Where attempts are kept.
        items: What is asked, in order.
        rng: Chooses the variants.
        clock: The present moment, in UTC.
    """

    def __init__(self, store: Store, items: list[str], rng: Random, clock: Callable[[], datetime] = schedule.now):
        self.store, self.rng, self.clock = store, rng, clock
        self.queue = deque(items)
        self.repeated: set[str] = set()
        self.marks: list[Mark] = []

    def next(self) -> Question | None:
        """The next question, with fresh numbers; None at the end."""
        return self.again(self.queue.popleft()) if self.queue else None

    def again(self, item: str) -> Question:
        """An item with fresh numbers, now."""
        return bank.draw(item, self.rng.randrange(1, 100_000))

    def answer(
        self, question: Question, answers: Mapping[str, str], hinted: bool = False, seconds: float = 0.0
    ) -> Mark:
        """Mark an answer; what counts is written before it is returned."""
        given = mark(question, answers)
        if given.mark != "not_understood":
            with self.store.writing():  # so that of two programs only one has the item's review of the day
                self._keep(question, answers, given, hinted, seconds)
            self._after(question.drill, given)
        return given

    def give_up(self, question: Question, seconds: float = 0.0) -> Mark:
        """Record that the solution was shown without an answer."""
        parts = [PartMark(part.part, Outcome.WRONG, mistake="given-up") for part in question.parts]
        given = Mark(Outcome.WRONG, 0.0, "", parts)
        with self.store.writing():
            self._keep(question, {}, given, False, seconds)
        self._after(question.drill, given)
        return given

    def _keep(self, question: Question, answers: Mapping[str, str], given: Mark, hinted: bool, seconds: float) -> None:
        at, item = self.clock(), question.drill
        state = self.store.items().get(item)
        rated = None
        if not schedule.reviewed_today(state, at):
            rated = schedule.rating(given, hinted, seconds, self.store.attempts(item))
            state = schedule.review(item, question.topic, state, rated, seconds, at)
        mistakes = dict.fromkeys(part.mistake for part in given.parts if part.mistake)
        attempt = Attempt(
            item=item,
            seed=question.seed,
            topic=question.topic,
            answers=json.dumps(dict(answers), ensure_ascii=False),
            mark=given.mark,
            score=given.score,
            mistakes=",".join(mistakes),
            hinted=hinted,
            seconds=round(seconds, 1),
            at=at.isoformat(),
            rating=rated,
        )
        self.store.keep(attempt, state if rated else None)

    def _after(self, item: str, given: Mark) -> None:
        self.marks.append(given)
        if given.mark != "right" and item not in self.repeated:
            self.repeated.add(item)
            self.queue.append(item)
