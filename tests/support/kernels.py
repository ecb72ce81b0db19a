"""Compiled kernels are kept from run to run, beside Python's own compiled files."""

import os
from pathlib import Path

from segmentation.web.kernel_cache import CACHE_VARIABLE, keep_kernels_in

FOLDER = Path(__file__).resolve().parents[1] / "__pycache__" / "kernels"


def keep_kernels() -> None:
    """Let this process, and those that it starts, find the kernels of earlier runs; before Numba is loaded.

    Tests that run side by side have a folder each: two processes that add to Numba's index of the same kernel at the
    same moment may leave it wrong for good.
    """
    keep_kernels_in(FOLDER)
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        os.environ[CACHE_VARIABLE] += f"-{worker}"
