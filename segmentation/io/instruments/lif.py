"""LIF, the files of Leica's microscopes: series, each an image or a stack."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from liffile import LifFile, LifFileType, LifImage

from segmentation.io.instruments.parts import Part, Plane
from segmentation.io.limits import MAX_PAGES, ImageError
from segmentation.io.pixel_size import PixelSize, pixel_size

_DESCRIPTION = "./Data/Image/ImageDescription"
_NUMBERS = {"x": "1", "y": "2", "z": "3"}
_LARGEST_TEXT = 2**27


def open_parts(file: IO[bytes], size: int, labels: bool) -> list[Part]:
    """The series of a file; positions of one are parts of their own. What it says of other files is not opened."""
    letters = int.from_bytes(file.read(13)[9:13], "little")
    if 2 * letters > min(size, _LARGEST_TEXT):
        raise ImageError("The LIF file is damaged: it claims more than it holds.")
    file.seek(0)
    lif = LifFile(file)
    if lif.type not in (LifFileType.LIF, LifFileType.LIFEXT):
        raise ImageError("The LIF file names other files: save it as one LIF file with its pixels.")
    parts: list[Part] = []
    for series in lif.images:
        if isinstance(series, LifImage) and not series.memory_block.frames and {"Y", "X"} <= series.sizes.keys():
            parts += _parts(series)
        if len(parts) > MAX_PAGES:
            break
    return parts


def _parts(series: LifImage) -> list[Part]:
    """A series, or each position of it."""
    sizes = dict(series.sizes)
    samples = sizes.get("S", 1)
    others = [axis for axis in sizes if axis not in ("Y", "X", "S", "Z", "T", "C")]
    if np.prod([sizes[axis] for axis in others], dtype=object) > MAX_PAGES:
        raise ImageError(f"The file has more than {MAX_PAGES} planes: split it first.")
    if samples > 1 and sizes.get("C", 1) > 1:
        raise ImageError("The LIF file stores its colours in a rare way: export it as TIFF first.")
    fastest_first = [axis for axis in reversed(sizes) if axis in ("Z", "T")]
    positions = itertools.product(*(range(sizes[axis]) for axis in others))
    return [
        Part(
            sizes["Y"],
            sizes["X"],
            samples * sizes.get("C", 1),
            np.dtype(series.dtype),
            tuple((axis.lower(), sizes[axis]) for axis in fastest_first),
            _Planes(series, dict(zip(others, position, strict=True))).read,
            colour=samples == 3,
            pixel_size=_pixel_size(series),
            channel_names=_channel_names(series) if samples == 1 else (),
        )
        for position in positions
    ]


@dataclass(frozen=True)
class _Planes:
    """The planes of a series at a position."""

    series: LifImage
    position: Mapping[str, int]

    def read(self, place: Mapping[str, int]) -> Plane:
        """The plane at a place, with all its channels."""
        frames = self.series.frames
        if frames.frame_dims not in (("Y", "X"), ("Y", "X", "S")):
            raise ImageError("The LIF file stores its planes in a rare way: export it as TIFF first.")
        where = dict(self.position) | {axis.upper(): index for axis, index in place.items()}
        between = [axis for axis in frames.dims if axis not in frames.frame_dims]

        def frame(channel: int) -> Any:
            index = where | {"C": channel}
            return frames[tuple(index[axis] for axis in between)]

        if "C" not in between:
            return Plane(np.asarray(frame(0)))
        return Plane(np.stack([frame(channel) for channel in range(self.series.sizes["C"])], axis=-1))


def _channel_names(series: LifImage) -> tuple[str, ...]:
    channels = series.xml_element.findall(f"{_DESCRIPTION}/Channels/ChannelDescription")
    return tuple(channel.attrib.get("LUTName", "") for channel in channels)


def _pixel_size(series: LifImage) -> PixelSize | None:
    """From the length of each axis, which is that from its first to its last place."""
    steps: dict[str, float] = {}
    units = set()
    for axis in series.xml_element.findall(f"{_DESCRIPTION}/Dimensions/DimensionDescription"):
        for name, number in _NUMBERS.items():
            places = int(axis.attrib["NumberOfElements"])
            if axis.attrib["DimID"] == number and places > 1:
                steps[name] = abs(float(axis.attrib["Length"])) / (places - 1)
                units.add(axis.attrib["Unit"])
    if not {"x", "y"} <= steps.keys() or units != {"m"}:
        return None
    in_micrometres = {name: step * 1e6 for name, step in steps.items()}
    return pixel_size(in_micrometres["x"], in_micrometres["y"], "µm", in_micrometres.get("z"))
