"""How often the interval of a share holds the true share: 95 of 100 would be right.

``python -m benchmarks intervals`` draws 2, 3 and 5 strokes a class on the images of :mod:`benchmarks.quality`, three
times anew, and looks at the share of each class: on the image that was drawn on, whose strokes are held out, and on
another image of its series, of which the votes alone tell. How much dissent counts
(:mod:`segmentation.assessment.dissent`) was chosen on the first half of the images; the second half confirms it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean
from typing import Any

import numpy as np

from benchmarks.quality import Example, all_examples
from benchmarks.scribbles import Annotator
from segmentation.assessment.intervals import ShareInterval, share_intervals
from segmentation.model.classifier import PixelClassifier
from segmentation.strokes.raster import rasterise

STROKES_PER_CLASS = (2, 3, 5)
SEEDS = range(3)


def interval_rows(
    images: Iterable[Example] | None = None,
    strokes_per_class: Sequence[int] = STROKES_PER_CLASS,
    seeds: Sequence[int] = SEEDS,
) -> list[dict[str, Any]]:
    """A row for each share: ``image``, ``kind``, ``half``, ``strokes`` a class, ``drawn_on``, ``true``, ``low``,
    ``high``.

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
                rows += [about | {"drawn_on": True} | one for one in _held_against(example, own)]
                if other is not None:
                    found = share_intervals(other.image, classifier)
                    rows += [about | {"drawn_on": False} | one for one in _held_against(other, found)]
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
        yield {"true": float(judged[one.id - 1] / judged.sum()), "low": one.low, "high": one.high}


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """How many of the intervals hold the true share, and how long they are, by kind of image, and in all."""
    lines = [
        "| images | drawn on: held | length | others of the series: held | length |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    groups = {kind: [row for row in rows if row["kind"] == kind] for kind in dict.fromkeys(r["kind"] for r in rows)}
    groups |= {f"{count} strokes a class": [row for row in rows if row["strokes"] == count] for count in _counts(rows)}
    groups["the half that it was chosen on"] = [row for row in rows if row["half"] == 1]
    groups["the other half"] = [row for row in rows if row["half"] == 2]
    groups["**all**"] = list(rows)
    for name, some in groups.items():
        cells = [cell for own in (True, False) for cell in _cells([row for row in some if row["drawn_on"] is own])]
        lines.append(f"| {' | '.join([name, *cells])} |")
    return "\n".join(lines)


def _counts(rows: Sequence[dict[str, Any]]) -> list[int]:
    return sorted({row["strokes"] for row in rows})


def _cells(rows: Sequence[dict[str, Any]]) -> list[str]:
    if not rows:
        return ["", ""]
    held = fmean(row["low"] <= row["true"] <= row["high"] for row in rows)
    return [f"{held:.0%} of {len(rows)}", f"{100 * fmean(row['high'] - row['low'] for row in rows):.1f} points"]
