"""Class ids as an OME-TIFF, which says in OME-XML what the classes are called, and how large a pixel is."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.tiling import Window, whole_window
from segmentation.io.halving import level_shapes
from segmentation.io.image import Image
from segmentation.io.pixel_size import PixelSize
from segmentation.io.placement import Placement, ome_sides, xml_attribute, xml_content
from segmentation.io.shares import checked_segmentation
from segmentation.io.stacks import stack_axes
from segmentation.io.tiffwriter import BIG_TIFF_BYTES, SOFTWARE
from segmentation.strokes.classes import LabelClass, parse_colour

_XML = (
    '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
    '<Image ID="Image:0" Name={name}><Description>{ours}</Description><Pixels ID="Pixels:0" '
    'DimensionOrder="XYC{order}" Type="uint8" SizeX="{columns}" SizeY="{rows}" SizeC="1" '
    'SizeZ="{z}" SizeT="{t}" {size}><Channel ID="Channel:0:0" Name="class ids" SamplesPerPixel="1"/>'
    '<TiffData IFD="0" PlaneCount="{pages}"/></Pixels><AnnotationRef ID="Annotation:0"/></Image>'
    '<StructuredAnnotations><MapAnnotation ID="Annotation:0" Namespace="classes">'
    "<Value>{classes}</Value></MapAnnotation></StructuredAnnotations></OME>"
)


def ome_tiff(
    segmentations: Sequence[NDArray[np.uint8]], classes: Iterable[LabelClass], *, like: Image | None = None
) -> bytes:
    """An OME-TIFF of class ids, whose palette has the colours of the classes.

    A map annotation gives the name of each class by its id, and its colour by ``"<id> colour"``; what other class-id
    TIFFs of ours say stands in the description.

    Args:
        segmentations: ``(rows, columns)`` uint8 class ids each, of the same size; several lie along the axes of
            the stack, z if it names none.
        classes: their names and colours.
        like: the image that was segmented, or the first of a stack: names it, and says how large its pixels are.

    Raises:
        ValueError: if a segmentation is not uint8, or they differ in size.
    """
    import tifffile

    known, stack = tuple(classes), np.stack([checked_segmentation(one) for one in segmentations])
    name = str(like.metadata.get("name", "")) if like is not None else ""
    first = like or Image(stack[0], {})
    axes = stack_axes(first.metadata | {"alike": True}, len(stack))
    placement = Placement.of(first.in_stack(axes), len(stack), ("",))
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        for number, page in enumerate(stack):
            writer.write(
                page,
                photometric="palette",
                colormap=_palette(known),
                compression="zlib",
                description=_described(stack.shape, known, name, placement) if number == 0 else None,
                metadata=None,
                software=SOFTWARE,
                **_resolution(placement.pixel_size),
            )
    return file.getvalue()


TILE_SIDE = 512
"""Rows and columns of a tile of a pyramid."""

ReadIds = Callable[[int, int, Window], NDArray[np.uint8]]
"""Class ids of a window of a level of an image: the image and the level, both from 0, and the window."""


def write_ome_pyramid(
    file: BinaryIO, shape: tuple[int, int], images: int, read: ReadIds, classes: Iterable[LabelClass], *, like: Image
) -> None:
    """A tiled OME-TIFF of class ids with coarser levels (SubIFDs), written tile by tile; else as :func:`ome_tiff`.

    Args:
        file: a seekable binary file.
        shape: rows and columns of each image.
        images: how many images of a stack there are.
        read: gives the class ids, whose levels have the shapes of :func:`segmentation.io.halving.level_shapes`.
        classes: their names and colours.
        like: a part of the image that was segmented, or of the first of the stack.
    """
    import tifffile

    known, levels = tuple(classes), level_shapes(shape)
    placement = Placement.of(like, images, ("",))
    described = _described((images, *shape), known, str(like.metadata.get("name", "")), placement)
    options: dict[str, Any] = {
        "photometric": "palette",
        "colormap": _palette(known),
        "compression": "zlib",
        "dtype": np.uint8,
        "tile": (TILE_SIDE, TILE_SIDE),
        "metadata": None,
        "software": SOFTWARE,
        "maxworkers": 1,
    }
    with tifffile.TiffWriter(file, bigtiff=images * shape[0] * shape[1] > BIG_TIFF_BYTES) as writer:
        for number in range(images):
            writer.write(
                _tiles(read, number, 0, shape),
                shape=shape,
                subifds=len(levels) - 1,
                description=_ours(known) if number else described,
                extratags=placement.tags(no_data=True),
                **_resolution(placement.pixel_size),
                **options,
            )
            for level, smaller in enumerate(levels[1:], start=1):
                writer.write(_tiles(read, number, level, smaller), shape=smaller, subfiletype=1, **options)


def _tiles(read: ReadIds, number: int, level: int, shape: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
    """The tiles of a level of an image, row by row; what lies beyond it is 0."""
    for window in whole_window(shape).split(TILE_SIDE, TILE_SIDE):
        tile = np.zeros((TILE_SIDE, TILE_SIDE), np.uint8)
        tile[: window.shape[0], : window.shape[1]] = read(number, level, window)
        yield tile


def _palette(classes: Sequence[LabelClass]) -> NDArray[np.uint16]:
    palette = np.zeros((3, 256), np.uint16)
    for one in classes:
        palette[:, one.id] = np.array(parse_colour(one.colour), np.uint16) * 257
    return palette


def _described(shape: tuple[int, ...], classes: Sequence[LabelClass], name: str, placement: Placement) -> str:
    pairs = [pair for one in classes for pair in ((str(one.id), one.name), (f"{one.id} colour", one.colour))]
    return _XML.format(
        name=xml_attribute(name),
        ours=xml_content(_ours(classes)),
        pages=shape[0],
        rows=shape[1],
        columns=shape[2],
        order=placement.order.upper(),
        **placement.lengths,
        size=ome_sides(placement.pixel_size),
        classes="".join(f"<M K={xml_attribute(key)}>{xml_content(value)}</M>" for key, value in pairs),
    )


def _ours(classes: Sequence[LabelClass]) -> str:
    """What other class-id TIFFs of ours say, too."""
    return json.dumps({"classes": [{"id": one.id, "name": one.name} for one in classes]})


def _resolution(size: PixelSize | None) -> dict[str, Any]:
    if size is None or size.metres is None:
        return {}
    centimetres = 100 * size.metres
    return {"resolution": (1 / (size.x * centimetres), 1 / (size.y * centimetres)), "resolutionunit": "CENTIMETER"}
