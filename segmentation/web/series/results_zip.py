"""The results of a series to download: one zip archive, made while it is sent."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from segmentation._shared.archive import ZipParts
from segmentation._shared.text import natural_key
from segmentation.io.limits import ImageError, PassingError
from segmentation.io.shares import csv_text, shares_table, spreadsheet_text
from segmentation.model.modelfile import load_model
from segmentation.objects.files import objects_csv
from segmentation.objects.tables import PageTable, unpack_tables
from segmentation.series.inputs import name_results
from segmentation.series.results import file_name
from segmentation.series.run import MODEL_FILE, OBJECT_TABLE, TABLE
from segmentation.web.series.object_files import ObjectFiles
from segmentation.web.store.records import SeriesItem
from segmentation.web.store.series import SeriesStore, UnknownSeriesError

FAILURES, CORRECTIONS_FILE = "failed.csv", "corrections.json"
_ROOT = Path("/")
_NOT_ON_WINDOWS = re.compile(r'[<>:"|?*\\\x00-\x1f]')
_DEVICE = re.compile(r"^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\s*(\.|$))", re.IGNORECASE)
"""What is a device for Windows, with whatever ending."""


def result_names(items: Sequence[SeriesItem]) -> dict[int, str]:
    """The name of each item's result, without its ending, by the number of the item.

    They are those that the command line has, in letters that Windows can unpack; where two were equal then, which they
    are for Windows whatever the case, the later ones are told apart by the hash of their own.
    """
    names = name_results([_ROOT / item.name for item in items])
    found: dict[int, str] = {}
    taken: set[str] = set()
    for item, name in zip(items, names, strict=True):
        unpacked = "/".join(_for_windows(part) for part in name.split("/"))
        if unpacked.casefold() in taken:
            unpacked += f"~{sha256(os.fsencode(name)).hexdigest()[:8]}"
        taken.add(unpacked.casefold())
        found[item.number] = unpacked
    return found


def _for_windows(part: str) -> str:
    part = _NOT_ON_WINDOWS.sub("-", part).rstrip(" .") or "-"
    return _DEVICE.sub(r"\1-", part)


def results_zip(
    store: SeriesStore, session_id: str, series_id: str, object_files: ObjectFiles | None = None
) -> Iterator[bytes]:
    """A zip archive of all that is done: class ids, tables of shares and of all objects, classifier, corrections, and
    what failed.

    No more of it is in memory at a time than the results of one file.

    Args:
        store: where series are.
        session_id: the session.
        series_id: the series.
        object_files: makes of each image also the files of its objects; None leaves them out.

    Yields:
        Its parts.

    Raises:
        UnknownSeriesError: with the first part, if there is no such series.
    """
    items = store.items(session_id, series_id)
    classifier, corrections = store.classifier(session_id, series_id), store.corrections(session_id, series_id)
    names, contents = result_names(items), load_model(classifier)
    classes = contents.classes
    parts, unreadable = ZipParts(), list[tuple[str, str]]()
    with zipfile.ZipFile(parts, "w") as archive:
        for item in (item for item in items if item.state == "done"):
            with suppress(UnknownSeriesError):
                _add(archive, file_name(names[item.number], ".tif"), store.result(session_id, series_id, item.number))
            yield parts.next_part()
            if object_files is not None:
                try:
                    for name, made in object_files.of_item(session_id, series_id, item, names[item.number], contents):
                        _add(archive, name, made)
                except PassingError:
                    raise
                except (UnknownSeriesError, ImageError) as problem:
                    why = str(problem) if isinstance(problem, ImageError) else "Its objects are not kept any more."
                    unreadable.append((item.name, why))
                yield parts.next_part()
        done = [(base_name(item), item.pages) for item in items_in_order(store, session_id, series_id)]
        failed = [(spreadsheet_text(name), why) for name, why in [*failures(items), *unreadable]]
        try:
            objects = all_objects(store, session_id, series_id)
            _add(archive, OBJECT_TABLE, objects_csv(one.named(name, classes) for _, name, one in objects).encode())
        except ValueError as problem:
            failed.append((OBJECT_TABLE, str(problem)))
        yield parts.next_part()
        class_names = {one.id: one.name for one in classes}
        _add(archive, TABLE, shares_table(class_names, done).encode())
        _add(archive, MODEL_FILE, classifier)
        if corrections:
            _add(archive, CORRECTIONS_FILE, corrections)
        if failed:
            _add(archive, FAILURES, csv_text(("image", "reason"), failed).encode())
        yield parts.next_part()
    yield parts.next_part()


def items_in_order(store: SeriesStore, session_id: str, series_id: str) -> list[SeriesItem]:
    """The files of a series that are done, in natural order.

    Raises:
        UnknownSeriesError: if there is no such series.
    """
    done = [one for one in store.items(session_id, series_id) if one.state == "done"]
    return sorted(done, key=lambda one: [natural_key(part) for part in one.name.split("/")])


def all_objects(store: SeriesStore, session_id: str, series_id: str) -> list[tuple[int, str, PageTable]]:
    """The tables of the objects of a series, each with the number and the name of its file, in natural order.

    Raises:
        UnknownSeriesError: if there is no such series.
    """
    found: list[tuple[int, str, PageTable]] = []
    for item in items_in_order(store, session_id, series_id):
        with suppress(UnknownSeriesError):  # of a version before there were tables
            tables = unpack_tables(store.objects(session_id, series_id, item.number))
            places = dict(enumerate((page.get("place") or {} for page in item.pages), start=1))
            found += [(item.number, base_name(item), replace(one, place=places.get(one.page, {}))) for one in tables]
    return found


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o644 << 16
    archive.writestr(info, content)


def base_name(item: SeriesItem) -> str:
    """The name of its file, without folders."""
    return item.name.rpartition("/")[2]


def failures(items: Sequence[SeriesItem]) -> Iterator[tuple[str, str]]:
    """The name of each file that could not be segmented, or not all of its images, and why."""
    for item in items:
        reasons = [page["reason"] for page in item.pages if page.get("reason")] if item.state == "done" else []
        for reason in [item.reason] if item.state == "failed" else reasons:
            yield item.name, reason
