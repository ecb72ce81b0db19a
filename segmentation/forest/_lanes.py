"""Lanes for the walks: 64 pixels at a time and a mask of those meant, for floats; and whole rows of bits."""

from __future__ import annotations

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core.cgutils import get_or_insert_function

from segmentation._shared.aligned import CACHE_LINE
from segmentation._shared.simd import (
    AVX2,
    AVX512,
    INT32,
    SSE2,
    Array,
    Compiler,
    Lanes,
    Type,
    Value,
    define_logic,
    instruction,
    splat,
)
from segmentation.forest._bit_layout import ROW

PIXELS = 64

_MASKED = 32 if AVX2 else 16
"""Pixels of which an x86 processor without AVX-512 makes a mask at a time."""

_SUMS = Lanes(types.int32, PIXELS)
_FLOATS = ir.VectorType(ir.FloatType(), PIXELS)
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
    for start in range(0, PIXELS, _MASKED):
        bits = builder.zext(_some_above(builder, array, row, _after(builder, column, start), threshold), mask.type)
        mask = builder.or_(mask, builder.shl(bits, ir.Constant(mask.type, start)))
    return mask


def _some_above(builder: Compiler, array: Array, row: Value, column: Value, threshold: Value) -> Value:
    """The mask of four registers of pixels: what LLVM itself makes of more puts lanes in order that were in order."""
    lanes = _MASKED // 4
    floats, ints = ir.VectorType(ir.FloatType(), lanes), ir.VectorType(INT32, lanes)
    shorts, bytes_ = ir.VectorType(ir.IntType(16), 2 * lanes), ir.VectorType(ir.IntType(8), _MASKED)
    words = []
    for start in range(0, _MASKED, lanes):
        values = array.load(row, _after(builder, column, start), floats)
        higher = builder.fcmp_ordered(">", values, splat(builder, threshold, floats))
        words.append(builder.sext(higher, ints))
    halves = [_x86(builder, "packssdw", shorts, *pair) for pair in (words[:2], words[2:])]
    mixed = _x86(builder, "packsswb", bytes_, *halves)
    if AVX2:  # the halves of its registers are packed each for itself
        order = ir.Constant(ints, [0, 4, 1, 5, 2, 6, 3, 7])
        in_fours = builder.bitcast(mixed, ints)
        mixed = builder.bitcast(builder.shuffle_vector(in_fours, in_fours, order), bytes_)
    return _x86(builder, "pmovmskb", INT32, mixed)


def _x86(builder: Compiler, name: str, result: Type, *arguments: Value) -> Value:
    """What the x86 processor's own instruction of that name makes of its registers."""
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    suffix = f"avx2.{name}" if AVX2 else f"sse2.{name}.128"
    return builder.call(get_or_insert_function(builder.module, kind, f"llvm.x86.{suffix}"), arguments)


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


_BITS_OF_ROW = Lanes(types.int32, ROW // 4)

define_logic(_BITS_OF_ROW)


@instruction(_BITS_OF_ROW, types.Array, types.intp)
def load_bits(builder: Compiler, array: Array, row: Value) -> Value:
    """The bits of a row of ``ROW`` bytes."""
    return array.load(row, ir.Constant(row.type, 0), _BITS_OF_ROW.vector)


@instruction(types.none, types.Array, types.intp, _BITS_OF_ROW)
def store_bits(builder: Compiler, array: Array, row: Value, bits: Value) -> None:
    """Write the bits of a row."""
    array.store(row, ir.Constant(row.type, 0), bits)


@instruction(types.none, types.Array, types.intp)
def fetch_bits(builder: Compiler, array: Array, row: Value) -> None:
    """Have the processor fetch a row of bits into its second cache, while it goes on with other things."""
    for start in range(0, ROW, CACHE_LINE):
        _fetch(builder, array.pointer(row, ir.Constant(row.type, start), ir.IntType(8)))


@instruction(types.none, types.Array, types.intp, types.intp)
def fetch_line(builder: Compiler, array: Array, row: Value, column: Value) -> None:
    """Have the processor fetch what lies around ``array[row, column]`` likewise."""
    _fetch(builder, array.pointer(row, column, ir.IntType(8)))


def _fetch(builder: Compiler, pointer: Value) -> None:
    arguments = [pointer, *(ir.Constant(INT32, number) for number in (0, 2, 1))]  # to read, there, data
    kind = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
    builder.call(get_or_insert_function(builder.module, kind, "llvm.prefetch.p0"), arguments)
