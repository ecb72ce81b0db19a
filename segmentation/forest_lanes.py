"""Lanes for :mod:`segmentation.forest_kernels`: 64 pixels at a time, of which a 64-bit mask says which are meant."""

from __future__ import annotations

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core.cgutils import get_or_insert_function

from segmentation.lanes import AVX512, INT32, SSE2, Array, Compiler, Lanes, Type, Value, instruction, splat

PIXELS = 64

_SUMS = Lanes(types.int32, PIXELS)
_FLOATS = ir.VectorType(ir.FloatType(), PIXELS)
_FOUR_FLOATS = ir.VectorType(ir.FloatType(), 4)
_EIGHT_SHORTS = ir.VectorType(ir.IntType(16), 8)
_SIXTEEN_BYTES = ir.VectorType(ir.IntType(8), 16)
_DOUBLES = ir.VectorType(ir.DoubleType(), PIXELS)
_BITS = ir.VectorType(ir.IntType(1), PIXELS)


@instruction(types.uint64, types.Array, types.intp, types.intp, types.float32)
def above(builder: Compiler, array: Array, row: Value, column: Value, threshold: Value) -> Value:
    """The mask of the pixels of ``array[row, column:column + PIXELS]``, float32, that are above the threshold."""
    if AVX512 or not SSE2:
        values = array.load(row, column, _FLOATS)
        higher = builder.fcmp_ordered(">", values, splat(builder, threshold, _FLOATS))
        return builder.bitcast(higher, ir.IntType(PIXELS))
    mask = ir.Constant(ir.IntType(PIXELS), 0)
    for start in range(0, PIXELS, 16):
        bits = builder.zext(_sixteen_above(builder, array, row, _after(builder, column, start), threshold), mask.type)
        mask = builder.or_(mask, builder.shl(bits, ir.Constant(mask.type, start)))
    return mask


def _sixteen_above(builder: Compiler, array: Array, row: Value, column: Value, threshold: Value) -> Value:
    """The mask of 16 pixels: what LLVM itself makes of larger registers puts lanes in order that were in order."""
    words = []
    for start in range(0, 16, 4):
        values = array.load(row, _after(builder, column, start), _FOUR_FLOATS)
        higher = builder.fcmp_ordered(">", values, splat(builder, threshold, _FOUR_FLOATS))
        words.append(builder.sext(higher, ir.VectorType(INT32, 4)))
    halves = [_x86(builder, "packssdw", _EIGHT_SHORTS, *pair) for pair in (words[:2], words[2:])]
    return _x86(builder, "pmovmskb", INT32, _x86(builder, "packsswb", _SIXTEEN_BYTES, *halves))


def _x86(builder: Compiler, name: str, result: Type, *arguments: Value) -> Value:
    """What the x86 processor's own instruction of that name makes of registers of 16 bytes."""
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(get_or_insert_function(builder.module, kind, f"llvm.x86.sse2.{name}.128"), arguments)


def _after(builder: Compiler, column: Value, number: int) -> Value:
    return builder.add(column, ir.Constant(column.type, number))


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
