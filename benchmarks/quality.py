"""How well a few strokes segment: the library's defaults against what the sample app does.

``python -m benchmarks.quality`` draws 1, 2 and 4 strokes a class on the images of ``benchmarks/data``, five times anew,
and prints the mean intersection over union (IoU) of the classes. Both sides get the same strokes and the same kinds of
features.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.scribbles import Annotator
from segmentation.io.image import Image
from segmentation.io.read import read_image
from segmentation.model.classifier import PixelClassifier
from segmentation.strokes.raster import rasterise

DATA = Path(__file__).parent / "data"
STROKES_PER_CLASS = (1, 2, 4)
SEEDS = range(5)


@dataclass(frozen=True, eq=False)
class Example:
    """An image whose classes are known.

    Attributes:
        name: of the image.
        image: as the library reads it.
        mask: ``(rows, columns)`` uint8 class ids from 1, 0 where nothing is judged.
    """

    name: str
    image: Image
    mask: NDArray[np.uint8]


def examples() -> Iterator[Example]:
    """The images of ``benchmarks/data``, those of a series one by one."""
    index = json.loads((DATA / "index.json").read_text())
    entries = [(entry["name"], entry) for entry in index["images"]]
    for series in index["series"]:
        entries += [(f"{series['name']}/{Path(frame['image']).stem}", frame) for frame in series["frames"]]
    for name, entry in entries:
        yield Example(name, read_image(DATA / entry["image"]), read_image(DATA / entry["mask"]).pixels)


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
    """Mean IoU of both ways, averaged over the seeds.

    Args:
        images: what is segmented; None takes :func:`examples`.
        strokes_per_class: numbers of strokes to try.
        seeds: of the annotator.

    Returns:
        A row for each image and number of strokes: ``image``, ``strokes``, ``sample_app``, ``squiggle`` (mean IoU)
        and ``differences`` (one for each seed).
    """
    table = []
    for example in examples() if images is None else images:
        annotator, sample_app = Annotator(example.mask), SampleApp(example.image)
        for count in strokes_per_class:
            labels = [rasterise(annotator.draw(count, seed), example.mask.shape) for seed in seeds]
            theirs = [mean_iou(example.mask, sample_app.segment(one)) for one in labels]
            ours = [
                mean_iou(example.mask, PixelClassifier().fit(example.image, one).predict(example.image))
                for one in labels
            ]
            differences = [our - their for our, their in zip(ours, theirs, strict=True)]
            table.append(
                {
                    "image": example.name,
                    "strokes": count,
                    "sample_app": fmean(theirs),
                    "squiggle": fmean(ours),
                    "differences": differences,
                }
            )
    return table


def markdown(table: Sequence[dict[str, Any]]) -> str:
    """The table as people read it: a line for each image, the mean at the bottom.

    The last column is the mean difference and, at the bottom, its standard error over the seeds.
    """
    counts = sorted({row["strokes"] for row in table})
    lines = [
        ["image", *(f"{count} stroke{'s'[: count > 1]} a class" for count in counts), "difference"],
        ["---"] * (len(counts) + 2),
    ]
    for name in dict.fromkeys(row["image"] for row in table):
        lines.append(_line(name, [row for row in table if row["image"] == name], counts))
    of_seeds = np.mean([row["differences"] for row in table], axis=0)
    mean = _line("**mean**", table, counts)
    mean[-1] += f" ± {of_seeds.std(ddof=1) / np.sqrt(len(of_seeds)):.3f}" if len(of_seeds) > 1 else ""
    return "\n".join(f"| {' | '.join(line)} |" for line in [*lines, mean])


def _line(name: str, rows: Sequence[dict[str, Any]], counts: Sequence[int]) -> list[str]:
    cells = []
    for count in counts:
        of_count = [row for row in rows if row["strokes"] == count]
        theirs, ours = (fmean(row[side] for row in of_count) for side in ("sample_app", "squiggle"))
        cells.append(f"{theirs:.3f} → {ours:.3f} ({ours - theirs:+.3f})")
    return [name, *cells, f"{fmean(fmean(row['differences']) for row in rows):+.3f}"]


if __name__ == "__main__":
    print("Mean IoU over five annotations, sample app → Squiggle:\n")
    print(markdown(quality_table()))
