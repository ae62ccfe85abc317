"""Expressions: text to tree and back, values, derivatives, graphs and solving; nothing is ever evaluated as Python."""
