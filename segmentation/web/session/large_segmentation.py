"""The segmentation of what is on screen of an image of any size, as messages to a browser."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.bounded_cache import BoundedCache
from segmentation._shared.tiling import Tile, TileGrid
from segmentation.io.limits import PassingError
from segmentation.io.pyramid import Pyramid
from segmentation.live.layers import Layer
from segmentation.live.pyramids import FoundTile, PyramidSegmenter
from segmentation.live.segmenter import LiveSegmenter
from segmentation.model.classifier import PixelClassifier
from segmentation.strokes.stroke import Stroke
from segmentation.web.session.large_images import LargeImages
from segmentation.web.session.packed_tile import Message, PackedTile
from segmentation.web.session.scheduler import Scheduler
from segmentation.web.session.tile_stream import TILES_AHEAD, told

MOST_TILES = 64
"""Tiles of a view that are segmented: 4 megapixels, about what a screen shows at full size."""

ON_SCREEN = "Shares are of what is segmented on screen, at full resolution."
BEYOND = "Only the middle of what is on screen is segmented, at full resolution: zoom in for the rest."

PACKED_BYTES = 8 * 2**20

_Key = tuple[ref[PixelClassifier], str, int, Layer | None, tuple[Stroke, ...]]


class LargeSegmentation:
    """Segments what browser windows show of large images.

    Args:
        live: segments.
        large: the images.
        scheduler: says whose turn it is to compute.
    """

    def __init__(self, live: LiveSegmenter, large: LargeImages, scheduler: Scheduler) -> None:
        self._live, self._large, self._scheduler = live, large, scheduler
        self._packed: BoundedCache[_Key, PackedTile] = BoundedCache(PACKED_BYTES, lambda one: one.nbytes)

    def compute_ahead(
        self,
        session_id: str,
        pyramid: Pyramid,
        view: Sequence[int],
        spec: Any,
        *,
        ranges: bool,
        stale: Callable[[], bool],
    ) -> None:
        """Computes ahead what the first stroke will need of what is on screen, as far as it comes."""
        order = TileGrid(pyramid.shape).nearest(_bounds(view), MOST_TILES)
        turn = partial(self._scheduler.turn, session_id, stale=stale)
        with suppress(PassingError):
            segmenter = PyramidSegmenter(self._live, pyramid, self._large.facts)
            segmenter.compute_ahead(spec, order, ranges=ranges, stale=stale, turn=turn)

    def segment(
        self,
        session_id: str,
        pyramid: Pyramid,
        classifier: PixelClassifier,
        *,
        view: Sequence[int],
        known: Mapping[str, int],
        layer: Layer | None,
        outlines: tuple[Stroke, ...],
        stale: Callable[[], bool],
    ) -> Generator[Message, None, tuple[NDArray[np.int64], str, str]]:
        """The tiles on screen from the middle outwards, at full resolution.

        Args:
            session_id: the session, whose turn it must be.
            pyramid: the image.
            classifier: the classifier.
            view: what is on screen: first row, row after the last, first column, column after the last.
            known: checksums of the tiles that the browser window has, by the tile's index as text.
            layer: what is to come along; None for nothing.
            outlines: of where the image is worked on.
            stale: asked before each tile; once it says True, no more come.

        Returns:
            ``(256,)`` int64, number of pixels by class id of the tiles that came; a sentence on which these are; and
            one on what cannot be read, empty if all can be.

        Raises:
            PassingError: with a sentence, if some tiles did not come this time, after the others.
        """
        order = TileGrid(pyramid.shape).nearest(_bounds(view), MOST_TILES + 1)
        beyond = len(order) > MOST_TILES
        order = order[:MOST_TILES]
        pixels, problems, done = np.zeros(256, np.int64), dict[str, None](), 0
        keys = [(ref(classifier), pyramid.hash, tile.index, layer, outlines) for tile in order]
        found = [self._packed.get(key) for key in keys]
        missing = [tile for tile, one in zip(order, found, strict=True) if one is None]
        for one in filter(None, found):
            done += 1
            pixels += one.pixels_by_class
            yield told(one, done, len(order), known.get(str(one.tile.index)) != one.checksum)
        key_of = {tile.index: key for tile, key in zip(order, keys, strict=True)}
        passing = ""
        for one, found_tile in self._computed(session_id, pyramid, classifier, missing, layer, outlines, stale):
            if found_tile.passing:
                passing = found_tile.problem
                continue
            if found_tile.problem:
                problems[found_tile.problem] = None
            else:
                self._packed.put(key_of[one.tile.index], one)
            done += 1
            pixels += one.pixels_by_class
            yield told(one, done, len(order), known.get(str(one.tile.index)) != one.checksum)
        if passing:
            raise PassingError(passing)
        return pixels, BEYOND if beyond else ON_SCREEN, next(iter(problems), "")

    def _computed(
        self,
        session_id: str,
        pyramid: Pyramid,
        classifier: PixelClassifier,
        tiles: Sequence[Tile],
        layer: Layer | None,
        outlines: tuple[Stroke, ...],
        stale: Callable[[], bool],
    ) -> Generator[tuple[PackedTile, FoundTile], None, None]:
        """Tiles as they are computed, packed and as they were found."""
        begun = iter(range(len(tiles) + 1))

        def turn() -> Any:
            return self._scheduler.turn(session_id, ahead=next(begun, TILES_AHEAD) < TILES_AHEAD, stale=stale)

        segmenter = PyramidSegmenter(self._live, pyramid, self._large.facts, outlines)
        with self._scheduler.place(session_id):
            for tile, one in segmenter.tiles(classifier, tiles, layer, stale=stale, turn=turn):
                name = "" if layer is None else layer.name
                yield PackedTile.pack(tile, one.ids, classifier.classes_, name, one.layer), one


def _bounds(view: Sequence[int]) -> tuple[int, int, int, int]:
    return view[0], view[1] - 1, view[2], view[3] - 1
