"""How often the intervals of shares and of numbers of objects hold what is true: 95 of 100 would be right.

``python -m benchmarks intervals`` draws 2, 3 and 5 strokes a class on the images of :mod:`benchmarks.quality`, three
times anew, and looks at the share of each class: on the image that was drawn on, whose strokes are held out, and on
another image of its series, of which the votes alone tell. Objects are counted on the image that was drawn on, after
a clean-up, which the mask goes through too; classes that have fewer than five are left out. How much dissent counts
(:mod:`segmentation.assessment.dissent`) was chosen on trials with the same images.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean, median
from typing import Any

import numpy as np

from benchmarks.quality import Example, all_examples
from benchmarks.scribbles import Annotator
from segmentation._shared.tiling import whole_window
from segmentation.assessment.counting import RecountedObjects
from segmentation.assessment.intervals import ShareInterval, share_intervals
from segmentation.model.classifier import PixelClassifier
from segmentation.objects.cleaning import clean_up
from segmentation.objects.labelling import label_objects
from segmentation.objects.steps import CleanUpStep
from segmentation.strokes.raster import rasterise

STROKES_PER_CLASS = (2, 3, 5)
SHARE, SHARE_ELSEWHERE, COUNT = "share", "share, not drawn on", "count"
SEEDS = range(3)
CLEAN_UP = (CleanUpStep("smooth", 2), CleanUpStep("drop_small", 40))
FEWEST_OBJECTS = 5


def interval_rows(
    images: Iterable[Example] | None = None,
    strokes_per_class: Sequence[int] = STROKES_PER_CLASS,
    seeds: Sequence[int] = SEEDS,
) -> list[dict[str, Any]]:
    """A row for each interval.

    It has ``image``, ``kind``, ``half``, ``strokes`` a class, ``of`` (``"share"``, ``"share, not drawn on"`` or
    ``"count"``), ``value``, ``true``, ``low`` and ``high``.

    Args:
        images: None takes :func:`all_examples`.
        strokes_per_class: numbers of strokes to try.
        seeds: of the annotator.
    """
    rows: list[dict[str, Any]] = []
    several = sorted(all_examples() if images is None else images, key=lambda one: one.name)
    seen: Counter[str] = Counter()
    for example in several:
        seen[example.kind] += 1
        half, annotator = 2 - seen[example.kind] % 2, Annotator(example.mask)
        other = _next_of_series(example, several)
        for count in strokes_per_class:
            about = {"image": example.name, "kind": example.kind, "half": half, "strokes": count}
            for seed in seeds:
                strokes = annotator.draw(count, seed)
                classifier = PixelClassifier().fit(example.image, rasterise(strokes, example.mask.shape))
                own = share_intervals(example.image, classifier, example.image, strokes)
                rows += [about | {"of": SHARE} | one for one in _held_against(example, own)]
                rows += [about | {"of": COUNT} | one for one in _counts_held_against(example, classifier)]
                if other is not None:
                    found = share_intervals(other.image, classifier)
                    rows += [about | {"of": SHARE_ELSEWHERE} | one for one in _held_against(other, found)]
    return rows


def _next_of_series(example: Example, several: Sequence[Example]) -> Example | None:
    """The next image of the same series and channels; the first comes after the last."""
    series = example.name.partition("/")[0]
    alike = [
        one for one in several if one.name.startswith(f"{series}/") and one.image.channels == example.image.channels
    ]
    numbers = {one.name: number for number, one in enumerate(alike)}
    return alike[(numbers[example.name] + 1) % len(alike)] if len(alike) > 1 else None


def _held_against(example: Example, found: Sequence[ShareInterval]) -> Iterator[dict[str, float]]:
    """What is true of each share, where all is judged; pixels of class 0 in the mask are left out of it."""
    judged = np.bincount(example.mask.ravel(), minlength=256)[1:]
    for one in found:
        true = float(judged[one.id - 1] / judged.sum())
        yield {"value": one.share, "true": true, "low": one.low, "high": one.high}


def _counts_held_against(example: Example, classifier: PixelClassifier) -> Iterator[dict[str, float]]:
    again = RecountedObjects(classifier, example.image)
    found = classifier.predict_window(example.image, whole_window(example.mask.shape), on_piece=again.add)
    cleaned, truth = clean_up(found, CLEAN_UP), clean_up(example.mask, CLEAN_UP)
    counts = {int(one): int(label_objects(cleaned, int(one)).max()) for one in classifier.classes_}
    for class_id, (low, high) in again.bounds(counts, CLEAN_UP).items():
        true = int(label_objects(truth, class_id).max())
        if true >= FEWEST_OBJECTS:
            yield {"value": counts[class_id], "true": true, "low": low, "high": high}


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """How many of the intervals hold the true share, and how long they are, by kind of image, and in all."""
    lines = [
        "| images | share, drawn on: held | length | share, others of a series: held | length "
        "| number of objects: held | length |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    groups = {kind: [row for row in rows if row["kind"] == kind] for kind in dict.fromkeys(r["kind"] for r in rows)}
    groups |= {f"{count} strokes a class": [row for row in rows if row["strokes"] == count] for count in _counts(rows)}
    groups |= {f"half {half}": [row for row in rows if row["half"] == half] for half in (1, 2)}
    groups["**all**"] = list(rows)
    for name, some in groups.items():
        of = [[row for row in some if row["of"] == one] for one in (SHARE, SHARE_ELSEWHERE, COUNT)]
        cells = [cell for these in of for cell in _cells(these)]
        lines.append(f"| {' | '.join([name, *cells])} |")
    return "\n".join(lines)


def _counts(rows: Sequence[dict[str, Any]]) -> list[int]:
    return sorted({row["strokes"] for row in rows})


def _cells(rows: Sequence[dict[str, Any]]) -> list[str]:
    if not rows:
        return ["", ""]
    held = fmean(row["low"] <= row["true"] <= row["high"] for row in rows)
    lengths = [row["high"] - row["low"] for row in rows]
    if rows[0]["of"] == COUNT:
        relative = [length / max(1, row["value"]) for length, row in zip(lengths, rows, strict=True)]
        return [f"{held:.0%} of {len(rows)}", f"{median(relative):.0%} of it"]
    return [f"{held:.0%} of {len(rows)}", f"{100 * fmean(lengths):.1f} points"]
