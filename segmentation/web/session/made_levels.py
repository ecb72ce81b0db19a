"""The coarser levels of large images whose files lack them: wanted when such a file is opened, made in the background
(:mod:`segmentation.web.session.pyramid_maker`), and kept in the store beside the file.

The finest level, of which everything is learnt and segmented, stays that of the file.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from segmentation._shared.tiling import Window
from segmentation.features.planes_on_disk import LEFT_FREE
from segmentation.io.coarser_levels import Unreduced, coarser_levels
from segmentation.io.image import Image
from segmentation.io.limits import ImageError, PassingError
from segmentation.io.pyramid import MAX_PIXELS, Level
from segmentation.io.unread import UNREAD, unread_part
from segmentation.web.decoding.client import Decoder
from segmentation.web.session.stackfiles import StackFiles
from segmentation.web.store import StoreFullError, UnknownImageError
from segmentation.web.store.pyramids import Pyramids

PREPARING = "This image is being prepared for view, which is done once: it is seen as soon as that has ended."
DAMAGED = "What was prepared to view this image is damaged: open its file again."

WRITTEN = 2
"""So many times the levels are on the disk for a moment: as they are made, and as the file that they become."""


class NotPreparedError(PassingError):
    """The coarser levels of an image are not there yet."""

    def __init__(self) -> None:
        super().__init__(PREPARING)


class MadeLevels:
    """The levels of all sessions that were made.

    Args:
        pyramids: says who wants them, and keeps their files.
        decoder: reads parts of the files.
        files: where these lie while they are worked on.
        folder: where levels are made.
    """

    def __init__(self, pyramids: Pyramids, decoder: Decoder, files: StackFiles, folder: Path) -> None:
        self.folder = folder
        self._pyramids, self._decoder, self._files = pyramids, decoder, files

    def want(self, session_id: str, key: str, known: Image) -> None:
        """Let the levels of an image of a session be made, unless they are already, or cannot be.

        Raises:
            ImageError: with a sentence, if it has too many pixels for that.
            StoreFullError: with a sentence, if there is no room for them.
        """
        if not any(one.hash == key for one in self._pyramids.of_session(session_id)):
            self.check_room(session_id, known)
            self._pyramids.want(session_id, key)

    def give_up(self, session_id: str, key: str) -> None:
        """Want the levels of an image no more, and let its file go, too.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        self._pyramids.forget(session_id, key)

    def check_room(self, session_id: str, known: Image) -> None:
        """Make sure that the levels of an image can be made for a session, and be kept.

        Raises:
            ImageError: with a sentence, if it has too many pixels for that.
            StoreFullError: with a sentence, if there is no room for them.
        """
        finest = finest_of_made(known).shape
        if finest[0] * finest[1] > MAX_PIXELS:
            raise ImageError(
                f"The image has {finest[0] * finest[1] / 1e9:,.0f} gigapixels and no coarser level: more than "
                f"{MAX_PIXELS / 1e9:,.0f} are not prepared for view. Save it with coarser levels beside the finest."
            )
        size = bytes_of_made(known)
        self._pyramids.check_room(session_id, size)
        free = free_bytes(self.folder)
        if WRITTEN * size + LEFT_FREE > free:
            raise StoreFullError(
                f"To view all of this image, up to {WRITTEN * size / 2**20:,.0f} MB have to be prepared on this "
                f"server, whose disk has {max(0, free - LEFT_FREE) / 2**20:,.0f} MB left: ask whoever runs it for more "
                "room, or save the image with coarser levels beside the finest, as “vips tiffsave --tile --pyramid” "
                "does."
            )

    def coarsest(self, session_id: str, key: str, known: Image) -> Image:
        """The coarsest level of an image, whole.

        Args:
            session_id: the session.
            key: what the image is known by.
            known: what its file says of it, see :func:`segmentation.web.decoding.reading.read_part`.

        Raises:
            NotPreparedError: if it is not made yet.
            ImageError: with a sentence, if it cannot be made, or not be read.
            StoreFullError: with a sentence, if there is no room to make it.
        """
        try:
            image = self._from_file(session_id, key, self._decoder.read_coarsest)
        except UnknownImageError:
            raise self._why_not(session_id, key, known) from None
        expected = coarser_levels(finest_of_made(known))[-1].shape
        if (image.shape, image.channels, image.pixels.dtype) != (expected, known.channels, known.pixels.dtype):
            raise ImageError(DAMAGED)
        unread = max(unread_part(known.metadata), unread_part(image.metadata))
        about = known.metadata | {"value_range": image.metadata["value_range"], UNREAD: unread}
        return Image(image.pixels, about, image.no_data)

    def read(self, session_id: str, key: str, window: Window, level: int) -> Image:
        """A window of a level that was made, the finest of which is 0.

        Raises:
            ImageError: with a sentence, if it cannot be read.
        """
        try:
            return self._from_file(
                session_id, key, lambda file: self._decoder.read_part(file, level=level, window=window, filled=False)
            )
        except UnknownImageError:
            raise NotPreparedError from None

    def _from_file(self, session_id: str, key: str, read: Callable[[bytes | BinaryIO], Image]) -> Image:
        content = self._files.open(session_id, key)
        if isinstance(content, bytes):
            return read(content)
        with closing(content):
            return read(content)

    def _why_not(self, session_id: str, key: str, known: Image) -> ImageError:
        """Why there are none; where nobody wanted them, they are wanted from now on."""
        reasons = [one.reason for one in self._pyramids.of_session(session_id) if one.hash == key]
        if reasons and reasons[0]:
            return ImageError(reasons[0])
        self.want(session_id, key, known)
        return NotPreparedError()


def are_needed(known: Image) -> bool:
    """Whether the file of an image, of which this is known, has no level that is small enough to be seen whole."""
    return not known.metadata["pyramid"]["whole"]


def finest_of_made(known: Image) -> Level:
    """The level of which others are made: the coarsest that the file has."""
    rows, columns, step = known.metadata["pyramid"]["levels"][-1]
    return Level((int(rows), int(columns)), float(step))


def free_bytes(folder: Path) -> int:
    """Bytes that the disk of a folder has left, which may not be made yet."""
    return shutil.disk_usage(next(one for one in (folder, *folder.parents) if one.is_dir())).free


def bytes_of_made(known: Image) -> int:
    """Bytes of the pixels of the levels that are made of an image."""
    pixels = sum(level.shape[0] * level.shape[1] for level in coarser_levels(finest_of_made(known)))
    return pixels * known.channels * known.pixels.dtype.itemsize


def levels_of(known: Image) -> list[Level]:
    """All levels of an image: those of its file, and those that are made."""
    own = [Level((int(rows), int(columns)), float(step)) for rows, columns, step in known.metadata["pyramid"]["levels"]]
    return [*own, *coarser_levels(own[-1])] if are_needed(known) else own


def unreduced(key: str, known: Image, read: Callable[[Window, int], Image]) -> Unreduced:
    """What the coarser levels of an image are made of.

    Args:
        key: what the image is known by.
        known: what its file says of it.
        read: gives a window of a level of the file, reduced.
    """
    rows, columns = known.metadata["pyramid"]["piece"]
    last = len(known.metadata["pyramid"]["levels"]) - 1
    return Unreduced(
        key=key,
        shape=finest_of_made(known).shape,
        channels=known.channels,
        dtype=known.pixels.dtype,
        read=lambda window: read(window, last),
        piece=(rows, columns),
    )
