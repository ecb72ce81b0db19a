"""Which planes of a TIFF file make up which image: what ImageJ, OME-TIFF, MetaMorph and tifffile say about it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from segmentation.io.limits import MAX_CHANNELS, MAX_PAGES, ImageError
from segmentation.io.ome import MetadataError, OmeImage, ome_groups, parse_ome
from segmentation.io.pixel_size import PixelSize


class Directory(NamedTuple):
    """A directory of a file that describes an image in full size.

    Attributes:
        place: its index in the chain of directories.
        samples: channels of its pixels.
        stacked: planes that MetaMorph counts in it.
        rows: of its pixels, as it says.
        columns: of its pixels, as it says.
    """

    place: int
    samples: int
    stacked: int
    rows: int = 0
    columns: int = 0


class Plane(NamedTuple):
    """Pixels in a file.

    Attributes:
        directory: index of the directory that describes them.
        number: which of the planes they are that lie one behind the other, from 0, that of the directory.
    """

    directory: int
    number: int = 0


@dataclass(frozen=True)
class Described:
    """What the description of a file says of an image, beside its planes.

    Attributes:
        program: that described it: ``"ImageJ"``, ``"OME"``, or nothing.
        pixel_size: as OME says it.
        channel_names: as OME says them; empty if they are not known.
        unit: in which ImageJ counts pixels.
        spacing: from one plane to the next, in that unit.
        stack: the axes of the stack that it belongs to, the fastest first, and their lengths.
    """

    program: str = ""
    pixel_size: PixelSize | None = None
    channel_names: tuple[str, ...] = ()
    unit: str = ""
    spacing: str = ""
    stack: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Layout:
    """The images of a file.

    Attributes:
        images: the planes that make up the channels of each.
        notes: sentences about what is not as it is described.
        described: what is said of each, or nothing of any.
        alike: whether all have the same rows, columns and channels, as far as their directories say.
    """

    images: list[list[Plane]]
    notes: tuple[str, ...] = ()
    described: list[Described] = field(default_factory=list)
    alike: bool = True

    def of(self, number: int) -> Described:
        """What is said of an image, counted from 0."""
        return self.described[number] if self.described else Described()


MISFIT = "The description in the file does not fit its pages: each page is an image of its own."
INCOMPLETE = "The description in the file tells of planes that are not in it."
TOO_MANY_PAGES = f"The TIFF file has more than {MAX_PAGES} pages: split it first."
TOO_MANY_CHANNELS = f"There are more than {MAX_CHANNELS} channels: each is an image of its own."


def lay_out(description: str, directories: Sequence[Directory], values: int, room: int) -> Layout:
    """What the images of a file are, and whether they are all alike.

    Args:
        description: of the first page.
        directories: those that describe images in full size, at least one.
        values: pixels times channels of the first of them.
        room: planes as large as that of the first directory for which there is room behind it.

    Raises:
        ImageError: if there are absurdly many.
    """
    layout = _lay_out(description, directories, values, room)
    by_place = {one.place: one[1:] for one in directories}
    kinds = {tuple(by_place[plane.directory] for plane in image) for image in layout.images}
    return replace(layout, alike=len(kinds) == 1)


def _lay_out(description: str, directories: Sequence[Directory], values: int, room: int) -> Layout:
    imagej = _imagej(description)
    claimed = max(_claimed(description, imagej, values), directories[0].stacked)
    planes = [Plane(directory.place) for directory in directories]
    if len(planes) == 1 and claimed > 1 and room > 0:
        # One directory stands for all planes; those for which the file is too short are told when they are read.
        if claimed > MAX_PAGES:
            raise ImageError(TOO_MANY_PAGES)
        planes = [Plane(directories[0].place, number) for number in range(claimed)]
    notes = (INCOMPLETE,) if len(planes) < claimed else ()
    described: list[Described] = []
    try:
        if imagej:
            images = _imagej_images(imagej, planes, directories[0].samples)
            described = [_described_by_imagej(description, imagej, len(images))] * len(images)
        elif re.search(r"<(?:\w+:)?OME[\s>]", description):
            groups, complete = ome_groups(parse_ome(description), {one.place: one.samples for one in directories})
            images = [[Plane(directory) for directory in group] for _, group in groups]
            described = [_described_by_ome(image, len(images)) for image, _ in groups]
            notes = notes if complete else (INCOMPLETE,)
        else:
            images = [[plane] for plane in planes]
    except MetadataError:
        return Layout([[plane] for plane in planes], (MISFIT,))
    if any(len(image) > MAX_CHANNELS for image in images):
        return Layout([[plane] for image in images for plane in image], (*notes, TOO_MANY_CHANNELS))
    return Layout(images, notes, described)


def _described_by_ome(image: OmeImage, images: int) -> Described:
    stack = tuple((axis.lower(), image.sizes[axis]) for axis in image.order if axis != "C")
    names = tuple(image.channel_names) if any(image.channel_names) else ()
    return Described("OME", image.pixel_size, names, stack=stack if _fits(stack, images) else ())


def _described_by_imagej(description: str, imagej: _ImageJ, images: int) -> Described:
    told = dict(re.findall(r"^(unit|spacing)=([^\r\n]{1,40})$", description, re.MULTILINE))
    stack = tuple((axis, length) for axis, length in imagej.lengths.items() if axis != "c")
    return Described(
        "ImageJ",
        unit=told.get("unit", ""),
        spacing=told.get("spacing", ""),
        stack=stack if _fits(stack, images) else (),
    )


def _fits(stack: Sequence[tuple[str, int]], images: int) -> bool:
    return math.prod(length for _, length in stack) == images


@dataclass(frozen=True)
class _ImageJ:
    """What ImageJ says: the number of planes, and the length of each axis, the fastest first."""

    planes: int
    lengths: dict[str, int]


def _imagej(description: str) -> _ImageJ | None:
    if not description.startswith("ImageJ="):
        return None
    found = dict(re.findall(r"^(images|channels|slices|frames)=(\d{1,9})\s*$", description, re.MULTILINE))
    sizes = {"c": "channels", "z": "slices", "t": "frames"}
    order = re.search(r"^order=([czt]{3})\s*$", description, re.MULTILINE)
    fastest_first = order[1] if order and set(order[1]) == set("czt") else "czt"
    lengths = {axis: int(found.get(sizes[axis], 1)) for axis in fastest_first}
    return _ImageJ(int(found.get("images", 1)), lengths)


def _claimed(description: str, imagej: _ImageJ | None, values: int) -> int:
    """Number of planes that ImageJ or tifffile says that there are."""
    if imagej:
        return imagej.planes
    if '"truncated": true' in description and (shape := re.match(r'\{"shape": \[([\d, ]{1,200})\]', description)):
        return math.prod(int(length) for length in shape[1].split(",")) // max(values, 1)
    return 1


def _imagej_images(imagej: _ImageJ, planes: list[Plane], samples: int) -> list[list[Plane]]:
    """The planes of each image.

    Raises:
        MetadataError: if there are not as many planes as ImageJ says.
    """
    lengths = dict(imagej.lengths)
    if lengths["c"] % samples == 0 and math.prod(lengths.values()) == samples * len(planes):
        lengths["c"] //= samples  # other programs count the channels of a colour image too
    if lengths["c"] == 1:
        return [[plane] for plane in planes]
    if math.prod(lengths.values()) != len(planes):
        raise MetadataError("There are not as many planes as ImageJ says.")
    axes = list(lengths)[::-1]
    grid = np.arange(len(planes)).reshape([lengths[axis] for axis in axes])
    groups = np.moveaxis(grid, axes.index("c"), -1).reshape(-1, lengths["c"])
    return [[planes[index] for index in group] for group in groups.tolist()]
