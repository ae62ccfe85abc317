"""Sources: where the batches of a run come from, whatever the samples look like.

    Resident       columns of equal length in memory, on the device; images may stay bytes
    Ragged         samples of different lengths, padded to the longest of a batch
    TokenWindows   windows of a long stream of tokens, each with the tokens that follow
    Merged         the columns of several sources side by side
    Subset         some samples of another source
    Relabeled      a source with other targets

A batch maps names to tensors whose first dimension is the sample.
"""

from collections.abc import Mapping
from typing import Protocol, Self, TypeAlias

import torch
from torch import Tensor

from workbench.errors import UserError

Batch: TypeAlias = dict[str, Tensor]
Rows: TypeAlias = Tensor | slice  # the numbers of samples, (N,) int64 on any device


class Source(Protocol):
    """The samples of one split."""

    def __len__(self) -> int:
        """Return the number of samples."""
        ...

    def batch(self, rows: Rows) -> Batch:
        """Return samples by their numbers, on the device of the source."""
        ...

    def to(self, device: torch.device) -> "Source":
        """Return the same source on a device."""
        ...


class StandardizedBytes:
    """A column that is stored in a quarter of the memory: (x - shift) / spread is computed as it is read, in float32.

    Args:
        values: Samples (N, ...), uint8.
        shift: What becomes 0.
        spread: What becomes 1.
    """

    def __init__(self, values: Tensor, shift: float | Tensor, spread: float | Tensor):
        self.values = values
        self.shift = torch.as_tensor(shift, dtype=torch.float32, device=values.device)
        self.spread = torch.as_tensor(spread, dtype=torch.float32, device=values.device)

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: Rows) -> Tensor:
        """Return samples by their numbers."""
        return _take(self.values, rows).float().sub_(self.shift).div_(self.spread)

    def to(self, device: torch.device) -> "StandardizedBytes":
        """Return the same column on a device."""
        return StandardizedBytes(self.values.to(device), self.shift.to(device), self.spread.to(device))


class Resident:
    """Columns of equal length in memory.

    Args:
        **columns: Name -> samples (N, ...).

    Raises:
        ValueError: If they are not equally long, or there are none.
    """

    def __init__(self, **columns: Tensor | StandardizedBytes):
        if len({len(column) for column in columns.values()}) != 1:
            raise ValueError("Columns must have one length.")
        self.columns: Mapping[str, Tensor | StandardizedBytes] = columns

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def batch(self, rows: Rows) -> Batch:
        """Return samples by their numbers."""
        return {
            name: column.take(rows) if isinstance(column, StandardizedBytes) else _take(column, rows)
            for name, column in self.columns.items()
        }

    def to(self, device: torch.device) -> Self:
        """Return the same columns on a device."""
        return type(self)(**{name: column.to(device) for name, column in self.columns.items()})


class Ragged:
    """Samples of different lengths, such as sentences, or the boxes of images.

    A batch holds `name`, padded with zeros to its longest sample (N, length, ...), and `name_mask` (N, length), which
    is True where there is a value.

    Args:
        name: Name of the column.
        values: The values of all samples, one after another (total, ...).
        offsets: Where each sample begins, and the end of the last one (N + 1,), int64.
    """

    def __init__(self, name: str, values: Tensor, offsets: Tensor):
        if offsets.dim() != 1 or not len(offsets) or offsets[0] != 0 or offsets[-1] != len(values):
            raise ValueError("Offsets must begin with 0 and end with the number of values.")
        if (offsets.diff() < 0).any():
            raise ValueError("Offsets must not decrease.")
        self.name, self.values, self.offsets = name, values, offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def batch(self, rows: Rows) -> Batch:
        """Return samples by their numbers, padded."""
        starts, ends = _take(self.offsets[:-1], rows), _take(self.offsets[1:], rows)
        lengths = ends - starts
        longest = int(lengths.max()) if len(lengths) else 0
        positions = torch.arange(longest, device=self.values.device)
        mask = positions < lengths[:, None]
        padded = self.values.new_zeros(len(lengths), longest, *self.values.shape[1:])
        padded[mask] = self.values[(starts[:, None] + positions)[mask]]
        return {self.name: padded, f"{self.name}_mask": mask}

    def to(self, device: torch.device) -> "Ragged":
        """Return the same samples on a device."""
        return Ragged(self.name, self.values.to(device), self.offsets.to(device))

    @classmethod
    def from_padded(cls, name: str, values: Tensor, mask: Tensor) -> "Ragged":
        """Return the samples of a padded tensor (N, length, ...), whose values are where the mask (N, length) is."""
        return cls(name, values[mask], torch.cat([torch.zeros(1, dtype=torch.int64), mask.sum(dim=1).cumsum(0)]))


