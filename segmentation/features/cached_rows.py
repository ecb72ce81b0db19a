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

    def at(self, places: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        """Which of the places are cached, and the rows of those."""
        if not len(self.places):
            return np.zeros(len(places), bool), self.rows
        found = np.minimum(np.searchsorted(self.places, places), len(self.places) - 1)
        known = self.places[found] == places
        return known, self.rows[found[known]]

    def merged(self, places: NDArray[np.int64], rows: NDArray[np.float32]) -> CachedRows:
        """These and further rows, whose places are not among these."""
        together = np.concatenate([self.places, places])
        order = np.argsort(together, kind="stable")
        return CachedRows(together[order], np.concatenate([self.rows, rows])[order])

    def filled(
        self, places: NDArray[np.int64], compute: Callable[[NDArray[np.int64]], NDArray[np.float32]], most: int
    ) -> tuple[NDArray[np.float32], CachedRows]:
        """The rows at places, of which those that are not cached are computed.

        Args:
            places: raster indices, ascending.
            compute: gives the rows at some of them.
            most: pixels beyond which only those asked for last are cached.

        Returns:
            ``(places, features)`` float32, and what is cached from now on.
        """
        known, known_rows = self.at(places)
        if known.all():
            return known_rows, self
        rows = np.empty((len(places), known_rows.shape[1]), np.float32)
        rows[known], rows[~known] = known_rows, compute(places[~known])
        if len(self.places) + np.count_nonzero(~known) > most:
            return rows, CachedRows(places, rows)
        return rows, self.merged(places[~known], rows[~known])
