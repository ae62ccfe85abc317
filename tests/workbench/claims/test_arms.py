"""Arms: what changes with an option, and what their hash covers."""

from functools import cache

from workbench.claims.arms import code_hash, run


def test_other_arguments_of_the_network_leave_the_rest_as_it_is():
    arm = run(
        "mlp", "digits", optimizer="sgd", lr=0.1, batch_size=8, options={"hidden_sizes": [4], "activation": "tanh"}
    )
    changed = arm.changed(dict(lr=0.2, options={"hidden_sizes": [8]}))
    assert changed.options == {**arm.options, "lr": 0.2, "options": {"hidden_sizes": [8], "activation": "tanh"}}
    assert arm.changed(dict(lr=0.2)).options["options"] == arm.options["options"]
    plain = run("mlp", "digits", optimizer="sgd", lr=0.1, batch_size=8)
    assert plain.changed(dict(options={"hidden_sizes": [8]})).options["options"] == {"hidden_sizes": [8]}


LEVEL = 3


@cache
def helper() -> int:
    return LEVEL


def uses_a_cached_helper(seed: int) -> float:
    return helper() + seed


def test_the_hash_of_a_function_covers_a_cached_function_and_what_that_uses(monkeypatch):
    before = code_hash(uses_a_cached_helper)
    monkeypatch.setitem(globals(), "helper", cache(helper.__wrapped__))  # another object of the same source
    assert code_hash(uses_a_cached_helper) == before
    monkeypatch.setitem(globals(), "LEVEL", 4)
    assert code_hash(uses_a_cached_helper) != before
