"""How well a few strokes segment: the library's defaults against the sample app's way, and against those of before.

``python -m benchmarks quality`` draws 1, 2 and 4 strokes a class on images whose classes are known, five times anew,
and tells the mean intersection over union (IoU) of the classes. All sides get the same strokes. The images are those of
``benchmarks/data`` and, where they lie beside the checkout, those of ``../shared/data``, whose licences do not let all
of them be published here. They are parted into kinds and, every other of a kind by name, into two halves: defaults are
chosen on the first, and the second confirms them.
"""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tifffile import imread

from benchmarks.scribbles import Annotator
from segmentation.features.spec import FeatureSpec
from segmentation.forest.settings import ForestSettings
from segmentation.io.image import Image, image_from_pixels
from segmentation.io.read import read_image
from segmentation.model.classifier import PixelClassifier
from segmentation.strokes.raster import rasterise

DATA = Path(__file__).parent / "data"
FURTHER_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SECTIONS = (0, 6, 13, 19)
"""Those of a volume that are segmented, each as an image."""

KINDS = {
    "cells fluorescence": "cells",
    "histology": "histology",
    "materials SEM": "materials",
    "documents": "documents",
    "electron microscopy 3D": "electron microscopy",
    "retina/vessels": "thin",
    "surfaces/cracks": "thin",
}
BEFORE = FeatureSpec(differences=False, colour=False), ForestSettings.from_json({})
"""The defaults before there were pointwise features: features and forest."""

STROKES_PER_CLASS = (1, 2, 4)
SEEDS = range(5)


@dataclass(frozen=True, eq=False)
class Example:
    """An image whose classes are known.

    Attributes:
        name: of the image.
        image: as the library reads it.
        mask: ``(rows, columns)`` uint8 class ids from 1, 0 where nothing is judged.
        kind: of image.
    """

    name: str
    image: Image
    mask: NDArray[np.uint8]
    kind: str = ""


def examples() -> Iterator[Example]:
    """The images of ``benchmarks/data``, those of a series one by one."""
    yield from _examples_in(DATA)


def all_examples() -> Iterator[Example]:
    """These and, where they are, further images; each once."""
    yield from _examples_in(FURTHER_DATA if (FURTHER_DATA / "index.json").exists() else DATA)


def _examples_in(folder: Path) -> Iterator[Example]:
    index = json.loads((folder / "index.json").read_text())
    entries = [(entry["name"], entry, entry["domain"]) for entry in index["images"]]
    for series in index["series"]:
        frames = ((f"{series['name']}/{Path(frame['image']).stem}", frame) for frame in series["frames"])
        entries += [(name, frame, series["domain"]) for name, frame in frames]
    for name, entry, domain in entries:
        if entry.get("axes") == "ZYX":
            volume, masks = (imread(folder / entry[part]) for part in ("image", "mask"))
            for section in SECTIONS:
                image = image_from_pixels(volume[section])
                yield Example(f"{name}/{section}", image, masks[section], KINDS.get(domain, domain))
            continue
        mask = read_image(folder / entry["mask"]).pixels
        yield Example(name, read_image(folder / entry["image"]), mask, KINDS.get(domain, domain))


def mean_iou(mask: NDArray[np.uint8], segmentation: NDArray[np.uint8]) -> float:
    """Intersection over union of each class of the mask, averaged; pixels of class 0 in the mask are not judged."""
    judged = mask > 0
    truth, found = mask[judged], segmentation[judged]
    return fmean(
        np.count_nonzero((truth == class_id) & (found == class_id))
        / np.count_nonzero((truth == class_id) | (found == class_id))
        for class_id in np.unique(truth)
    )


