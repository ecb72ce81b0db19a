"""DICOM, the files of clinics: an image, or several frames of it. What is compressed is unpacked by imagecodecs."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

import imagecodecs
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.encaps import get_frame
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import pixel_array

from segmentation.io.headers import jpeg_2000_size
from segmentation.io.instruments.parts import Part, Plane
from segmentation.io.limits import MAX_PAGES, ImageError
from segmentation.io.pixel_size import PixelSize, pixel_size
from segmentation.io.pixels import LOSSY_LABELS

_PLAIN = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.5"}
"""Little and big endian, and runs of equal bytes."""

_DEFLATED, _BEGINNING = b"1.2.840.10008.1.2.1.99", 4096
"""What is compressed as a whole would be unpacked before anybody can say how large it is."""

_JPEG = "1.2.840.10008.1.2.4."
_CODECS: dict[str, Any] = {
    "50": imagecodecs.jpeg8_decode,
    "51": imagecodecs.jpeg_decode,
    "57": imagecodecs.ljpeg_decode,
    "70": imagecodecs.ljpeg_decode,
    "80": imagecodecs.jpegls_decode,
    "81": imagecodecs.jpegls_decode,
    "90": imagecodecs.jpeg2k_decode,
    "91": imagecodecs.jpeg2k_decode,
}
_LOSSY = {"50", "51", "81", "91"}
_JPEG_2000 = {"90", "91"}
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_WHITE = "Small values are white in this image; its values are as the file has them."


def open_parts(file: IO[bytes], size: int, labels: bool) -> list[Part]:
    """The frames of a file. What it says of other files is not opened, and what names no pixels is refused."""
    if _DEFLATED in file.read(_BEGINNING):
        raise ImageError("The DICOM file is compressed as a whole: save it anew without compression.")
    file.seek(0)
    dataset = pydicom.dcmread(file)
    syntax = str(dataset.file_meta.TransferSyntaxUID)
    codec = syntax.removeprefix(_JPEG) if syntax.startswith(_JPEG) else ""
    if syntax not in _PLAIN and codec not in _CODECS:
        raise ImageError("The DICOM file is compressed in a rare way: save it anew without compression.")
    if labels and codec in _LOSSY:
        raise ImageError(LOSSY_LABELS)
    if not any(name in dataset for name in _PIXELS):
        raise ImageError("The DICOM file holds no pixels.")
    if int(dataset.get("TotalPixelMatrixColumns") or 0) > int(dataset.Columns):
        raise ImageError("The DICOM file is a slide cut into tiles: convert it to OME-TIFF or OME-Zarr first.")
    samples, frames = int(dataset.SamplesPerPixel), int(dataset.get("NumberOfFrames") or 1)
    if samples not in (1, 3) or frames > MAX_PAGES:
        raise ImageError("The DICOM file has a rare number of channels, or more frames than can be used.")
    colours = str(dataset.PhotometricInterpretation)
    palette = colours == "PALETTE COLOR" and not labels
    reader = _Frames(dataset, codec, palette, _rescaling(dataset) if samples == 1 and not palette else None)
    depth = (("z", frames),) if frames > 1 else ()
    return [
        Part(
            int(dataset.Rows),
            int(dataset.Columns),
            3 if palette else samples,
            reader.dtype,
            depth,
            reader.read,
            colour=samples == 3 or palette,
            bits=None if palette else int(dataset.get("BitsStored") or dataset.BitsAllocated),
            pixel_size=_pixel_size(dataset, frames > 1),
            notes=(_WHITE,) if colours == "MONOCHROME1" else (),
        )
    ]


@dataclass(frozen=True)
class _Frames:
    """The frames of a file.

    Attributes:
        dataset: the file.
        codec: how they are compressed; empty if they are not.
        palette: whether they are indices of a palette, which becomes colours.
        rescaling: slope and intercept of the values, if there are any.
    """

    dataset: Any
    codec: str
    palette: bool
    rescaling: tuple[float, float] | None

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the values that :meth:`read` gives."""
        if self.palette:
            return np.dtype(np.uint8)
        stored = self._stored_type()
        if self.rescaling is None:
            return stored
        slope, intercept = self.rescaling
        if slope != 1 or intercept != int(intercept) or stored.kind not in "iu" or abs(intercept) > 2**30:
            return np.dtype(np.float32)
        bits = int(self.dataset.BitsStored)
        low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if stored.kind == "i" else (0, 2**bits - 1)
        kept = (np.int16, np.uint16, np.int32)
        ends = low + int(intercept), high + int(intercept)
        return next(
            (np.dtype(one) for one in kept if all(np.iinfo(one).min <= end <= np.iinfo(one).max for end in ends)),
            np.dtype(np.float32),
        )

    def _stored_type(self) -> np.dtype[Any]:
        bits = int(self.dataset.get("BitsAllocated") or 0)
        if "PixelData" not in self.dataset:
            return np.dtype(f"f{bits // 8}")
        if bits not in (1, 8, 16, 32):
            raise ImageError("The DICOM file stores its values in a rare way: save them anew.")
        sign = "i" if self.dataset.get("PixelRepresentation") else "u"
        return np.dtype(f"{sign}{max(1, bits // 8)}")

    def read(self, place: Mapping[str, int]) -> Plane:
        """A frame."""
        number = place.get("z", 0)
        pixels = self._unpacked(number) if self.codec else pixel_array(self.dataset, index=number)
        pixels = pixels.reshape(int(self.dataset.Rows), int(self.dataset.Columns), -1)
        if self.palette:
            colours = apply_color_lut(pixels[..., 0], self.dataset)
            return Plane((colours[..., :3] >> (8 * (colours.dtype.itemsize - 1))).astype(np.uint8))
        if self.rescaling is None:
            return Plane(pixels)
        slope, intercept = self.rescaling
        exact = self.dtype.kind in "iu"
        return Plane(
            (pixels.astype(np.int64) + int(intercept) if exact else pixels * slope + intercept).astype(self.dtype)
        )

    def _unpacked(self, number: int) -> NDArray[Any]:
        """A frame that is compressed, if it unfolds into what the file says of it."""
        dataset = self.dataset
        data = get_frame(dataset.PixelData, number, number_of_frames=int(dataset.get("NumberOfFrames") or 1))
        rows, columns, samples = int(dataset.Rows), int(dataset.Columns), int(dataset.SamplesPerPixel)
        claimed = jpeg_2000_size(data)[:3] if self.codec in _JPEG_2000 else _claimed(data)
        if claimed != (rows, columns, samples):
            raise ImageError("The DICOM file is damaged: a frame is not as large as it says.")
        pixels = np.asarray(_CODECS[self.codec](data))
        stored = self._stored_type()
        bits = int(dataset.BitsStored)
        if stored.kind == "i" and pixels.dtype.kind == "u":  # JPEG knows no signs
            shift = 8 * stored.itemsize - bits
            pixels = (pixels.astype(stored) << shift) >> shift
        return pixels.astype(stored)


