"""Which planes of a TIFF file make up the images that its OME-XML describes.

The XML stands in the description of the first page. It is a stranger's: it is read without a tree in memory, and
refused if it defines entities.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.parsers import expat

import numpy as np

from segmentation.io.limits import MAX_PAGES
from segmentation.io.pixel_size import PixelSize, pixel_size

_AXES = ("Z", "C", "T")


@dataclass
class PlaneBlock:
    """Planes that follow each other in an image and in a file: a ``TiffData`` element.

    Attributes:
        first: index of the first plane along ``Z``, ``C`` and ``T``.
        directory: where in the chain of directories it lies; None if that is not said.
        count: number of planes; None if that is not said.
        file: identifies the file that they lie in; empty if that is not said.
    """

    first: dict[str, int]
    directory: int | None
    count: int | None
    file: str = ""


@dataclass
class OmeImage:
    """A ``Pixels`` element.

    Attributes:
        order: of the planes in the file, the fastest axis first, such as ``"CZT"``.
        sizes: length of the axes ``Z``, ``C`` and ``T``.
        samples: channels that a plane holds, such as 3 of a colour image; None if that is not said.
        blocks: where the planes lie.
        pixel_size: how large a pixel is, if that is said.
        channel_names: of all channels, empty where one has none.
    """

    order: str
    sizes: dict[str, int]
    samples: int | None = None
    blocks: list[PlaneBlock] = field(default_factory=list)
    pixel_size: PixelSize | None = None
    channel_names: list[str] = field(default_factory=list)


@dataclass
class OmeFile:
    """What the OME-XML of a file describes.

    Attributes:
        file: identifies this file; empty if that is not said.
        images: in their order.
    """

    file: str = ""
    images: list[OmeImage] = field(default_factory=list)


class MetadataError(ValueError):
    """The description does not fit the file, so that it does not say what its planes are."""


def parse_ome(description: str) -> OmeFile:
    """What the OME-XML of a file describes.

    Raises:
        MetadataError: if it is not OME-XML, or damaged.
    """
    described = OmeFile()
    texts: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        texts.clear()
        if name == "OME":
            described.file = attributes.get("UUID", "")
        elif name == "Pixels":
            order = attributes.get("DimensionOrder", "XYZCT")[2:].upper()
            sizes = {axis: _whole(attributes, f"Size{axis}", 1) or 1 for axis in _AXES}
            if sorted(order) != sorted(_AXES):
                raise MetadataError("The order of the planes is not known.")
            described.images.append(OmeImage(order, sizes, pixel_size=_pixel_size(attributes)))
        elif name == "Channel" and described.images:
            image = described.images[-1]
            image.samples = image.samples or _whole(attributes, "SamplesPerPixel", None)
            image.channel_names.append(attributes.get("Name", ""))
        elif name == "TiffData" and described.images:
            first = {axis: _whole(attributes, f"First{axis}", 0) or 0 for axis in _AXES}
            count = _whole(attributes, "PlaneCount", _whole(attributes, "NumPlanes", None))
            described.images[-1].blocks.append(PlaneBlock(first, _whole(attributes, "IFD", None), count))

    def end(tag: str) -> None:
        if tag.rpartition(":")[2] == "UUID" and described.images and described.images[-1].blocks:
            described.images[-1].blocks[-1].file = "".join(texts).strip()

    def refuse(*_: object) -> None:
        raise MetadataError("The description defines a type of document.")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, texts.append
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(description.strip("\0 \t\r\n"), True)
    except expat.ExpatError as error:
        raise MetadataError("The description is not XML.") from error
    return described


def _pixel_size(attributes: Mapping[str, str]) -> PixelSize | None:
    """What a ``Pixels`` element says of the size of its pixels; a distance of planes in another unit is left out."""
    x, y, z = (attributes.get(f"PhysicalSize{axis}") for axis in "XYZ")
    unit, unit_y, unit_z = (attributes.get(f"PhysicalSize{axis}Unit", "µm") for axis in "XYZ")
    return pixel_size(x, y, unit, z if unit_z == unit else None) if unit == unit_y else None


def _whole(attributes: Mapping[str, str], name: str, otherwise: int | None) -> int | None:
    """A whole number among the attributes of an element.

    Raises:
        MetadataError: if it is none, or absurdly large.
    """
    text = attributes.get(name, "").strip()
    if not text:
        return otherwise
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise MetadataError(f"{name} is not a number.")
    return int(text)


def ome_groups(described: OmeFile, samples: Mapping[int, int]) -> tuple[list[tuple[OmeImage, list[int]]], bool]:
    """The directories that make up each image.

    Args:
        described: by the file.
        samples: channels that each directory holds, by its index in the chain; those of thumbnails are not among them.

    Returns:
        For each z and t of each of the images that image and the indices of the directories of its channels, in the
        order of the file; and whether planes are described that are not there. Where some channels are missing, each
        plane of the image is alone.

    Raises:
        MetadataError: if the description does not fit the directories.
    """
    groups: list[tuple[OmeImage, list[int]]] = []
    complete = True
    following = 0
    for image in described.images:
        start = image.blocks[0].directory if image.blocks else None
        held = image.samples or samples.get(following if start is None else start, 1)
        if image.sizes["C"] % held:
            raise MetadataError("The channels of the image are not those of its planes.")
        lengths = [image.sizes[axis] // held if axis == "C" else image.sizes[axis] for axis in image.order]
        if math.prod(lengths) > MAX_PAGES:
            raise MetadataError("There are too many planes.")
        places = _places(image, lengths, described.file, samples, following)
        following = max(places.values(), default=following - 1) + 1
        grid = np.arange(math.prod(lengths)).reshape(lengths[::-1])
        rows = np.moveaxis(grid, image.order[::-1].index("C"), -1).reshape(-1, lengths[image.order.index("C")])
        there = [found for row in rows.tolist() if (found := [places[plane] for plane in row if plane in places])]
        complete &= len(places) == grid.size
        whole = all(len(row) == rows.shape[1] for row in there)
        groups += [(image, group) for group in (there if whole else [[one] for row in there for one in row])]
    if sorted(one for _, group in groups for one in group) != sorted(samples):
        raise MetadataError("The pages are not the planes that are described.")
    return groups, complete


def _places(
    image: OmeImage, lengths: Sequence[int], this_file: str, samples: Mapping[int, int], following: int
) -> dict[int, int]:
    """The directory of each plane of an image that is in this file, by its place in the order of the planes.

    Raises:
        MetadataError: if a directory is not there.
    """
    planes = math.prod(lengths)
    strides = dict(zip(image.order, np.cumprod([1, *lengths[:-1]]).tolist(), strict=True))
    places: dict[int, int] = {}
    for block in image.blocks or [PlaneBlock(dict.fromkeys(_AXES, 0), None, None)]:
        if block.file and this_file and block.file != this_file:
            continue
        first = sum(block.first[axis] * stride for axis, stride in strides.items())
        start = following if block.directory is None else block.directory
        count = block.count or (planes - first if block.directory is None else 1)
        for step in range(min(count, planes - first)):
            places[first + step] = start + step
    if not samples.keys() >= set(places.values()):
        raise MetadataError("Pages are described that are not there.")
    return places
