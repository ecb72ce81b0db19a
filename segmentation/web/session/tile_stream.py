"""The segmentation of an image as messages to a browser: a draft at once, then the tiles that it does not have yet."""

from __future__ import annotations

import base64
import threading
import zlib
from collections.abc import Callable, Container, Generator, Iterator, Mapping, Sequence
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
from segmentation.objects.cleaning import clean_up_found
from segmentation.objects.steps import CleanUpStep, changes_classes
from segmentation.web.session.scheduler import Scheduler

TILES_AHEAD = 4
"""An answer goes ahead of others until something new can be seen, but for so many tiles at most."""

TILE_CACHE_BYTES = 16 * 2**20
"""Packed tiles of lately, found and cleaned up, of which 16 megapixel take about 4 MB each: an answer that was broken
off continues where it was, and after an undo the former tiles are sent again."""

Message = dict[str, Any]


@dataclass(frozen=True, eq=False)
class SegmentedTile:
    """The class ids of a tile, packed as the browser gets them.

    Attributes:
        tile: the tile.
        packed: its class ids, row by row, one byte each, compressed by zlib.
        checksum: CRC-32 of the class ids.
        pixels_by_class: ``(256,)`` int64, number of pixels by class id.
    """

    tile: Tile
    packed: bytes
    checksum: int
    pixels_by_class: NDArray[np.int64]

    @classmethod
    def pack(cls, tile: Tile, ids: NDArray[np.uint8]) -> SegmentedTile:
        """Pack the class ids of a tile."""
        raw = np.ascontiguousarray(ids).tobytes()
        return cls(tile, zlib.compress(raw, 1), zlib.crc32(raw), np.bincount(ids.ravel(), minlength=256))

    @property
    def ids(self) -> NDArray[np.uint8]:
        """The class ids, ``(tile rows, tile columns)``."""
        return np.frombuffer(zlib.decompress(self.packed), np.uint8).reshape(self.tile.shape)

    def fields(self) -> Message:
        """Place, class ids and checksum as a message's fields."""
        return {
            **bounds(self.tile),
            "crc": self.checksum,
            "ids": base64.b64encode(self.packed).decode(),
        }


