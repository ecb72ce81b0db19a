"""Explicit vector registers for Numba kernels.

Numba leaves vectorisation to LLVM, which gives up on loops that read many rows at once, and keeps no sums in
registers across the taps of a filter. The hot loops therefore say what they mean: a value of type *lanes* is a
number of numbers side by side in vector registers, with ``+``, ``-``, ``*`` and ``/``. LLVM translates it for any
processor. Each lane is computed as scalar code would: no reassociation, no fused multiply-add, so that a result
depends neither on the lane it was computed in nor on the processor.

The functions that are defined with :func:`instruction`, here and in the files of lanes of the features and of the
forest, trust their caller: nothing checks that lanes lie inside an array.
"""

from __future__ import annotations

import functools
import inspect
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import llvmlite.binding  # type: ignore[import-untyped]
from llvmlite import ir
from numba import types
from numba.core import config
from numba.core.cgutils import get_or_insert_function
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, models, register_model

Emitter: TypeAlias = Callable[..., Any]
"""A function that writes LLVM code, or that Numba calls to have it written."""

# Neither Numba's compiler nor llvmlite has types; these say what is meant.
Value: TypeAlias = Any
"""A number or vector in LLVM code."""
Type: TypeAlias = Any
"""The type of such a value."""
NumbaType: TypeAlias = Any
"""The type of a variable of a kernel."""
Compiler: TypeAlias = Any
"""What Numba knows while it compiles."""

_FEATURES = config.CPU_FEATURES or llvmlite.binding.get_host_cpu_features().flatten()  # type: ignore[attr-defined]

AVX512 = "+avx512f" in _FEATURES.split(",")
"""Whether the processor has the large registers: 32 of 64 bytes."""

AVX2 = "+avx2" in _FEATURES.split(",")
"""Whether it has registers of 32 bytes, and instructions for whole numbers in them."""

SSE2 = "+sse2" in _FEATURES.split(",")
"""Whether it has the registers of 16 bytes that every x86 processor of 64 bits has."""

FLOATS = 16 if AVX512 else 8
"""Lanes of a run of float32."""

INT32 = ir.IntType(32)


class Lanes(types.Type):
    """Numba's type of ``count`` numbers in vector registers."""

    def __init__(self, scalar: NumbaType, count: int) -> None:
        element = {types.float64: ir.DoubleType(), types.float32: ir.FloatType(), types.int32: INT32}[scalar]
        self.scalar = scalar
        self.vector = ir.VectorType(element, count)
        super().__init__(name=f"Lanes({scalar}, {count})")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Compiler, lanes: Lanes) -> None:
        super().__init__(manager, lanes, lanes.vector)


RUN = Lanes(types.float32, FLOATS)


@dataclass
class Array:
    """A two-dimensional array in LLVM code."""

    builder: Compiler
    kind: NumbaType
    data: Value
    row_bytes: Value

    def pointer(self, row: Value, column: Value, vector: Type) -> Value:
        """Where the number ``[row, column]`` lies."""
        builder, item_bytes = self.builder, self.kind.dtype.bitwidth // 8
        start = builder.ptrtoint(self.data, row.type)
        offset = builder.add(builder.mul(row, self.row_bytes), builder.mul(column, ir.Constant(row.type, item_bytes)))
        return builder.inttoptr(builder.add(start, offset), vector.as_pointer())

    def load(self, row: Value, column: Value, vector: Type) -> Value:
        """The numbers from ``[row, column]`` on, as many as the vector has, in the array's own type."""
        return self.builder.load(self.pointer(row, column, vector), align=self.kind.dtype.bitwidth // 8)

    def store(self, row: Value, column: Value, values: Value) -> None:
        """Write a vector of the array's own type from ``[row, column]`` on."""
        pointer = self.pointer(row, column, values.type)
        self.builder.store(values, pointer, align=self.kind.dtype.bitwidth // 8)

    def store_where(self, row: Value, column: Value, values: Value, chosen: Value) -> None:
        """Write the lanes of a float32 vector whose bit in ``chosen`` is set."""
        pointer = self.pointer(row, column, values.type)
        arguments = [values, pointer, ir.Constant(INT32, 4), chosen]
        kind = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
        name = f"llvm.masked.store.v{values.type.count}f32.p0"
        self.builder.call(get_or_insert_function(self.builder.module, kind, name), arguments)


def instruction(result: NumbaType, *parameters: NumbaType) -> Callable[[Emitter], Emitter]:
    """Turn a function that writes LLVM code into one that kernels can call.

    Args:
        result: the type of what it gives, or ``types.none``.
        parameters: the types of what it takes; ``types.Array`` is a two-dimensional array of any kind.

    Returns:
        A decorator. The function gets a builder of LLVM code, then a value, or an :class:`Array`, for each parameter.
    """

    def decorate(emit: Emitter) -> Emitter:
        def typed(typing: Compiler, *given: NumbaType) -> tuple[NumbaType, Emitter]:
            kinds = [a if p is types.Array else p for a, p in zip(given, parameters, strict=True)]

            def generate(context: Compiler, builder: Compiler, sig: NumbaType, args: list[Value]) -> Value:
                values = [_argument(context, builder, kind, arg) for kind, arg in zip(kinds, args, strict=True)]
                emitted = emit(builder, *values)
                return context.get_dummy_value() if result is types.none else emitted

            return signature(result, *kinds), generate

        typed.__signature__ = inspect.signature(emit)  # type: ignore[attr-defined]
        return functools.update_wrapper(intrinsic(typed), emit)

    return decorate


def _argument(context: Compiler, builder: Compiler, kind: NumbaType, value: Value) -> Value | Array:
    if not isinstance(kind, types.Array):
        return value
    struct = context.make_array(kind)(context, builder, value)
    return Array(builder, kind, struct.data, builder.extract_value(struct.strides, 0))


def splat(builder: Compiler, value: Value, vector: Type) -> Value:
    """A vector with the value in every lane."""
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(INT32, 0))
    return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(INT32, vector.count), None))


