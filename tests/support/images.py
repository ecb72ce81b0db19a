"""Made-up images, each the same whenever it is made."""

import numpy as np

HALVES = np.full((40, 600), 40, np.uint8)
HALVES[:, 300:] = 200
HALVES[::3, ::5] += 9


def textured(rows=40, columns=50, seed=0, dtype=np.uint8):
    random = np.random.default_rng(seed)
    pixels = random.integers(100, 200, (rows, columns)).astype(dtype)
    pixels[: rows // 2] //= 2
    return pixels


def scene(seed, channels=1, rows=60, columns=90):
    random = np.random.default_rng(seed)
    pixels = random.integers(20, 90, (rows, columns, channels)).astype(np.uint8)
    pixels[:, columns // 2 :] += 120
    return pixels.squeeze()
