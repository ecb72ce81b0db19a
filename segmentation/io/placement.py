"""How a result says that it lies on its image: in the manner in which the image said how large its pixels are.

Fiji reads the size of pixels from what ImageJ describes, QuPath from OME-XML, maps lie by the tags of GeoTIFF, and all
read the resolution of a plain TIFF.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr, unescape

from numpy.typing import NDArray

from segmentation._shared.text import in_xml
from segmentation.io.image import Image
from segmentation.io.pixel_size import PixelSize
from segmentation.io.stacks import stack_axes
from segmentation.io.tifftags import GDAL_NO_DATA, GEOREFERENCE

IMAGEJ_KEY = "\nsquiggle="
OME_KEY = "<Description>"
"""What stands before the description of ours in that of another program."""

_OME = (
    '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
    '<Image ID="Image:0"><Description>{description}</Description><Pixels ID="Pixels:0" DimensionOrder="{order}" '
    'Type="{type}" SizeX="{columns}" SizeY="{rows}" SizeC="{channels}" SizeZ="{z}" SizeT="{t}" {size}>{named}'
    '<TiffData IFD="0" PlaneCount="{pages}"/></Pixels></Image></OME>'
)


def own_description(description: str) -> str:
    """What we say in the description of a page, as JSON, wherever it stands in that; empty if it is not ours."""
    for key, end in ((IMAGEJ_KEY, "\n"), (OME_KEY, "</Description>")):
        if key + "{" in description:
            return unescape(description.partition(key)[2].partition(end)[0])
    return description if description.startswith("{") else ""


@dataclass(frozen=True)
class Placement:
    """Where the pages of a result lie.

    Attributes:
        pixel_size: of the image, if it is known.
        manner: the program in whose manner it is said: ``"ImageJ"``, ``"OME"``, or nothing; a stack of which no program
            told anything is described as ImageJ does it, since plain TIFF has no axes, and no distance of planes.
        stack: the axes of the stack that have several places, the fastest first, and their lengths.
        planes: the names of the pages of each image.
        georeference: the tags of a GeoTIFF, by their numbers as text.
    """

    pixel_size: PixelSize | None = None
    manner: str = ""
    stack: tuple[tuple[str, int], ...] = ()
    planes: tuple[str, ...] = ("",)
    georeference: dict[str, Any] | None = None

    @classmethod
    def of(cls, image: Image, images: int, planes: tuple[str, ...]) -> Placement:
        """That of the results of an image, or of a stack of several, of which it is the first."""
        about, stack = image.metadata, stack_axes(image.metadata, images)
        manner = about.get("described_by", "") if image.pixel_size is not None and images == 1 else ""
        if stack:
            manner = about.get("described_by", "") or "ImageJ"
        return cls(image.pixel_size, manner, stack, planes, about.get("georeference"))

    @property
    def lengths(self) -> dict[str, int]:
        """How many places there are along z and t."""
        return {"z": 1, "t": 1} | dict(self.stack)

    @property
    def order(self) -> str:
        """Both axes, the fastest first."""
        first = "".join(axis for axis, _ in self.stack)
        return first + "zt".replace(first, "") if len(first) < 2 else first

    def resolution(self) -> dict[str, Any]:
        """The resolution of a page, as tifffile takes it."""
        size = self.pixel_size
        if size is None:
            return {}
        if self.manner == "ImageJ":
            return {"resolution": (1 / size.x, 1 / size.y), "resolutionunit": "NONE"}
        if size.metres is None:
            return {}
        in_centimetres = size.metres * 100
        resolution = 1 / (size.x * in_centimetres), 1 / (size.y * in_centimetres)
        return {"resolution": resolution, "resolutionunit": "CENTIMETER"}

    def tags(self, *, no_data: bool) -> list[tuple[int, str, int, Any, bool]]:
        """The tags of a GeoTIFF; those of class ids say that 0 is no data."""
        if not self.georeference:
            return []
        tags: list[tuple[int, str, int, Any, bool]] = []
        for number, value in self.georeference.items():
            kind = GEOREFERENCE[int(number)]
            tags.append((int(number), kind, 0 if kind == "s" else len(value), value, True))
        return [*tags, (GDAL_NO_DATA, "s", 0, "0", True)] if no_data else tags

    def description(self, ours: str, page: NDArray[Any]) -> str:
        """That of the first page.

        Args:
            ours: what the pages are, as JSON in ASCII.
            page: ``(rows, columns)``, the first.
        """
        if self.manner not in ("ImageJ", "OME"):
            return ours
        pages = len(self.planes) * math.prod(self.lengths.values())
        if self.manner == "ImageJ":
            return self._as_imagej(ours, pages)
        named = "".join(
            f'<Channel ID="Channel:0:{n}" Name={xml_attribute(name)}/>' for n, name in enumerate(self.planes)
        )
        return _OME.format(
            description=xml_content(ours),
            order=f"XYC{self.order.upper()}",
            type="float" if page.dtype.kind == "f" else page.dtype.name,
            columns=page.shape[1],
            rows=page.shape[0],
            channels=len(self.planes),
            **self.lengths,
            size=ome_sides(self.pixel_size),
            named=named,
            pages=pages,
        )

    def _as_imagej(self, ours: str, pages: int) -> str:
        size, lengths = self.pixel_size, self.lengths
        unit = "" if size is None else size.unit.encode("ascii", "backslashreplace").decode()
        lines = [
            "ImageJ=1.54f",
            f"images={pages}",
            *([f"channels={len(self.planes)}"] if len(self.planes) > 1 else []),
            *([f"slices={lengths['z']}", f"frames={lengths['t']}"] if pages > 1 else []),
            *(["hyperstack=true"] if pages > 1 else []),
            *([f"order=c{self.order}"] if min(lengths.values()) > 1 and self.order != "zt" else []),
            *([f"unit={unit}".replace("\\xb5", "\\u00B5")] if unit else []),
            *([f"spacing={size.z}"] if size is not None and size.z is not None else []),
        ]
        return "\n".join(lines) + f"{IMAGEJ_KEY}{ours}\n"


def ome_sides(size: PixelSize | None) -> str:
    """The attributes of OME-XML that say how large a pixel is, in ASCII; empty if that is not known, or no length."""
    if size is None or size.metres is None:
        return ""
    return " ".join(
        f'PhysicalSize{axis}="{length}" PhysicalSize{axis}Unit={xml_attribute(size.unit)}'
        for axis, length in (("X", size.x), ("Y", size.y), ("Z", size.z))
        if length is not None
    )


def xml_attribute(text: str) -> str:
    """A text as the value of an attribute, in ASCII and between quotes."""
    return _ascii(quoteattr(in_xml(text)))


def xml_content(text: str) -> str:
    """A text between two tags, in ASCII."""
    return _ascii(escape(in_xml(text)))


def _ascii(text: str) -> str:
    return text.encode("ascii", "xmlcharrefreplace").decode()
