"""The cache of what the features of tiles are computed from, for use from stroke to stroke.

A tile's features are computed from the tile and a halo around it (see ``compute_planes``), so that an image
that is segmented tile by tile equals, to the last bit, one that is segmented as a whole.
"""

from __future__ import annotations

from typing import cast

from segmentation._shared.bounded_cache import BoundedCache
from segmentation._shared.computed_once import ComputedOnce
from segmentation._shared.tiling import Tile
from segmentation.features.bit_planes import BitPlanes, bit_planes_bytes
from segmentation.features.budget import cache_bytes_from_environment
from segmentation.features.planes_on_disk import PlanesOnDisk, bytes_on_disk
from segmentation.features.smoothed import Smoothed, smoothed_bytes
from segmentation.features.spec import FeatureSpec
from segmentation.io.image import Image

WindowKey = tuple[str, bool, tuple[int, ...], tuple[float, ...], tuple[int, int, int, int], FeatureSpec | None]
"""Image hash, whether it is standardised, channels, sigmas and bounds; and for bit planes the whole spec."""


class FeatureCache:
    """What the features of tiles are computed from, and these features as bits, within a number of bytes.

    All sessions of a process share one. Two threads that need the same tile compute it once.

    Args:
        byte_budget: the most bytes that the cache takes; None reads the megabytes from the environment variable
            ``SQUIGGLE_FEATURE_CACHE_MB``.
        on_disk: where bits lie that would push others out of these bytes; None for nowhere.

    Raises:
        ValueError: if that variable is not a number of megabytes.
    """

    def __init__(self, byte_budget: int | None = None, on_disk: PlanesOnDisk | None = None) -> None:
        budget = cache_bytes_from_environment() if byte_budget is None else byte_budget
        self._cached: BoundedCache[WindowKey, Smoothed | BitPlanes] = BoundedCache(
            budget, lambda held: held.nbytes, lambda held: isinstance(held, BitPlanes)
        )
        self._on_disk = on_disk
        self._lying_on_disk: BoundedCache[WindowKey, BitPlanes] = BoundedCache(
            on_disk.budget if on_disk else 0, lambda held: bytes_on_disk(held.nbytes)
        )
        self._computing: ComputedOnce[WindowKey, Smoothed] = ComputedOnce()

    @property
    def budget(self) -> int:
        """The most bytes that the cache takes."""
        return self._cached.budget

    @property
    def room_for_bits(self) -> int:
        """The most bytes of bits that are held at a time, on the disk too."""
        return self.budget + self._lying_on_disk.budget

    @property
    def used(self) -> int:
        """Bytes that the cache takes now."""
        return self._cached.used

    def peek(self, image: Image, spec: FeatureSpec, tile: Tile) -> Smoothed | None:
        """The smoothed tile if it is cached, else None."""
        return None if spec.looks_around else cast(Smoothed | None, self._cached.get(window_key(image, spec, tile)))

    def smoothed(self, image: Image, spec: FeatureSpec, tile: Tile, *, threads: int | None = None) -> Smoothed:
        """The smoothed tile, computed if it is not cached, and then cached if it fits.

        Args:
            image: the image.
            spec: which channels and Gaussians.
            tile: which part of the image.
            threads: number of threads; None takes all cores.
        """
        key = window_key(image, spec, tile)

        def compute() -> Smoothed:
            self._cached.make_room(smoothed_bytes(spec, image.channels, tile.shape), precious=False)
            smoothed = Smoothed.compute(image.pixels, spec.local, tile.rows, tile.columns, threads=threads)
            self._cached.put(key, smoothed)
            return smoothed

        return self._computing.value(key, lambda: self.peek(image, spec, tile), compute)

    def clear(self) -> None:
        """Drop what lies in memory, where that is short."""
        self._cached.clear()

    def bits(self, image: Image, spec: FeatureSpec, tile: Tile) -> BitPlanes:
        """The bit planes of a tile, which are empty at first, and are cached if they fit, before smoothed tiles are.

        Those that would push out others in use lie on the disk, as far as there is room.

        Args:
            image: the image.
            spec: which features.
            tile: which part of the image.
        """
        key = bits_key(image, spec, tile)
        held: Smoothed | BitPlanes | None = self.peek_bits(image, spec, tile)
        if held is None:
            size, disk = bit_planes_bytes(spec, image.channels, tile), self._on_disk
            fits = disk is not None and bytes_on_disk(size) <= disk.budget
            if disk is not None and fits and not self._cached.make_room(size, precious=False):
                planes = BitPlanes(spec, image.channels, tile, disk.room(size))
                held = self._lying_on_disk.setdefault(key, planes)
            else:
                held = self._cached.setdefault(key, BitPlanes(spec, image.channels, tile))
        return cast(BitPlanes, held)

    def peek_bits(self, image: Image, spec: FeatureSpec, tile: Tile) -> BitPlanes | None:
        """The bit planes of a tile if they are cached, else None."""
        key = bits_key(image, spec, tile)
        return cast(BitPlanes | None, self._cached.get(key) or self._lying_on_disk.get(key))


def window_key(image: Image, spec: FeatureSpec, tile: Tile) -> WindowKey:
    """All that a smoothed tile depends on."""
    return (
        image.seen_hash if spec.looks_around else image.hash,
        spec.standardise,
        spec.channel_indices(image.channels),
        spec.sigmas,
        tile.bounds,
        None,
    )


def bits_key(image: Image, spec: FeatureSpec, tile: Tile) -> WindowKey:
    """All that the bits of a tile depend on."""
    return (*window_key(image, spec, tile)[:-1], spec)
