"""Which tiles of those that are wanted are cached: as many of the first as there is room for together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from segmentation._shared.kernels import kernels_are_ready
from segmentation._shared.tiling import Tile
from segmentation.features.bit_planes import bit_planes_bytes
from segmentation.features.cache import FeatureCache
from segmentation.features.smoothed import smoothed_bytes
from segmentation.features.spec import FeatureSpec
from segmentation.model.classifier import PixelClassifier

Takes = Callable[[Tile], int]
"""How many bytes of the cache a tile takes."""


def with_room(budget: int, takes: Takes, order: Sequence[Tile]) -> Iterator[tuple[Tile, bool]]:
    """The tiles, and whether those so far fit the cache of so many bytes together."""
    room = budget
    for tile in order:
        room -= takes(tile)
        yield tile, room >= 0


def room_for(cache: FeatureCache, classifier: PixelClassifier) -> int:
    """Bytes of the cache that tiles may take together for a classifier; bits may lie on the disk too."""
    return cache.room_for_bits if kernels_are_ready() and classifier.forest_.votes else cache.budget


def taken_by(classifier: PixelClassifier, channels: int) -> Takes:
    """What tiles of images with so many channels take for a classifier."""
    if classifier.forest_.votes:
        return taken_as_bits(classifier.spec, channels)
    return taken_smoothed(classifier.spec, channels)


def taken_as_bits(spec: FeatureSpec, channels: int) -> Takes:
    """What the bits of tiles of images with so many channels take."""
    return lambda tile: bit_planes_bytes(spec, channels, tile)


def taken_smoothed(spec: FeatureSpec, channels: int) -> Takes:
    """What smoothed tiles of images with so many channels take."""
    return lambda tile: smoothed_bytes(spec, channels, tile.shape)
