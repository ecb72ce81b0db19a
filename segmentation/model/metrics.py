"""How good a segmentation is, held against what is true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BAND_PIXELS = 2**20


@dataclass(frozen=True, eq=False)
class Scores:
    """How often pixels of each class were found, and taken for others.

    A score of a class that neither is true nor was found anywhere is NaN; means are over the other classes.

    Attributes:
        class_ids: the classes, ascending.
        confusion: ``(classes, classes)`` int64, number of pixels by true class (rows) and found class (columns).
    """

    class_ids: tuple[int, ...]
    confusion: NDArray[np.int64]

    @property
    def pixels(self) -> int:
        """Number of pixels whose class is known."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """Share of the pixels whose class was found."""
        return float(np.trace(self.confusion) / self.pixels) if self.pixels else float("nan")

    @property
    def iou(self) -> NDArray[np.float64]:
        """Of each class, intersection over union (Jaccard index) of true and found pixels."""
        return _ratio(self._both, self._true + self._found - self._both)

    @property
    def f1(self) -> NDArray[np.float64]:
        """Of each class, the harmonic mean of precision and recall (Dice coefficient)."""
        return _ratio(2 * self._both, self._true + self._found)

    @property
    def precision(self) -> NDArray[np.float64]:
        """Of each class, the share of the found pixels that are true."""
        return _ratio(self._both, self._found)

    @property
    def recall(self) -> NDArray[np.float64]:
        """Of each class, the share of the true pixels that were found."""
        return _ratio(self._both, self._true)

    @property
    def mean_iou(self) -> float:
        """The mean of :attr:`iou`."""
        return _mean(self.iou)

    @property
    def mean_f1(self) -> float:
        """The mean of :attr:`f1`."""
        return _mean(self.f1)

    @property
    def _both(self) -> NDArray[np.int64]:
        return np.diagonal(self.confusion)

    @property
    def _true(self) -> NDArray[np.int64]:
        return self.confusion.sum(axis=1)

    @property
    def _found(self) -> NDArray[np.int64]:
        return self.confusion.sum(axis=0)

    def __add__(self, other: Scores) -> Scores:
        if self.class_ids != other.class_ids:
            raise ValueError("Only scores of the same classes can be added.")
        return Scores(self.class_ids, self.confusion + other.confusion)

    def to_json(self) -> dict[str, Any]:
        """The scores as plain JSON values; null where there is none."""
        scores = {"iou": self.iou, "f1": self.f1, "precision": self.precision, "recall": self.recall}
        return {
            "pixels": self.pixels,
            "accuracy": _plain(self.accuracy),
            "mean_iou": _plain(self.mean_iou),
            "mean_f1": _plain(self.mean_f1),
            "classes": [
                {"id": class_id, "pixels": int(self._true[index])}
                | {name: _plain(values[index]) for name, values in scores.items()}
                for index, class_id in enumerate(self.class_ids)
            ],
            "confusion": self.confusion.tolist(),
        }

    def describe(self, names: Mapping[int, str]) -> str:
        """The scores as a table for people.

        Args:
            names: of the classes.
        """
        columns = ("IoU", "F1", "precision", "recall")
        values = np.column_stack([self.iou, self.f1, self.precision, self.recall])
        wide = max(len(name) for name in (*names.values(), "class"))
        lines = [f"{'class':<{wide + 4}}" + "".join(f"{column:>10}" for column in columns) + f"{'pixels':>12}"]
        for class_id, row, pixels in zip(self.class_ids, values, self._true, strict=True):
            shown = "".join(f"{'-' if np.isnan(value) else f'{value:.4f}':>10}" for value in row)
            lines.append(f"{class_id:>3} {names[class_id]:<{wide}}{shown}{pixels:>12}")
        lines += [f"{'mean':<{wide + 4}}{self.mean_iou:>10.4f}{self.mean_f1:>10.4f}", ""]
        lines.append("pixels of each class (rows) that were taken for each class (columns)")
        lines.append(" " * 4 + "".join(f"{class_id:>12}" for class_id in self.class_ids))
        lines += [
            f"{class_id:>4}" + "".join(f"{count:>12}" for count in row)
            for class_id, row in zip(self.class_ids, self.confusion, strict=True)
        ]
        return "\n".join(lines)


def score(segmentation: NDArray[np.uint8], truth: NDArray[np.uint8], class_ids: Sequence[int]) -> Scores:
    """Holds a segmentation against what is true.

    Args:
        segmentation: ``(rows, columns)`` uint8 class ids.
        truth: ``(rows, columns)`` uint8 class ids; 0 where it is not known, which is not counted.
        class_ids: all classes that there are.

    Raises:
        ValueError: if the two do not fit, or hold a class that there is not.
    """
    if segmentation.shape != truth.shape:
        rows, columns = segmentation.shape
        raise ValueError(
            f"The mask has {truth.shape[0]} x {truth.shape[1]} pixels, but the image has {rows} x {columns}."
        )
    ids = sorted(set(class_ids))
    index = np.full(256, len(ids), np.intp)
    index[ids] = np.arange(len(ids))
    counts = np.zeros((len(ids) + 1) ** 2, np.int64)
    step = max(1, _BAND_PIXELS // truth.shape[1])
    for top in range(0, truth.shape[0], step):
        true, found = truth[top : top + step], segmentation[top : top + step]
        known = true != 0
        strange = set(np.unique(true[known]).tolist()) - set(ids)
        if strange:
            known_ids = ", ".join(map(str, ids))
            raise ValueError(f"The mask holds the value {min(strange)}, but the classes are {known_ids}.")
        pairs = index[true[known]] * (len(ids) + 1) + index[found[known]]
        counts += np.bincount(pairs, minlength=len(counts))
    square = counts.reshape(len(ids) + 1, -1)
    if square[:, -1].any():
        raise ValueError("The segmentation holds a class that there is not.")
    return Scores(tuple(ids), square[:-1, :-1].copy())


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)


def _mean(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
