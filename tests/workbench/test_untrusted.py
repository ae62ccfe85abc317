"""Text of any origin becomes text that is safe to print."""

from hypothesis import given
from hypothesis import strategies as st

from workbench.untrusted import printable, printable_lines


@given(st.text())
def test_printable_lines_keep_line_breaks_and_nothing_else_that_controls_a_terminal(text):
    lines = printable_lines(text).split("\n")
    assert len(lines) == text.count("\n") + 1
    assert all(line.isprintable() for line in lines)
    assert lines == [printable(line) for line in text.expandtabs(4).split("\n")]


def test_terminal_codes_are_question_marks_and_tabs_are_spaces():
    assert printable_lines("a\tb\x1b[2J\nc\rd\u202e") == "a   b?[2J\nc?d?"
