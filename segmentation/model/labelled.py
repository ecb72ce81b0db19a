"""Images with their labels, as training takes them: in memory, or of any size and read where something is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmentation._shared.tiled_labels import TiledLabels
from segmentation._shared.tiling import Tile, TileGrid
from segmentation.features.compute import compute_planes
from segmentation.features.constants import Ends
from segmentation.features.pieces import ComputePlanes, feature_rows, groups
from segmentation.features.ranges import feature_ranges, pyramid_ranges
from segmentation.features.smoothed import Smoothed
from segmentation.features.spec import FeatureSpec
from segmentation.io.image import Image
from segmentation.io.pyramid import Pyramid
from segmentation.io.standardise import standardised
from segmentation.model.facts import checked_labels, image_ends, image_facts
from segmentation.model.pyramid_facts import pyramid_ends, pyramid_facts


@dataclass(frozen=True, eq=False)
class LabelledImage:
    """An image with its labels, read only when its pixels are needed.

    Attributes:
        hash: of its content.
        labels: ``(rows, columns)`` uint8 class ids, 0 = unlabelled.
        read: returns the image.
        known_as: the hash by which files name it, if that is another one: of the image of which it has some channels,
            or of the pixels of a plane that a session knows by its stack.
    """

    hash: str
    labels: NDArray[np.uint8]
    read: Callable[[], Image]
    known_as: str = ""

    @classmethod
    def from_image(cls, image: Image, labels: ArrayLike) -> LabelledImage:
        """An image that is read already, with its labels.

        Raises:
            ValueError: if the labels do not fit the image.
        """
        known_as = "" if image.slab is None else image.hash
        return cls(image.seen_hash, checked_labels(labels, image), lambda: image, known_as)

    def readable(self, halo: int) -> LabelledImage:
        """The same: an image in memory can be read everywhere."""
        return self

    def with_data(self) -> LabelledImage:
        """The same without the labels of pixels that hold no data."""
        return replace(self, labels=self.read().clear(self.labels.copy()))

    def with_channels(self, indices: tuple[int, ...]) -> LabelledImage:
        """The same with some of the channels, in this order."""
        image = self.read().with_channels(indices)
        return LabelledImage(image.seen_hash, self.labels, lambda: image, known_as=self.known_as or self.hash)

    def standardised(self) -> LabelledImage:
        """The same, whose channels are relative to their mean and spread."""
        return replace(self, read=lambda: standardised(self.read()))

    @property
    def channels(self) -> int:
        """Number of channels of the image."""
        return self.read().channels

    def facts(self) -> dict[str, Any]:
        """Facts about the image, see :func:`image_facts`."""
        return image_facts(self.read())

    def ends(self, channels: tuple[int, ...]) -> Ends:
        """What is dark and what bright in some channels, see :func:`image_ends`."""
        return image_ends(self.read(), channels)

    @staticmethod
    def may_lack_data(facts: Mapping[str, Any]) -> bool:
        """Whether pixels hold no data, by the facts about the image."""
        return bool(facts.get("no_data"))

    def rows(
        self,
        spec: FeatureSpec,
        places: NDArray[np.int64],
        *,
        compute: ComputePlanes = compute_planes,
        threads: int | None = None,
    ) -> NDArray[np.float32]:
        """``(pixels, features)`` float32, for the raster indices of the pixels."""
        return feature_rows(self.read(), spec, places, compute=compute, threads=threads)

    def ranges(
        self, spec: FeatureSpec, *, compute: ComputePlanes = compute_planes, threads: int | None = None
    ) -> NDArray[np.float32]:
        """Between which values the features lie, see :func:`feature_ranges`."""
        return feature_ranges(self.read(), spec, compute=compute, threads=threads)


@dataclass(frozen=True, eq=False)
class LabelledPyramid:
    """An image of any size with its labels; all that is learnt is what the whole image would give.

    Attributes:
        pyramid: the image.
        labels: its class ids, tile by tile.
        known_as: the hash by which files name it, if that is another one.
    """

    pyramid: Pyramid
    labels: TiledLabels
    known_as: str = ""

    @property
    def hash(self) -> str:
        """Of the image."""
        return self.pyramid.hash

    @property
    def channels(self) -> int:
        """Number of channels of the image."""
        return self.pyramid.channels

    def facts(self) -> dict[str, Any]:
        """Facts about the image, see :func:`pyramid_facts`."""
        return pyramid_facts(self.pyramid)

    def ends(self, channels: tuple[int, ...]) -> Ends:
        """What is dark and what bright in some channels, see :func:`pyramid_ends`."""
        return pyramid_ends(self.pyramid, channels)

    def may_lack_data(self, facts: Mapping[str, Any]) -> bool:
        """Whether pixels may hold no data, of which the facts, which may be those of a sample, do not know."""
        return self.pyramid.dtype.kind == "f" or self.pyramid.missing is not None

    def problems(self, halo: int) -> dict[int, str]:
        """Of labelled tiles that cannot be read with this halo, by their index, a sentence that says why.

        Raises:
            PassingError: with a sentence, if one of them did not come this time.
        """
        found = {
            tile.index: self.pyramid.problem_of(tile, halo) for tile, labels in self.labels.tiles() if labels.any()
        }
        return {index: problem for index, problem in found.items() if problem}

    def readable(self, halo: int) -> LabelledPyramid:
        """The same without the labels of tiles that cannot be read with this halo: these are not segmented either.

        Raises:
            PassingError: with a sentence, if one of them did not come this time.
        """
        left_out = self.problems(halo)
        if not left_out:
            return self
        kept = {index: labels for index, labels in self.labels.of_tiles.items() if index not in left_out}
        return replace(self, labels=TiledLabels(self.labels.shape, kept))

    def with_data(self) -> LabelledPyramid:
        """The same without the labels of pixels that hold no data."""
        kept = {}
        for tile, labels in self.labels.tiles():
            missing = self.pyramid.no_data(tile)
            kept[tile.index] = labels if missing is None else np.where(missing, np.uint8(0), labels)
        return replace(self, labels=TiledLabels(self.labels.shape, kept))

    def with_channels(self, indices: tuple[int, ...]) -> LabelledPyramid:
        """The same with some of the channels, in this order."""
        return LabelledPyramid(self.pyramid.with_channels(indices), self.labels, self.known_as or self.hash)

    def standardised(self) -> LabelledPyramid:
        """The same, whose channels are relative to their mean and spread."""
        return replace(self, pyramid=self.pyramid.standardised())

    def rows(
        self,
        spec: FeatureSpec,
        places: NDArray[np.int64],
        *,
        smoothed: Callable[[Image, Tile], Smoothed | None] = lambda image, tile: None,
        compute: ComputePlanes = compute_planes,
        threads: int | None = None,
    ) -> NDArray[np.float32]:
        """``(pixels, features)`` float32, for the raster indices of the pixels; ``smoothed`` gives smoothed tiles."""
        found = np.empty((len(places), spec.count(self.pyramid.channels)), np.float32)
        grid = TileGrid(self.pyramid.shape)
        row, column = np.divmod(places, self.pyramid.shape[1])
        tile_of = grid.index_of(row, column)
        for inside in groups(tile_of):
            tile = grid.tile(int(tile_of[inside[0]]))
            image, inner = self.pyramid.block(tile, spec.halo)
            down, right = inner.rows.start - tile.rows.start, inner.columns.start - tile.columns.start
            there = (row[inside] + down) * image.shape[1] + column[inside] + right
            known = smoothed(image, Tile(inner.rows, inner.columns, tile.index))
            found[inside] = feature_rows(image, spec, there, smoothed=known, compute=compute, threads=threads)
        return found

    def ranges(
        self, spec: FeatureSpec, *, compute: ComputePlanes = compute_planes, threads: int | None = None
    ) -> NDArray[np.float32]:
        """Between which values the features lie, see :func:`pyramid_ranges`."""
        return pyramid_ranges(self.pyramid, spec, compute=compute, threads=threads)
