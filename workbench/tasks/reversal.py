"""Reversal of letters: how much of a source a decoder still knows, as the source grows."""

from workbench.tasks.translation import Translation

TASK = Translation(data="reversal", title="reverse the order of letters")