class TileStream:
    """Segments images for all browser windows of a process.

    Args:
        live: segments.
        scheduler: says whose turn it is to compute.
    """

    def __init__(self, live: LiveSegmenter, scheduler: Scheduler) -> None:
        self._live = live
        self._scheduler = scheduler
        self._segmented: BoundedCache[_Key, SegmentedTile] = BoundedCache(
            TILE_CACHE_BYTES, lambda segmented: len(segmented.packed) + segmented.pixels_by_class.nbytes
        )

    def segment(
        self,
        session_id: str,
        image: Image,
        classifier: PixelClassifier,
        order: Sequence[Tile],
        known: Mapping[str, int],
        stale: Callable[[], bool],
        clean_up: tuple[CleanUpStep, ...] = (),
    ) -> Generator[Message, None, NDArray[np.int64]]:
        """The segmentation of an image.

        With a clean-up, which looks at the whole, tiles are told of as they are found, and shown only where the window
        has none yet; then those come that the clean-up gives.

        Args:
            session_id: the session, whose turn it must be.
            image: the image.
            classifier: the classifier.
            order: its tiles, the most wanted first.
            known: checksums of the class ids that the browser window has, by the tile's index as text.
            stale: asked before each tile; once it says True, no more come.
            clean_up: its steps.

        Yields:
            ``draft``, ``tile`` and ``status`` messages.

        Returns:
            ``(256,)`` int64, number of pixels by class id of the tiles that came.
        """

        def is_new(one: SegmentedTile) -> bool:
            return known.get(str(one.tile.index)) != one.checksum

        if not changes_classes(clean_up):
            return (yield from self._find(session_id, image, classifier, order, stale, is_new))
        cleaned = [self._segmented.get(_key(classifier, image, tile, clean_up)) for tile in order]
        tiles = [one for one in cleaned if one is not None]
        if len(tiles) < len(order):
            whole = np.empty(image.shape, np.uint8)
            found = self._find(
                session_id,
                image,
                classifier,
                order,
                stale,
                lambda one: str(one.tile.index) not in known,
                undrafted=known,
                into=whole,
            )
            pixels = yield from found
            if pixels.sum() < whole.size:
                return pixels
            yield {"kind": "status", "text": "Cleaning up"}
            with self._scheduler.turn(session_id, ahead=True):
                ids = clean_up_found(whole, clean_up)
            tiles = [SegmentedTile.pack(tile, ids[tile.rows, tile.columns]) for tile in order]
            for one in tiles:
                self._segmented.put(_key(classifier, image, one.tile, clean_up), one)
        for done, one in enumerate(tiles, start=1):
            yield _told(one, done, len(order), is_new(one))
        return np.sum([one.pixels_by_class for one in tiles], axis=0)

    def _find(
        self,
        session_id: str,
        image: Image,
        classifier: PixelClassifier,
        order: Sequence[Tile],
        stale: Callable[[], bool],
        is_new: Callable[[SegmentedTile], bool],
        *,
        undrafted: Container[str] = (),
        into: NDArray[np.uint8] | None = None,
    ) -> Generator[Message, None, NDArray[np.int64]]:
        """The tiles as the forest finds them; else as :meth:`segment`.

        Args:
            session_id, image, classifier, order, stale: see there.
            is_new: whether a tile is to be shown.
            undrafted: the tiles that no draft may be laid over, by their index as text.
            into: where the class ids of the image go.
        """
        cached = [self._segmented.get(_key(classifier, image, tile)) for tile in order]
        missing = [tile for tile, segmented in zip(order, cached, strict=True) if segmented is None]
        drafted = [tile for tile in missing if str(tile.index) not in undrafted]
        yield from self._draft(session_id, image, classifier, drafted, stale)
        pixels = np.zeros(256, np.int64)
        seen = threading.Event()
        tiles = self._tiles(session_id, image, classifier, cached, missing, stale, seen)
        for done, segmented in enumerate(tiles, start=1):
            pixels += segmented.pixels_by_class
            if into is not None:
                into[segmented.tile.rows, segmented.tile.columns] = segmented.ids
            if new := is_new(segmented):
                seen.set()
            yield _told(segmented, done, len(order), new)
        return pixels

    def _draft(
        self,
        session_id: str,
        image: Image,
        classifier: PixelClassifier,
        missing: Sequence[Tile],
        stale: Callable[[], bool],
    ) -> Iterator[Message]:
        """A draft of the tiles that this classifier has not segmented yet, if they are many."""
        if len(missing) < 2:
            return
        turn = partial(self._scheduler.turn, session_id, ahead=True)
        drafts = self._live.draft(image, classifier, missing, stale=stale, turn=turn)
        if drafts:
            pixels = DraftPixels.for_shape(image.shape)
            ids = b"".join(ids.tobytes() for _, ids in drafts)
            yield {
                "kind": "draft",
                "step": pixels.step,
                "first": pixels.first,
                "tiles": [{"index": tile.index} | bounds(tile) for tile, _ in drafts],
                "ids": base64.b64encode(zlib.compress(ids, 1)).decode(),
            }

    def _tiles(
        self,
        session_id: str,
        image: Image,
        classifier: PixelClassifier,
        cached: list[SegmentedTile | None],
        missing: Sequence[Tile],
        stale: Callable[[], bool],
        seen: threading.Event,
    ) -> Iterator[SegmentedTile]:
        """The tiles that this classifier has segmented before, then those that are missing; empties ``cached``.

        They go ahead of what others wait for until something new is ``seen``, be there a draft or not: one tile of each
        delays nobody noticeably, and what is looked at is sharp at once.
        """
        begun = count(len(cached) - len(missing))
        yield from filter(None, cached)
        cached.clear()

        def turn() -> AbstractContextManager[None]:
            return self._scheduler.turn(session_id, ahead=next(begun) < TILES_AHEAD and not seen.is_set())

        with self._scheduler.place(session_id):
            for tile, ids in self._live.segment_tiles(image, classifier, missing, stale=stale, turn=turn):
                segmented = SegmentedTile.pack(tile, ids)
                self._segmented.put(_key(classifier, image, tile), segmented)
                yield segmented


_Key = tuple[ref[PixelClassifier], str, int, tuple[CleanUpStep, ...]]


def _key(classifier: PixelClassifier, image: Image, tile: Tile, clean_up: tuple[CleanUpStep, ...] = ()) -> _Key:
    return ref(classifier), image.hash, tile.index, clean_up


def _told(segmented: SegmentedTile, done: int, of: int, new: bool) -> Message:
    message: Message = {"kind": "tile", "index": segmented.tile.index, "done": done, "of": of}
    return message | (segmented.fields() if new else {})


def bounds(tile: Tile) -> Message:
    """The rows and columns of a tile as a message's fields."""
    return {
        "rows": [tile.rows.start, tile.rows.stop],
        "columns": [tile.columns.start, tile.columns.stop],
    }
