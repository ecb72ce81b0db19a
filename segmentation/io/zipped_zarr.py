"""Zipped OME-Zarr: where in the zip the image lies, once its table has been looked at."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from segmentation.io.limits import MAX_METADATA_BYTES, ImageError, unread
from segmentation.io.zarr_documents import MARKS, METADATA

ZIPPED_ZARR = ".ozx"
"""What the name of a zipped OME-Zarr ends with."""

MAX_ENTRIES = 2**17
"""Files that a zip may hold: chunks of 1024 x 1024 of 100 gigapixels, and those of the levels."""

MAX_ENTRY_BYTES = 2**28
"""Bytes that an entry of a zip may unfold into; one that is stored as it is may have more, of which parts are read."""


def is_zipped_zarr(path: Path) -> bool:
    """Whether a path is that of a zipped OME-Zarr, by its name."""
    return path.suffix.lower() == ZIPPED_ZARR and path.is_file()


def open_zip(path: Path, name: str) -> tuple[Any, str]:
    """The store that a zip is, and the folder in it that holds the image: its top, which is empty, or its only folder.

    Args:
        path: of the zip.
        name: what it is called.

    Raises:
        ImageError: with a sentence, if it is damaged, holds too much, or no image.
    """
    from zarr.storage import ZipStore

    store = ZipStore(path, mode="r")
    try:
        store._sync_open()  # its table is read once, and what is in it is asked of the store
        return store, _root(store._zf.infolist(), name)
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        if store._is_open:
            store.close()
        if isinstance(error, ImageError):
            raise
        raise unread(error, f"{name} cannot be read.", f"{name} is damaged or incomplete: copy it again.") from error


def _root(entries: list[zipfile.ZipInfo], name: str) -> str:
    """The folder of the zip that holds the image; empty if that is its top."""
    if len(entries) > MAX_ENTRIES:
        raise ImageError(
            f"{name} holds {len(entries):,} files, but at most {MAX_ENTRIES:,} are read: save it with larger chunks, "
            "or with shards."
        )
    for entry in entries:
        is_metadata = entry.filename.rpartition("/")[2] in METADATA
        packed = entry.compress_type != zipfile.ZIP_STORED
        if entry.file_size > (MAX_METADATA_BYTES if is_metadata else MAX_ENTRY_BYTES) and (packed or is_metadata):
            raise ImageError(f"{name} holds a part of {entry.file_size / 1e6:,.0f} MB, which is too large to be read.")
    tops = {entry.filename.partition("/")[0] for entry in entries if "/" in entry.filename}
    names = {entry.filename for entry in entries}
    for root in ("", *sorted(tops)):
        if {f"{root}/{one}".lstrip("/") for one in MARKS} & names:
            return root
    raise ImageError(f"{name} is a zip without an OME-Zarr image.")
