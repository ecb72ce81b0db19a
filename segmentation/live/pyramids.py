"""Segmenting the parts of an image of any size that somebody looks at, tile by tile.

Each tile is read with its halo and segmented as an image of its own, which gives to the last bit what the whole would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.cached_property import cached_property
from segmentation._shared.tiling import Tile
from segmentation.features.learned_planes import keep_cells
from segmentation.features.spec import FeatureSpec
from segmentation.io.image import Image
from segmentation.io.limits import ImageError, PassingError
from segmentation.io.pyramid import Pyramid
from segmentation.live.in_turn import computed_in_turn
from segmentation.live.layers import Layer
from segmentation.live.room import room_for, taken_by, taken_smoothed, with_room
from segmentation.live.segmenter import LiveSegmenter
from segmentation.model.channels import matched
from segmentation.model.classifier import PixelClassifier
from segmentation.model.facts import values_of_image, with_learnt_constants
from segmentation.model.pyramid_facts import known_as, pyramid_ends
from segmentation.model.values import nearest_in_type, type_taken
from segmentation.strokes.stroke import Stroke
from segmentation.strokes.tiled import window_region


@dataclass(frozen=True, eq=False)
class FoundTile:
    """What is found in a tile.

    Attributes:
        ids: ``(rows, columns)`` uint8 class ids; 0 everywhere if the tile cannot be read.
        layer: the layer that was asked for, ``(rows, columns)`` uint8; None if none was.
        problem: a sentence, if the tile cannot be read.
        passing: whether it may be, the next time.
    """

    ids: NDArray[np.uint8]
    layer: NDArray[np.uint8] | None = None
    problem: str = ""
    passing: bool = False


class PyramidSegmenter:
    """Segments tiles of one image of any size.

    Args:
        live: segments, and keeps what further strokes do not change.
        pyramid: the image.
        facts: gives those about it, or about some of its channels, as
            :func:`segmentation.model.pyramid_facts.pyramid_facts` does.
        outlines: of where it is worked on.
    """

    def __init__(
        self,
        live: LiveSegmenter,
        pyramid: Pyramid,
        facts: Callable[[Pyramid], dict[str, Any]],
        outlines: Sequence[Stroke] = (),
    ) -> None:
        self._live, self._pyramid, self._facts_of, self._outlines = live, pyramid, facts, outlines

    @cached_property
    def _facts(self) -> dict[str, Any]:
        return self._facts_of(self._pyramid)

    def _matched(self, classifier: PixelClassifier) -> PyramidSegmenter:
        """The same for the channels that a classifier learnt from, whose range says how all of their values are taken.

        Raises:
            ValueError: with a sentence, if the image has other channels.
        """
        pyramid = matched(self._pyramid, classifier)
        if pyramid is self._pyramid:
            return self
        return PyramidSegmenter(self._live, pyramid, self._facts_of, self._outlines)

    def tiles(
        self,
        classifier: PixelClassifier,
        order: Sequence[Tile],
        layer: Layer | None = None,
        *,
        stale: Callable[[], bool] = lambda: False,
        turn: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> Iterator[tuple[Tile, FoundTile]]:
        """What is found in tiles, one after the other; a tile that cannot be read says so.

        Args:
            classifier: the classifier.
            order: tiles of the image, the most urgent first.
            layer: what is to come along with the class ids; None for nothing.
            stale: asked before each tile; once it says True, no more tiles come.
            turn: entered for each tile once it is read, so that others can have their turn in between.

        Raises:
            ValueError: if the image has other channels than the training images.
        """
        live, seen = self._live, self._matched(classifier)
        taken, classifier = seen._type_taken(classifier), seen._with_constants_of_all(classifier)

        def compute(tile: Tile, cache: bool, threads: int | None) -> FoundTile | None:
            try:
                image, inner = seen.block(tile, classifier.spec)
            except ImageError as problem:
                passing = isinstance(problem, PassingError)
                return FoundTile(np.zeros(tile.shape, np.uint8), _without(layer, tile), str(problem), passing)
            image = nearest_in_type(image, taken) if taken else image
            with turn():
                if stale():
                    return None
                if layer is None:
                    return FoundTile(live.segment(image, classifier, inner, cache=cache, threads=threads))
                return FoundTile(*live.with_layer(image, classifier, inner, layer, cache=cache, threads=threads))

        tiles = with_room(room_for(live.cache, classifier), taken_by(classifier, seen._pyramid.channels), order)
        return computed_in_turn(tiles, compute, threads=live.threads, stale=stale, turn=nullcontext)

    def _type_taken(self, classifier: PixelClassifier) -> str:
        """In which type all of the image is taken, so that no part differs from those beside it; empty: in its own."""
        if classifier.spec.standardise:
            return ""
        return type_taken(self._pyramid.dtype, self._facts["value_range"], classifier.training_)

    def _with_constants_of_all(self, classifier: PixelClassifier) -> PixelClassifier:
        """The classifier with constants of the whole image, if it has none: else each tile would have its own."""
        spec = self.with_constants(classifier.spec_)
        if spec is classifier.spec_:
            return classifier
        other = copy(classifier)
        other.spec_ = spec
        return other

    def block(self, tile: Tile, spec: FeatureSpec) -> tuple[Image, Tile]:
        """A tile with its halo, as an image of its own, and where the tile lies in it.

        Raises:
            ImageError: with a sentence, if a part of it cannot be read.
        """
        pyramid = self._seen_by(spec)
        image, inner = pyramid.block(tile, spec.halo)
        image_hash = image.hash
        if not spec.standardise:  # the range of the whole says how values are taken
            image = replace(image, metadata=image.metadata | {"value_range": self._facts["value_range"]})
        known_as(image, image_hash)
        region = None
        if self._outlines:
            row, column = tile.rows.start - inner.rows.start, tile.columns.start - inner.columns.start
            rows, columns = slice(row, row + image.shape[0]), slice(column, column + image.shape[1])
            region = window_region(self._outlines, Tile(rows, columns, tile.index), pyramid.shape)
        return image.within(region), Tile(inner.rows, inner.columns, tile.index)

    def compute_ahead(
        self,
        spec: FeatureSpec,
        order: Sequence[Tile],
        *,
        ranges: bool = True,
        stale: Callable[[], bool] = lambda: False,
        turn: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """Caches what training and :meth:`tiles` need, if they can, before anything can be learnt."""
        live, pyramid = self._live, self._pyramid
        if not spec.fits(pyramid.channels):
            return
        spec = self.with_constants(spec)
        for tile, cache in with_room(live.cache.budget, taken_smoothed(spec, pyramid.channels), order):
            if not cache or stale():
                break
            try:
                image, inner = self.block(tile, spec)
            except ImageError:  # nothing of it is kept, and whoever needs it is told
                continue
            with turn():
                live.cache.smoothed(image, spec, inner, threads=live.threads)
                if spec.learned:
                    keep_cells(image, spec, inner.rows, inner.columns)
        if not ranges or stale():
            return
        with suppress(ImageError):  # nothing of it is kept
            live.ranges.of_pyramid(self._seen_by(spec), spec)

    def _seen_by(self, spec: FeatureSpec) -> Pyramid:
        """The image as features of the spec look at it."""
        return self._pyramid.standardised() if spec.standardise else self._pyramid

    def with_constants(self, spec: FeatureSpec) -> FeatureSpec:
        """The spec with the constants that training would take from this image, if it needs some."""
        pyramid = self._pyramid
        return with_learnt_constants(
            spec, pyramid.channels, lambda: [values_of_image(self._facts)], lambda seen: pyramid_ends(pyramid, seen)
        )


def _without(layer: Layer | None, tile: Tile) -> NDArray[np.uint8] | None:
    return None if layer is None else np.full(tile.shape, 255, np.uint8)
