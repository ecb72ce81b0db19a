"""The images of files of microscopes and clinics, read one plane at a time."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import RLock
from typing import IO, TYPE_CHECKING

from segmentation.io.instruments.parts import Part, check_planes
from segmentation.io.limits import ImageError, Limits, damage_reported
from segmentation.io.pixels import Decoded

if TYPE_CHECKING:
    from typing_extensions import Buffer

_CALLED = {
    "CZI": "a Zeiss CZI file",
    "ND2": "a Nikon ND2 file",
    "LIF": "a Leica LIF file",
    "DICOM": "a DICOM file",
    "NIfTI": "a NIfTI file",
    "HDF5": "an HDF5 file",
}

INSTRUMENT_FORMATS = frozenset(_CALLED)
"""The formats that are read here."""

_ONE_AT_A_TIME = RLock()  # warnings are a matter of the whole process, and not all readers can do two things at once


def read_images(
    kind: str, file: IO[bytes], size: int, limits: Limits, first: int = 1, *, labels: bool = False
) -> tuple[int, Iterator[Decoded | ImageError]]:
    """The images of a file, each read when it is asked for.

    Args:
        kind: one of :data:`INSTRUMENT_FORMATS`.
        file: open for reading as long as images are asked for.
        size: bytes in the file.
        limits: what each image may take.
        first: the image to begin with, counted from 1.
        labels: the pixels are class ids: refuse what a compression has changed.

    Returns:
        The number of images in the file, and the images from the first on, or what is wrong with one.

    Raises:
        ImageError: if the file as a whole is damaged or of an unknown kind, or there is no reader for it.
    """
    try:
        reader = import_module(f"segmentation.io.instruments.{kind.lower()}")
    except ModuleNotFoundError as error:
        raise ImageError(
            f"This is {_CALLED[kind]}, and what reads it is not installed here: pip install squiggle[formats], or "
            "export it as TIFF first."
        ) from error
    with damage_reported(kind), _quiet():
        file.seek(0)
        parts: list[Part] = reader.open_parts(io.BufferedReader(_Nameless(file)), size, labels)
        check_planes(parts)
    pages = sum(part.planes for part in parts)
    wanted = [(part, index) for part in parts for index in range(part.planes)][first - 1 :]
    return pages, (_read(kind, part, index, limits, len(parts) == 1) for part, index in wanted)


class _Nameless(io.RawIOBase):
    """A file of which a reader does not learn where it lies, so that it looks for no others beside it."""

    name = ""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer).cast("B")
        data = self._file.read(len(view))
        view[: len(data)] = data
        return len(data)


def _read(kind: str, part: Part, index: int, limits: Limits, alike: bool) -> Decoded | ImageError:
    try:
        with damage_reported(kind), _quiet():
            part.check(limits)
            plane = part.read(part.place(index))
    except ImageError as error:
        return error
    about: dict[str, object] = {"alike": alike, "described_by": kind}
    if part.pixel_size is not None:
        about["pixel_size"] = part.pixel_size.to_json()
    if any(part.channel_names):
        about["channel_names"] = list(part.channel_names)
    if alike:
        about["stack"] = [[axis, length] for axis, length in part.axes]
    bits = part.bits or 8 * plane.pixels.dtype.itemsize
    return Decoded(plane.pixels, bits, part.colour, part.notes, about, plane.no_data)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep readers from telling the log about a stranger's file; what matters is raised."""
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = ("pydicom", "nd2", "liffile", "nibabel.global", "czifile")
        levels = [(logger := logging.getLogger(name), logger.level) for name in names]
        try:
            for logger, _ in levels:
                logger.setLevel(logging.CRITICAL + 1)
            yield
        finally:
            for logger, level in levels:
                logger.setLevel(level)
