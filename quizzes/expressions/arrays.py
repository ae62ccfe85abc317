"""Vectors and matrices of a computation graph, written out element by element.

    h = relu(W @ x + b); p = softmax(V @ h); -ln(p[2])

`+ - * /` and functions act element by element, with a number or with an array of the same shape; `@` is the product of
matrices and vectors. `softmax(z)` of a vector, or of each row of a matrix; `sum(z)`, `mean(z)`, `max(z)` and `min(z)`
of all elements; `transpose(W)`. `z[2]` and `W[1, 2]` are elements, counted from 1.

The element in row 1 and column 2 of W is the variable `W_1_2`. What a product or a softmax uses several times becomes a
node of its own, so that the graph stays as small as PyTorch's.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from typing import TypeAlias

from quizzes.expressions.arithmetic import Value
from quizzes.expressions.nodes import Array, Call, Name, Num, Op, Tree, integer
from quizzes.expressions.syntax import Parser
from quizzes.expressions.tokens import FormatError, check_length
from quizzes.expressions.writing import write
from workbench.errors import UserError

Nested: TypeAlias = "Tree | list[Nested]"  # an expression, or a list of (lists of) them

WHOLE = ("softmax", "sum", "mean", "max", "min", "transpose")  # functions of a whole array
MAX_NODES = 20_000
TOKENS = 400


class ArrayParser(Parser):
    """A parser of expressions in variables that may be arrays."""

    def __init__(self, text: str, symbols: set[str]):
        super().__init__(text, symbols)
        check_length(text, 2_000)
        if len(self.tokens) > TOKENS:
            raise FormatError(f"this has {len(self.tokens)} numbers and signs; the limit is {TOKENS}")

    def takes_array(self, name: str) -> bool:
        """Return whether a function may take a whole array."""
        return name in WHOLE

    def bracket(self, at: int) -> Tree:
        """Parse an array, `[1, 2]`."""
        items = [self.value()]
        while self.accept(","):
            items.append(self.value())
        self.expect("]", "to close the array")
        return Array(tuple(items))


def uses_arrays(text: str, values: Mapping[str, Value]) -> bool:
    """Return whether an expression or its values have arrays."""
    has_function = any(f"{name}(" in text.replace(" ", "") for name in ("softmax", "sum", "mean", "transpose"))
    return "@" in text or "[" in text or has_function or any(isinstance(value, list) for value in values.values())


def element_names(name: str, value: Value) -> Nested:
    """Return the variables of an array's elements, in its shape; of a number, the variable itself."""
    if not isinstance(value, list):
        return Name(name)
    return [element_names(f"{name}_{k}", item) for k, item in enumerate(value, 1)]


def elements(name: str, value: Value) -> Iterator[tuple[str, Value]]:
    """Yield the variable and the number of each element of an array; of a number, its own."""
    if isinstance(value, list):
        for k, item in enumerate(value, 1):
            yield from elements(f"{name}_{k}", item)
    else:
        yield name, value


