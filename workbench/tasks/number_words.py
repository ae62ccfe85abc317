"""Translation of numbers in words into digits, and of digits into words."""

from workbench.tasks.translation import Translation

TASK = Translation(data="number-words", title="write numbers in digits and in words")
