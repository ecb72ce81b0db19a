"""A picture to be learnt from on the command line, and settings that take no time."""

import numpy as np

SMALL = ["--trees", "5", "--sigma-max", "2"]


def textured(rows=60, columns=80, seed=0):
    random = np.random.default_rng(seed)
    pixels = random.integers(100, 200, (rows, columns, 3)).astype(np.uint8)
    pixels[: rows // 2] //= 2
    return pixels
