"""The front of EfficientNet-Lite0 as one writes it down: matrix products, whose sums have no order."""

import numpy as np

from segmentation.features.learned.network import WEIGHTS

BLOCKS = ((1, 1), (6, 2), (6, 1), (6, 2), (6, 1), (6, 2), (6, 1), (6, 1))
"""How many times each block widens its input, and its stride."""


def convolved(x, weights, bias, stride):
    """Each channel by itself, or all of them together, with as much of 0 around as half of the kernel."""
    side = weights.shape[-1]
    pad = side // 2
    padded = np.pad(x.astype(np.float64), ((pad, pad), (pad, pad), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), (0, 1))[::stride, ::stride]
    if weights.shape[1] == 1:
        return np.einsum("rcnij,nij->rcn", windows, weights[:, 0]) + bias
    return np.einsum("rcnij,mnij->rcm", windows, weights) + bias


def plain_cells(image):
    """``(rows / 16, columns / 16, 80)`` of ``(rows, columns, 3)``."""
    with np.load(WEIGHTS) as file:
        arrays = iter([file[str(number)] for number in range(len(file.files))])
    x = np.clip(convolved(image, next(arrays), next(arrays), 2), 0, 6)
    for widening, stride in BLOCKS:
        y = x
        if widening > 1:
            y = np.clip(convolved(y, next(arrays), next(arrays), 1), 0, 6)
        y = np.clip(convolved(y, next(arrays), next(arrays), stride), 0, 6)
        y = convolved(y, next(arrays), next(arrays), 1)
        x = y + x if y.shape == x.shape else y
    return x
