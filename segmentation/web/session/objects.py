"""The objects of the current image: for the page's table, as files, and in a report."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.archive import pack
from segmentation.assessment.counting import RecountedObjects
from segmentation.model.modelfile import load_model
from segmentation.objects import files
from segmentation.objects.correcting import correction_note
from segmentation.objects.files import NamedObjects
from segmentation.objects.labelling import TooManyObjects
from segmentation.objects.measured import MeasuredObjects, find_objects, number_objects
from segmentation.objects.splitting import Splitter
from segmentation.objects.steps import CleanUpStep
from segmentation.objects.tables import packed_head
from segmentation.report.report import Sureness, image_found, report_html
from segmentation.web.session.stacks import page_in_file
from segmentation.web.session.training import Result
from segmentation.web.session.whole_results import Turn


def objects_of(result: Result, ids: NDArray[np.uint8]) -> NamedObjects:
    """The objects of all classes that a session has.

    Args:
        result: of the session.
        ids: its segmentation, cleaned up.

    Raises:
        TooManyObjects: if there are more than can be measured.
    """
    found = find_objects(ids, result.state.classes.values(), result.image, steps=result.state.clean_up)
    return NamedObjects(result.state.image["name"], _page(result)[0], found, result.image.place)


def _page(result: Result) -> tuple[int, int]:
    """Which image of its file it is, from 1, and how many there are."""
    image = result.state.image
    page = page_in_file(image)
    return (1, 1) if page is None else (page, len(result.state.stacks[image["stack"]]["planes"]))


def objects_csv(result: Result, ids: NDArray[np.uint8]) -> bytes:
    """A table of all objects."""
    return files.objects_csv([objects_of(result, ids)]).encode()


def objects_zip(result: Result, ids: NDArray[np.uint8]) -> bytes:
    """The table, numbers at each pixel, and outlines for QuPath, for ImageJ, and as COCO has them."""
    found = [objects_of(result, ids)]
    return pack(
        {
            "objects.csv": files.objects_csv(found).encode(),
            "objects.tif": files.labels_tiff([found[0].objects], like=result.image),
            "qupath.geojson": files.geojson(found),
            "imagej_rois.zip": files.imagej_rois(found),
            "coco.json": files.coco_json(found),
        }
    )


def session_report(
    result: Result,
    ids: NDArray[np.uint8],
    classifier_file: bytes,
    margins: Mapping[int, float],
    again: RecountedObjects,
    scores: str,
    turn: Turn,
) -> bytes:
    """The report of the current image.

    Args:
        result: of the session.
        ids: its segmentation, cleaned up and corrected.
        classifier_file: as it is downloaded.
        margins: by class id, how far its share may be off to either side.
        again: the segmentations in which objects are counted again.
        scores: a sentence on how good the classifier is.
        turn: entered for each step that looks at the whole image.
    """
    page, pages = _page(result)
    named = {"name": result.state.image["name"], "page": page, "pages": pages}
    image = replace(result.image, metadata=result.image.metadata | named)
    contents = load_model(classifier_file)
    note = correction_note(result.training_set.corrections, ids)
    try:
        with turn():
            counts = Counter(objects_of(result, ids).objects.table["class_id"].tolist())
    except TooManyObjects:
        bounds = {}
    else:
        steps = result.state.clean_up
        bounds = again.bounds({one: counts[one] for one in result.state.classes}, steps, turn)
    with turn():
        found = image_found(image, ids, contents, notes=[note] if note else [], sure=Sureness(margins, bounds))
        return report_html(contents, sha256(classifier_file).hexdigest(), [found], scores).encode()


def objects_for_page(result: Result, ids: NDArray[np.uint8]) -> bytes:
    """The table and the number of the object at each pixel, as the page reads them.

    Returns:
        Compressed by zlib: :func:`~segmentation.objects.tables.packed_head` of a JSON object (``columns``: their names,
        ``objects``, ``rows`` and ``across``: rows and columns of the image), each column as float64, and the number of
        the object at each pixel, uint32; all of it little-endian.
    """
    found: MeasuredObjects = objects_of(result, ids).objects
    return zlib.compress(_packed_table(found) + found.labels.astype("<u4").tobytes(), 1)


def measures_for_page(result: Result, ids: NDArray[np.uint8]) -> bytes:
    """As :func:`objects_for_page`, without the numbers at the pixels."""
    return zlib.compress(_packed_table(objects_of(result, ids).objects), 1)


def outlines_for_page(
    result: Result, ids: NDArray[np.uint8], steps: Sequence[CleanUpStep], splitter: Splitter
) -> bytes:
    """The number of the object at each pixel, as :func:`objects_for_page` has it, with no columns.

    Args:
        result: of the session.
        ids: its segmentation.
        steps: of a clean-up that is tried out, of which those that split objects count.
        splitter: splits them, step by step of a slider.
    """
    labels, class_of = number_objects(ids, result.state.classes.values(), steps=steps, splitter=splitter)
    return zlib.compress(_head([], len(class_of), labels.shape) + labels.astype("<u4").tobytes(), 1)


def _packed_table(found: MeasuredObjects) -> bytes:
    columns = [np.asarray(column, "<f8").tobytes() for column in found.table.values()]
    return _head(list(found.table), len(found), found.labels.shape) + b"".join(columns)


def _head(columns: list[str], objects: int, shape: tuple[int, ...]) -> bytes:
    return packed_head({"columns": columns, "objects": objects, "rows": shape[0], "across": shape[1]})
