"""What an image file may take, and the error that says what is wrong with one."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

MAX_PIXELS = 2**29
"""Pixels, rows times columns, that an image may have unless the caller says otherwise."""

MAX_FILE_BYTES = 2**32
"""Bytes that an image file may have unless the caller says otherwise."""

MAX_CHANNELS = 32
"""Channels that an image may have."""

MAX_PAGES = 2**16
"""Pages that a file may have, and planes that one image may have along all its axes."""

MAX_LEVELS = 32
"""Levels that an image may have, each coarser than the one before."""

MAX_METADATA_BYTES = 2**22
"""Bytes that a file with metadata of a Zarr group or array may have."""

BYTES_PER_PIXEL = 16
"""An image may take this many bytes for each pixel that the limit allows: four channels of 32 bits."""


class ImageError(ValueError):
    """An image cannot be read or used; the message is one sentence for the person who brought it.

    Attributes:
        too_large: whether it has more pixels than are read whole, so that it may be read part by part.
    """

    too_large = False


class TooLargeError(ImageError):
    """An image has more pixels than are read whole."""

    too_large = True


class PassingError(ImageError):
    """An image, or a part of one, did not come this time, and may the next: no damage, which is left out and kept.

    Whoever leaves out, notes or keeps what an :class:`ImageError` says raises this one again, so that no result depends
    on whether a computer was busy.
    """


_PASSING = frozenset(
    getattr(errno, name)
    for name in ("EAGAIN", "EBUSY", "EINTR", "EIO", "EMFILE", "ENFILE", "ENOMEM", "ENOSPC", "ESTALE", "ETIMEDOUT")
    if hasattr(errno, name)
)
"""What a system says of a file that may be read the next time, as one of a share that was away for a while."""


def may_pass(error: BaseException) -> bool:
    """Whether what went wrong with reading may go well the next time: memory or files were short, a disk was away."""
    passing = isinstance(error, MemoryError | TimeoutError | ConnectionError)
    return passing or (isinstance(error, OSError) and error.errno in _PASSING)


def unread(error: BaseException, sentence: str, damage: str = "") -> ImageError:
    """What to raise where something cannot be read, as a sentence says; where that stays so, another may say why."""
    if not may_pass(error):
        return ImageError(damage or sentence)
    short = "There was too little memory: if that stays so, its file is damaged, or needs smaller pieces."
    return PassingError(f"{sentence} {short if isinstance(error, MemoryError) else 'That may pass: try again.'}")


class PageError(ImageError):
    """One of several images in a file cannot be read or used, and the others perhaps can.

    Args:
        page: which of them, counted from 1.
        pages: how many there are.
        reason: what is wrong with it.
    """

    def __init__(self, page: int, pages: int, reason: Exception | str) -> None:
        super().__init__(f"Image {page} of the {pages} in the file cannot be used. {reason}")
        self.page = page
        self.pages = pages
        self.reason = str(reason)
        self.too_large = isinstance(reason, ImageError) and reason.too_large


@dataclass(frozen=True)
class Limits:
    """What an image may take.

    Attributes:
        max_pixels: rows times columns.
        max_bytes: size of the file.
    """

    max_pixels: int = MAX_PIXELS
    max_bytes: int = MAX_FILE_BYTES

    def check_file(self, size: int) -> None:
        """Refuse a file of ``size`` bytes that is empty or too large.

        Raises:
            ImageError: if so.
        """
        if size == 0:
            raise ImageError("The file is empty.")
        if size > self.max_bytes:
            raise ImageError(
                f"The file has {size / 1e6:.1f} MB, but only {self.max_bytes / 1e6:.1f} MB are allowed: "
                "crop the image or save it with compression."
            )

    def check_pixels(self, rows: int, columns: int, bytes_per_pixel: int = 1) -> None:
        """Refuse an image that is empty or too large.

        Raises:
            ImageError: if so.
        """
        if rows < 1 or columns < 1:
            raise ImageError("The image has no pixels.")
        if rows * columns > self.max_pixels:
            raise TooLargeError(
                f"The image has {columns} x {rows} pixels ({rows * columns / 1e6:.1f} megapixels), but only "
                f"{self.max_pixels / 1e6:.1f} megapixels are allowed: crop it or make it smaller."
            )
        if rows * columns * bytes_per_pixel > self.max_pixels * BYTES_PER_PIXEL:
            raise ImageError(
                f"The image holds {rows * columns * bytes_per_pixel / 1e9:.1f} GB of values, which is too much: "
                "crop it or save it with fewer channels."
            )


@contextmanager
def damage_reported(kind: str) -> Iterator[None]:
    """Turn whatever a decoder raises on a file of this kind into an :class:`ImageError`, or a :class:`PassingError`.

    The decoders are given bytes from strangers, and what they raise then (``struct.error``, ``SyntaxError``,
    ``IndexError``...) is not theirs to promise.
    """
    try:
        yield
    except ImageError:
        raise
    except MemoryError as error:
        raise PassingError("The image does not fit into this computer's memory: crop it or make it smaller.") from error
    except Exception as error:
        if may_pass(error):
            raise unread(error, f"The {kind} file could not be read just now ({error}).") from error
        raise ImageError(
            f"The {kind} file is damaged, incomplete or of a rare kind: copy it again, or save it anew as PNG or TIFF."
        ) from error
