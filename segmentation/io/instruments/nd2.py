"""ND2, the files of Nikon's microscopes: stacks, at one or several positions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from nd2 import ND2File

from segmentation.io.instruments.parts import Part, Plane
from segmentation.io.limits import MAX_PAGES, ImageError
from segmentation.io.pixel_size import PixelSize, pixel_size

_BEFORE_PIXELS = 24 + 4072


def open_parts(file: IO[bytes], size: int, labels: bool) -> list[Part]:
    """The stack at each position of a file."""
    opened = ND2File(file)  # type: ignore[arg-type]
    about = opened.attributes
    if labels and about.compressionType == "lossy":
        raise ImageError("The ND2 file is compressed so that values have changed: they are no class ids any more.")
    if np.prod([max(1, loop.count) for loop in opened.experiment], dtype=object) > MAX_PAGES:
        raise ImageError(f"The file has more than {MAX_PAGES} planes: split it first.")
    places: list[dict[str, int]] = [dict(place) for place in opened.loop_indices] or [{}]
    if any(not place.keys() <= {"T", "P", "Z"} for place in places):
        raise ImageError("The ND2 file has axes besides time, position and depth: export it as TIFF first.")
    frames = {(place.get("P", 0), place.get("Z", 0), place.get("T", 0)): n for n, place in enumerate(places)}
    positions = sorted({place.get("P", 0) for place in places})
    lengths = {axis: 1 + max(place.get(axis, 0) for place in places) for axis in ("Z", "T")}
    channels = about.channelCount or 1
    samples = about.componentCount // channels
    if samples > 1 and (channels > 1 or samples != 3):
        raise ImageError("The ND2 file stores its colours in a rare way: export it as TIFF first.")
    names = _channel_names(opened) if samples == 1 else ()
    fastest_first = [axis for axis in reversed(places[0]) if axis != "P"] if places else []
    planes = _Planes(opened, frames, size)
    return [
        Part(
            about.heightPx,
            about.widthPx or 0,
            channels * samples,
            np.dtype(opened.dtype),
            tuple((axis.lower(), lengths[axis]) for axis in fastest_first),
            planes.at(position),
            colour=samples == 3,
            bits=about.bitsPerComponentSignificant,
            pixel_size=_pixel_size(opened, lengths["Z"] > 1),
            channel_names=names,
        )
        for position in positions
    ]


@dataclass(frozen=True)
class _Planes:
    """The planes of a file, by position, z and t."""

    opened: ND2File
    frames: Mapping[tuple[int, int, int], int]
    size: int

    def at(self, position: int) -> Any:
        """What reads a plane at a position."""
        return lambda place: self._read(self.frames[position, place.get("z", 0), place.get("t", 0)])

    def _read(self, frame: int) -> Plane:
        about = self.opened.attributes
        # Of what is missing the reader makes black pixels, which would be taken for measured.
        start, _ = self.opened._rdr.chunkmap.get(f"ImageDataSeq|{frame}!".encode(), (self.size, 0))  # type: ignore[attr-defined]
        stored = 1 if about.compressionType else about.heightPx * (about.widthBytes or 0)
        if start + _BEFORE_PIXELS + stored > self.size:
            raise ImageError("The ND2 file is damaged or incomplete, some of its pixels are missing: copy it again.")
        channels = about.channelCount or 1
        shape = channels, about.heightPx, about.widthPx or 0, about.componentCount // channels
        pixels = np.array(self.opened.read_frame(frame)).reshape(shape)
        return Plane(pixels.transpose(1, 2, 0, 3).reshape(about.heightPx, about.widthPx or 0, -1))


def _channel_names(opened: ND2File) -> tuple[str, ...]:
    try:
        about: Any = opened.metadata
        return tuple(str(channel.channel.name) for channel in about.channels or ())
    except Exception:  # of metadata that are missing or damaged; the pixels are there
        return ()


def _pixel_size(opened: ND2File, deep: bool) -> PixelSize | None:
    try:
        size = opened.voxel_size()
    except Exception:  # of metadata that are missing or damaged; the pixels are there
        return None
    if (size.x, size.y, size.z) == (1, 1, 1):  # what the reader says where the file says nothing
        return None
    return pixel_size(size.x, size.y, "µm", size.z if deep else None)
