"""Images from files, beside what is known about their pixels: labels, strokes, or masks of what is true."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.text import counted
from segmentation.features.spec import FeatureSpec
from segmentation.io.image import Image
from segmentation.io.limits import PageError
from segmentation.io.masks import is_black_and_white, read_masks
from segmentation.io.read import read_stack
from segmentation.io.stacks import image_in_words
from segmentation.io.volumes import in_slabs
from segmentation.series.inputs import is_zarr
from segmentation.strokes.document import StrokesDocument
from segmentation.strokes.raster import paint
from segmentation.strokes.stroke import Stroke


@dataclass
class TrainingData:
    """What a classifier is trained on.

    Attributes:
        images: those on which something is labelled, in the order in which they are learnt from.
        labels: of each of them, ``(rows, columns)`` uint8, 0 = unlabelled.
        strokes: those on each image by its hash, in the order of the documents.
    """

    images: list[Image]
    labels: list[NDArray[np.uint8]]
    strokes: dict[str, tuple[Stroke, ...]]


def read_with_masks(
    image_path: Path, mask_path: Path, values: Mapping[int, int] | None, spec: FeatureSpec | None = None
) -> Iterator[tuple[Image, NDArray[np.uint8]]]:
    """Each image of a file with its mask: those of a stack belong together page by page.

    Args:
        image_path: of the image or stack.
        mask_path: of the mask or stack of masks.
        values: the class id that each value of the masks stands for; None takes the values as they are.
        spec: which features look at the images, perhaps at several together.

    Yields:
        An image, and ``(rows, columns)`` uint8 class ids, which perhaps do not fit it.

    Raises:
        ValueError: if one of the files cannot be read, or they do not hold as many.
    """
    refuse_zarr(image_path, mask_path)
    with closing(read_stack(image_path)) as images, closing(read_masks(mask_path, values)) as masks:
        try:
            for image, mask in zip(_as_seen(images, spec), masks, strict=False):
                there, given = image.metadata["pages"], mask.metadata["pages"]
                if there != given:
                    raise ValueError(
                        f"{image_path.name} holds {counted(there, 'image')}, but {mask_path.name} holds "
                        f"{given}: give one for each, in the same order."
                    )
                yield image, mask.pixels
        except PageError as error:
            raise ValueError(f"{image_path.name}: {error}") from error


def refuse_zarr(*paths: Path) -> None:
    """Refuse Zarr arrays where image files are asked for.

    Raises:
        ValueError: if one of the paths is that of one.
    """
    for path in paths:
        if is_zarr(path):
            raise ValueError(
                f"{path.name} is a Zarr array: strokes, labels and masks belong to image files. Give the part of it "
                "that they belong to as a TIFF."
            )


def read_training_data(
    images: Sequence[Path],
    labels: Sequence[Path],
    values: Mapping[int, int] | None,
    documents: Mapping[Path, StrokesDocument],
    spec: FeatureSpec | None = None,
) -> TrainingData:
    """Reads what a classifier is trained on; no more images are in memory than something is labelled on.

    Args:
        images: images and stacks of images.
        labels: as many files of labels, or none.
        values: the class id that each value of the labels stands for; None takes the values as they are.
        documents: strokes, by the path of their file; they are painted over the labels.
        spec: which features look at the images, perhaps at several together.

    Raises:
        ValueError: if a file cannot be read or used, or strokes were drawn on an image that is not there.
    """
    drawn_on = {drawing.image_hash for document in documents.values() for drawing in document.drawings}
    kept: list[tuple[Image, NDArray[np.uint8]]] = []
    channels: dict[str, int] = {}
    for number, path in enumerate(images):
        for read, labelled in _with_labels(path, labels[number] if labels else None, values, spec):
            image = read.known_as(next((one for one in read.hashes if one in drawn_on), read.hash))
            if documents:
                channels[image.hash] = image.channels
            if not kept or labelled.any() or labelled.shape != image.shape or image.hash in drawn_on & channels.keys():
                kept.append((image, labelled))
    strokes = strokes_by_image(channels, documents)
    for image_hash, drawn in strokes.items():
        image, labelled = next(one for one in kept if one[0].hash == image_hash)
        if labelled.shape == image.shape:
            paint(labelled, drawn)
    if strokes:  # as in the page: images in the order of the session
        order = list(strokes)
        kept.sort(key=lambda one: order.index(one[0].hash) if one[0].hash in strokes else len(order))
    used = [one for one in kept if one[1].any() or one[1].shape != one[0].shape] or kept
    learnt_from = {image.hash: strokes[image.hash] for image, _ in used if image.hash in strokes}
    return TrainingData([image for image, _ in used], [labelled for _, labelled in used], learnt_from)


def _with_labels(
    path: Path, labels: Path | None, values: Mapping[int, int] | None, spec: FeatureSpec | None
) -> Iterator[tuple[Image, NDArray[np.uint8]]]:
    """Each image of a file with its labels, or with none.

    Raises:
        ValueError: as :func:`read_with_masks`, if labels hold nothing but 0 and 255, or all lie where there is no data.
    """
    if labels is not None:
        for image, labelled in read_with_masks(path, labels, values, spec):
            if image.no_data is not None and labelled.any() and not labelled[~image.no_data].any():
                about = image.metadata
                which = image_in_words(path.name, about["page"], about["pages"], image.place)
                raise ValueError(f"{which}: all that is labelled lies where the image holds no data.")
            if values is None and is_black_and_white(labelled):
                raise ValueError(
                    f"{labels.name} holds nothing but 0 and 255: say which classes they stand for, such as "
                    "--map 0=1,255=2 (0 as a class: unlabelled)."
                )
            yield image, labelled
        return
    refuse_zarr(path)
    with closing(read_stack(path)) as images:
        for image in _as_seen(images, spec):
            yield image, np.zeros(image.shape, np.uint8)


def _as_seen(images: Iterable[Image], spec: FeatureSpec | None) -> Iterable[Image]:
    """The images, with those around them if features look at several."""
    return in_slabs(images, spec.depth_halo) if spec is not None and spec.looks_around else images


def strokes_by_image(
    channels: Mapping[str, int], documents: Mapping[Path, StrokesDocument]
) -> dict[str, tuple[Stroke, ...]]:
    """The strokes on each of the images, in the order in which the documents name them.

    Args:
        channels: of each image, by its hash.
        documents: strokes, by the path of their file.

    Raises:
        ValueError: if strokes were drawn on an image that is not there; those with other channels do not count.
    """
    strokes: dict[str, tuple[Stroke, ...]] = {}
    for path, document in documents.items():
        for drawing in document.drawings:
            if drawing.image_hash in channels:
                strokes[drawing.image_hash] = strokes.get(drawing.image_hash, ()) + drawing.strokes
            elif len(document.drawings) == 1:
                raise ValueError(f"The strokes in {path.name} were drawn on another image.")
            elif drawing.strokes and (drawing.channels is None or drawing.channels in channels.values()):
                rows, columns = drawing.image_shape
                name = f"{drawing.name!r}, " if drawing.name else ""
                raise ValueError(
                    f"Some strokes in {path.name} were drawn on an image that was not given: {name}{columns} x {rows} "
                    f"pixels, {drawing.image_hash[:8]}…"
                )
    return strokes