class SampleApp:
    """The sample app's way: scikit-image's default features and its small random forest, by scikit-learn."""

    def __init__(self, image: Image) -> None:
        from skimage.feature import multiscale_basic_features

        channel_axis = None if image.pixels.ndim == 2 else -1
        self._features = multiscale_basic_features(image.pixels, channel_axis=channel_axis)

    def segment(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The segmentation that the labels lead to."""
        from sklearn.ensemble import RandomForestClassifier

        forest = RandomForestClassifier(n_estimators=50, max_depth=8, max_samples=0.05, random_state=0)
        with warnings.catch_warnings():  # scikit-learn finds 5 % of so few pixels too few; so does this comparison
            warnings.filterwarnings("ignore", "Using the fractional value max_samples", UserWarning)
            forest.fit(self._features[labels > 0], labels[labels > 0])
        rows = self._features.reshape(-1, self._features.shape[-1])
        return forest.predict(rows).reshape(labels.shape)


def quality_table(
    images: Iterable[Example] | None = None,
    strokes_per_class: Sequence[int] = STROKES_PER_CLASS,
    seeds: Sequence[int] = SEEDS,
) -> list[dict[str, Any]]:
    """Mean IoU of the sample app's way, of the defaults of before and of those of today, averaged over the seeds.

    Args:
        images: what is segmented; None takes :func:`all_examples`.
        strokes_per_class: numbers of strokes to try.
        seeds: of the annotator.

    Returns:
        A row for each image and number of strokes: ``image``, ``kind``, ``half`` (1: the defaults were chosen on it),
        ``strokes``, and the mean IoU: ``sample_app``, ``before``, ``squiggle``.
    """
    table: list[dict[str, Any]] = []
    seen: Counter[str] = Counter()
    for example in sorted(all_examples() if images is None else images, key=lambda one: one.name):
        annotator, sample_app = Annotator(example.mask), SampleApp(example.image)
        seen[example.kind] += 1
        for count in strokes_per_class:
            labels = [rasterise(annotator.draw(count, seed), example.mask.shape) for seed in seeds]
            row = {
                "image": example.name,
                "kind": example.kind,
                "half": 2 - seen[example.kind] % 2,
                "strokes": count,
                "sample_app": fmean(mean_iou(example.mask, sample_app.segment(one)) for one in labels),
                "before": fmean(_ours(example, one, *BEFORE) for one in labels),
                "squiggle": fmean(_ours(example, one, FeatureSpec(), ForestSettings()) for one in labels),
            }
            table.append(row)
    return table


def _ours(example: Example, labels: NDArray[np.uint8], spec: FeatureSpec, settings: ForestSettings) -> float:
    classifier = PixelClassifier(spec, **settings.to_json()).fit(example.image, labels)
    return mean_iou(example.mask, classifier.predict(example.image))


def markdown(table: Sequence[dict[str, Any]]) -> str:
    """The table as people read it: what the defaults gain over the sample app's way, by kind, by half, and in all.

    Behind ± is the standard error over the images. The last columns are the mean over the numbers of strokes, and the
    same over the defaults of before.
    """
    counts = sorted({row["strokes"] for row in table})
    lines = [
        ["images", "number", *(f"{count} stroke{'s'[: count > 1]} a class" for count in counts), "all", "over before"],
        ["---"] * (len(counts) + 4),
    ]
    for kind in dict.fromkeys(row["kind"] for row in table):
        lines.append(_line(kind, [row for row in table if row["kind"] == kind], counts))
    for half, name in ((1, "the half that defaults were chosen on"), (2, "the other half")):
        lines.append(_line(name, [row for row in table if row["half"] == half], counts))
    lines.append(_line("**all**", table, counts))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _line(name: str, rows: Sequence[dict[str, Any]], counts: Sequence[int]) -> list[str]:
    images = list(dict.fromkeys(row["image"] for row in rows))

    def gains(over: str) -> NDArray[np.float64]:
        """``(images, numbers of strokes)``."""
        found = {(row["image"], row["strokes"]): row["squiggle"] - row[over] for row in rows}
        return np.array([[found[image, count] for count in counts] for image in images])

    over_app = gains("sample_app")
    cells = [*over_app.T, over_app.mean(axis=1), gains("before").mean(axis=1)]
    return [name, str(len(images)), *map(with_error, cells)]


def with_error(values: NDArray[np.float64]) -> str:
    """A mean over images, with its standard error."""
    error = f" ± {values.std(ddof=1) / np.sqrt(len(values)):.3f}" if len(values) > 1 else ""
    return f"{values.mean():+.3f}{error}"


if __name__ == "__main__":
    print("Gain in mean IoU over the sample app's way, over five annotations:\n")
    print(markdown(quality_table()))
