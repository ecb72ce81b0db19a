"""What Numba compiles runs also where it cannot be kept."""

import os
import subprocess
import sys

import pytest

from segmentation.web.kernel_cache import CACHE_VARIABLE
from segmentation.web.warming import COMPILED
from tests.support import ROOT
from tests.support.small_disk import SmallDisk

COMPILE_AND_RUN = """
import numpy as np
import segmentation as seg
from segmentation._shared.compiled import all_are_kept

labels = np.zeros((9, 12), np.int32)
labels[2:6, 3:9] = 1
pixels = np.arange(108, dtype=np.uint16).reshape(9, 12)
table = seg.measure_objects(labels > 0, 1, image=seg.image_from_pixels(pixels))
print(table, all_are_kept())
"""
"""Of the kernels that this calls some are compiled when they are loaded, and one when it is called."""


@pytest.fixture
def small_disk():
    disk = SmallDisk(megabytes=8)
    yield disk
    disk.unmount()


def compile_and_run(folder, script=COMPILE_AND_RUN):
    environment = os.environ | {CACHE_VARIABLE: str(folder)}
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, env=environment)
    assert run.returncode == 0, run.stderr
    return run.stdout, run.stderr


@pytest.mark.slow
def test_what_cannot_be_kept_on_a_full_disk_runs_all_the_same_and_is_kept_once_there_is_room(small_disk):
    small_disk.fill()
    found, said = compile_and_run(small_disk.folder)
    assert found.rstrip().endswith("False")
    assert said.count("compiled code cannot be kept") == 1
    small_disk.make_room()
    again, said = compile_and_run(small_disk.folder)
    assert (again.rstrip().removesuffix("True"), said) == (found.rstrip().removesuffix("False"), "")
    assert list(small_disk.folder.rglob("*.nbc"))


@pytest.mark.slow
def test_a_host_that_compiles_beforehand_without_room_does_not_say_that_all_is_there(small_disk):
    small_disk.fill()
    compile_and_run(small_disk.folder, "from segmentation.web.warming import compile_kernels; compile_kernels()")
    assert not (small_disk.folder / COMPILED).exists()


def test_all_that_is_compiled_is_compiled_that_way():
    sources = {path: path.read_text() for path in (ROOT / "segmentation").rglob("*.py")}
    assert [path.name for path, source in sources.items() if "njit" in source] == ["compiled.py"]
