"""Explicit vector registers for Numba kernels.

Numba leaves vectorisation to LLVM, which gives up on loops that read many rows at once, and keeps no sums in
registers across the taps of a filter. The hot loops therefore say what they mean: a value of type *lanes* is a
block of numbers that lives in vector registers, with ``+``, ``-``, ``*`` and ``/``. LLVM translates it for any
processor. Each lane is computed as the scalar code would: no reassociation, no fused multiply-add, so that a
result depends neither on the lane it was computed in nor on the processor.

The functions here trust their caller: nothing checks that a block lies inside its array.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import llvmlite.binding  # type: ignore[import-untyped]
import numba.extending
from llvmlite import ir
from numba import njit, types
from numba.core import config
from numba.core.cgutils import get_or_insert_function
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import models, register_model

# What Numba hands to the functions that write LLVM code; neither it nor llvmlite has types for them.
Compiler: TypeAlias = Any
"""Numba's context, a builder of LLVM instructions, a signature, or the type of an argument."""
Value: TypeAlias = Any
"""A number, array or vector in LLVM code, or several."""

Kernel: TypeAlias = Callable[..., Any]

_intrinsic: Callable[[Kernel], Kernel] = numba.extending.intrinsic

_FEATURES = config.CPU_FEATURES or llvmlite.binding.get_host_cpu_features().flatten()  # type: ignore[attr-defined]
_AVX512 = "+avx512f" in _FEATURES.split(",")

ROWS = 8 if _AVX512 else 4
"""Rows of a block of float64 lanes; two blocks and a sum fit the registers."""

DOUBLES = 8 if _AVX512 else 4
"""Columns of a block of float64 lanes."""

FLOATS = 2 * DOUBLES
"""Columns of a run of float32 lanes."""

MASK_BITS = 64
"""Columns that :func:`above` compares."""


def kernel(function: Kernel) -> Kernel:
    """Compile a function that Python calls: it runs without the GIL, and is kept on disk where that can be written.

    Numba compiles anew when the function's own file changes, but does not notice a change here.
    """
    try:
        return njit(nogil=True, cache=True)(function)
    except RuntimeError:  # neither the package nor the home directory can be written
        return njit(nogil=True)(function)


def part(function: Kernel) -> Kernel:
    """Compile a function that only kernels call."""
    return njit(function)


class Lanes(types.Type):
    """Numba's type of a block of ``count`` numbers in vector registers."""

    def __init__(self, scalar: types.Float, count: int) -> None:
        self.scalar = scalar
        self.vector = ir.VectorType(ir.DoubleType() if scalar == types.float64 else ir.FloatType(), count)
        super().__init__(name=f"Lanes({scalar}, {count})")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Compiler, lanes: Lanes) -> None:
        super().__init__(manager, lanes, lanes.vector)


_BLOCK = Lanes(types.float64, ROWS * DOUBLES)
_RUN = Lanes(types.float32, FLOATS)
_WIDE_RUN = Lanes(types.float64, FLOATS)


def _splat(builder: Compiler, value: Value, vector: Compiler) -> Value:
    """A vector with ``value`` in every lane."""
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(ir.IntType(32), vector.count), None))


def _define_operator(function: Kernel, instruction: str) -> None:
    """Give lanes an arithmetic operator; a number instead of lanes is meant for every lane."""

    @infer_global(function)
    class _Signatures(ConcreteTemplate):  # Numba finds it by its decorator
        cases = tuple(
            signature(lanes, left, right)
            for lanes in (_BLOCK, _RUN, _WIDE_RUN)
            for left, right in ((lanes, lanes), (lanes.scalar, lanes), (lanes, lanes.scalar))
        )

    @lower_builtin(function, Lanes, Lanes)
    @lower_builtin(function, types.Float, Lanes)
    @lower_builtin(function, Lanes, types.Float)
    def _lower(context: Compiler, builder: Compiler, sig: Compiler, args: Value) -> Value:
        vector = sig.return_type.vector
        left, right = (arg if arg.type == vector else _splat(builder, arg, vector) for arg in args)
        return getattr(builder, instruction)(left, right)


_define_operator(operator.add, "fadd")
_define_operator(operator.sub, "fsub")
_define_operator(operator.mul, "fmul")
_define_operator(operator.truediv, "fdiv")


@infer_global(math.sqrt)
class _SquareRoot(ConcreteTemplate):
    cases = (signature(_RUN, _RUN),)


