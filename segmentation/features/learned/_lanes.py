"""Lanes for the network: runs of channels."""

from __future__ import annotations

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types

from segmentation._shared.simd import FLOATS, RUN, Array, Compiler, Value, instruction, splat


@instruction(types.none, types.Array, types.intp, types.intp, RUN)
def put_run(builder: Compiler, array: Array, row: Value, column: Value, run: Value) -> None:
    """Write a run from ``array[row, column]`` on, of a float32 array."""
    array.store(row, column, run)


@instruction(RUN, RUN, types.float32)
def clipped(builder: Compiler, run: Value, most: Value) -> Value:
    """The run, no lane below 0 or above the most."""
    least, most = ir.Constant(run.type, [0.0] * FLOATS), splat(builder, most, run.type)
    above = builder.select(builder.fcmp_ordered(">", run, least), run, least)
    return builder.select(builder.fcmp_ordered("<", above, most), above, most)
