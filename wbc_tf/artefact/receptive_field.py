"""How far a network sees, computed from its operations.

A pixel of the output depends on a window of the input. The size of this window decides how much
tiles have to overlap so that no border is visible between them (`wbc_tf.inference.tiling`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, lcm
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tensorflow as tf

# A size that every stride in use divides, so that 'SAME' pads as it does for all such sizes.
_TRACED_SIDE = 256

#: Operations by which a pixel sees the same pixel of their inputs.
_POINTWISE = frozenset(
    {"AddV2", "BiasAdd", "Cast", "EnsureShape", "Identity", "LeakyRelu", "Maximum", "Minimum"}
    | {"Mul", "Neg", "RealDiv", "Relu", "Sigmoid", "Sub", "Tanh"}
)


@dataclass(frozen=True)
class ReceptiveField:
    """The window that an output pixel sees, and the grid it is seen on.

    Attributes:
      halo: in pixels: nothing farther than this from a pixel, in either direction, has an influence
        on it.
      size_multiple: the coarsest grid inside the network, in pixels: a part of a picture that
        begins at a multiple of it is computed on the same grid as the whole.
    """

    halo: int
    size_multiple: int


@dataclass(frozen=True)
class _Reach:
    """Along one axis, entry i of a tensor sees the pixels i step - before .. i step + after."""

    step: Fraction
    before: Fraction
    after: Fraction

    def window(self, size: int, stride: int) -> _Reach:
        """After a 'SAME' window of `size`, taken at every `stride`-th entry."""
        left = max(size - stride, 0) // 2
        return _Reach(
            self.step * stride,
            self.before + self.step * left,
            self.after + self.step * (size - 1 - left),
        )

    def enlarged(self, factor: int) -> _Reach:
        """After a bilinear resize from the corner: entry j sees j // factor and the next one."""
        step = self.step / factor
        return _Reach(step, self.before + step * (factor - 1), self.after + step * (factor - 1))


def receptive_field(network: Callable[[tf.Tensor], Any]) -> ReceptiveField:
    """Composes the reach of every operation between the network's input and its outputs.

    Args:
      network: float32 [1, H, W, 3] -> a tensor or a structure of tensors of the same height and
        width, for sides that are multiples of its strides.

    Raises:
      ValueError: an operation whose reach is not known here, or one that sees everything.
    """
    import tensorflow as tf

    spec = tf.TensorSpec([1, _TRACED_SIDE, _TRACED_SIDE, 3], tf.float32)
    graph = tf.function(network).get_concrete_function(spec).graph
    along = [_trace(graph, axis) for axis in (1, 2)]
    halos, multiples = zip(*along)
    return ReceptiveField(halo=max(halos), size_multiple=lcm(*multiples))


def _trace(graph: Any, axis: int) -> tuple[int, int]:
    """Halo and coarsest step along one axis."""
    photo = graph.inputs[0]
    seen = {photo.ref(): _Reach(Fraction(1), Fraction(0), Fraction(0))}
    for operation in graph.get_operations():  # in the order of their making: inputs come first
        if operation.type == "IdentityN":  # what a custom gradient leaves in a graph
            for source, output in zip(operation.inputs, operation.outputs):
                if source.ref() in seen:
                    seen[output.ref()] = seen[source.ref()]
            continue
        known = [seen[x.ref()] for x in operation.inputs if x.ref() in seen]
        if known and operation.type != "Shape":  # which sees no pixel
            for output in operation.outputs:
                seen[output.ref()] = _after(operation, known, axis)
    outputs = [seen[x.ref()] for x in graph.outputs if x.ref() in seen]
    if not outputs or any(reach.step != 1 for reach in outputs):
        raise ValueError("the network's output has to have its input's height and width")
    halo = max(max(reach.before, reach.after) for reach in outputs)
    return ceil(halo), lcm(*(ceil(reach.step) for reach in seen.values()))


def _after(operation: Any, known: list[_Reach], axis: int) -> _Reach:
    kind = operation.type
    if len({reach.step for reach in known}) != 1:
        raise ValueError(f"{operation.name}: its inputs lie on different grids")
    widest = _Reach(
        known[0].step, max(reach.before for reach in known), max(reach.after for reach in known)
    )
    if kind in _POINTWISE:
        return widest
    if kind in ("Conv2D", "AvgPool"):
        if operation.get_attr("padding") != b"SAME":
            raise ValueError(f"{operation.name}: padding is not 'SAME'")
        if kind == "AvgPool":
            size, dilation = operation.get_attr("ksize")[axis], 1
        else:
            size = operation.inputs[1].shape[axis - 1]  # of the kernel [height, width, in, out]
            dilation = operation.get_attr("dilations")[axis]
        return widest.window((size - 1) * dilation + 1, operation.get_attr("strides")[axis])
    if kind == "ResizeBilinear":
        before, after = operation.inputs[0].shape[axis], operation.outputs[0].shape[axis]
        from_corner = not (
            operation.get_attr("align_corners") or operation.get_attr("half_pixel_centers")
        )
        if from_corner and after % before == 0:
            return widest.enlarged(after // before)
    raise ValueError(
        f"{operation.name}: how far an operation of type {kind} sees is not known to "
        "wbc_tf/artefact/receptive_field.py, so the network cannot be computed tile by tile"
    )
