"""Work that nobody waits for at once, and that does not end with what passes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from segmentation.io.limits import PassingError

PAUSES = (2.0, 8.0, 30.0)
"""Seconds before what did not come is asked for again."""

Read = TypeVar("Read")


def patiently(
    read: Callable[[], Read],
    rest: Callable[[float], None] = time.sleep,
    *,
    pauses: Sequence[float] | None = None,
    passing: tuple[type[Exception], ...] = (PassingError,),
) -> Read:
    """What ``read`` gives, which is tried again some times while it raises what passes.

    Args:
        read: reads something.
        rest: waits so many seconds before the next time; what it raises ends it.
        pauses: these seconds; None are :data:`PAUSES`.
        passing: the errors that pass.

    Raises:
        PassingError: with a sentence, if it did not come any of these times.
    """
    for seconds in PAUSES if pauses is None else pauses:
        try:
            return read()
        except passing:
            rest(seconds)
    return read()
