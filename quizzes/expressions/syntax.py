"""The syntax of expressions: a precedence-climbing parser over the tokens of one text."""

from collections.abc import Collection
from fractions import Fraction
from typing import TypeAlias

from quizzes.expressions.functions import FUNCTIONS
from quizzes.expressions.nodes import (
    REDUCTIONS,
    Array,
    Call,
    Comparison,
    Iverson,
    Logic,
    Name,
    Num,
    Op,
    Reduction,
    Tree,
    Where,
    names,
)
from quizzes.expressions.tokens import ADVICE, FormatError, Token, TokenReader
from quizzes.expressions.tree import ARRAYS, CONSTANTS, UndefinedValue, evaluate
from quizzes.expressions.writing import COMPARISON, NEGATION, NOT, PRECEDENCE

# Limits of what is typed: levels of nesting, digits of a number, and size of an exponent.
DEPTH, DIGITS, EXPONENT = 25, 40, 99

Bounds: TypeAlias = tuple[Tree, Tree]  # the first and the last value of an index

ALIASES = {"sigma": "sigmoid", "sgn": "sign"}
COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
LOGIC = ("and", "or")
RESERVED = {*FUNCTIONS, *REDUCTIONS, "where"}


class Parser(TokenReader):
    """Precedence climbing over the tokens of one text.

    Args:
        text: The text.
        symbols: The names that are symbols; None if every name may be one.
    """

    def __init__(self, text: str, symbols: Collection[str] | None):
        super().__init__(text)
        self.symbols, self.depth = symbols, 0
        self.bound: list[str] = []
        self.keywords: tuple[str, ...] = ()  # names that are words of the grammar here
        self.is_condition = False  # whether a condition is parsed here, in which values are compared

    def expression(self, precedence: int = 0) -> Tree:
        """Parse operations that bind more strongly than a precedence."""
        self.depth += 1
        if self.depth > DEPTH:
            raise self.too_deep()
        start = self.next.at
        left = self.operand()
        compared: Tree | None = None  # the right-hand side of the comparison on the left: 0 <= x, of 0 <= x < 1
        while (infix := self.infix()) and infix[1] > precedence:
            token, (op, own, is_implicit) = self.next, infix
            if is_implicit and token.kind == "number":
                raise self.error("a number can't follow here: write an operator before it, or remove the space")
            self.at += not is_implicit
            right_start = self.next.at
            right = self.expression(own - (op == "^"))
            if op in LOGIC:
                left = Logic(op, (self.as_condition(left, start), self.as_condition(right, right_start)))
                continue
            self.as_number(right, right_start)
            if op in COMPARISONS and compared:
                left, compared = Logic("and", (left, Comparison(op, (compared, right)))), right
                continue
            self.as_number(left, start)
            if op == "^":
                self.check_exponent(right, token.at)
            compared = right if op in COMPARISONS else None
            left = Comparison(op, (left, right)) if op in COMPARISONS else Op(op, (left, right))
        self.depth -= 1
        return left

    def infix(self) -> tuple[str, int, bool] | None:
        """Return the operation between the value on the left and the next token, its precedence, and if it is implied.

        A product is implied before a name or a parenthesis. None if the expression ends here.
        """
        kind, text = self.next.kind, self.next.text
        if kind == "end" or (kind == "name" and text in self.keywords and text not in LOGIC):
            return None
        if kind == "sign" or text in self.keywords:
            if text in PRECEDENCE:
                return text, PRECEDENCE[text], False
            if text in COMPARISONS:
                return (text, COMPARISON, False) if self.is_condition else None
            if text not in ("(", "√"):
                return None
        return "*", PRECEDENCE["*"], True

    def as_number(self, tree: Tree, at: int) -> Tree:
        """Return an expression that must be no condition; `at` is where it begins."""
        if isinstance(tree, Comparison | Logic):
            raise self.error("this is a condition, not a number: in brackets, [x > 0], it is 1 or 0", at)
        return tree

    def as_condition(self, tree: Tree, at: int) -> Tree:
        """Return an expression that must be a condition; `at` is where it begins."""
        if not isinstance(tree, Comparison | Logic):
            raise self.error("a condition is needed here, such as x > 0", at)
        return tree

    def value(self) -> Tree:
        """Parse a number inside anything: no comparison of its own."""
        outside = self.is_condition, self.keywords
        self.is_condition, self.keywords = False, ()
        tree = self.expression()
        self.is_condition, self.keywords = outside
        return tree

    def condition_or_value(self) -> Tree:
        """Parse a condition or a value inside anything."""
        outside = self.is_condition, self.keywords
        self.is_condition, self.keywords = True, (*LOGIC, "not")
        tree = self.expression()
        self.is_condition, self.keywords = outside
        return tree

    def condition(self) -> Tree:
        """Parse a condition."""
        start = self.next.at
        return self.as_condition(self.condition_or_value(), start)

    def too_deep(self) -> FormatError:
        """Return the error for too many levels of nesting."""
        return self.error(f"this is nested more than {DEPTH} levels deep: simplify it")

    def check_exponent(self, exponent: Tree, at: int) -> None:
        """Reject a constant exponent that is too large."""
        try:
            if not names(exponent) - CONSTANTS.keys() and abs(evaluate(exponent, {})) > EXPONENT:
                raise self.error(f"exponents must be at most {EXPONENT}", at)
        except UndefinedValue as reason:
            raise self.error(f"can't evaluate this exponent: {reason}", at) from None

    def operand(self) -> Tree:
        """Parse a number, a name, or an expression in parentheses or brackets or behind a sign."""
        token = self.next
        if token.kind == "number":
            self.at += 1
            return self.number(token)
        if token.kind == "name" and token.text == "not" and "not" in self.keywords:
            self.at += 1
            start = self.next.at
            return Logic("not", (self.as_condition(self.expression(NOT), start),))
        if token.kind == "name" and token.text not in self.keywords:
            self.at += 1
            return self.name(token)
        if self.accept("("):
            inside = self.expression()
            if self.next.text == ",":
                raise self.comma()
            self.expect(")", "to close the parenthesis")
            return inside
        if self.accept("["):
            return self.bracket(token.at)
        if self.accept("-"):
            start = self.next.at
            return Op("neg", (self.as_number(self.expression(NEGATION), start),))
        if self.accept("+"):
            start = self.next.at
            return self.as_number(self.expression(NEGATION), start)
        if self.accept("√"):
            start = self.next.at
            return Call("sqrt", (self.as_number(self.expression(PRECEDENCE["^"]), start),))
        if token.kind == "end":
            raise self.error(
                "something is missing at the end" if self.tokens[:-1] else "this is empty: enter an answer"
            )
        advice = ADVICE.get(token.text)
        raise self.error(
            f"can't read {token.text!r}: {advice}" if advice else f"a number is missing before {token.text!r}"
        )

    def bracket(self, at: int) -> Tree:
        """Parse an Iverson bracket, `[i = k]`, or an array, `[1, 2]`, which only the program's own formulas have."""
        first = self.condition_or_value()
        if isinstance(first, Comparison | Logic):
            self.expect("]", "to close the bracket")
            return Iverson(first)
        if self.symbols is not None:
            raise self.error("enter one value here, not a list; a bracket holds a condition, such as [x > 0]", at)
        items: list[Tree] = [first]
        while self.accept(","):
            items.append(self.value())
        self.expect("]", "to close the array")
        return Array(tuple(items))

    def number(self, token: Token) -> Num:
        """Return the number of a token."""
        mantissa, _, exponent = token.text.lower().partition("e")
        if len(mantissa.replace(".", "").lstrip("0")) > DIGITS:
            raise self.error(f"numbers may have at most {DIGITS} digits", token.at)
        if abs(int(exponent or 0)) > EXPONENT if len(exponent) < 6 else True:
            raise self.error(f"exponents must be at most {EXPONENT}", token.at)
        return Num(Fraction(token.text), token.text)

    def name(self, token: Token) -> Tree:
        """Parse what begins with a name: a symbol, an element, a function, a constant, or a product of symbols."""
        name = token.text
        if self.is_symbol(name):
            return Name(name, self.index() if self.next.text == "[" else ())
        function = ALIASES.get(name, name)
        is_function = function in RESERVED or self.takes_array(function)
        if self.next.text == "(" and is_function:
            self.at += 1
            if function == "where":
                return self.where()
            return self.reduction(function) if self.is_reduction(function) else self.call(function, token.at)
        if name in CONSTANTS:
            return Name(name)
        if name == "log":
            raise self.error("log is ambiguous: write ln, log2 or log10", token.at)
        if name in FUNCTIONS or name == "where":
            raise self.error(f"write the argument of {name} in parentheses: {name}(...)")
        return self.product(token)

    def is_symbol(self, name: str) -> bool:
        """Return whether a name is a symbol, or the index of a sum around it."""
        if self.symbols is None:
            return not (name in CONSTANTS or name in RESERVED or name in ARRAYS)
        return name in self.symbols or name in self.bound

    def takes_array(self, name: str) -> bool:
        """Return whether a function may take a whole array: the program's formulas have arrays, answers don't."""
        return self.symbols is None and name in ARRAYS

    def is_reduction(self, name: str) -> bool:
        """Return whether what follows a name and a parenthesis is an index; argmax also takes a whole array."""
        after = self.tokens[min(self.at + 1, len(self.tokens) - 1)]
        has_index = self.next.kind == "name" and after.text in (",", "=")
        return name in REDUCTIONS and (has_index or not self.takes_array(name))

    def product(self, token: Token) -> Tree:
        """Read `wx` as a product if `w` and `x` are symbols here."""
        letters = list(token.text)
        if len(letters) > DEPTH or not all(self.is_symbol(c) for c in letters):
            advice = f"the symbols are {', '.join(sorted(self.symbols))}" if self.symbols else "enter a number"
            raise self.error(f"unknown name {token.text[:40]!r}: {advice}", token.at)
        product: Tree = Name(letters[0])
        for letter in letters[1:]:
            product = Op("*", (product, Name(letter)))
        return product

    def call(self, function: str, at: int) -> Tree:
        """Parse the arguments of a function."""
        least, most = FUNCTIONS[function].arity if function in FUNCTIONS else (1, 1)
        args = [self.value()]
        while self.accept(","):
            args.append(self.value())
        self.expect(")", f"to close {function}")
        if not least <= len(args) <= most and not (len(args) == 1 and self.takes_array(function)):
            count = "one argument" if most == 1 else f"{least} to {most} arguments"
            raise self.error(f"{function} takes {count}", at)
        return Call(function, tuple(args))

    def where(self) -> Tree:
        """Parse the condition and the two values of cases."""
        condition = self.condition()
        self.expect(",", "after the condition: where(condition, value, otherwise)")
        value = self.value()
        self.expect(",", "after the value if the condition holds: where(condition, value, otherwise)")
        otherwise = self.value()
        self.expect(")", "to close where")
        return Where(condition, value, otherwise)

    def reduction(self, name: str) -> Tree:
        """Parse the index and the body of a sum, mean, product or argmax."""
        index = self.next.text
        if self.next.kind != "name":
            raise self.error(f"{name} begins with its index: {name}(i, ...)")
        self.at += 1
        bounds = self.bounds() if self.accept("=") else ()
        self.expect(",", f"after the index of {name}")
        self.bound.append(index)
        body = self.value()
        self.bound.pop()
        self.expect(")", f"to close {name}")
        return Reduction(name, index, body, bounds)

    def bounds(self) -> Bounds:
        """Parse the first and the last value of an index: `1..n`."""
        first = self.value()
        self.expect("..", "between the first and the last value of the index, as in 1..n")
        return first, self.value()

    def ranges(self) -> dict[str, Bounds]:
        """Parse how far the indices of an equation run: `for i = 1..n, k = 1..m`."""
        ranges: dict[str, Bounds] = {}
        if self.next.text != "for":
            return ranges
        while not ranges or self.next.text == ",":
            self.at += 1
            index = self.next
            if index.kind != "name":
                raise self.error("name an index here, as in for k = 1..n")
            self.at += 1
            self.expect("=", "after the index, as in for k = 1..n")
            ranges[index.text] = self.bounds()
        return ranges

    def index(self) -> tuple[Tree, ...]:
        """Parse the indices of an element."""
        self.at += 1
        items = [self.value()]
        while self.accept(","):
            items.append(self.value())
        self.expect("]", "after the index")
        return tuple(items)

    def comma(self) -> FormatError:
        """Return the error for a comma where one value is expected: it may separate decimals or thousands."""
        before, after = self.tokens[self.at - 1], self.tokens[self.at + 1]
        if before.kind == after.kind == "number" and "." in before.text + after.text:
            return self.error("write the number with a decimal point, without commas")
        if before.kind == after.kind == "number":
            point, joined = f"{before.text}.{after.text}", f"{before.text}{after.text}"
            if len(after.text) != 3 or before.text == "0":
                return self.error(f"does {before.text},{after.text} mean {point}? Use a decimal point")
            return self.error(f"does {before.text},{after.text} mean {point} or {joined}? Write one of the two")
        return self.error("enter one value here, without a comma")

    def end(self) -> None:
        """Check that no token is left."""
        token = self.next
        if token.kind == "end":
            return
        if token.text == ",":
            raise self.comma()
        if token.text == "=":
            raise self.error("write the value alone, without an equals sign")
        if token.text in COMPARISONS:
            raise self.error("write the value alone, without a comparison")
        if token.text == "[":
            raise self.error("write * before the bracket")
        if token.text in ADVICE:
            raise self.error(f"can't read {token.text!r}: {ADVICE[token.text]}")
        raise self.error(f"unexpected {token.text!r}")
