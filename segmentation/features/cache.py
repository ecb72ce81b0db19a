"""What is held of the features of tiles between strokes.

A tile's features are computed from the tile and a halo around it (see ``compute_planes``), so that what is
segmented tile by tile equals, to the last bit, what the whole image would give.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future

from segmentation._shared.bounded_cache import BoundedCache
from segmentation._shared.tiling import Tile
from segmentation.features.smoothed import Smoothed, smoothed_bytes
from segmentation.features.spec import FeatureSpec
from segmentation.io.image import Image

WindowKey = tuple[str, tuple[int, ...], tuple[float, ...], tuple[int, int, int, int]]
"""Image hash, channels, sigmas and bounds."""


CACHE_MEGABYTES_VARIABLE = "SQUIGGLE_FEATURE_CACHE_MB"
DEFAULT_CACHE_MEGABYTES = 75
"""Suits a host of 512 MB, of which the process itself takes about 200 and a 16 megapixel image with what is shown of it
100 more; holds 1 megapixel of RGB or 3 of grey at the default sigmas."""

DEFAULT_DRAFT_MEGABYTES = 24
"""The drafts of five images of RGB at the default features."""


def cache_bytes_from_environment() -> int:
    """The feature cache's budget in bytes, as the environment variable ``SQUIGGLE_FEATURE_CACHE_MB`` has it.

    Raises:
        ValueError: if it is set to something else than a number of megabytes.
    """
    text = os.environ.get(CACHE_MEGABYTES_VARIABLE, str(DEFAULT_CACHE_MEGABYTES))
    try:
        megabytes = float(text)
    except ValueError:
        megabytes = -1.0
    if not 0 <= megabytes < float("inf"):
        raise ValueError(f"{CACHE_MEGABYTES_VARIABLE} must be a number of megabytes, but it is {text!r}.")
    return int(megabytes * 2**20)


class FeatureCache:
    """The smoothed images from which the features of tiles follow, within a number of bytes.

    One for all sessions of a process. Two threads that want the same tile compute it once.

    Args:
        byte_budget: the most bytes to hold; None takes the megabytes that the environment variable
            ``SQUIGGLE_FEATURE_CACHE_MB`` names.

    Raises:
        ValueError: if that variable is not a number of megabytes.
    """

    def __init__(self, byte_budget: int | None = None) -> None:
        budget = cache_bytes_from_environment() if byte_budget is None else byte_budget
        self._held: BoundedCache[WindowKey, Smoothed] = BoundedCache(budget, lambda smoothed: smoothed.planes.nbytes)
        self._computing: dict[WindowKey, Future[Smoothed]] = {}
        self._lock = threading.Lock()

    @property
    def budget(self) -> int:
        """The most bytes that are held."""
        return self._held.budget

    @property
    def used(self) -> int:
        """Bytes that are held now."""
        return self._held.used

    def peek(self, image: Image, spec: FeatureSpec, tile: Tile) -> Smoothed | None:
        """The smoothed tile if it is held, else None."""
        return self._held.get(window_key(image, spec, tile))

    def smoothed(self, image: Image, spec: FeatureSpec, tile: Tile, *, threads: int | None = None) -> Smoothed:
        """The smoothed tile, computed if it is not held, and then held if it fits.

        Args:
            image: the image.
            spec: which channels and Gaussians.
            tile: which part of the image.
            threads: number of threads; None takes all cores.
        """
        key = window_key(image, spec, tile)
        mine: Future[Smoothed] = Future()
        with self._lock:
            held = self._held.get(key)
            if held is not None:
                return held
            computing = self._computing.setdefault(key, mine)
        if computing is not mine:
            return computing.result()
        try:
            self._held.make_room(smoothed_bytes(spec, image.channels, tile.shape))
            smoothed = Smoothed.of(image.pixels, spec, tile.rows, tile.columns, threads=threads)
            self._held.put(key, smoothed)
            mine.set_result(smoothed)
        except BaseException as error:
            mine.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._computing[key]
        return smoothed


def window_key(image: Image, spec: FeatureSpec, tile: Tile) -> WindowKey:
    """What a smoothed tile depends on."""
    return image.hash, spec.channel_indices(image.channels), spec.sigmas, tile.bounds
