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
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.bounded_cache import BoundedCache
from segmentation._shared.computed_once import ComputedOnce
from segmentation._shared.tiling import Tile
from segmentation.io.image import Image
from segmentation.live.draft import DraftPixels
from segmentation.live.layers import Layer
from segmentation.live.segmenter import LiveSegmenter
from segmentation.model.classifier import PixelClassifier
from segmentation.objects.cleaning import clean_up_found
from segmentation.objects.correcting import apply_corrections
from segmentation.objects.steps import CleanUpStep, changes_classes
from segmentation.strokes.stroke import Stroke
from segmentation.web.session.packed_tile import Message, PackedTile, bounds
from segmentation.web.session.scheduler import Scheduler

TILES_AHEAD = 4
"""An answer goes ahead of others until something new can be seen, but for so many tiles at most."""

TILES_OF_A_QUICK_ANSWER = 32
"""The most tiles of an answer that is quick if they only have to be walked: each takes a few milliseconds."""

TILE_CACHE_BYTES = 16 * 2**20
"""Packed tiles of lately, found and cleaned up, of which 16 megapixel take about 2 MB each: an answer that was broken
off continues where it was, and after an undo the former tiles are sent again."""

_Key = tuple[ref[PixelClassifier], str, int, Layer | None, tuple[Stroke, ...], tuple[CleanUpStep, ...]]


@dataclass(frozen=True, eq=False)
class Wanted:
    """What is segmented.

    Attributes:
        image: the image.
        classifier: the classifier.
        layer: what is to come along with the class ids; None for nothing.
        outlines: of where the image is worked on.
        corrections: ``(rows, columns)`` uint8, what people have painted into the result; None for nothing.
    """

    image: Image
    classifier: PixelClassifier
    layer: Layer | None = None
    outlines: tuple[Stroke, ...] = ()
    corrections: NDArray[np.uint8] | None = None

    def key(self, tile: Tile, clean_up: tuple[CleanUpStep, ...] = ()) -> _Key:
        """What its packed tiles are kept by."""
        return ref(self.classifier), self.image.seen_hash, tile.index, self.layer, self.outlines, clean_up

    def corrected(self, one: PackedTile) -> PackedTile:
        """A tile with what was corrected in it."""
        if self.corrections is None:
            return one
        painted = self.corrections[one.tile.rows, one.tile.columns]
        if not painted.any():
            return one
        classes = np.union1d(self.classifier.classes_, np.unique(painted[painted > 0])).astype(np.uint8)
        return one.with_ids(apply_corrections(one.ids, painted), classes)

    def packed(
        self,
        live: LiveSegmenter,
        tiles: Sequence[Tile],
        stale: Callable[[], bool],
        turn: Callable[[], AbstractContextManager[None]],
    ) -> Iterator[PackedTile]:
        """Its tiles, as they are computed."""
        image, classifier, layer = self.image, self.classifier, self.layer
        if layer is None:
            for tile, ids in live.segment_tiles(image, classifier, tiles, stale=stale, turn=turn):
                yield PackedTile.pack(tile, ids, classifier.classes_)
        else:
            for tile, (ids, values) in live.layer_tiles(image, classifier, tiles, layer, stale=stale, turn=turn):
                yield PackedTile.pack(tile, ids, classifier.classes_, layer.name, values)


