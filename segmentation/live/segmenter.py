"""The engine behind the page: what a stroke changes is computed, what it does not change is cached.

The results are those of :class:`segmentation.model.classifier.PixelClassifier`. All caches are bounded, those of
large things in bytes, and can be lost without harm.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.bounded_cache import BoundedCache
from segmentation._shared.kernels import kernels_are_ready
from segmentation._shared.tiling import Tile, Window
from segmentation.features.bit_planes import BitPlanes, bit_planes_bytes
from segmentation.features.budget import DEFAULT_DRAFT_MEGABYTES
from segmentation.features.cache import FeatureCache
from segmentation.features.pointwise import with_constants
from segmentation.features.smoothed import Smoothed, smoothed_bytes
from segmentation.features.spec import FeatureSpec
from segmentation.forest.sampling import PixelSample
from segmentation.forest.settings import ForestSettings
from segmentation.io.image import Image
from segmentation.live.draft import DraftPixels, TileSample, draft
from segmentation.live.image_ranges import CachedEnds, CachedRanges
from segmentation.live.in_turn import computed_in_turn
from segmentation.live.labelled_rows import LabelledRows
from segmentation.live.layers import Layer
from segmentation.live.room import room_for, taken_by, with_room
from segmentation.model.classifier import PixelClassifier
from segmentation.model.fit import Labelled, Training
from segmentation.model.weights import ClassWeights, checked_weights

CLASSIFIER_CACHE_BYTES = 16_000_000
"""A forest of the default settings takes less than 1 MB."""

FACTS_CACHE_IMAGES = 1_000
"""Images of which the facts are cached."""


class LiveSegmenter:
    """Trains and segments for all sessions of a process.

    Args:
        cache: the features of tiles.
        threads: number of threads for one request; None takes all cores. No result depends on it.
        sample_bytes: the most bytes of features that are cached for drafts.

    Attributes:
        cache: the features of tiles.
        rows: the feature rows of labelled pixels.
        ranges: the ranges of features of images with labels.
        ends: what is dark and what bright in them.
        samples: the features of the drafts of tiles, by image hash, spec and bounds.
        classifiers: those that were trained lately.
        facts: about training images, by their hash.
    """

    def __init__(
        self, cache: FeatureCache, threads: int | None = None, *, sample_bytes: int = DEFAULT_DRAFT_MEGABYTES * 2**20
    ) -> None:
        self.cache = cache
        self.threads = threads
        self.rows = LabelledRows(cache, threads)
        self.ranges = CachedRanges(cache, threads)
        self.ends = CachedEnds()
        self.samples: BoundedCache[tuple[str, FeatureSpec, tuple[int, ...]], NDArray[np.float32]] = BoundedCache(
            sample_bytes, lambda planes: planes.nbytes
        )
        self.classifiers: BoundedCache[tuple[Hashable, ...], PixelClassifier] = BoundedCache(
            CLASSIFIER_CACHE_BYTES, lambda classifier: classifier.forest_.nbytes
        )
        self.facts: BoundedCache[str, dict[str, Any]] = BoundedCache(FACTS_CACHE_IMAGES)

    def train(
        self,
        images: Sequence[Labelled],
        spec: FeatureSpec,
        settings: ForestSettings,
        earlier: PixelClassifier | None = None,
    ) -> PixelClassifier:
        """The classifier that :meth:`PixelClassifier.fit` gives, byte by byte; only new labels cost features.

        Args:
            images: with their labels; all with the same number of channels.
            spec: which features.
            settings: how the forest is grown.
            earlier: a classifier whose training pixels are learnt from too.

        Raises:
            ValueError: if fewer than two classes are labelled, or the training pixels of the earlier classifier
                are missing or do not fit.
        """
        training = self.training(images, spec, settings, earlier)
        key = (
            tuple(one.hash for one in images),
            spec,
            settings,
            earlier and ref(earlier),
            training.sample.digest(),
        )
        known = self.classifiers.get(key)
        if known is not None:
            return known
        fitted = replace(training.fit(), pixels=None)  # they would take ten times the memory of the forest
        classifier = PixelClassifier.from_fitted(fitted, spec, settings, threads=self.threads)
        return self.classifiers.setdefault(key, classifier)  # those who train at once get one, and share its tiles

    def weighed(self, classifier: PixelClassifier, class_weights: ClassWeights) -> PixelClassifier:
        """A classifier with other class weights, for the same weights the same object as long as it is cached."""
        if checked_weights(classifier.class_weights) == class_weights:
            return classifier
        key = (ref(classifier), *class_weights.items())
        known = self.classifiers.get(key)
        if known is None:
            known = self.classifiers.setdefault(key, classifier.weighed(class_weights))
        return known

    def training_pixels(
        self,
        images: Sequence[Labelled],
        spec: FeatureSpec,
        settings: ForestSettings,
        earlier: PixelClassifier | None = None,
    ) -> PixelSample:
        """The training pixels of :meth:`train`; the arguments are the same."""
        return self.training(images, spec, settings, earlier).pixels()

    def training(
        self,
        images: Sequence[Labelled],
        spec: FeatureSpec,
        settings: ForestSettings,
        earlier: PixelClassifier | None = None,
        *,
        threads: int | None = None,
    ) -> Training:
        """The training that :meth:`train` carries out, on rows that are cached; the arguments are the same.

        Args:
            threads: number of threads; None takes the segmenter's.
        """
        return Training(
            images,
            spec,
            settings,
            earlier,
            facts=self._facts,
            rows=self.rows,
            ranges=self.ranges,
            ends=self.ends,
            threads=threads or self.threads,
        )

    def _facts(self, image: Labelled) -> dict[str, Any]:
        facts = self.facts.get(image.hash)
        if facts is None:
            facts = image.facts()
            self.facts.put(image.hash, facts)
        return facts

    def segment(
        self,
        image: Image,
        classifier: PixelClassifier,
        tile: Tile,
        *,
        cache: bool = True,
        threads: int | None = None,
    ) -> NDArray[np.uint8]:
        """The class ids of a tile; the features that its next draft needs are cached.

        Args:
            image: the image.
            classifier: the classifier.
            tile: which part of the image.
            cache: whether the tile is cached for the next classifier, if there is room.
            threads: number of threads; None takes the segmenter's.

        Returns:
            ``(tile rows, tile columns)`` uint8.

        Raises:
            ValueError: if the image has other channels than the training images.
        """
        image, threads = classifier.adapt(image), threads or self.threads
        if cache and self._fits_as_bits(image, classifier, tile):
            smoothed, bits = self._bits(image, classifier, tile)
            found = bits.classes(classifier.forest_, image, smoothed, classifier.weights, threads=threads)
            return _ids(image, classifier, tile, found)
        smoothed = self._smoothed(image, classifier, tile, cache, threads)
        pixels = DraftPixels.for_shape(image.shape)
        key = image.seen_hash, with_constants(classifier.spec_, image.pixels), tile.bounds
        if pixels.step == 1 or self.samples.get(key) is not None:
            return classifier.predict_window(image, tile, smoothed, threads=threads)
        sample = TileSample(pixels, tile, classifier.spec.count(image.channels))
        ids = classifier.predict_window(image, tile, smoothed, on_piece=sample.add, threads=threads)
        self.samples.put(key, sample.planes)
        return ids

    def probabilities(
        self,
        image: Image,
        classifier: PixelClassifier,
        tile: Tile,
        *,
        cache: bool = True,
        threads: int | None = None,
    ) -> NDArray[np.float32]:
        """The probabilities in a tile, ``(classes, tile rows, tile columns)`` float32; else as :meth:`segment`."""
        image, threads = classifier.adapt(image), threads or self.threads
        if cache and self._fits_as_bits(image, classifier, tile):
            smoothed, bits = self._bits(image, classifier, tile)
            found = bits.probabilities(classifier.forest_, image, smoothed, classifier.weights, threads=threads)
            return image.clear(found, tile.rows, tile.columns)
        smoothed = self._smoothed(image, classifier, tile, cache, threads)
        return classifier.predict_proba_window(image, tile, smoothed, threads=threads)

    def segment_tiles(
        self,
        image: Image,
        classifier: PixelClassifier,
        order: Sequence[Tile],
        *,
        stale: Callable[[], bool] = lambda: False,
        turn: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> Iterator[tuple[Tile, NDArray[np.uint8]]]:
        """The class ids of tiles, one after the other.

        As many of the first tiles as fit the cache together are cached, so that the next answer begins at once; the
        others would only push them out.

        Args:
            image: the image.
            classifier: the classifier.
            order: the tiles, the most urgent first, as :meth:`TileGrid.order` gives them.
            stale: asked before each tile; once it says True, no more tiles come.
            turn: entered for each tile, so that others can have their turn in between.
        """
        adapted = classifier.adapt(image)

        def compute(tile: Tile, cache: bool, threads: int | None) -> NDArray[np.uint8]:
            return self.segment(adapted, classifier, tile, cache=cache, threads=threads)

        tiles = with_room(room_for(self.cache, classifier), taken_by(classifier, adapted.channels), order)
        return computed_in_turn(tiles, compute, threads=self.threads, stale=stale, turn=turn)

    def layer_tiles(
        self,
        image: Image,
        classifier: PixelClassifier,
        order: Sequence[Tile],
        layer: Layer,
        *,
        stale: Callable[[], bool] = lambda: False,
        turn: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> Iterator[tuple[Tile, tuple[NDArray[np.uint8], NDArray[np.uint8]]]]:
        """The class ids of tiles and a layer of each, ``(rows, columns)`` uint8; else as :meth:`segment_tiles`."""
        adapted = classifier.adapt(image)

        def compute(tile: Tile, cache: bool, threads: int | None) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
            return self.with_layer(adapted, classifier, tile, layer, cache=cache, threads=threads)

        tiles = with_room(room_for(self.cache, classifier), taken_by(classifier, adapted.channels), order)
        return computed_in_turn(tiles, compute, threads=self.threads, stale=stale, turn=turn)

    def with_layer(
        self, image: Image, classifier: PixelClassifier, tile: Tile, layer: Layer, *, cache: bool, threads: int | None
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """The class ids of a tile and a layer of it, ``(rows, columns)`` uint8; else as :meth:`segment`."""
        image = classifier.adapt(image)
        if layer.feature:
            ids = self.segment(image, classifier, tile, cache=cache, threads=threads)
            return ids, layer.feature_values(image, classifier, tile, threads or self.threads)
        ids, probabilities = self._both(image, classifier, tile, cache, threads or self.threads)
        return ids, layer.values(probabilities, classifier.classes_)

    def _both(
        self, image: Image, classifier: PixelClassifier, tile: Tile, cache: bool, threads: int | None
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """The class ids and the probabilities of a tile of an image that is adapted, from the same features."""
        forest, weights = classifier.forest_, classifier.weights
        if cache and self._fits_as_bits(image, classifier, tile):
            smoothed, bits = self._bits(image, classifier, tile)
            found, probabilities = bits.classes_and_probabilities(forest, image, smoothed, weights, threads=threads)
            return _ids(image, classifier, tile, found), image.clear(probabilities, tile.rows, tile.columns)
        smoothed, found = self._smoothed(image, classifier, tile, cache, threads), np.empty(tile.shape, np.uint8)

        def classify(piece: Window, planes: NDArray[np.float32]) -> None:
            found[piece.place_in(tile)] = forest.predict(planes, weights, threads=1)

        probabilities = classifier.predict_proba_window(image, tile, smoothed, on_piece=classify, threads=threads)
        return _ids(image, classifier, tile, found), probabilities

    def draft(
        self,
        image: Image,
        classifier: PixelClassifier,
        tiles: Sequence[Tile],
        *,
        stale: Callable[[], bool] = lambda: False,
        turn: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> list[tuple[Tile, NDArray[np.uint8]]]:
        """Drafts of tiles, see :mod:`segmentation.live.draft`, as far as they were segmented before.

        Args:
            image: the image.
            classifier: the classifier.
            tiles: tiles of the image.
            stale: asked before there is something to compute; once it says True, there are no drafts.
            turn: entered for that.

        Raises:
            ValueError: if the image has other channels than the training images.
        """
        image = classifier.adapt(image)
        spec = with_constants(classifier.spec_, image.pixels)
        samples = [(tile, self.samples.get((image.seen_hash, spec, tile.bounds))) for tile in tiles]
        known = [(tile, planes) for tile, planes in samples if planes is not None and planes.size]
        if not known:
            return []
        with turn():
            if stale():
                return []
            drafts = draft(classifier, [planes for _, planes in known], threads=self.threads)
        pixels = DraftPixels.for_shape(image.shape)
        return [(tile, image.clear(ids, *pixels.of(tile))) for (tile, _), ids in zip(known, drafts, strict=True)]

    def are_at_hand(self, image: Image, classifier: PixelClassifier, tiles: Sequence[Tile]) -> bool:
        """Whether the bits of all these tiles are in the bins of a classifier, so that it only has to be walked."""
        image = classifier.adapt(image)
        spec = with_constants(classifier.spec_, image.pixels)
        held = [self.cache.peek_bits(image, spec, tile) for tile in tiles] if classifier.forest_.votes else [None]
        return all(bits is not None and bits.are_at_hand(classifier.forest_) for bits in held)

    def _fits_as_bits(self, image: Image, classifier: PixelClassifier, tile: Tile) -> bool:
        """Whether the classifier can be walked on bits now, and there is room for those of the tile."""
        takes = bit_planes_bytes(classifier.spec, image.channels, tile)
        return kernels_are_ready() and classifier.forest_.votes and takes <= self.cache.room_for_bits

    def _bits(self, image: Image, classifier: PixelClassifier, tile: Tile) -> tuple[Smoothed | None, BitPlanes]:
        """The smoothed tile, if it is cached, and the bits of it."""
        spec = with_constants(classifier.spec_, image.pixels)
        return self.cache.peek(image, spec, tile), self.cache.bits(image, spec, tile)

    def _smoothed(
        self, image: Image, classifier: PixelClassifier, tile: Tile, cache: bool, threads: int | None
    ) -> Smoothed | None:
        if (
            cache
            and not classifier.spec.looks_around
            and smoothed_bytes(classifier.spec, image.channels, tile.shape) <= self.cache.budget
        ):
            return self.cache.smoothed(image, classifier.spec, tile, threads=threads)
        return self.cache.peek(image, classifier.spec, tile)


def _ids(image: Image, classifier: PixelClassifier, tile: Tile, found: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The class ids of a tile, from their indices."""
    return image.clear(classifier.ids_of(found), tile.rows, tile.columns)
