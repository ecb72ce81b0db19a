"""The report and the tables of a series on the page, from what is kept of it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from hashlib import sha256

from segmentation.io.pixel_size import PixelSize
from segmentation.io.shares import shares_table
from segmentation.io.stacks import image_in_words
from segmentation.model.modelfile import ModelContents, load_model
from segmentation.objects.files import objects_csv
from segmentation.objects.measuring import Table
from segmentation.report.figures import scale_bar
from segmentation.report.report import ImageFound, Sureness, classes_found, report_html, size_in_words
from segmentation.web.series.results_zip import all_objects, base_name, failures, items_in_order
from segmentation.web.store.records import SeriesItem
from segmentation.web.store.series import SeriesStore, UnknownSeriesError

MOST_PICTURES = 200
"""Images that are shown; of further ones there are numbers only."""


def series_report(store: SeriesStore, session_id: str, series_id: str) -> str:
    """A report of all that is done, one HTML document."""
    classifier = store.classifier(session_id, series_id)
    contents, found = load_model(classifier), list[ImageFound]()
    tables = {(number, one.page): one.table for number, _, one in all_objects(store, session_id, series_id)}
    for item in items_in_order(store, session_id, series_id):
        picture = b""
        if len(found) < MOST_PICTURES:
            with suppress(UnknownSeriesError):
                picture = store.picture(session_id, series_id, item.number)
        found += _images(item, contents, tables, picture)
    if not found:
        raise ValueError("No image of the series is done yet: there is nothing to report.")
    failed = list(failures(store.items(session_id, series_id)))
    return report_html(contents, sha256(classifier).hexdigest(), found, failed=failed)


def _images(
    item: SeriesItem, contents: ModelContents, tables: Mapping[tuple[int, int], Table], picture: bytes
) -> Iterator[ImageFound]:
    for number, page in enumerate(item.pages, start=1):
        if page.get("reason"):
            continue
        name = image_in_words(base_name(item), number, len(item.pages), page.get("place") or {})
        size = PixelSize.from_json(page["pixel_size"]) if page.get("pixel_size") else None
        facts = [size_in_words(page["rows"], page["columns"], size)]
        facts += [f"channels {', '.join(names)}"] if (names := page.get("channel_names")) else []
        pixels = {int(one): count for one, count in page["pixels"].items()}
        sure = Sureness.of_page(page)
        classes = classes_found(contents.classes, pixels, tables.get((item.number, number)), sure)
        overlay = f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}" if picture and number == 1 else ""
        bar, notes = scale_bar(page["columns"], size), tuple(page.get("notes", ()))
        yield ImageFound(name, tuple(facts), "", overlay, bar, classes, notes, sure.trust, size)


def shares_csv(store: SeriesStore, session_id: str, series_id: str) -> str:
    """The share of each class in each image, as the command line writes it."""
    names = {one.id: one.name for one in load_model(store.classifier(session_id, series_id)).classes}
    done = items_in_order(store, session_id, series_id)
    return shares_table(names, [(base_name(item), item.pages) for item in done])


def all_objects_csv(store: SeriesStore, session_id: str, series_id: str) -> str:
    """The table of all objects.

    Raises:
        ValueError: with the names of the files, if their units differ.
    """
    classes = load_model(store.classifier(session_id, series_id)).classes
    return objects_csv(one.named(name, classes) for _, name, one in all_objects(store, session_id, series_id))


SERIES_FILES: dict[str, Callable[[SeriesStore, str, str], str]] = {
    "shares.csv": shares_csv,
    "objects.csv": all_objects_csv,
    "report.html": series_report,
}
"""What can be downloaded of a series beside its zip."""
