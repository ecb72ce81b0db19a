"""Lanes for the walks: 64 pixels at a time and a mask of those meant, for floats; rows of bits, and their making."""

from __future__ import annotations

from dataclasses import replace

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core.cgutils import get_or_insert_function

from segmentation._shared.aligned import CACHE_LINE
from segmentation._shared.simd import (
    AVX2,
    AVX512,
    FLOATS,
    INT32,
    RUN,
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
from segmentation.forest._bit_layout import BINS, BITS, ROW

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
    words = []
    for start in range(0, _MASKED, lanes):
        values = array.load(row, _after(builder, column, start), floats)
        higher = builder.fcmp_ordered(">", values, splat(builder, threshold, floats))
        words.append(builder.sext(higher, ints))
    return _x86(builder, "pmovmskb", INT32, _as_bytes(builder, words))


def _as_bytes(builder: Compiler, words: list[Value]) -> Value:
    """The lanes of four registers of whole numbers, one after the other, as those of one register of bytes."""
    lanes = words[0].type.count
    shorts, bytes_ = ir.VectorType(ir.IntType(16), 2 * lanes), ir.VectorType(ir.IntType(8), 4 * lanes)
    halves = [_x86(builder, "packssdw", shorts, *pair) for pair in (words[:2], words[2:])]
    mixed = _x86(builder, "packsswb", bytes_, *halves)
    if AVX2:  # the halves of its registers are packed each for itself
        order = ir.Constant(words[0].type, [0, 4, 1, 5, 2, 6, 3, 7])
        in_fours = builder.bitcast(mixed, words[0].type)
        mixed = builder.bitcast(builder.shuffle_vector(in_fours, in_fours, order), bytes_)
    return mixed


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
    """The bits of a row of an array whose rows have ``ROW`` bytes and follow one another."""
    return _in_rows(array, row).load(row, ir.Constant(row.type, 0), _BITS_OF_ROW.vector)


@instruction(types.none, types.Array, types.intp, _BITS_OF_ROW)
def store_bits(builder: Compiler, array: Array, row: Value, bits: Value) -> None:
    """Write the bits of such a row."""
    _in_rows(array, row).store(row, ir.Constant(row.type, 0), bits)


def _in_rows(array: Array, row: Value) -> Array:
    """The array with a length of rows that is known, so that none is multiplied with: most of a walk is such places."""
    return replace(array, row_bytes=ir.Constant(row.type, ROW))


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


_WORDS = ir.VectorType(INT32, FLOATS)

BINS_AT_ONCE = 4 * FLOATS
"""Bytes of a register."""


@instruction(
    types.none,
    types.Array,
    types.intp,
    types.intp,
    types.float32,
    types.float32,
    types.Array,
    types.intp,
    types.intp,
)
def pack_bins(
    builder: Compiler,
    array: Array,
    row: Value,
    start: Value,
    low: Value,
    scale: Value,
    packed: Array,
    first: Value,
    place: Value,
) -> None:
    """Write a register of each binary digit of bins, from ``packed[first, place]`` on.

    Bit ``k`` of its bytes is of the pixels from ``array[row, start + k * ROW + place]`` on, float32, so that eight
    registers of bins, a byte each, are turned into one of each digit.
    """
    begin = builder.add(start, place)
    columns = [_after(builder, begin, bit * ROW) for bit in range(8)]
    digits = _turned(builder, [_bins(builder, array, row, column, low, scale) for column in columns])
    for digit, bits in enumerate(digits[:BITS]):
        packed.store(_after(builder, first, digit), place, bits)


def _bins(builder: Compiler, array: Array, row: Value, column: Value, low: Value, scale: Value) -> Value:
    """The bins of ``array[row, column:column + BINS_AT_ONCE]``, a byte each; 0 for what is not a number."""
    first, last = (ir.Constant(RUN.vector, [float(number)] * FLOATS) for number in (0, BINS - 1))
    words = []
    for start in range(0, BINS_AT_ONCE, FLOATS):
        values = array.load(row, _after(builder, column, start), RUN.vector)
        steps = builder.fmul(builder.fsub(values, splat(builder, low, RUN.vector)), splat(builder, scale, RUN.vector))
        steps = builder.select(builder.fcmp_ordered(">", steps, first), steps, first)
        steps = builder.select(builder.fcmp_ordered("<", steps, last), steps, last)
        words.append(builder.fptosi(steps, _WORDS))
    if AVX2 and not AVX512:
        return builder.bitcast(_as_bytes(builder, words), _WORDS)
    while len(words) > 1:
        lanes = ir.Constant(ir.VectorType(INT32, 2 * words[0].type.count), list(range(2 * words[0].type.count)))
        words = [builder.shuffle_vector(*pair, lanes) for pair in zip(words[::2], words[1::2], strict=True)]
    return builder.bitcast(builder.trunc(words[0], ir.VectorType(ir.IntType(8), BINS_AT_ONCE)), _WORDS)


def _turned(builder: Compiler, rows: list[Value]) -> list[Value]:
    """Eight registers of bytes as a square of bits that is turned: ever smaller squares change places.

    Warren, Hacker's Delight (2012), 7-3.
    """
    for step, kept in ((4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        by, mask = (ir.Constant(_WORDS, [number] * FLOATS) for number in (step, kept))
        for near in (number for number in range(8) if not number & step):
            far = near + step
            differ = builder.and_(builder.xor(builder.lshr(rows[near], by), rows[far]), mask)
            rows[far] = builder.xor(rows[far], differ)
            rows[near] = builder.xor(rows[near], builder.shl(differ, by))
    return rows
