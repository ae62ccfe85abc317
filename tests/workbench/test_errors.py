"""The error for users, and the lookup of names."""

import pytest

from workbench.errors import UserError, lookup, unknown_name


def test_lookup_returns_the_option_of_that_name():
    assert lookup("model", "mlp", {"mlp": 1, "lenet": 2}) == 1


@pytest.mark.parametrize(
    ("noun", "name", "options", "message", "code"),
    [
        ("model", "lenet6", ["mlp", "lenet5"], "Unknown model 'lenet6'. Did you mean 'lenet5'?", "unknown_model"),
        ("task", "zzz", ["b", "a"], "Unknown task 'zzz'. Choose from a, b.", "unknown_task"),
        ("run", "mlp-0001", [], "Unknown run 'mlp-0001'.", "unknown_run"),
        ("preset of mlp", "x", ["mini"], "Unknown preset of mlp 'x'. Choose from mini.", "unknown_preset"),
        ("task", "zzz", "abcdefghij", "Unknown task 'zzz'. Choose from a, b, c, d, e, f, g, h, ...", "unknown_task"),
    ],
)
def test_an_unknown_name_is_explained(noun, name, options, message, code):
    error = unknown_name(noun, name, options)
    assert (str(error), error.code) == (message, code)
    with pytest.raises(UserError) as raised:
        lookup(noun, name, dict.fromkeys(options))
    assert (str(raised.value), raised.value.code) == (message, code)


def test_a_long_name_is_cut():
    assert len(str(unknown_name("task", "x" * 10_000, []))) < 100
