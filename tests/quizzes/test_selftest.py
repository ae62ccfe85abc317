"""The drills' examination, on drills that are wrong on purpose."""

from quizzes import bank
from quizzes.drill import Drill
from quizzes.selftest import selftest


def test_a_symbol_that_is_never_asked_for_is_told():
    drill = bank.get("conv-out-size")
    assert not any("never asked" in fault for fault in selftest(drill, range(1, 51)).faults)

    class Stubborn(Drill):
        """Says that it asks for several symbols, and asks for the first of them whatever the seed."""

        def draw(self, seed):
            return Drill(**{**vars(self), "asks": self.asks[:1]}).draw(seed)

    stubborn = Stubborn(**vars(drill))
    told = [fault for fault in selftest(stubborn, range(1, 51)).faults if "never asked" in fault]
    assert told == [f"{name} is never asked for" for name in drill.asks[1:]]


def test_few_seeds_say_nothing_of_what_never_came():
    assert selftest(bank.get("conv-out-size"), [1]).faults == []
