"""Formulas, drills and cards, and how an answer is read and graded."""
