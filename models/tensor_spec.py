"""The type and shape of a tensor, as a network or a task declares it: `float32[3, 224, 224]`, `int64[length]`."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from workbench.errors import UserError

FORM = re.compile(r"(\w+)\[([^\[\]]*)\]")
FACTOR = r"(?:\d+|[a-z][a-z_]*)"
DIM = re.compile(rf"{FACTOR}(?:[+*]{FACTOR}|/[1-9]\d*)*", re.ASCII)
FACTORS = re.compile(rf"([*/])({FACTOR})")
SPACES = re.compile(r"(?<=[+*/]) +| +(?=[+*/])|^ +| +$")


class TensorSpec(NamedTuple):
    """A tensor of one sample, without the batch dimension.

    Attributes:
        dtype: The name of a torch type.
        dims: Its dimensions: a number; the name of one that the data or an argument of the network decides; or sums,
            products and quotients of these, such as `5*boxes_per_cell+num_classes`.
    """

    dtype: str
    dims: tuple[int | str, ...]

    def __str__(self) -> str:
        return f"{self.dtype}[{', '.join(map(str, self.dims))}]"

    @classmethod
    def parse(cls, text: str) -> "TensorSpec":
        """Return the declaration that a text such as `float32[channels, 32, 32]` stands for.

        Raises:
            UserError: If it is not of that form.
        """
        match = FORM.fullmatch(text)
        dims = [SPACES.sub("", dim) for dim in match[2].split(",")] if match and match[2].strip() else []
        if not match or not all(DIM.fullmatch(dim) for dim in dims):
            raise UserError(f"A tensor is declared like float32[3, 224, 224] or int64[length], not {text!r}.")
        return cls(match[1], tuple(int(dim) if dim.isdecimal() else dim for dim in dims))

    def resolve(self, values: Mapping[str, int]) -> "TensorSpec":
        """Return the declaration with numbers in place of the dimensions whose values are known."""
        return TensorSpec(
            self.dtype, tuple(dim if isinstance(dim, int) else _resolve(dim, values) for dim in self.dims)
        )


def _resolve(dim: str, values: Mapping[str, int]) -> int | str:
    """Return the number that a dimension has, or the dimension if one of its names is not known."""
    total = 0
    for term in dim.split("+"):
        product = 1
        for sign, factor in FACTORS.findall(f"*{term}"):
            number = int(factor) if factor.isdecimal() else values.get(factor)
            if number is None:
                return dim
            product = product // number if sign == "/" else product * number
        total += product
    return total


def parse_all(declared: Mapping[str, str]) -> dict[str, TensorSpec]:
    """Return the declarations of several tensors by name."""
    return {name: TensorSpec.parse(text) for name, text in declared.items()}