@lower_builtin(math.sqrt, Lanes)
def _square_root(context: Compiler, builder: Compiler, sig: Compiler, args: Value) -> Value:
    name = f"llvm.sqrt.v{_RUN.vector.count}f32"
    function = get_or_insert_function(builder.module, ir.FunctionType(_RUN.vector, [_RUN.vector]), name)
    return builder.call(function, args)


def _pointer(
    context: Compiler,
    builder: Compiler,
    array_type: Compiler,
    array: Value,
    row: Value,
    column: Value,
    vector: Compiler,
) -> Value:
    """Address of ``array[row, column]``, for a vector."""
    struct = context.make_array(array_type)(context, builder, array)
    stride = builder.extract_value(struct.strides, 0)
    start = builder.ptrtoint(struct.data, stride.type)
    offset = builder.mul(column, ir.Constant(stride.type, array_type.dtype.bitwidth // 8))
    return builder.inttoptr(builder.add(start, builder.add(builder.mul(row, stride), offset)), vector.as_pointer())


def _load(
    context: Compiler, builder: Compiler, array_type: Compiler, array: Value, row: Value, column: Value, count: int
) -> Value:
    """``array[row, column:column + count]`` in the array's own precision."""
    vector = ir.VectorType(context.get_value_type(array_type.dtype), count)
    pointer = _pointer(context, builder, array_type, array, row, column, vector)
    return builder.load(pointer, align=array_type.dtype.bitwidth // 8)


def _load_row(
    context: Compiler, builder: Compiler, array_type: Compiler, array: Value, row: Value, column: Value
) -> Value:
    """One row of a block, as float64."""
    values = _load(context, builder, array_type, array, row, column, DOUBLES)
    return (
        values if array_type.dtype == types.float64 else builder.fpext(values, ir.VectorType(ir.DoubleType(), DOUBLES))
    )


def _lane_numbers(numbers: Iterable[int]) -> Value:
    """The constant that tells ``shufflevector`` which lanes to take."""
    numbers = list(numbers)
    return ir.Constant(ir.VectorType(ir.IntType(32), len(numbers)), numbers)


def _join(builder: Compiler, rows: list[Value]) -> Value:
    """One block from its rows."""
    while len(rows) > 1:
        lanes = _lane_numbers(range(2 * rows[0].type.count))
        rows = [builder.shuffle_vector(a, b, lanes) for a, b in zip(rows[::2], rows[1::2], strict=True)]
    return rows[0]


def _split(builder: Compiler, block: Value) -> list[Value]:
    """The rows of a block."""
    return [
        builder.shuffle_vector(block, block, _lane_numbers(range(row * DOUBLES, (row + 1) * DOUBLES)))
        for row in range(ROWS)
    ]


def _below(builder: Compiler, row: Value, number: int) -> Value:
    return builder.add(row, ir.Constant(row.type, number))


@_intrinsic
def load_block(typing: Compiler, array: Compiler, row: Compiler, column: Compiler) -> Compiler:
    """The block whose first row and column are given, of a float32 or float64 array, as float64 lanes."""

    def generate(context: Compiler, builder: Compiler, sig: Compiler, args: Value) -> Value:
        array, row, column = args
        return _join(
            builder,
            [_load_row(context, builder, sig.args[0], array, _below(builder, row, r), column) for r in range(ROWS)],
        )

    return _BLOCK(array, types.intp, types.intp), generate


@_intrinsic
def store_block(typing: Compiler, array: Compiler, row: Compiler, column: Compiler, block: Compiler) -> Compiler:
    """Write a block; a float32 array takes it rounded."""

    def generate(context: Compiler, builder: Compiler, sig: Compiler, args: Value) -> Value:
        array, row, column, block = args
        element = context.get_value_type(sig.args[0].dtype)
        vector = ir.VectorType(element, DOUBLES)
        for number, values in enumerate(_split(builder, block)):
            if element == ir.FloatType():
                values = builder.fptrunc(values, vector)
            place = _below(builder, row, number)
            pointer = _pointer(context, builder, sig.args[0], array, place, column, vector)
            builder.store(values, pointer, align=sig.args[0].dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.none(array, types.intp, types.intp, block), generate


@_intrinsic
def append_row(typing: Compiler, block: Compiler, array: Compiler, row: Compiler, column: Compiler) -> Compiler:
    """The block one row further down: its first row dropped, the given row of the array added below."""

    def generate(context: Compiler, builder: Compiler, sig: Compiler, args: Value) -> Value:
        rows = _split(builder, args[0])
        return _join(builder, [*rows[1:], _load_row(context, builder, sig.args[1], *args[1:])])

    return block(block, array, types.intp, types.intp), generate


@_intrinsic
def prepend_row(typing: Compiler, block: Compiler, array: Compiler, row: Compiler, column: Compiler) -> Compiler:
    """The block one row further up: its last row dropped, the given row of the array added above."""

    def generate(context: Compiler, builder: Compiler, sig: Compiler, args: Value) -> Value:
        rows = _split(builder, args[0])
        return _join(builder, [_load_row(context, builder, sig.args[1], *args[1:]), *rows[:-1]])

    return block(block, array, types.intp, types.intp), generate


@_intrinsic
def rounded(typing: Compiler, block: Compiler) -> Compiler:
    """The block with each number rounded to float32."""

    def generate(context: Compiler, builder: Compiler, sig: Compiler, args: Value) -> Value:
        floats = builder.fptrunc(args[0], ir.VectorType(ir.FloatType(), args[0].type.count))
        return builder.fpext(floats, args[0].type)

    return block(block), generate


@_intrinsic
def load_run(typing: Compiler, array: Compiler, row: Compiler, column: Compiler) -> Compiler:
    """``array[row, column:column + FLOATS]`` of a float32 array."""

    def generate(context: Compiler, builder: Compiler, sig: Compiler, args: Value) -> Value:
        array, row, column = args
        return _load(context, builder, sig.args[0], array, row, column, FLOATS)

    return _RUN(array, types.intp, types.intp), generate


@_intrinsic
def load_wide_run(typing: Compiler, array: Compiler, row: Compiler, column: Compiler) -> Compiler:
    """``array[row, column:column + FLOATS]`` of a float32 array, as float64 lanes."""

    def generate(context: Compiler, builder: Compiler, sig: Compiler, args: Value) -> Value:
        array, row, column = args
        return builder.fpext(_load(context, builder, sig.args[0], array, row, column, FLOATS), _WIDE_RUN.vector)

    return _WIDE_RUN(array, types.intp, types.intp), generate


@_intrinsic
def narrow(typing: Compiler, run: Compiler) -> Compiler:
    """A run of float64 lanes rounded to float32."""

    def generate(context: Compiler, builder: Compiler, sig: Compiler, args: Value) -> Value:
        return builder.fptrunc(args[0], _RUN.vector)

    return _RUN(run), generate


@_intrinsic
def store_run(
    typing: Compiler, array: Compiler, row: Compiler, column: Compiler, run: Compiler, count: Compiler
) -> Compiler:
    """Write the first ``count`` lanes of a run, or all of them if ``count`` is larger, into a float32 array."""

    def generate(context: Compiler, builder: Compiler, sig: Compiler, args: Value) -> Value:
        array, row, column, run, count = args
        pointer = _pointer(context, builder, sig.args[0], array, row, column, run.type)
        with builder.if_else(builder.icmp_signed(">=", count, ir.Constant(count.type, FLOATS))) as (whole, part):
            with whole:
                builder.store(run, pointer, align=4)
            with part:
                wide = ir.VectorType(count.type, FLOATS)
                chosen = builder.icmp_signed("<", ir.Constant(wide, list(range(FLOATS))), _splat(builder, count, wide))
                kinds = [run.type, pointer.type, ir.IntType(32), chosen.type]
                name = f"llvm.masked.store.v{FLOATS}f32.p0"
                store = get_or_insert_function(builder.module, ir.FunctionType(ir.VoidType(), kinds), name)
                builder.call(store, [run, pointer, ir.Constant(ir.IntType(32), 4), chosen])
        return context.get_dummy_value()

    return types.none(array, types.intp, types.intp, run, types.intp), generate


@_intrinsic
def above(typing: Compiler, array: Compiler, row: Compiler, threshold: Compiler) -> Compiler:
    """One bit for each of the first ``MASK_BITS`` columns of a float32 row, set where it is above the threshold."""

    def generate(context: Compiler, builder: Compiler, sig: Compiler, args: Value) -> Value:
        array, row, threshold = args
        values = _load(context, builder, sig.args[0], array, row, ir.Constant(row.type, 0), MASK_BITS)
        higher = builder.fcmp_ordered(">", values, _splat(builder, threshold, values.type))
        return builder.bitcast(higher, ir.IntType(MASK_BITS))

    return types.uint64(array, types.intp, types.float32), generate
