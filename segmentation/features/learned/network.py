"""The network: the stem and the first eight blocks of EfficientNet-Lite0, trained on ImageNet.

M. Tan and Q. V. Le, EfficientNet: Rethinking model scaling for convolutional neural networks, 2019; the Lite variants
are Google's of 2020. ``NOTICE.md`` beside the weights says where these come from and on which terms.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.kernels import kernels_are_ready
from segmentation.features.learned import _network_reference
from segmentation.features.learned.layout import COUNT, STRIDE

Floats = NDArray[np.float32]
Layer = tuple[Floats, Floats]

WEIGHTS = Path(__file__).with_name("efficientnet_lite0_front.npz")

SHAPES = (
    (1, 3, 1, 16),
    (6, 3, 2, 24),
    (6, 3, 1, 24),
    (6, 5, 2, 40),
    (6, 5, 1, 40),
    (6, 3, 2, 80),
    (6, 3, 1, 80),
    (6, 3, 1, 80),
)
"""Of each block: how many times it widens its input, the side of its kernel, its stride and its channels."""

_LANES = 16
"""Channels are filled up to a multiple of the longest run, with weights of 0."""


@dataclass(frozen=True, eq=False)
class Block:
    """An inverted residual block.

    Attributes:
        expand, deep, project: weights ``(taps or channels, channels)`` and bias ``(1, channels)`` of its layers.
        shape: side of the kernel, stride, and whether it expands its input and adds it.
    """

    expand: Layer
    deep: Layer
    project: Layer
    shape: tuple[int, int, int, int]


def _filled_up(values: Floats) -> Floats:
    """``(rows, channels)`` with further channels of 0."""
    return np.ascontiguousarray(np.pad(values, ((0, 0), (0, -values.shape[1] % _LANES))))


def _layer(weights: Floats, bias: Floats, inputs: int) -> Layer:
    """Weights ``(inputs, channels)`` and bias, filled up; of no more inputs than the layer before has outputs."""
    return _filled_up(np.pad(weights, ((0, inputs - len(weights)), (0, 0)))), _filled_up(bias[None])


@cache
def layers() -> tuple[Layer, tuple[Block, ...]]:
    """The first layer, and the blocks after it."""
    with np.load(WEIGHTS) as file:
        arrays = iter([file[str(number)] for number in range(len(file.files))])
    kernel, bias = next(arrays), next(arrays)
    first = _layer(kernel.transpose(2, 3, 1, 0).reshape(-1, len(kernel)), bias, 27)
    blocks, channels, wide = [], len(kernel), len(kernel)
    for widening, side, stride, outputs in SHAPES:
        adds, expand = stride == 1 and channels == outputs, first
        if widening > 1:
            kernel, bias = next(arrays), next(arrays)
            expand = _layer(kernel[:, :, 0, 0].T, bias, wide)
            wide = expand[0].shape[1]
        kernel, bias = next(arrays), next(arrays)
        deep = _layer(kernel[:, 0].reshape(len(kernel), -1).T, bias, side * side)
        kernel, bias = next(arrays), next(arrays)
        project = _layer(kernel[:, :, 0, 0].T, bias, wide)
        blocks.append(Block(expand, deep, project, (side, stride, int(widening > 1), int(adds))))
        channels, wide = outputs, project[0].shape[1]
    return first, tuple(blocks)


def cells_of(image: Floats) -> Floats:
    """The outputs of the network.

    Args:
        image: ``(rows, columns, 3)`` float32, C-contiguous, scaled as the network was trained, rows and columns
            multiples of 16.

    Returns:
        ``(80, rows / 16, columns / 16)`` float32; those within 73 pixels of the border depend on what is not there.
    """
    first, blocks = layers()
    if kernels_are_ready():
        x = _by_kernels(image, first, blocks)
    else:
        x = _network_reference.stem(image, first)
        for one in blocks:
            x = _network_reference.block(x, one.expand, one.deep, one.project, one.shape)
    return np.ascontiguousarray(np.moveaxis(x[..., :COUNT], 2, 0))


def _by_kernels(image: Floats, first: Layer, blocks: tuple[Block, ...]) -> Floats:
    from segmentation.features.learned import _network_kernels as kernels

    rows, columns = (length // 2 for length in image.shape[:2])
    x: Floats = np.empty((rows, columns, first[0].shape[1]), np.float32)
    kernels.stem(image, *first, np.empty((columns, 27), np.float32), x)
    for one in blocks:
        side, stride, *_ = one.shape
        wide, (rows, columns) = one.deep[0].shape[1], x.shape[:2]
        ring: Floats = np.empty(((side + 1) * (columns + side - 1), wide), np.float32)
        row: Floats = np.empty((columns // stride, wide), np.float32)
        out: Floats = np.empty((rows // stride, columns // stride, one.project[0].shape[1]), np.float32)
        kernels.block(x, one.expand, one.deep, one.project, one.shape, ring, row, out)
        x = out
    return x


def interpolate(
    cells: Floats, numbers: NDArray[np.int32], first: tuple[int, int], window: NDArray[np.int64], out: Floats
) -> None:
    """Fill features of pixels, bilinear between the cells around them.

    Args:
        cells: ``(80, rows, columns)`` float32, C-contiguous.
        numbers: which features are wanted.
        first: row and column of the window's first pixel, counted from the first cell.
        window: ``(2, 2)``, the rows and the columns of ``out`` that are filled, each from the first up to the second.
        out: ``(80, rows, columns)`` float32.
    """
    if kernels_are_ready():
        from segmentation.features.learned._network_kernels import interpolate as compute
    else:
        from segmentation.features.learned._network_reference import interpolate as compute
    compute(cells, numbers, STRIDE, first, window, out)
