"""What compiled kernels take: the compiler's code leaves memory and comes back when it is needed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from segmentation.web import kernel_cache as kernels

ROOT = Path(__file__).resolve().parents[2]

COMPILE_UNLOAD_AND_COMPILE = """
from pathlib import Path
from numba import njit
from segmentation.web.kernel_cache import unload_llvm_code

def megabytes():
    total, counts = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split()[0]:
            counts = "libllvmlite" in line and " r-xp " in line
        elif counts and line.startswith("Rss:"):
            total += int(line.split()[1]) / 1024
    return total

assert njit(lambda x: x + 1)(1) == 2
before = megabytes()
unload_llvm_code()
after = megabytes()
assert njit(lambda x: x * 3)(2.5) == 7.5
print(before, after)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says where code lies")
def test_the_compiler_leaves_memory_and_still_compiles():
    run = subprocess.run([sys.executable, "-c", COMPILE_UNLOAD_AND_COMPILE], capture_output=True, text=True, check=True)
    before, after = map(float, run.stdout.split())
    assert before > 20
    assert after < before / 4


@pytest.mark.parametrize("maps", ["nothing", "folder"])
def test_a_system_that_does_not_say_where_code_lies_is_left_alone(tmp_path, monkeypatch, maps):
    (tmp_path / "folder").mkdir()
    monkeypatch.setattr(kernels, "MAPS", tmp_path / maps)
    kernels.unload_llvm_code()


def test_the_cache_is_made_anew_when_lanes_change_wherever_they_lie(tmp_path, monkeypatch):
    """Numba notices a change of the file of a kernel, but not of the functions that it compiles into it."""
    names = {str(path.relative_to(ROOT / "segmentation")) for path in kernels.files_of_lanes()}
    assert names >= {"_shared/simd.py", "features/_lanes.py", "forest/_lanes.py"}
    assert names >= {"features/_smoothing_kernels.py", "features/_derivative_kernels.py", "strokes/_kernels.py"}
    for path in kernels.files_of_lanes():
        assert path.is_file()
    lanes = tmp_path / "_lanes.py"
    monkeypatch.setattr(kernels, "files_of_lanes", lambda: [lanes])
    folders = set()
    for text in ("one", "another"):
        lanes.write_text(text)
        monkeypatch.delenv(kernels.CACHE_VARIABLE, raising=False)
        kernels.keep_kernels_in(tmp_path / "kernels")
        folders.add(os.environ[kernels.CACHE_VARIABLE])
    assert len(folders) == 2


def test_a_folder_that_is_set_in_the_environment_need_not_be_there_yet(tmp_path, monkeypatch):
    monkeypatch.setenv(kernels.CACHE_VARIABLE, str(tmp_path / "not" / "yet"))
    kernels.keep_kernels_in(tmp_path / "unused")
    assert (tmp_path / "not" / "yet").is_dir()
    assert os.environ[kernels.CACHE_VARIABLE] == str(tmp_path / "not" / "yet")
