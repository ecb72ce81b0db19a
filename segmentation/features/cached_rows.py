"""Feature rows of labelled pixels, which are kept from stroke to stroke, and from one forest to the next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class CachedRows:
    """Feature rows of single pixels of an image.

    Attributes:
        places: raster indices, ascending.
        rows: ``(pixels, features)`` float32.
    """

    places: NDArray[np.int64]
    rows: NDArray[np.float32]

    @classmethod
    def empty(cls, n_features: int) -> CachedRows:
        """No rows yet."""
        return cls(np.empty(0, np.int64), np.empty((0, n_features), np.float32))

    @property
    def nbytes(self) -> int:
        """Bytes that the arrays take."""
        return self.places.nbytes + self.rows.nbytes

    def known(self, places: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of the places are cached."""
        if not len(self.places):
            return np.zeros(len(places), bool)
        found = np.minimum(np.searchsorted(self.places, places), len(self.places) - 1)
        return np.asarray(self.places[found] == places)

    def at(self, places: NDArray[np.int64]) -> NDArray[np.float32]:
        """The rows at places that are all cached, ascending; not to be written to."""
        if len(places) == len(self.places):
            return self.rows
        return self.rows[np.searchsorted(self.places, places)]

    def merged(self, places: NDArray[np.int64], rows: NDArray[np.float32]) -> CachedRows:
        """These and further rows, whose places are ascending and not among these."""
        new = np.searchsorted(self.places, places) + np.arange(len(places))
        old = np.ones(len(self.places) + len(places), bool)
        old[new] = False
        together = CachedRows(np.empty(len(old), np.int64), np.empty((len(old), rows.shape[1]), np.float32))
        together.places[old], together.places[new] = self.places, places
        together.rows[old], together.rows[new] = self.rows, rows
        return together

    def filled(
        self, places: NDArray[np.int64], compute: Callable[[NDArray[np.int64]], NDArray[np.float32]], most: int
    ) -> tuple[NDArray[np.float32], CachedRows]:
        """The rows at places, of which those that are not cached are computed.

        Args:
            places: raster indices, ascending.
            compute: gives the rows at some of them.
            most: pixels beyond which only those asked for last are cached.

        Returns:
            ``(places, features)`` float32, not to be written to, and what is cached from now on.
        """
        known = self.known(places)
        if known.all():
            return self.at(places), self
        together = self.merged(places[~known], compute(places[~known]))
        rows = together.at(places)
        return rows, together if len(together.places) <= most else CachedRows(places, rows)
