"""How a system says that a disk, or what somebody may have of it, is full."""

from __future__ import annotations

import errno


def is_full(problem: BaseException) -> bool:
    """Whether something failed since a disk has no room."""
    return isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT)
