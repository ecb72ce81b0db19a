"""Whether the advice on images that drift is right.

``python -m benchmarks.drift`` learns from images of each series of :mod:`benchmarks.quality`, four strokes a class, and
segments the others of its series with features of images as they are and of standardised ones. It prints the mean IoU
of both by series, and of what is advised (:mod:`segmentation.assessment.drift`): by the features of the image alone,
and by two strokes a class on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from statistics import fmean
from typing import Any

from benchmarks.quality import Example, all_examples, mean_iou
from benchmarks.scribbles import Annotator
from segmentation.assessment.drift import drift_of_features, drift_of_strokes
from segmentation.assessment.held_out import hold_out
from segmentation.assessment.strokes import DrawnImage
from segmentation.features.spec import FeatureSpec
from segmentation.model.classifier import PixelClassifier
from segmentation.model.fit import Training
from segmentation.series.model import Model
from segmentation.strokes.raster import rasterise
from segmentation.strokes.stroke import Stroke

STROKES_PER_CLASS = 4
STROKES_ON_THE_OTHER = 2
LEARNT_FROM = 2
"""Images of each series that are learnt from in turn."""

SPECS = FeatureSpec(), FeatureSpec(standardise=True)


def drift_rows() -> Iterator[dict[str, Any]]:
    """A row for each pair of images of a series: ``series``, ``plain``, ``standardised``, ``features``, ``strokes``."""
    in_series = [one for one in all_examples() if "/" in one.name]
    for name, some in groupby(in_series, lambda one: one.name.partition("/")[0]):
        images = list(some)
        for first in images[:LEARNT_FROM]:
            strokes = Annotator(first.mask).draw(STROKES_PER_CLASS, seed=0)
            labels = rasterise(strokes, first.mask.shape)
            models = [Model.from_classifier(PixelClassifier(spec).fit(first.image, labels)) for spec in SPECS]
            for other in images:
                if other is not first:
                    found = [model.segment_whole(other.image, with_probabilities=False) for model in models]
                    scores = [mean_iou(other.mask, one.class_ids) for one in found]
                    by_features = drift_of_features([found[0].trust], [found[1].trust]).standardise
                    by_strokes = _by_strokes(first, strokes, other)
                    yield {
                        "series": name,
                        "plain": scores[0],
                        "standardised": scores[1],
                        "features": scores[by_features],
                        "strokes": scores[by_features if by_strokes is None else by_strokes],
                    }


def _by_strokes(first: Example, strokes: list[Stroke], other: Example) -> bool | None:
    """What strokes on both images advise; None if they do not tell."""
    more = Annotator(other.mask).draw(STROKES_ON_THE_OTHER, seed=4)
    drawn = [
        DrawnImage(one.image.hash, one.image.shape, tuple(some), lambda one=one: one.image)
        for one, some in ((first, strokes), (other, more))
    ]
    found = [
        hold_out(drawn, lambda images, spec=spec: Training(images, spec, PixelClassifier().settings), {},
                 images_at_once=True)
        for spec in SPECS
    ]  # fmt: skip
    advice = drift_of_strokes(*found)
    return None if advice is None else advice.standardise


def main() -> None:
    """Print what each advice is worth."""
    rows = list(drift_rows())
    columns = ("plain", "standardised", "features", "strokes")
    print(f"{'series':<20}", *(f"{column:>12}" for column in columns))
    parts = {
        name: [row for row in rows if row["series"] == name] for name in dict.fromkeys(row["series"] for row in rows)
    }
    for name, own in (parts | {"all": rows}).items():
        told = (f"{fmean(row[column] for row in own):>12.3f}" for column in columns)
        print(f"{name:<20}", *told, f"{len(own)} pairs")
    right = fmean(row["features"] == max(row["plain"], row["standardised"]) for row in rows)
    print(f"By features the advice is the better one for {right:.0%} of the pairs.")


if __name__ == "__main__":
    main()
