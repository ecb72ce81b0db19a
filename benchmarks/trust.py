"""Whether the trust in the images of a series says how good their segmentations are.

``python -m benchmarks.trust`` learns from each image of each series of :mod:`benchmarks.quality` in turn, segments the
others of its series, and prints the rank correlation of trust and true mean IoU: over all pairs of images, and within
series (of each image that was learnt from, averaged).
"""

from __future__ import annotations

from itertools import groupby
from statistics import fmean
from typing import Any

from scipy.stats import spearmanr

from benchmarks.quality import all_examples, mean_iou
from benchmarks.scribbles import Annotator
from segmentation.model.classifier import PixelClassifier
from segmentation.series.model import Model
from segmentation.strokes.raster import rasterise

STROKES_PER_CLASS = 3


def trust_rows() -> list[dict[str, Any]]:
    """A row for each pair of images of a series: ``series``, ``learnt_from``, ``image``, ``trust`` and ``mean_iou``."""
    rows = []
    in_series = [one for one in all_examples() if "/" in one.name]
    for name, some in groupby(in_series, lambda one: one.name.partition("/")[0]):
        images = list(some)
        for first in images:
            labels = rasterise(Annotator(first.mask).draw(STROKES_PER_CLASS, seed=0), first.mask.shape)
            model = Model.from_classifier(PixelClassifier().fit(first.image, labels))
            for other in images:
                if other is not first:
                    found = model.segment_whole(other.image, with_probabilities=False)
                    scores = {"trust": found.trust.value, "mean_iou": mean_iou(other.mask, found.class_ids)}
                    rows.append({"series": name, "learnt_from": first.name, "image": other.name} | scores)
    return rows


def rank_correlation(rows: list[dict[str, Any]]) -> float:
    """That of trust and mean IoU."""
    return float(spearmanr([row["trust"] for row in rows], [row["mean_iou"] for row in rows]).statistic)


if __name__ == "__main__":
    table = trust_rows()
    within = [rank_correlation(list(some)) for _, some in groupby(table, lambda row: row["learnt_from"])]
    print(f"Rank correlation of trust and mean IoU: {rank_correlation(table):.2f} over {len(table)} pairs of images, ")
    print(f"{fmean(within):.2f} within series.")
