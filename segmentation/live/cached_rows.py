"""Feature rows of labelled pixels, which are kept from stroke to stroke."""

from __future__ import annotations

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

    @property
    def nbytes(self) -> int:
        """Bytes that the arrays take."""
        return self.places.nbytes + self.rows.nbytes

    def at(self, places: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        """Which of the places are cached, and the rows of those."""
        found = np.minimum(np.searchsorted(self.places, places), len(self.places) - 1)
        known = self.places[found] == places
        return known, self.rows[found[known]]

    def merged(self, places: NDArray[np.int64], rows: NDArray[np.float32]) -> CachedRows:
        """These and further rows, whose places are not among these."""
        together = np.concatenate([self.places, places])
        order = np.argsort(together, kind="stable")
        return CachedRows(together[order], np.concatenate([self.rows, rows])[order])
