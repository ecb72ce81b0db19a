"""Whether brightness or colour differs between images so that features of standardised images are the better ones.

Two things tell it. Where several images have strokes, those of each image are held out in turn and looked at by a
forest that has learnt from the other images only, with and without. On images without strokes the setting is the better
one by which their segmentation can be trusted more: votes that agree, features within the range of what was learnt from
(see :mod:`segmentation.assessment.trust`). ``benchmarks/drift.py`` says how often that is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from segmentation.assessment.held_out import HeldOut
from segmentation.assessment.trust import Trust

CLEAR = 0.05
"""By so much more can segmentations be trusted, for a setting to be advised: of twelve pairs of images that differed by
.02, nine were then segmented better, by up to .34, and three worse, by .013 at most; what a person is asked to change
is to be clearer than that."""


@dataclass(frozen=True)
class Drift:
    """Which setting is the better one, and why.

    Attributes:
        standardise: whether features of standardised images are.
        sentence: for people: what was measured, and which setting it is in favour of, if it is clear.
        clear: whether it is advised; else there is hardly any difference.
    """

    standardise: bool
    sentence: str
    clear: bool = True


def drift_of_strokes(plain: HeldOut, standardised: HeldOut) -> Drift | None:
    """What strokes tell that were held out image by image; None if the two differ by less than the standard error.

    Args:
        plain: how they were found by features of images as they are.
        standardised: the same of standardised images.
    """
    change, error = standardised.difference(plain)
    if not abs(change) > error:
        return None
    told = (
        "Strokes on images that were not learnt from are found with a mean IoU of "
        f"{standardised.mean_iou:.2f} when each image is taken relative to itself, and of {plain.mean_iou:.2f} when not"
    )
    return _drift(change > 0, told, clear=True)


def drift_of_features(plain: Sequence[Trust], standardised: Sequence[Trust]) -> Drift:
    """What the features and votes on images without strokes tell.

    Args:
        plain: how far the segmentation of each could be trusted by features of images as they are.
        standardised: the same of standardised images.
    """
    told = (
        f"On images without strokes {_mean(standardised, 'unsure')} of the votes are unsure and "
        f"{_mean(standardised, 'unlike')} of the features lie outside of what was learnt from when each image is taken "
        f"relative to itself, {_mean(plain, 'unsure')} and {_mean(plain, 'unlike')} when not"
    )
    gain = fmean(one.value for one in standardised) - fmean(one.value for one in plain)
    return _drift(gain > 0, told, clear=abs(gain) > CLEAR)


def _mean(trusts: Sequence[Trust], part: str) -> str:
    return f"{100 * fmean(getattr(one, part) for one in trusts):.0f} %"


def _drift(standardise: bool, told: str, clear: bool) -> Drift:
    verdict = f"this speaks {'for' if standardise else 'against'} it" if clear else "hardly any difference"
    return Drift(standardise, f"{told}: {verdict}.", clear)