class TileStream:
    """Segments images for all browser windows of a process.

    Args:
        live: segments.
        scheduler: says whose turn it is to compute.
    """

    def __init__(self, live: LiveSegmenter, scheduler: Scheduler) -> None:
        self._live = live
        self._scheduler = scheduler
        self._segmented: BoundedCache[_Key, PackedTile] = BoundedCache(
            TILE_CACHE_BYTES, lambda segmented: segmented.nbytes
        )
        self._at_work: ComputedOnce[_Key, NDArray[np.uint8]] = ComputedOnce()

    def once(self, wanted: Wanted, tile: Tile, compute: Callable[[], NDArray[np.uint8]]) -> NDArray[np.uint8]:
        """The class ids of a tile, before clean-up and corrections, which are not to be changed.

        Args:
            wanted: what is segmented.
            tile: which part of it.
            compute: finds them, if they were not found lately, and nobody is at it; else that is waited for.
        """
        key = wanted.key(tile)

        def known() -> NDArray[np.uint8] | None:
            found = self._segmented.get(key)
            return None if found is None else found.ids

        def kept() -> NDArray[np.uint8]:
            ids = compute()
            self._segmented.put(key, PackedTile.pack(tile, ids, wanted.classifier.classes_))
            return ids

        return self._at_work.value(key, known, kept)

    def segment(
        self,
        session_id: str,
        wanted: Wanted,
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
            wanted: what is segmented.
            order: the tiles of the image, the most wanted first.
            known: checksums of the tiles that the browser window has, by the tile's index as text.
            stale: asked before each tile; once it says True, no more come.
            clean_up: its steps.

        Yields:
            ``draft``, ``tile`` and ``status`` messages.

        Returns:
            ``(256,)`` int64, number of pixels by class id of the tiles that came.

        Raises:
            NobodyWaitsError: if it is stale before its turn.
        """

        def is_new(one: PackedTile) -> bool:
            return known.get(str(one.tile.index)) != one.checksum

        if not changes_classes(clean_up):
            return (yield from self._find(session_id, wanted, order, stale, is_new))
        cleaned = [self._segmented.get(wanted.key(tile, clean_up)) for tile in order]
        if len(tiles := [one for one in cleaned if one is not None]) < len(order):
            whole, found = np.empty(wanted.image.shape, np.uint8), dict[int, PackedTile]()

            def take(one: PackedTile) -> None:
                whole[one.tile.rows, one.tile.columns] = one.ids
                found[one.tile.index] = one

            unknown = partial(_is_unknown, known)
            pixels = yield from self._find(session_id, wanted, order, stale, unknown, undrafted=known, take=take)
            if len(found) < len(order):
                return pixels
            yield {"kind": "status", "text": "Cleaning up"}
            with self._scheduler.turn(session_id, ahead=True, stale=stale):
                ids = clean_up_found(whole, clean_up)
            classes = wanted.classifier.classes_
            tiles = [found[tile.index].with_ids(ids[tile.rows, tile.columns], classes) for tile in order]
            for one in tiles:
                self._segmented.put(wanted.key(one.tile, clean_up), one)
        tiles = [wanted.corrected(one) for one in tiles]
        for done, one in enumerate(tiles, start=1):
            yield told(one, done, len(order), is_new(one))
        return np.sum([one.pixels_by_class for one in tiles], axis=0)

    def _find(
        self,
        session_id: str,
        wanted: Wanted,
        order: Sequence[Tile],
        stale: Callable[[], bool],
        is_new: Callable[[PackedTile], bool],
        *,
        undrafted: Container[str] = (),
        take: Callable[[PackedTile], None] = lambda one: None,
    ) -> Generator[Message, None, NDArray[np.int64]]:
        """The tiles as the forest finds them; else as :meth:`segment`.

        Args:
            session_id, wanted, order, stale: see there.
            is_new: whether a tile is to be shown.
            undrafted: the tiles that no draft may be laid over, by their index as text.
            take: called with each tile.
        """
        cached = [self._segmented.get(wanted.key(tile)) for tile in order]
        missing = [tile for tile, segmented in zip(order, cached, strict=True) if segmented is None]
        if wanted.layer is None:
            drafted = [tile for tile in missing if str(tile.index) not in undrafted]
            yield from self._draft(session_id, wanted, drafted, stale)
        pixels = np.zeros(256, np.int64)
        seen = threading.Event()
        tiles = self._tiles(session_id, wanted, cached, missing, stale, seen)
        for done, segmented in enumerate(tiles, start=1):
            take(segmented)
            corrected = wanted.corrected(segmented)
            pixels += corrected.pixels_by_class
            if new := is_new(corrected):
                seen.set()
            yield told(corrected, done, len(order), new)
        return pixels

    def _draft(
        self, session_id: str, wanted: Wanted, missing: Sequence[Tile], stale: Callable[[], bool]
    ) -> Iterator[Message]:
        """A draft of the tiles that this classifier has not segmented yet, if they are many."""
        if len(missing) < 2:
            return
        turn = partial(self._scheduler.turn, session_id, ahead=True, stale=stale)
        drafts = self._live.draft(wanted.image, wanted.classifier, missing, stale=stale, turn=turn)
        if drafts:
            pixels = DraftPixels.for_shape(wanted.image.shape)
            if wanted.corrections is not None:
                drafts = [(tile, apply_corrections(ids, wanted.corrections[pixels.of(tile)])) for tile, ids in drafts]
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
        wanted: Wanted,
        cached: list[PackedTile | None],
        missing: Sequence[Tile],
        stale: Callable[[], bool],
        seen: threading.Event,
    ) -> Iterator[PackedTile]:
        """The tiles that this classifier has segmented before, then those that are missing; empties ``cached``.

        They go ahead of what others wait for until something new is ``seen``, be there a draft or not: one tile of each
        delays nobody noticeably, and what is looked at is sharp at once. An answer of which all is at hand as bits is a
        quick one.
        """
        begun = count(len(cached) - len(missing))
        yield from filter(None, cached)
        cached.clear()

        few = len(missing) <= TILES_OF_A_QUICK_ANSWER
        quick = few and self._live.are_at_hand(wanted.image, wanted.classifier, missing)

        def turn() -> AbstractContextManager[None]:
            ahead = next(begun) < TILES_AHEAD and not seen.is_set()
            return self._scheduler.turn(session_id, ahead=ahead, quick=quick, stale=stale)

        with self._scheduler.place(session_id, quick=quick):
            for segmented in wanted.packed(self._live, missing, stale, turn):
                self._segmented.put(wanted.key(segmented.tile), segmented)
                yield segmented


def _is_unknown(known: Container[str], one: PackedTile) -> bool:
    return str(one.tile.index) not in known


def told(segmented: PackedTile, done: int, of: int, new: bool) -> Message:
    """The message of a tile, how many are done with it, and, if it is new to the window, what is in it."""
    message: Message = {"kind": "tile", "index": segmented.tile.index, "done": done, "of": of}
    return message | (segmented.fields() if new else {})
