"""What the first stroke on an image will need, computed before it is drawn.

The bins of a forest lie over ranges that a stroke hardly moves (:mod:`segmentation.features.ranges`): the bits of an
image can be made before anything is learnt, and what is learnt then only has to be walked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

from segmentation._shared.kernels import kernels_are_ready
from segmentation._shared.tiling import Tile
from segmentation.features.learned_planes import keep_cells
from segmentation.features.spec import FeatureSpec
from segmentation.forest.bins import Bins
from segmentation.forest.settings import ForestSettings
from segmentation.io.image import Image
from segmentation.io.standardise import standardised
from segmentation.live.room import taken_as_bits, taken_smoothed, with_room
from segmentation.live.segmenter import LiveSegmenter
from segmentation.model.facts import with_constants_of

MOST_TILES = 64
"""Tiles that are put into bits, 4 megapixels of the default side: more takes longer than a first stroke is away."""

Turn = Callable[[], AbstractContextManager[None]]


def compute_ahead(
    live: LiveSegmenter,
    image: Image,
    spec: FeatureSpec,
    settings: ForestSettings,
    order: Sequence[Tile],
    *,
    learnt_as: str = "",
    stale: Callable[[], bool] = lambda: False,
    turn: Turn = nullcontext,
) -> None:
    """Caches what :meth:`LiveSegmenter.train` and :meth:`LiveSegmenter.segment_tiles` would, if they can.

    Args:
        live: what will train and segment.
        image: the image.
        spec: which features.
        settings: how the forest will be grown.
        order: the tiles, the most urgent first.
        learnt_as: hash of the image that is learnt from, if it is another than that of this one.
        stale: asked now and then; once it says True, nothing more is computed.
        turn: entered for each part of the work.
    """
    if not spec.fits(image.channels):
        return
    image_hash, image = learnt_as or image.seen_hash, standardised(image) if spec.standardise else image
    known = with_constants_of(spec, image)

    def ranges_are_known() -> bool:
        with turn():
            if stale():
                return False
            live.ranges.known(image_hash, lambda: image, known)
            return True

    if spec.looks_around or not (settings.votes and settings.image_ranges and kernels_are_ready()):
        if not spec.looks_around:
            _smooth(live, image, spec, known, order, stale, turn)
        if settings.image_ranges:
            ranges_are_known()
    elif ranges_are_known():
        bins = Bins.of_ranges(live.ranges.known(image_hash, lambda: image, known), settings.range_steps)
        _put_in_bins(live, image, known, bins, order[:MOST_TILES], stale, turn)


def _put_in_bins(
    live: LiveSegmenter,
    image: Image,
    spec: FeatureSpec,
    bins: Bins,
    order: Sequence[Tile],
    stale: Callable[[], bool],
    turn: Turn,
) -> None:
    for tile, fits in with_room(live.cache.room_for_bits, taken_as_bits(spec, image.channels), order):
        if not fits:
            return
        with turn():
            if stale():
                return
            smoothed = live.cache.peek(image, spec, tile)
            live.cache.bits(image, spec, tile).fill(bins, image, smoothed, threads=live.threads)


def _smooth(
    live: LiveSegmenter,
    image: Image,
    spec: FeatureSpec,
    known: FeatureSpec,
    order: Sequence[Tile],
    stale: Callable[[], bool],
    turn: Turn,
) -> None:
    for tile, fits in with_room(live.cache.budget, taken_smoothed(spec, image.channels), order):
        if not fits:
            return
        with turn():
            if stale():
                return
            live.cache.smoothed(image, spec, tile, threads=live.threads)
            if spec.learned:
                keep_cells(image, known, tile.rows, tile.columns)
