"""How much memory a process may use."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

CONTROL_GROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")


def memory_bytes() -> int:
    """The machine's memory, or the least that a container or service around this process allows; 0 if unknown."""
    machine = []
    with suppress(AttributeError, ValueError, OSError):  # Windows has no such thing
        machine.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return min([*machine, *_limits()], default=0)


def returned_memory() -> None:
    """Return to the system what this process has freed, on systems whose C library keeps it."""
    with suppress(AttributeError, OSError, TypeError):  # macOS, Windows, and Linux with musl have no such function
        ctypes.CDLL(None).malloc_trim(0)


def _limits() -> Iterator[int]:
    """The limits of the control groups that this process belongs to, and of those around them, of either version."""
    with suppress(OSError):
        for line in OWN_GROUPS.read_text().splitlines():
            _, controllers, group = line.split(":", 2)
            if controllers and "memory" not in controllers.split(","):
                continue
            top, name = (
                (CONTROL_GROUPS / "memory", "memory.limit_in_bytes") if controllers else (CONTROL_GROUPS, "memory.max")
            )
            inner = top / group.lstrip("/")
            for folder in [inner, *inner.parents]:
                with suppress(OSError, ValueError):  # the outermost has no file, and "max" is no limit
                    yield int((folder / name).read_text())
