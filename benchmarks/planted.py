"""Whether strokes that are doubted are wrong.

``python -m benchmarks.planted`` draws four strokes of each class on images of :mod:`benchmarks.quality`, and twice more
with one stroke spoilt: given to another class, or added across a border, where up to half of it lies in another class.
It counts the strokes that :attr:`~segmentation.assessment.held_out.HeldOut.doubted` names, and those that were spoilt.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from benchmarks.quality import Example, all_examples
from benchmarks.scribbles import Annotator
from segmentation.assessment.held_out import HeldOut, hold_out
from segmentation.assessment.strokes import DrawnImage
from segmentation.features.spec import FeatureSpec
from segmentation.forest.settings import ForestSettings
from segmentation.model.fit import Training
from segmentation.strokes.raster import stroke_pixels
from segmentation.strokes.stroke import Stroke

STROKES_PER_CLASS = 4
SEEDS = (0, 1)
IMAGES_OF_A_KIND = 3
TRIES = 500
WRONG_PART = 0.3, 0.5
"""How much of a stroke across a border lies in the other class."""

PLANTED = "planted"


def across_a_border(annotator: Annotator, seed: int) -> Stroke | None:
    """A straight stroke of which a part lies in another class than it is given to; None if none is found."""
    random, mask = np.random.default_rng(seed), annotator.mask
    for _ in range(TRIES):
        middle, angle = random.uniform(0, mask.shape[::-1]), random.uniform(0, np.pi)
        along = np.linspace(-1, 1, 40)[:, None] * random.uniform(0.04, 0.15) * min(mask.shape)
        points = middle + along * (np.cos(angle), np.sin(angle))
        if (points < 1).any() or (points > np.array(mask.shape[::-1]) - 2).any():
            continue
        stroke = Stroke(PLANTED, 1, "path", points, annotator.pen)
        counts = np.bincount(mask[stroke_pixels(stroke, mask.shape)], minlength=2)
        second = np.sort(counts)[-2] / counts.sum()
        if not counts[0] and WRONG_PART[0] <= second <= WRONG_PART[1]:
            return replace(stroke, class_id=int(counts.argmax()))
    return None


def held_out(example: Example, strokes: list[Stroke]) -> HeldOut:
    """What is found when the strokes are held out."""
    drawn = DrawnImage(example.image.hash, example.image.shape, tuple(strokes), lambda: example.image)
    found = hold_out([drawn], lambda images: Training(images, FeatureSpec(), ForestSettings()), {})
    assert found is not None
    return found


def main() -> None:
    """Print how many strokes were doubted, and how many of these were spoilt."""
    seen: Counter[str] = Counter()
    doubted: Counter[str] = Counter()
    for example in sorted(all_examples(), key=lambda one: one.name):
        seen[example.kind] += 1
        if seen[example.kind] > IMAGES_OF_A_KIND:
            continue
        annotator = Annotator(example.mask)
        for seed in SEEDS:
            strokes, random = annotator.draw(STROKES_PER_CLASS, seed), np.random.default_rng(seed)
            chosen = int(random.integers(len(strokes)))
            others = [one for one in annotator.classes if one != strokes[chosen].class_id]
            wrong = replace(strokes[chosen], id=PLANTED, class_id=int(random.choice(others)))
            across = across_a_border(annotator, seed)
            for kind, some in (
                ("careful", strokes),
                ("of another class", [*strokes[:chosen], wrong, *strokes[chosen + 1 :]]),
                ("across a border", strokes if across is None else [*strokes, across]),
            ):
                named = [key[1] for key in held_out(example, some).doubted]
                doubted[f"{kind}: sessions"] += 1
                doubted[f"{kind}: spoilt strokes found"] += PLANTED in named
                doubted[f"{kind}: careful strokes doubted"] += len(named) - (PLANTED in named)
        print(example.name, dict(doubted), flush=True)


if __name__ == "__main__":
    main()