class TokenWindows:
    """Windows of a stream of tokens: `tokens` (N, length), and as `targets` (N, length) the token after each.

    Args:
        tokens: The stream (total,), int64.
        length: Tokens of a window.
        stride: Tokens from the start of a window to the start of the next; by default windows don't overlap.

    Raises:
        UserError: If the stream is too short for one window.
    """

    def __init__(self, tokens: Tensor, length: int, stride: int | None = None):
        if len(tokens) <= length:
            raise UserError(
                f"This text has {len(tokens)} tokens, and a window needs {length + 1}. "
                "Use a longer text or a shorter context."
            )
        self.tokens, self.length, self.stride = tokens, length, stride or length
        self._positions = torch.arange(length, device=tokens.device)

    def __len__(self) -> int:
        return (len(self.tokens) - self.length - 1) // self.stride + 1

    def batch(self, rows: Rows) -> Batch:
        """Return windows by their numbers."""
        if isinstance(rows, slice):
            rows = torch.arange(len(self))[rows]
        places = (rows.to(self.tokens.device) * self.stride)[:, None] + self._positions
        return {"tokens": self.tokens[places], "targets": self.tokens[places + 1]}

    def to(self, device: torch.device) -> "TokenWindows":
        """Return the same windows on a device."""
        return TokenWindows(self.tokens.to(device), self.length, self.stride)


class Merged:
    """The columns of several sources of equal length side by side."""

    def __init__(self, *sources: Source):
        if len({len(source) for source in sources}) != 1:
            raise ValueError("Sources must have one length.")
        self.sources = sources

    def __len__(self) -> int:
        return len(self.sources[0])

    def batch(self, rows: Rows) -> Batch:
        """Return samples by their numbers."""
        return {name: column for source in self.sources for name, column in source.batch(rows).items()}

    def to(self, device: torch.device) -> "Merged":
        """Return the same sources on a device."""
        return Merged(*(source.to(device) for source in self.sources))


class Subset:
    """Some samples of another source.

    Args:
        source: The other source.
        rows: The numbers of the samples there, in their order here (N,), int64.
    """

    def __init__(self, source: Source, rows: Tensor):
        self.source, self.rows = source, rows

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, rows: Rows) -> Batch:
        """Return samples by their numbers."""
        return self.source.batch(_take(self.rows, rows))

    def to(self, device: torch.device) -> "Subset":
        """Return the same samples on a device."""
        return Subset(self.source.to(device), self.rows.to(device))


class Relabeled:
    """A source with other targets.

    Args:
        source: The source.
        targets: A target for each sample (N, ...).
    """

    def __init__(self, source: Source, targets: Tensor):
        if len(source) != len(targets):
            raise ValueError("Each sample needs a target.")
        self.source, self.targets = source, targets

    def __len__(self) -> int:
        return len(self.source)

    def batch(self, rows: Rows) -> Batch:
        """Return samples by their numbers."""
        return {**self.source.batch(rows), "target": _take(self.targets, rows)}

    def to(self, device: torch.device) -> "Relabeled":
        """Return the same samples on a device."""
        return Relabeled(self.source.to(device), self.targets.to(device))


def is_ragged(source: Source) -> bool:
    """Return whether the batches of a source differ in their shapes."""
    inner = [*getattr(source, "sources", ()), *([source.source] if isinstance(source, Subset | Relabeled) else [])]
    return isinstance(source, Ragged) or any(map(is_ragged, inner))


def _take(column: Tensor, rows: Rows) -> Tensor:
    return column[rows] if isinstance(rows, slice) else column.index_select(0, rows.to(column.device))
