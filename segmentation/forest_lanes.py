"""Lanes for :mod:`segmentation.forest_kernels`: 64 pixels at a time, of which a 64-bit mask says which are meant."""

from __future__ import annotations

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types

from segmentation.lanes import Array, Compiler, Lanes, Value, instruction, splat

PIXELS = 64

_SUMS = Lanes(types.int32, PIXELS)
_FLOATS = ir.VectorType(ir.FloatType(), PIXELS)
_DOUBLES = ir.VectorType(ir.DoubleType(), PIXELS)
_BITS = ir.VectorType(ir.IntType(1), PIXELS)


@instruction(types.uint64, types.Array, types.intp, types.intp, types.float32)
def above(builder: Compiler, array: Array, row: Value, column: Value, threshold: Value) -> Value:
    """The mask of the pixels of ``array[row, column:column + PIXELS]``, float32, that are above the threshold."""
    values = array.load(row, column, _FLOATS)
    return builder.bitcast(builder.fcmp_ordered(">", values, splat(builder, threshold, _FLOATS)), ir.IntType(PIXELS))


@instruction(_SUMS)
def no_sums(builder: Compiler) -> Value:
    """A sum of 0 for each pixel, int32."""
    return ir.Constant(_SUMS.vector, None)


@instruction(_SUMS, _SUMS, types.uint64, types.int32)
def add_where(builder: Compiler, sums: Value, mask: Value, number: Value) -> Value:
    """The sums with a number added for the pixels in the mask."""
    more = builder.add(sums, splat(builder, number, _SUMS.vector))
    return builder.select(builder.bitcast(mask, _BITS), more, sums)


@instruction(types.none, types.Array, types.intp, _SUMS)
def add_sums(builder: Compiler, array: Array, row: Value, sums: Value) -> None:
    """Add the sums to ``array[row, :PIXELS]``, float64."""
    start = ir.Constant(row.type, 0)
    array.store(row, start, builder.fadd(array.load(row, start, _DOUBLES), builder.sitofp(sums, _DOUBLES)))
