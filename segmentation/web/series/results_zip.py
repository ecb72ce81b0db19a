"""What a series takes home: one zip archive, made while it is sent."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from segmentation.io.shares import shares_table, spreadsheet_text
from segmentation.series.inputs import name_results
from segmentation.series.jobs import Model
from segmentation.series.run import MODEL_FILE, TABLE
from segmentation.web.store.records import SeriesItem
from segmentation.web.store.series import SeriesStore, UnknownSeriesError

FAILURES = "failed.csv"
_ROOT = Path("/")


class _Outbox(io.RawIOBase):
    """Takes what is written, and hands it over from time to time."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        part = bytes(data)  # type: ignore[call-overload]
        self._parts.append(part)
        return len(part)

    def taken(self) -> bytes:
        """What was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


def result_names(items: Sequence[SeriesItem]) -> dict[int, str]:
    """The name of each item's result, without its ending, by the number of the item: as the command line has them."""
    names = name_results([_ROOT / item.name for item in items])
    return {item.number: name for item, name in zip(items, names, strict=True)}


def results_zip(store: SeriesStore, session_id: str, series_id: str) -> Iterator[bytes]:
    """A zip archive of all that is done: class ids, the table of shares, the classifier, and what failed.

    No more of it is in memory at a time than one result.

    Raises:
        UnknownSeriesError: with the first part, if there is no such series.
    """
    items = store.items(session_id, series_id)
    classifier = store.classifier(session_id, series_id)
    names = result_names(items)
    outbox = _Outbox()
    with zipfile.ZipFile(outbox, "w") as archive:
        for item in (item for item in items if item.state == "done"):
            with suppress(UnknownSeriesError):
                _add(archive, f"{names[item.number]}.tif", store.result(session_id, series_id, item.number))
            yield outbox.taken()
        done = [(_base(item), item.pages) for item in items if item.state == "done"]
        _add(archive, TABLE, shares_table(Model(classifier, 1).names, done).encode())
        _add(archive, MODEL_FILE, classifier)
        failed = [item for item in items if item.state == "failed"]
        if failed:
            _add(archive, FAILURES, _failures(failed).encode())
        yield outbox.taken()
    yield outbox.taken()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o644 << 16
    archive.writestr(info, content)


def _base(item: SeriesItem) -> str:
    return item.name.rpartition("/")[2]


def _failures(items: Sequence[SeriesItem]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["image", "reason"])
    for item in items:
        table.writerow([spreadsheet_text(item.name), item.reason])
    return text.getvalue()
