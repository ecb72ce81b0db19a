"""Compiled kernels are kept from run to run, beside Python's own compiled files."""

import os
import time
from pathlib import Path

from segmentation._shared.kernels import kernels_are_ready
from segmentation.web.kernel_cache import CACHE_VARIABLE, keep_kernels_in
from tests.support import PATIENCE_SECONDS

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


def wait_for_kernels() -> None:
    """Until this process calls kernels: a server that an earlier test asked has them compiled, if they are not yet."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not kernels_are_ready():
        assert time.monotonic() < deadline, "the kernels were not compiled"
        time.sleep(0.05)
