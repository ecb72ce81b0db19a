"""Segmentations of images as windows get them: a draft at once, then tile by tile what they do not have yet."""

from __future__ import annotations

import base64
import threading
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.bounded_cache import BoundedCache
from segmentation._shared.tiling import Tile
from segmentation.io.image import Image
from segmentation.live.draft import DraftPixels
from segmentation.live.segmenter import LiveSegmenter
from segmentation.model.classifier import PixelClassifier
from segmentation.web.session.scheduler import Turns

TILES_AHEAD = 4
"""An answer goes ahead of others until there is something new to be seen, but for so many tiles at most."""

SEGMENTED_AT_HAND_BYTES = 8 * 2**20
"""What was sent lately, packed: an answer that was broken off goes on where it was, and one that is undone to is there.
An image of 16 megapixel takes about 4 MB."""

Message = dict[str, Any]


@dataclass(frozen=True, eq=False)
class SegmentedTile:
    """What a classifier made of a tile, packed as the browser gets it.

    Attributes:
        tile: where it is.
        packed: its class ids, row by row, one byte each, compressed by zlib.
        checksum: CRC-32 of the class ids.
        pixels_by_class: ``(256,)`` int64, number of pixels by class id.
    """

    tile: Tile
    packed: bytes
    checksum: int
    pixels_by_class: NDArray[np.int64]

    @classmethod
    def of(cls, tile: Tile, ids: NDArray[np.uint8]) -> SegmentedTile:
        """Pack the class ids of a tile."""
        raw = np.ascontiguousarray(ids).tobytes()
        return cls(tile, zlib.compress(raw, 1), zlib.crc32(raw), np.bincount(ids.ravel(), minlength=256))

    def for_the_browser(self) -> Message:
        """Place, class ids and checksum as a message's fields."""
        return {
            **where(self.tile),
            "crc": self.checksum,
            "ids": base64.b64encode(self.packed).decode(),
        }


class Segmentations:
    """What classifiers make of images, for all windows of a process.

    Args:
        live: segments.
        turns: whose turn it is to compute.
    """

    def __init__(self, live: LiveSegmenter, turns: Turns) -> None:
        self._live = live
        self._turns = turns
        self._segmented: BoundedCache[tuple[ref[PixelClassifier], str, int], SegmentedTile] = BoundedCache(
            SEGMENTED_AT_HAND_BYTES, lambda segmented: len(segmented.packed) + segmented.pixels_by_class.nbytes
        )

    def of(
        self,
        session_id: str,
        image: Image,
        classifier: PixelClassifier,
        order: Sequence[Tile],
        known: Mapping[str, int],
        stale: Callable[[], bool],
    ) -> Generator[Message, None, NDArray[np.int64]]:
        """The segmentation of an image.

        Args:
            session_id: the session, whose turn it must be.
            image: the image.
            classifier: what was learnt.
            order: its tiles, the most wanted first.
            known: checksums of the class ids that the window has, by the tile's index.
            stale: asked before each tile; once it says True, no more come.

        Yields:
            ``draft`` and ``tile`` messages.

        Returns:
            ``(256,)`` int64, number of pixels by class id of the tiles that came.
        """
        at_hand = [self._segmented.get((ref(classifier), image.hash, tile.index)) for tile in order]
        missing = [tile for tile, segmented in zip(order, at_hand, strict=True) if segmented is None]
        yield from self._draft(session_id, image, classifier, missing, stale)
        pixels = np.zeros(256, np.int64)
        seen = threading.Event()
        tiles = self._tiles(session_id, image, classifier, at_hand, missing, stale, seen)
        for done, segmented in enumerate(tiles, start=1):
            pixels += segmented.pixels_by_class
            message: Message = {"kind": "tile", "index": segmented.tile.index, "done": done, "of": len(order)}
            if known.get(str(segmented.tile.index)) != segmented.checksum:
                message |= segmented.for_the_browser()
                seen.set()
            yield message
        return pixels

    def _draft(
        self,
        session_id: str,
        image: Image,
        classifier: PixelClassifier,
        missing: Sequence[Tile],
        stale: Callable[[], bool],
    ) -> Iterator[Message]:
        """What can be said at once of the tiles that this classifier has not segmented yet, if they are many."""
        if len(missing) < 2:
            return
        turn = partial(self._turns.of, session_id, ahead=True)
        drafts = self._live.draft(image, classifier, missing, stale=stale, turn=turn)
        if drafts:
            pixels = DraftPixels.of(image.shape)
            ids = b"".join(ids.tobytes() for _, ids in drafts)
            yield {
                "kind": "draft",
                "step": pixels.step,
                "first": pixels.first,
                "tiles": [{"index": tile.index} | where(tile) for tile, _ in drafts],
                "ids": base64.b64encode(zlib.compress(ids, 1)).decode(),
            }

    def _tiles(
        self,
        session_id: str,
        image: Image,
        classifier: PixelClassifier,
        at_hand: list[SegmentedTile | None],
        missing: Sequence[Tile],
        stale: Callable[[], bool],
        seen: threading.Event,
    ) -> Iterator[SegmentedTile]:
        """The tiles that this classifier has segmented before, which are let go of, and then those that are missing.

        They go ahead of what others wait for until something new is ``seen``, be there a draft or not: one tile of each
        delays nobody noticeably, and what is looked at is sharp at once.
        """
        begun = count(len(at_hand) - len(missing))
        yield from filter(None, at_hand)
        at_hand.clear()

        def turn() -> AbstractContextManager[None]:
            return self._turns.of(session_id, ahead=next(begun) < TILES_AHEAD and not seen.is_set())

        with self._turns.place(session_id):
            for tile, ids in self._live.segment_tiles(image, classifier, missing, stale=stale, turn=turn):
                segmented = SegmentedTile.of(tile, ids)
                self._segmented.put((ref(classifier), image.hash, tile.index), segmented)
                yield segmented


def where(tile: Tile) -> Message:
    """The place of a tile as a message's fields."""
    return {
        "rows": [tile.rows.start, tile.rows.stop],
        "columns": [tile.columns.start, tile.columns.stop],
    }