def define_arithmetic(lanes: Lanes) -> None:
    """Give lanes of floats their operators; a number instead of lanes on either side is meant for every lane."""
    _define(lanes, {"add": "fadd", "sub": "fsub", "mul": "fmul", "truediv": "fdiv"})


def define_logic(lanes: Lanes) -> None:
    """Give lanes of whole numbers the operators that work on their bits; a number is meant for every lane."""
    _define(lanes, {"and_": "and_", "or_": "or_", "xor": "xor"})


def _define(lanes: Lanes, names: dict[str, str]) -> None:
    """Give lanes operators, which have these names in Python and in LLVM."""

    def define(function: Callable[..., Any], name: str) -> None:
        @infer_global(function)
        class _Signatures(ConcreteTemplate):  # Numba finds it by its decorator
            cases = tuple(
                signature(lanes, left, right)
                for left, right in ((lanes, lanes), (lanes.scalar, lanes), (lanes, lanes.scalar))
            )

        @lower_builtin(function, lanes, lanes)
        @lower_builtin(function, lanes.scalar, lanes)
        @lower_builtin(function, lanes, lanes.scalar)
        def _lower(context: Compiler, builder: Compiler, sig: NumbaType, args: list[Value]) -> Value:
            left, right = (a if a.type == lanes.vector else splat(builder, a, lanes.vector) for a in args)
            return getattr(builder, name)(left, right)

    for function, name in names.items():
        define(getattr(operator, function), name)


define_arithmetic(RUN)


@infer_global(math.sqrt)
class _SquareRoot(ConcreteTemplate):
    cases = (signature(RUN, RUN),)


@lower_builtin(math.sqrt, RUN)
def _square_root(context: Compiler, builder: Compiler, sig: NumbaType, args: list[Value]) -> Value:
    function = ir.FunctionType(RUN.vector, [RUN.vector])
    return builder.call(get_or_insert_function(builder.module, function, f"llvm.sqrt.v{FLOATS}f32"), args)


@instruction(RUN, types.Array, types.intp, types.intp)
def load_run(builder: Compiler, array: Array, row: Value, column: Value) -> Value:
    """``array[row, column:column + FLOATS]`` of a float32 array."""
    return array.load(row, column, RUN.vector)


@instruction(types.none, types.Array, types.intp, types.intp, RUN, types.intp)
def store_run(builder: Compiler, array: Array, row: Value, column: Value, run: Value, count: Value) -> None:
    """Write the first ``count`` lanes of a run, or all of them if ``count`` is larger, into a float32 array."""
    with builder.if_else(builder.icmp_signed(">=", count, ir.Constant(count.type, FLOATS))) as (whole, start):
        with whole:
            array.store(row, column, run)
        with start:
            counts = ir.VectorType(count.type, FLOATS)
            numbers = ir.Constant(counts, list(range(FLOATS)))
            array.store_where(row, column, run, builder.icmp_signed("<", numbers, splat(builder, count, counts)))
