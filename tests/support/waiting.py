"""Waiting for facts, which a busy machine may let come late."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.support import PATIENCE_SECONDS


def wait_for(fact: Callable[[], object], what: str = "") -> None:
    """Wait until something is true; ``what`` says in the failure what never was."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not fact():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)
