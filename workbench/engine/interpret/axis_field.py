"""Theoretical receptive fields, followed through every operation of a network.

Along an axis, position i of a map depends on `size` pixels of the image from `first + i * step` on. After a convolution
or a pooling with kernel size k, stride s, padding p and dilation d, these are

    size + (k - 1) * d * step        first - p * step        step * s

and if branches are added or concatenated, the new field extends from the first to the last pixel of all of them.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from models.tracing import hooked
from workbench.engine.interpret import samples
from workbench.engine.interpret.feature_maps import Forward

# Operations whose output at a position depends on that position alone, in any channel.
POINTWISE = set(
    """add sub mul div neg pow square abs exp relu threshold hardtanh clamp gelu silu sigmoid tanh hardswish hardsigmoid
    elu leaky_relu softplus mish clone detach _to_copy alias dropout native_batch_norm _native_batch_norm_legit
    _native_batch_norm_legit_no_training cudnn_batch_norm""".split()
)
CHANNEL_LAYERS = (nn.Linear, nn.LocalResponseNorm)  # of maps, they combine the channels of one position


@dataclass(frozen=True)
class AxisField:
    """The field of the positions of a map along one axis.

    Attributes:
        size: Number of pixels; None for the whole image.
        first: The first pixel of position 0.
        step: Pixels from the field of a position to that of the next.
    """

    size: int | None = 1
    first: int = 0
    step: int = 1

    def through_window(self, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> "AxisField":
        """Return the field after a sliding window."""
        if self.size is None:
            return self
        return AxisField(
            self.size + (kernel_size - 1) * dilation * self.step,
            self.first - padding * self.step,
            self.step * stride,
        )

    def through_slice(self, start: int, step: int) -> "AxisField":
        """Return the field after only every `step`-th position is left, from `start` on."""
        return self.through_window(1, step, padding=-start)

    def union(self, other: "AxisField") -> "AxisField":
        """Return the smallest field that covers two of them."""
        if self.size is None or other.size is None or self.step != other.step:
            return WHOLE
        first = min(self.first, other.first)
        return AxisField(max(self.first + self.size, other.first + other.size) - first, first, self.step)


WHOLE = AxisField(None)


@dataclass(frozen=True)
class ReceptiveField:
    """The fields along both axes of a map.

    Attributes:
        y: Along the height.
        x: Along the width.
        axes: Which dimensions of the tensor are height and width.
    """

    y: AxisField = AxisField()
    x: AxisField = AxisField()
    axes: tuple[int, int] = (2, 3)


UNKNOWN = ReceptiveField(WHOLE, WHOLE)  # after any other operation, a position may depend on everything


def receptive_fields(network: nn.Module, forward: Forward) -> dict[str, ReceptiveField]:
    """Return the theoretical receptive field of every layer, by its name.

    Args:
        network: A network that reads images (N, channels, height, width).
        forward: Runs it.

    Raises:
        UserError: If the network reads no image.
    """
    tracker = FieldTracker()
    fields: dict[str, ReceptiveField] = {}

    def note_image(name: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not name:
            tracker.set_field(samples.image_argument(network, args, kwargs), ReceptiveField())

    def note_field(name: str, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        if isinstance(output, Tensor):
            if isinstance(module, CHANNEL_LAYERS) and output.dim() == 4:
                tracker.set_field(output, tracker.field(args[0]))
            fields.setdefault(name, tracker.field(output))

    with hooked(network, after=note_field, before=note_image), torch.no_grad(), tracker:
        forward()
    return fields


class FieldTracker(TorchDispatchMode):
    """A mode that follows the receptive fields from tensor to tensor."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._fields: dict[int, ReceptiveField] = {}
        self._tensors: list[Tensor] = []  # the id of a tensor belongs to it only as long as it lives

    def field(self, tensor: Tensor) -> ReceptiveField:
        """Return the field of a tensor."""
        return self._fields.get(id(tensor), UNKNOWN)

    def set_field(self, tensor: Tensor, field: ReceptiveField) -> None:
        """Set the field of a tensor."""
        self._fields[id(tensor)] = field
        self._tensors.append(tensor)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        output = func(*args, **(kwargs or {}))
        inputs = [item for arg in args for item in (arg if isinstance(arg, (list, tuple)) else [arg])]
        # Other tensors, such as weights, don't depend on the image.
        fields = [self._fields[id(item)] for item in inputs if isinstance(item, Tensor) and id(item) in self._fields]
        if fields:
            name = func.overloadpacket.__name__
            field = propagate(name if name.startswith("_") else name.rstrip("_"), args, fields)
            for tensor in output if isinstance(output, (list, tuple)) else [output]:
                if isinstance(tensor, Tensor):
                    self.set_field(tensor, field)
        return output


