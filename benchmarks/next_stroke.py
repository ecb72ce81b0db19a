"""How many strokes it saves to draw where the program says, rather than anywhere.

``python -m benchmarks.next_stroke`` lets three annotators begin with the same stroke of each class on the images of
:mod:`benchmarks.quality` and add one stroke after the other: at random places; at the places that "Where next" names;
and, as nobody can who does not know the truth, at random places that are wrong. It prints the mean IoU after each
further stroke, and after how many strokes "Where next" is as good as strokes at random places are in the end.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality import Example, all_examples
from benchmarks.scribbles import Annotator
from segmentation.assessment.next_stroke import Grid, places_to_draw
from segmentation.features.compute import compute_planes
from segmentation.features.pointwise import with_constants
from segmentation.features.spec import FeatureSpec
from segmentation.model.classifier import PixelClassifier
from segmentation.strokes.raster import rasterise

WAYS = ("random", "next", "wrong")
JUDGED_PIXELS = 30_000
FURTHER_STROKES = 10
SEEDS = (0, 1)
IMAGES_OF_A_KIND = 2
"""Of each half, as :mod:`benchmarks.quality` parts them."""


class Drawing:
    """One image that is annotated in several ways.

    Args:
        example: the image and what is true.
    """

    def __init__(self, example: Example) -> None:
        self._mask, pixels = example.mask, example.image.pixels
        planes = compute_planes(pixels, with_constants(FeatureSpec(), pixels))
        self._features = planes.reshape(len(planes), -1)
        step = max(1, int((self._mask.size / JUDGED_PIXELS) ** 0.5))
        chosen = np.zeros_like(self._mask)
        chosen[::step, ::step] = self._mask[::step, ::step]
        self._judged = np.flatnonzero(chosen)
        self._annotator, self._grid = Annotator(self._mask), Grid.over(self._mask.shape)

    def curve(self, way: str, seed: int, strokes: int) -> list[float]:
        """Mean IoU after each of some further strokes.

        Args:
            way: one of :data:`WAYS`.
            seed: of the annotator.
            strokes: how many are added to one of each class.
        """
        drawn, random = self._annotator.draw(1, seed), np.random.default_rng(seed)
        truth, found = self._mask.ravel()[self._judged], []
        for number in range(strokes + 1):
            labels = rasterise(drawn, self._mask.shape).ravel()
            places = np.flatnonzero(labels)
            rows = np.ascontiguousarray(self._features[:, places].T)
            classifier = PixelClassifier().fit_rows(rows, labels[places])
            taken = classifier.classes_[classifier.forest_.predict(self._features[:, self._judged])]
            found.append(mean_iou(truth, taken))
            wrong = self._judged[taken != truth]
            others = wrong if way == "wrong" and len(wrong) else self._judged
            row, column = np.divmod(int(random.choice(others)), self._mask.shape[1])
            if way == "next":
                row, column = next(self._best(classifier, places), (row, column))
            drawn.append(self._annotator.draw_at(int(row), int(column), f"further-{number}", seed))
        return found

    def _best(self, classifier: PixelClassifier, drawn: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
        features = np.ascontiguousarray(self._features[:, self._grid.places].T)
        for place in places_to_draw(classifier, self._grid, features, drawn, 8):
            if self._mask[place.row, place.column]:
                yield place.row, place.column


def mean_iou(truth: NDArray[np.uint8], found: NDArray[np.uint8]) -> float:
    """That of the classes that there are in truth."""
    return fmean(
        np.count_nonzero((truth == one) & (found == one)) / np.count_nonzero((truth == one) | (found == one))
        for one in np.unique(truth)
    )


def strokes_needed(curve: NDArray[np.float64], level: float) -> int | None:
    """After how many further strokes a curve is at a level for the first time; None if it never is."""
    reached = np.flatnonzero(curve >= level)
    return int(reached[0]) if len(reached) else None


def main() -> None:
    """Print the curves."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--half", type=int, choices=(1, 2), help="of the images; else both")
    given = options.parse_args()
    seen: Counter[str] = Counter()
    curves: dict[str, list[list[float]]] = {way: [] for way in WAYS}
    for example in sorted(all_examples(), key=lambda one: one.name):
        seen[example.kind] += 1
        if seen[example.kind] > 2 * IMAGES_OF_A_KIND or given.half not in (None, 2 - seen[example.kind] % 2):
            continue
        drawing = Drawing(example)
        for way in WAYS:
            curves[way] += [drawing.curve(way, seed, FURTHER_STROKES) for seed in SEEDS]
        print(example.name, *(f"{way} {fmean(curves[way][-1]):.3f}" for way in WAYS), flush=True)
    means = {way: np.mean(some, axis=0) for way, some in curves.items()}
    for way, mean in means.items():
        print(f"{way:<7}", " ".join(f"{value:.3f}" for value in mean))
    for other in ("random", "wrong"):
        best = int(means[other].argmax())
        needed = strokes_needed(means["next"], means[other][best])
        told = "is not reached" if needed is None else f"is reached after {needed}"
        print(f"{other}: at its best after {best} further strokes, which by Where next {told}.")


if __name__ == "__main__":
    main()
