"""Lanes for :mod:`segmentation.features._kernels`: blocks of float64 for the Gaussians, runs for the derivatives.

A block is several rows of an array, so that a filter along the columns can take them from row to row in registers.
"""

from __future__ import annotations

from collections.abc import Iterable

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types

from segmentation._shared.simd import (
    AVX512,
    FLOATS,
    INT32,
    RUN,
    Array,
    Compiler,
    Lanes,
    Value,
    define_arithmetic,
    instruction,
)

SIDE = 8 if AVX512 else 4
"""Rows and columns of a block; three blocks fill the registers, but for those that the loop itself needs."""

_BLOCK = Lanes(types.float64, SIDE * SIDE)
_DOUBLES = ir.VectorType(ir.DoubleType(), SIDE)
_FLOATS = ir.VectorType(ir.FloatType(), SIDE)
_WIDE_RUN = Lanes(types.float64, FLOATS)

define_arithmetic(_BLOCK)
define_arithmetic(_WIDE_RUN)


def _load_row(builder: Compiler, array: Array, row: Value, column: Value) -> Value:
    if array.kind.dtype == types.float64:
        return array.load(row, column, _DOUBLES)
    return builder.fpext(array.load(row, column, _FLOATS), _DOUBLES)


def _lane_numbers(numbers: Iterable[int]) -> Value:
    """The constant that tells LLVM's ``shufflevector`` which lanes of two vectors to take."""
    numbers = list(numbers)
    return ir.Constant(ir.VectorType(INT32, len(numbers)), numbers)


def _join(builder: Compiler, rows: list[Value]) -> Value:
    """A block from its rows."""
    while len(rows) > 1:
        lanes = _lane_numbers(range(2 * rows[0].type.count))
        rows = [builder.shuffle_vector(a, b, lanes) for a, b in zip(rows[::2], rows[1::2], strict=True)]
    return rows[0]


def _split(builder: Compiler, block: Value) -> list[Value]:
    """The rows of a block."""
    starts = range(0, SIDE * SIDE, SIDE)
    return [builder.shuffle_vector(block, block, _lane_numbers(range(s, s + SIDE))) for s in starts]


def _transposed(builder: Compiler, rows: list[Value]) -> list[Value]:
    """The columns of a block: ever larger squares beside the diagonal change places."""
    step = 1
    while step < SIDE:
        near = _lane_numbers(lane if not lane & step else SIDE + lane - step for lane in range(SIDE))
        far = _lane_numbers(lane + step if not lane & step else SIDE + lane for lane in range(SIDE))
        pairs = [(rows[r & ~step], rows[r | step], far if r & step else near) for r in range(SIDE)]
        rows = [builder.shuffle_vector(*pair) for pair in pairs]
        step *= 2
    return rows


def _below(builder: Compiler, row: Value, number: int) -> Value:
    return builder.add(row, ir.Constant(row.type, number))


@instruction(_BLOCK, types.Array, types.intp, types.intp)
def load_block(builder: Compiler, array: Array, row: Value, column: Value) -> Value:
    """The block from ``array[row, column]`` on, of a float32 or float64 array."""
    return _join(builder, [_load_row(builder, array, _below(builder, row, r), column) for r in range(SIDE)])


@instruction(types.none, types.Array, types.intp, _BLOCK)
def store_block(builder: Compiler, array: Array, row: Value, block: Value) -> None:
    """Write a block from row ``row`` of a float64 array on."""
    for number, values in enumerate(_split(builder, block)):
        array.store(_below(builder, row, number), ir.Constant(row.type, 0), values)


@instruction(types.none, types.Array, types.intp, types.intp, _BLOCK)
def store_transposed(builder: Compiler, array: Array, row: Value, column: Value, block: Value) -> None:
    """Write a block, rounded to float32 and transposed, from ``array[row, column]`` on."""
    rows = _transposed(builder, [builder.fptrunc(values, _FLOATS) for values in _split(builder, block)])
    for number, values in enumerate(rows):
        wanted = builder.fpext(values, _DOUBLES) if array.kind.dtype == types.float64 else values
        array.store(_below(builder, row, number), column, wanted)


@instruction(_BLOCK, _BLOCK, types.Array, types.intp, types.intp)
def append_row(builder: Compiler, block: Value, array: Array, row: Value, column: Value) -> Value:
    """The block without its first row, and with ``array[row, column:]`` as its last."""
    return _join(builder, [*_split(builder, block)[1:], _load_row(builder, array, row, column)])


@instruction(_BLOCK, _BLOCK, types.Array, types.intp, types.intp)
def prepend_row(builder: Compiler, block: Value, array: Array, row: Value, column: Value) -> Value:
    """The block without its last row, and with ``array[row, column:]`` as its first."""
    return _join(builder, [_load_row(builder, array, row, column), *_split(builder, block)[:-1]])


@instruction(_WIDE_RUN, types.Array, types.intp, types.intp)
def load_wide_run(builder: Compiler, array: Array, row: Value, column: Value) -> Value:
    """``array[row, column:column + FLOATS]`` of a float32 or float64 array, as float64."""
    if array.kind.dtype == types.float64:
        return array.load(row, column, _WIDE_RUN.vector)
    return builder.fpext(array.load(row, column, RUN.vector), _WIDE_RUN.vector)


@instruction(types.none, types.Array, types.intp, types.intp, _WIDE_RUN)
def store_wide_run(builder: Compiler, array: Array, row: Value, column: Value, run: Value) -> None:
    """Write a run of float64 into a float64 array."""
    array.store(row, column, run)


@instruction(RUN, _WIDE_RUN)
def narrow(builder: Compiler, run: Value) -> Value:
    """A run of float64 rounded to float32."""
    return builder.fptrunc(run, RUN.vector)