def _claimed(data: bytes) -> tuple[int, int, int]:
    """Rows, columns and channels that a JPEG or JPEG-LS says it has."""
    at = 2
    while True:
        marker, length = struct.unpack_from(">HH", data, at)
        if marker & 0xFF00 != 0xFF00:
            raise ImageError("The DICOM file is damaged: a frame is no JPEG.")
        if (0xFFC0 <= marker <= 0xFFCF and marker not in (0xFFC4, 0xFFC8, 0xFFCC)) or marker == 0xFFF7:
            _, rows, columns, channels = struct.unpack_from(">BHHB", data, at + 4)
            return rows, columns, channels
        at += 2 + length


def _shared(dataset: Any, sequence: str, name: str) -> Any:
    """A value of all frames, as files of several frames say it, or as the others do; None if it is missing."""
    groups = dataset.get("SharedFunctionalGroupsSequence") or []
    inside = (groups[0].get(sequence) or []) if groups else []
    return dataset.get(name) if not inside or inside[0].get(name) is None else inside[0].get(name)


def _rescaling(dataset: Any) -> tuple[float, float] | None:
    slope = _shared(dataset, "PixelValueTransformationSequence", "RescaleSlope")
    intercept = _shared(dataset, "PixelValueTransformationSequence", "RescaleIntercept")
    if slope is None or intercept is None or (float(slope), float(intercept)) == (1, 0):
        return None
    return float(slope), float(intercept)


def _pixel_size(dataset: Any, deep: bool) -> PixelSize | None:
    spacing = _shared(dataset, "PixelMeasuresSequence", "PixelSpacing")
    if spacing is None or len(spacing) != 2:
        return None
    between = _shared(dataset, "PixelMeasuresSequence", "SpacingBetweenSlices")
    thick = _shared(dataset, "PixelMeasuresSequence", "SliceThickness")
    distance = (between or thick) if deep else None
    return pixel_size(spacing[1], spacing[0], "mm", None if distance is None else abs(float(distance)))
