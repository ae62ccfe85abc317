"""The kinds of answer: how each is read, compared and written.

kind        written as                  correct if
integer     28                          equal
fraction    7/9                         equal, exactly
decimal     0.6590                      within the rounding interval of the expected decimal places
shape       29x29x32                    every dimension is equal (credit for each)
vector      [1, 2]                      every element is equal (credit for each)
matrix      [[1, 2], [3, 4]]            every element is equal (credit for each)
expression  s*(1 - s)                   equal at sampled points, to 20 digits
sequence    A, C, B                     the same labels in the same order
set         A, C                        the same labels
choice      b                           that choice, by its letter or its text
choices     a, c                        exactly these
order       C, A, B                     the items in an order that is possible
match       a=2, b=1                    every pair
text        bias                        one of the accepted words
line        h = F.relu(h)               the same statement as one of the accepted lines
"""

from quizzes.answers.expressions import Expression
from quizzes.answers.kind import Kind, Reading
from quizzes.answers.labels import Choice, Choices, Match, Sequence, Set
from quizzes.answers.lines import Line
from quizzes.answers.numbers import Decimal, FractionKind, Integer
from quizzes.answers.orders import Order
from quizzes.answers.tensors import Matrix, Shape, Vector
from quizzes.answers.words import Text

KINDS: dict[str, Kind] = {
    "integer": Integer(),
    "fraction": FractionKind(),
    "decimal": Decimal(),
    "shape": Shape(),
    "vector": Vector(),
    "matrix": Matrix(),
    "expression": Expression(),
    "sequence": Sequence(),
    "set": Set(),
    "choice": Choice(),
    "choices": Choices(),
    "order": Order(),
    "match": Match(),
    "text": Text(),
    "line": Line(),
}

__all__ = ["KINDS", "Kind", "Reading"]