class Writer:
    """Writes arrays out: equations between numbers, in order.

    Args:
        values: The value of each variable, a number or a (nested) list.
    """

    def __init__(self, values: Mapping[str, Value]):
        self.arrays: dict[str, Nested] = {name: element_names(name, value) for name, value in values.items()}
        self.equations: list[tuple[str, Tree]] = []  # the name of a node and its expression

    def equation(self, name: str, text: str) -> Nested:
        """Write out one equation; return the array that its name stands for."""
        parser = ArrayParser(text, set(self.arrays))
        tree = parser.expression()
        parser.end()
        result = self._array(tree)
        if name:
            self.arrays[name] = self._defined(name, result)
            return self.arrays[name]
        return result

    def _defined(self, name: str, value: Nested) -> Nested:
        """Define a node for every element, and return the names."""
        if isinstance(value, list):
            return [self._defined(f"{name}_{k}", item) for k, item in enumerate(value, 1)]
        return self._define(name, value)

    def _define(self, name: str, tree: Tree) -> Tree:
        if len(self.equations) >= MAX_NODES:
            raise UserError(f"These arrays give more than {MAX_NODES:,} nodes: take smaller ones.")
        self.equations.append((name, tree))
        return Name(name)

    def _shared(self, value: Nested) -> Nested:
        """Return an array whose elements are names or numbers, because it is used several times."""
        if isinstance(value, list):
            return [self._shared(item) for item in value]
        if isinstance(value, Name | Num):
            return value
        return self._define(f"t{sum(name.startswith('t') for name, _ in self.equations) + 1}", value)

    def _array(self, tree: Tree) -> Nested:
        match tree:
            case Num():
                return tree
            case Name(name, index):
                value = self.arrays.get(name, tree)
                for position in index:
                    value = _element(name, value, position)
                return value
            case Array(items):
                return [self._array(item) for item in items]
            case Op("@", (a, b)):
                return self._product(self._array(a), self._array(b))
            case Op(op, (a, b)):
                return _elementwise(lambda x, y: Op(op, (x, y)), self._array(a), self._array(b), op)
            case Op(op, (a,)):
                return _map(lambda x: Op(op, (x,)), self._array(a))
            case Call("softmax", (a,)):
                return self._softmax(self._array(a))
            case Call("transpose", (a,)):
                return [list(column) for column in zip(*_matrix(self._array(a), "transpose"), strict=True)]
            case Call("sum" | "mean" as function, (a,)):
                terms = list(_flat(self._array(a)))
                total = _total(terms)
                return Op("/", (total, integer(len(terms)))) if function == "mean" else total
            case Call("max" | "min" as function, (a,)):
                values = list(_flat(self._array(a)))
                return Call(function, tuple(values)) if len(values) > 1 else values[0]
            case Call(function, (a,)):
                return _map(lambda x: Call(function, (x,)), self._array(a))
            case Call(function, (a, b)):
                return _elementwise(lambda x, y: Call(function, (x, y)), self._array(a), self._array(b), function)
        raise UserError(f"{write(tree)[:60]} can't be used with arrays here. Write it element by element.")

    def _softmax(self, z: Nested) -> Nested:
        if not isinstance(z, list):
            raise UserError("softmax takes a vector, or a matrix with a row per sample.")
        if isinstance(z[0], list):
            return [self._softmax(row) for row in z]
        powers = self._shared([Call("exp", (item,)) for item in _flat(z)])
        (total,) = _flat(self._shared(_total(list(_flat(powers)))))
        return _map(lambda power: Op("/", (power, total)), powers)

    def _product(self, a: Nested, b: Nested) -> Nested:
        if not (isinstance(a, list) and isinstance(b, list)):
            raise UserError("@ multiplies matrices and vectors: write * for the product with a number.")
        is_row, is_column = not isinstance(a[0], list), not isinstance(b[0], list)  # vectors
        rows = [list(_flat(row)) for row in ([self._shared(a)] if is_row else _items(self._shared(a)))]
        right = [list(_flat(row)) for row in _items(self._shared(b))]
        columns = [[row[0] for row in right]] if is_column else [list(column) for column in zip(*right, strict=True)]
        if len(rows[0]) != len(columns[0]):
            raise UserError(f"{_shape(a)} @ {_shape(b)} don't fit: the inner sizes must be equal.")
        product: list[Nested] = []
        for row in rows:
            values: list[Nested] = [
                _total([Op("*", pair) for pair in zip(row, column, strict=True)]) for column in columns
            ]
            product.append(values[0] if is_column else values)
        return product[0] if is_row else product


def _total(terms: Sequence[Tree]) -> Tree:
    return reduce(lambda x, y: Op("+", (x, y)), terms)


def _items(value: Nested) -> list[Nested]:
    assert isinstance(value, list)
    return value


def _element(name: str, value: Nested, position: Tree) -> Nested:
    if not isinstance(position, Num) or position.value != int(position.value):
        raise UserError(f"An element of {name} has an integer in brackets, such as {name}[1].")
    if not isinstance(value, list):
        raise UserError(f"{name} is a number where an element of it is taken. Leave the brackets out.")
    number = int(position.value)
    if not 1 <= number <= len(value):
        raise UserError(f"{name} has no element {number}: they are counted from 1 to {len(value)}.")
    return value[number - 1]


def _map(function: Callable[[Tree], Tree], value: Nested) -> Nested:
    return [_map(function, item) for item in value] if isinstance(value, list) else function(value)


def _elementwise(function: Callable[[Tree, Tree], Tree], a: Nested, b: Nested, sign: str) -> Nested:
    if isinstance(a, list) and isinstance(b, list):
        if _shape(a) == _shape(b):
            return [_elementwise(function, x, y, sign) for x, y in zip(a, b, strict=True)]
        if isinstance(a[0], list) != isinstance(b[0], list):  # a vector is added to each row
            matrix, vector = (a, b) if isinstance(a[0], list) else (b, a)
            if _shape(matrix[0]) == _shape(vector):
                pairs: list[tuple[Nested, Nested]] = [(row, vector) if a is matrix else (vector, row) for row in matrix]
                return [_elementwise(function, x, y, sign) for x, y in pairs]
        raise UserError(f"{_shape(a)} {sign} {_shape(b)} don't fit: both shapes must be equal.")
    if isinstance(a, list):
        return [_elementwise(function, item, b, sign) for item in a]
    if isinstance(b, list):
        return [_elementwise(function, a, item, sign) for item in b]
    return function(a, b)


def _flat(value: Nested) -> Iterator[Tree]:
    if isinstance(value, list):
        for item in value:
            yield from _flat(item)
    else:
        yield value


def _matrix(value: Nested, function: str) -> list[list[Nested]]:
    if not isinstance(value, list) or not isinstance(value[0], list):
        raise UserError(f"{function} takes a matrix.")
    return value  # type: ignore[return-value]


def _shape(value: Nested) -> str:
    sizes = []
    while isinstance(value, list):
        sizes.append(len(value))
        value = value[0]
    return f"({', '.join(map(str, sizes))}{',' if len(sizes) == 1 else ''})" if sizes else "a number"
