"""NIfTI, volumes of clinics and laboratories, as one file, perhaps compressed."""

from __future__ import annotations

import gzip
import math
from collections.abc import Mapping
from typing import IO, Any, cast

import nibabel
import numpy as np
from nibabel.arrayproxy import ArrayProxy
from numpy.typing import NDArray

from segmentation.io.formats import GZIP
from segmentation.io.instruments.parts import Part, Plane
from segmentation.io.limits import ImageError
from segmentation.io.pixel_size import pixel_size

_UNITS = {"meter": "m", "mm": "mm", "micron": "µm"}
_COLOURS = (("R", "G", "B"), ("R", "G", "B", "A"))


def open_parts(file: IO[bytes], size: int, labels: bool) -> list[Part]:
    """The volume of a file: rows are its second axis and columns its first, in the order in which they are stored.

    Values are scaled where the file says so. A third axis is z, a fourth t, a fifth channels.
    """
    compressed = file.read(2) == GZIP
    file.seek(0)
    data = cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if compressed else file
    kind = nibabel.Nifti2Header if int.from_bytes(data.read(4), "little") in (540, 0x1C020000) else nibabel.Nifti1Header
    data.seek(0)
    header = kind.from_fileobj(data)
    shape = (*header.get_data_shape(), 1, 1, 1, 1, 1)[: max(5, len(header.get_data_shape()))]
    if any(length < 1 for length in shape) or math.prod(shape[5:]) > 1:
        raise ImageError("The NIfTI file has no pixels, or more axes than x, y, z, t and channels.")
    dtype = header.get_data_dtype()
    needed = header.get_data_offset() + math.prod(shape) * dtype.itemsize
    if not compressed and needed > size:
        raise ImageError("The NIfTI file is damaged or incomplete, some of its pixels are missing: copy it again.")
    colour = dtype.names is not None
    if dtype.names not in (None, *_COLOURS) or (colour and shape[4] > 1):
        raise ImageError("The NIfTI file stores its values in a rare way: save them as integers or floats.")
    proxy = ArrayProxy(data, header, mmap=False, keep_file_open=True)
    scaled = (proxy.slope, proxy.inter) != (1, 0)
    _, _, *others = header.get_data_shape()

    def read(place: Mapping[str, int]) -> Plane:
        # Of a colour only what the file holds is taken: nibabel scales it to no other values.
        index: list[Any] = [slice(None), slice(None), place["z"], place["t"], slice(None)][: 2 + len(others)]
        pixels = np.asarray(proxy[tuple(index)])
        if pixels.ndim == 3:
            return Plane(pixels.transpose(1, 0, 2).astype(np.float32 if scaled else pixels.dtype))
        if colour:
            pixels = np.stack([pixels[name] for name in "RGB"], axis=-1)
            return Plane(pixels.transpose(1, 0, 2))
        return Plane(pixels.T.astype(np.float32 if scaled else pixels.dtype))

    return [
        Part(
            shape[1],
            shape[0],
            3 if colour else shape[4],
            np.dtype(np.float32) if scaled else np.dtype(np.uint8) if colour else dtype,
            (("z", shape[2]), ("t", shape[3])),
            read,
            colour=colour,
            pixel_size=_pixel_size(header, len(header.get_data_shape())),
        )
    ]


def _pixel_size(header: Any, axes: int) -> Any:
    unit, _ = header.get_xyzt_units()
    zooms: NDArray[Any] | tuple[float, ...] = header.get_zooms()
    if unit not in _UNITS or axes < 2:
        return None
    return pixel_size(zooms[0], zooms[1], _UNITS[unit], zooms[2] if axes > 2 else None)
