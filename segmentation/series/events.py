"""What is told of a series: what happens while it runs, and how it went."""

from __future__ import annotations

from dataclasses import dataclass, field

from segmentation.series.pages import Page


@dataclass(frozen=True)
class Event:
    """Something that happened in a series.

    Attributes:
        kind: ``"start"``, ``"progress"``, ``"segmented"``, ``"finished before"``, ``"failed"`` or ``"end"``.
        images: number of images of the series.
        done: part of the work that is done, from 0 to 1; what was finished before does not count as work.
        image: path of the image, if it is about one.
        outputs: paths of its results.
        pages: the outcome for each of its images.
        reason: why it failed; of one that was segmented, why some of its images could not be.
    """

    kind: str
    images: int
    done: float
    image: str = ""
    outputs: tuple[str, ...] = ()
    pages: tuple[Page, ...] = ()
    reason: str = ""


@dataclass
class SeriesReport:
    """How a series went.

    Attributes:
        outputs: paths of the results, by path of the image, of all that are finished.
        finished_before: the images that an earlier run had finished.
        failed: the sentence that says why, by path of the image that could not be segmented, or of the stack of which
            some images could not be, or of the table of all objects.
        notes: sentences on why the result may not be what was meant, by path of the image, of those with any; under
            ``"corrections"`` on corrections that were painted on images that were not given.
    """

    outputs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    finished_before: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    notes: dict[str, tuple[str, ...]] = field(default_factory=dict)