def propagate(operation: str, args: tuple[Any, ...], fields: list[ReceptiveField]) -> ReceptiveField:
    """Return the field after an operation of PyTorch's core.

    Args:
        operation: Its name, without the underscore of an operation in place.
        args: Its arguments.
        fields: The fields of the tensors among them.
    """
    field = fields[0]
    is_spatial = field.axes == (2, 3)
    if operation == "convolution" and is_spatial and not args[6]:  # not a transposed one
        return through_window(field, args[1].shape[2:], args[3], args[4], args[5])
    if operation in ("max_pool2d_with_indices", "avg_pool2d") and is_spatial:
        kernel_size, stride, padding, dilation = [*args[1:], *[[], 0, 1][len(args) - 2 :]][:4]
        return through_window(field, kernel_size, stride or kernel_size, padding, dilation if "max" in operation else 1)
    if operation == "constant_pad_nd" and is_spatial:
        left, _, top, _ = [*args[1], 0, 0][:4]
        return ReceptiveField(field.y.through_slice(-top, 1), field.x.through_slice(-left, 1))
    if operation == "slice":
        return through_slice(field, *args)
    if operation == "permute":
        order = [axis % len(args[1]) for axis in args[1]]
        return ReceptiveField(field.y, field.x, (order.index(field.axes[0]), order.index(field.axes[1])))
    axes = set(field.axes)
    if operation == "cat":
        is_local = (args[1] if len(args) > 1 else 0) % args[0][0].dim() not in axes
    elif operation == "index":
        is_local = not any(index is not None and axis in axes for axis, index in enumerate(args[1]))
    elif operation == "native_layer_norm":
        is_local = not axes & set(range(args[0].dim() - len(args[1]), args[0].dim()))
    else:
        is_local = operation in POINTWISE
    return union(fields) if is_local else UNKNOWN


def through_window(field: ReceptiveField, kernel_size: Any, stride: Any, padding: Any, dilation: Any) -> ReceptiveField:
    """Return the field after a window; each argument is one number for both axes, or one for each."""
    window = (kernel_size, stride, padding, dilation)
    y, x = ([value if isinstance(value, int) else value[axis] for value in window] for axis in (0, -1))
    return ReceptiveField(field.y.through_window(*y), field.x.through_window(*x))


def through_slice(
    field: ReceptiveField,
    tensor: Tensor,
    axis: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> ReceptiveField:
    """Return the field after a slice of a tensor along one axis."""
    axis %= tensor.dim()
    first = start or 0
    if first < 0:
        first += tensor.shape[axis]
    y = field.y.through_slice(first, step) if axis == field.axes[0] else field.y
    x = field.x.through_slice(first, step) if axis == field.axes[1] else field.x
    return ReceptiveField(y, x, field.axes)


def union(fields: list[ReceptiveField]) -> ReceptiveField:
    """Return the smallest field that covers all of them."""
    field, *others = fields
    for other in others:
        if other.axes != field.axes:
            return UNKNOWN
        field = ReceptiveField(field.y.union(other.y), field.x.union(other.x), field.axes)
    return field
