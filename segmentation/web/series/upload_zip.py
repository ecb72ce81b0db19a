"""Image files that come in for a series: one at a time, or many in a zip archive of a stranger's."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from segmentation._shared.archive import MAX_RATIO, SMALL
from segmentation._shared.text import MAX_NAME_LENGTH, natural_key, printable
from segmentation._shared.zip_table import zip_table
from segmentation.io.zarr_documents import MARKS
from segmentation.series.inputs import READ_SUFFIXES, image_suffix

MAX_MEMBERS = 20_000
MAX_TABLE_BYTES = 8 * 2**20


class ZipError(ValueError):
    """A zip archive cannot be used; the message is a sentence that says why."""


class ZippedZarrError(ZipError):
    """A zip archive holds no image files, and is an OME-Zarr itself."""


@dataclass(frozen=True)
class Incoming:
    """A file that came in: its name with folders, and its content, or else the reason why there is none."""

    name: str
    content: bytes
    reason: str = ""


def is_zip(head: bytes) -> bool:
    """Whether a file that begins like this is a zip archive."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def shown_path(name: str) -> str:
    """A name with its folders, fit to be shown; it is never used as a path."""
    parts = [part.strip() for part in printable(name.replace("\\", "/")).split("/")]
    return "/".join(part for part in parts if part not in ("", ".", ".."))[-MAX_NAME_LENGTH:].lstrip("/") or "image"


def unpacked(file: IO[bytes], *, max_images: int, max_image_bytes: int, max_bytes: int) -> Iterator[Incoming]:
    """The images in a zip archive, one at a time; what is no image by its name is passed over.

    Args:
        file: open for reading, and to be moved about in.
        max_images: that there may be.
        max_image_bytes: that each may unpack to.
        max_bytes: that all may unpack to together.

    Raises:
        ZippedZarrError: before the first image, if the archive is an OME-Zarr.
        ZipError: before the first image, if the archive as a whole cannot be used.
    """
    _check_table(file)
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, struct.error, OSError, ValueError, NotImplementedError) as error:
        raise ZipError("It is not a zip archive, or not a whole one.") from error
    _refuse_shared_content(archive.infolist())
    images = sorted(filter(_is_image, archive.infolist()), key=lambda info: natural_key(shown_path(info.filename)))
    if not images and any(info.filename.rpartition("/")[2] in MARKS for info in archive.infolist()):
        raise ZippedZarrError("It is a zipped OME-Zarr.")
    if not images:
        raise ZipError(f"It holds no image file ({', '.join(sorted(READ_SUFFIXES))}).")
    if len(images) > max_images:
        raise ZipError(f"It holds {len(images):,} images, more than the {max_images:,} that a series may have.")
    unpacked_bytes = sum(info.file_size for info in images)
    if unpacked_bytes > max_bytes:
        raise ZipError(f"Its images unpack to more than the {max_bytes / 2**20:,.0f} MB that are left for series.")
    if unpacked_bytes > SMALL + MAX_RATIO * file.seek(0, 2):
        raise ZipError(f"Its images unpack to {unpacked_bytes / 2**20:,.0f} MB, far more than so small a file holds.")
    for info in images:
        name = shown_path(info.filename)
        try:
            yield Incoming(name, _read(archive, info, max_image_bytes))
        except ZipError as reason:
            yield Incoming(name, b"", str(reason))


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    if info.flag_bits & 0x1:
        raise ZipError("It is encrypted: save the archive without a password.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ZipError("It is compressed in a way that is not read here: save the archive anew.")
    if info.file_size > most:
        raise ZipError(
            f"It unpacks to {info.file_size / 2**20:,.0f} MB; this server takes at most {most / 2**20:,.0f}."
        )
    try:
        with archive.open(info) as member:
            content = member.read(info.file_size + 1)
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise ZipError("It is damaged in the archive.") from error
    if len(content) != info.file_size:
        raise ZipError("It is damaged in the archive.")
    return content


def _is_image(info: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(info.filename.replace("\\", "/"))
    hidden = any(part.startswith((".", "__MACOSX")) and part not in (".", "..") for part in path.parts)
    return not info.filename.endswith("/") and not hidden and image_suffix(path) in READ_SUFFIXES


def _check_table(file: IO[bytes]) -> None:
    """Refuse a table of contents that would take much memory to read, or that lies."""
    table = zip_table(file, MAX_TABLE_BYTES)
    if table is None:
        raise ZipError("It is not a zip archive, or not a whole one.")
    if table.members > MAX_MEMBERS or table.nbytes > MAX_TABLE_BYTES or table.zip64:
        raise ZipError(f"It holds more than {MAX_MEMBERS:,} files: send fewer at once.")
    if not table.honest:
        raise ZipError("Its table of contents is not in order.")


def _refuse_shared_content(infos: list[zipfile.ZipInfo]) -> None:
    """Refuse members that share their content: a small archive would unpack to any size."""
    end = 0
    for info in sorted(infos, key=lambda one: one.header_offset):
        if info.header_offset < end:
            raise ZipError("Its files overlap in the archive.")
        end = info.header_offset + info.compress_size
