"""What can go wrong with the store; the text of each :class:`StoreError` is a sentence for the person."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from segmentation._shared.full_disk import is_full

AWAY = "The store does not answer at the moment. What was saved is safe; try again in a moment."
LOST = (
    "The store of this server was removed or damaged: nothing can be saved now, and what was saved may be lost. "
    "Whoever runs it has to restore a backup; what you draw meanwhile is kept in this browser."
)
DISK_FULL = "The disk of the server is full: nothing can be stored until whoever runs it makes room."

log = logging.getLogger(__name__)


class UnknownSessionError(LookupError):
    """There is no session behind a link."""


class UnknownImageError(LookupError):
    """A session has no image of that hash."""


class StoreError(Exception):
    """The store cannot do what it is asked for."""


class StoreAwayError(StoreError):
    """The store does not answer; it may in a moment."""

    def __init__(self, sentence: str = AWAY) -> None:
        super().__init__(sentence)


class StoreLostError(StoreAwayError):
    """The store is not what it was: it was deleted, replaced, cut off or damaged."""

    def __init__(self, sentence: str = LOST) -> None:
        super().__init__(sentence)


class SchemaError(StoreAwayError):
    """The tables are not those of this version."""


class StoreFullError(StoreError):
    """There is no room left: on the disk, or within what the operator allows."""


class DiskFullError(StoreFullError):
    """The disk is full; it goes on once whoever runs the server has made room."""

    def __init__(self, sentence: str = DISK_FULL) -> None:
        super().__init__(sentence)


@contextmanager
def disk_told(failed: str, otherwise: Exception) -> Iterator[None]:
    """What goes wrong with a disk becomes a sentence: that it is full, or another.

    Args:
        failed: what then failed, for the log.
        otherwise: is raised if it is something else.
    """
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise DiskFullError from error
        log.warning("%s: %s", failed, error)
        raise otherwise from error
