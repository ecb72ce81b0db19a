"""The space of compiled kernels on the disk, and of their compiler in memory; imports neither."""

from __future__ import annotations

import ctypes
import hashlib
import mmap
import os
import tempfile
from contextlib import suppress
from pathlib import Path

CACHE_VARIABLE = "NUMBA_CACHE_DIR"

MAPS = Path("/proc/self/maps")


def keep_kernels_in(folder: Path) -> None:
    """Let compiled kernels be kept in a folder, or in the temporary one where that cannot be written.

    Must be called before Numba is loaded. A folder that is set in the environment is made where it is missing, and
    used as it is.
    """
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        with suppress(OSError):
            Path(chosen).mkdir(parents=True, exist_ok=True)
    else:
        folder = folder / _version_of_lanes()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            folder = Path(tempfile.gettempdir()) / f"squiggle-kernels-{os.getuid()}"
            folder.mkdir(mode=0o700, exist_ok=True)
            if folder.stat().st_uid != os.getuid() or folder.is_symlink():
                return
        os.environ[CACHE_VARIABLE] = str(folder)


def files_of_lanes() -> list[Path]:
    """The files of which Numba compiles functions or numbers into other files' kernels without noticing a change."""
    library = Path(__file__).parents[1]
    return [
        library / "_shared" / "simd.py",
        library / "forest" / "_bit_layout.py",
        library / "strokes" / "_borders.py",
        *sorted(library.rglob("_lanes.py")),
        *sorted(library.rglob("_*kernels.py")),
    ]


def _version_of_lanes() -> str:
    """Changes with the files of lanes, whose changes Numba does not notice."""
    digest = hashlib.sha256()
    for path in files_of_lanes():
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def unload_llvm_code() -> None:
    """Free the memory that the code of LLVM occupies in this process, some 50 MB, on systems that say where it lies.

    Nothing is lost: code is never written to, and what is needed of it again comes from its file.
    """
    try:
        maps = MAPS.read_text()
    except OSError:
        return
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    for line in maps.splitlines():
        place, access, *_, path = line.split(maxsplit=5)
        if access == "r-xp" and Path(path).name.startswith("libllvmlite"):
            start, end = (int(address, 16) for address in place.split("-"))
            advise(start, end - start, mmap.MADV_DONTNEED)
