"""Reading, checking and normalising what people bring.

A stranger's file may be anything. Whatever it is, :func:`read_image` either returns an :class:`Image` or raises an
:class:`ImageError` whose message is a sentence for the person who brought it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmentation._shared.cached_property import cached_property
from segmentation.io.limits import MAX_CHANNELS, ImageError
from segmentation.io.no_data import filled, not_numbers, together
from segmentation.io.pixel_size import PixelSize
from segmentation.io.slab import Slab
from segmentation.io.stacks import place_along, stack_axes

KEPT_TYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32")
"""The types that the pixels of an image can have."""


@dataclass(frozen=True, eq=False)
class Image:
    """2-D pixels with one or more channels; made by :func:`read_image` or :func:`image_from_pixels`.

    Attributes:
        pixels: ``(rows, columns)``, or ``(rows, columns, channels)`` if there are at least two, C-contiguous, of
            type uint8, int8, uint16, int16, uint32, int32 or float32. Not to be written to.
        metadata: what is known about the origin, plain JSON values: ``format``, ``name``, ``file_bytes``, ``bits``
            (per value in the file), ``dtype`` (of the pixels), ``value_range`` (smallest and largest), ``colour``
            (whether the first three channels are red, green and blue), ``pages`` (images in the file), ``page`` (which
            of them this is, from 1) and ``notes`` (sentences about what was left out); where the file says so,
            ``pixel_size`` (as :class:`PixelSize` writes it), ``channel_names`` (one a channel), ``stack`` (the axes of
            the stack, the fastest first, and their lengths), ``alike`` (whether all images of a TIFF say that they have
            the same rows, columns and channels), ``described_by`` (the program that says all this) and
            ``georeference`` (the tags of a GeoTIFF by their numbers), and ``former_hash`` (see :attr:`hashes`).
        no_data: ``(rows, columns)`` bool, where a pixel holds no data, and ``pixels`` has the nearest that does; None
            if all hold data.
        region: ``(rows, columns)`` bool, where the image is worked on, see :meth:`within`; None: everywhere.
        slab: of a plane of a volume those around it, for features that look at several; None if they are not known.
        corner: row and column of its first pixel in the image of which it is a part.
    """

    pixels: NDArray[Any]
    metadata: dict[str, Any] = field(default_factory=dict)
    no_data: NDArray[np.bool_] | None = None
    region: NDArray[np.bool_] | None = None
    slab: Slab | None = None
    corner: tuple[int, int] = (0, 0)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.pixels.shape[0], self.pixels.shape[1]

    @property
    def channels(self) -> int:
        """Number of channels."""
        return 1 if self.pixels.ndim == 2 else self.pixels.shape[2]

    @property
    def stacked(self) -> NDArray[Any]:
        """The pixels as ``(rows, columns, channels)``, without a copy."""
        return self.pixels.reshape(*self.shape, self.channels)

    @cached_property
    def pixel_size(self) -> PixelSize | None:
        """How large a pixel is, in the unit of the file; None if it is not known."""
        try:
            return PixelSize.from_json(self.metadata["pixel_size"])
        except (KeyError, ValueError):
            return None

    def with_pixel_size(self, size: PixelSize | None) -> Image:
        """The same image with pixels of another size, which somebody has measured; None leaves it as it is."""
        if size is None:
            return self
        return self._changed(metadata=self.metadata | {"pixel_size": size.to_json()})

    def in_stack(self, axes: Iterable[tuple[str, int]]) -> Image:
        """The same image as the first of a stack of images that are alike.

        Args:
            axes: the fastest first, each with its length.
        """
        return self._changed(metadata=self.metadata | {"stack": [list(axis) for axis in axes], "alike": True})

    def within(self, region: NDArray[np.bool_] | None) -> Image:
        """The same image, worked on only in a part of it; None leaves it as it is.

        What lies outside holds its data, and features near the rim see it, so that nothing inside changes.

        Args:
            region: ``(rows, columns)`` bool.
        """
        return self if region is None else self._changed(region=region)

    def in_slab(self, slab: Slab) -> Image:
        """The same image, which knows the planes around it."""
        return self._changed(slab=slab)

    @property
    def seen_hash(self) -> str:
        """The hash of all that features see of it: of its slab, where it has one."""
        return self.hash if self.slab is None else self.slab.hash

    def _changed(self, **change: Any) -> Image:
        """The same image with something else that is none of its content.

        It holds on to this one: whoever looks for that finds it, and what follows from the pixels is in memory once.
        """
        changed = replace(self, **change)
        if "hash" in vars(self):
            vars(changed)["hash"] = self.hash
        vars(changed)["_origin"] = vars(self).get("_origin", self)
        return changed

    @cached_property
    def left_out(self) -> NDArray[np.bool_] | None:
        """``(rows, columns)`` bool, the pixels that have no class: without data, or outside of where it is worked on.

        None if there are no such pixels.
        """
        return together(self.no_data, None if self.region is None else ~self.region)

    @cached_property
    def place(self) -> dict[str, int]:
        """Where it lies in the stack of its file, counted from 1 along ``"z"`` and ``"t"``; empty if it is in none."""
        about = self.metadata
        return place_along(stack_axes(about, about.get("pages", 1)), about.get("page", 1) - 1)

    @cached_property
    def channel_names(self) -> tuple[str, ...]:
        """What the file calls each channel, or "channel 1"... where it does not."""
        named = [str(name) for name in self.metadata.get("channel_names", ())]
        given = named if len(named) == self.channels else [""] * self.channels
        return tuple(name or f"channel {number}" for number, name in enumerate(given, start=1))

    @cached_property
    def hash(self) -> str:
        """SHA-256 of type, shape and pixels, and of which hold no data, as 64 hexadecimal digits.

        Equal pixels have equal hashes, whatever the format and the name of their file.
        """
        little_endian = np.ascontiguousarray(self.pixels, self.pixels.dtype.newbyteorder("<"))
        digest = sha256(f"{self.pixels.dtype.name} {self.pixels.shape} ".encode())
        digest.update(little_endian.data)
        if self.no_data is not None:
            digest.update(b" no data " + np.packbits(self.no_data).tobytes())
        return digest.hexdigest()

    def with_channels(self, indices: tuple[int, ...]) -> Image:
        """An image of some of the channels, in this order; for the same ones of late the same object.

        Args:
            indices: of the channels, at least one.
        """
        origin: Image = vars(self).get("_origin", self)
        known: tuple[tuple[int, ...], Image] | None = vars(origin).get("_of_channels")
        if known is None or known[0] != indices:
            pixels = _some_channels(origin.pixels, indices)
            ends = [pixels.dtype.type(end).item() for end in _ends(pixels)]
            names = origin.metadata.get("channel_names", ())
            about = {"value_range": ends, "colour": False, "channel_names": [names[one] for one in indices if names]}
            kept = {key: value for key, value in origin.metadata.items() if key != "former_hash"}
            known = indices, replace(origin, pixels=pixels, metadata=kept | about)
            vars(origin)["_of_channels"] = known
        if origin is self:
            return known[1]
        slab = self.slab and self.slab.changed(lambda plane: _some_channels(plane, indices), f"channels {indices}")
        changed = {key: self.metadata[key] for key in self.metadata if self.metadata[key] != origin.metadata.get(key)}
        return known[1]._changed(metadata=known[1].metadata | changed, region=self.region, slab=slab)

    @property
    def hashes(self) -> tuple[str, ...]:
        """The hash, and the one that the image had before pixels without data counted, if it has such pixels."""
        former = self.metadata.get("former_hash")
        return (self.hash,) if former is None else (self.hash, former)

    def known_as(self, image_hash: str) -> Image:
        """The same image by another of its :attr:`hashes`, by which older files know it."""
        if image_hash == self.hash or image_hash not in self.hashes:
            return self
        known = replace(self)
        vars(known)["hash"] = image_hash
        return known

    def clear(self, values: NDArray[Any], rows: slice = slice(None), columns: slice = slice(None)) -> NDArray[Any]:
        """Set values of a window of the image to 0 where its pixels have no class (:attr:`left_out`).

        Args:
            values: ``(..., window rows, window columns)``; they are changed, and returned.
            rows: of the window, perhaps with a step.
            columns: of the window, perhaps with a step.
        """
        if self.left_out is not None:
            values[..., self.left_out[rows, columns]] = 0
        return values


def image_from_pixels(pixels: ArrayLike, metadata: Mapping[str, Any] | None = None) -> Image:
    """An image of pixels that are in memory already, for instance in a notebook.

    Args:
        pixels: ``(rows, columns)`` or ``(rows, columns, channels)`` of any integer, float or bool type. They are
            copied. A pixel with a channel that is NaN, infinite or beyond 1e18 holds no
            data. Types that :class:`Image` does not have become the nearest that it has: bool becomes uint8 with 0
            and 1; 64-bit integers become int32, or uint32 where that is needed, or float32 where neither suffices;
            float16 and float64 become float32, in which the features are computed. All channels count: drop an alpha
            channel before.
        metadata: what is known about the origin, plain JSON values.

    Raises:
        ImageError: if the pixels are not an image, or not numbers.
    """
    try:
        array = np.asarray(pixels)
    except (TypeError, ValueError) as error:
        raise ImageError("The pixels must be an array with as many columns in each row.") from error
    if array.dtype.kind not in "buif":
        raise ImageError(f"The pixels must be whole or real numbers; these are of type {array.dtype}.")
    if array.ndim not in (2, 3):
        raise ImageError(f"An image has rows, columns and perhaps channels; this array has {array.ndim} dimensions.")
    return normalised(array.copy(), dict(metadata or {}))


def normalised(pixels: NDArray[Any], metadata: dict[str, Any], no_data: NDArray[np.bool_] | None = None) -> Image:
    """The pixels as an image keeps them: of a type that holds them exactly, with one channel not named as such.

    Args:
        pixels: ``(rows, columns)`` or ``(rows, columns, channels)`` of any integer or float type; kept, not copied.
        metadata: what is known about their origin; the image's facts are added.
        no_data: ``(rows, columns)`` bool, where the file says that a pixel holds no data, if it does.

    Raises:
        ImageError: if there are no pixels, or too many channels.
    """
    if pixels.size == 0:
        raise ImageError("The image has no pixels.")
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim == 3 and pixels.shape[2] > MAX_CHANNELS:
        raise ImageError(f"The image has {pixels.shape[2]} channels, but at most {MAX_CHANNELS} can be used.")
    if "channel_names" in metadata:
        names = metadata["channel_names"]
        count = pixels.shape[2] if pixels.ndim == 3 else 1
        metadata["channel_names"] = names[:count] if len(names) >= count else []
    unusable = not_numbers(pixels)
    missing = together(no_data, unusable)
    if missing is not None:
        if unusable is None:
            metadata["former_hash"] = Image(_kept(pixels, *_ends(pixels))).hash
        pixels = filled(pixels, missing)
    low, high = _ends(pixels)
    pixels = _kept(pixels, low, high)
    about = {"dtype": pixels.dtype.name, "value_range": [pixels.dtype.type(end).item() for end in (low, high)]}
    return Image(pixels, metadata | about, missing)


def _some_channels(pixels: NDArray[Any], indices: tuple[int, ...]) -> NDArray[Any]:
    """Some of the channels of an image, in this order."""
    chosen = np.ascontiguousarray(np.atleast_3d(pixels)[..., list(indices)])
    return chosen[..., 0] if len(indices) == 1 else chosen


def _ends(pixels: NDArray[Any]) -> tuple[float, float]:
    return pixels.min().item(), pixels.max().item()


def _kept(pixels: NDArray[Any], low: float, high: float) -> NDArray[Any]:
    """The pixels in the type in which values between two ends are kept."""
    return np.require(pixels, _kept_type(pixels.dtype, low, high), ["C_CONTIGUOUS", "WRITEABLE"])


def _kept_type(dtype: np.dtype[Any], low: float, high: float) -> np.dtype[Any]:
    """The type of :data:`KEPT_TYPES` that holds values between two ends."""
    native = dtype.newbyteorder("=")
    if native.name in KEPT_TYPES:
        return native
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    if dtype.kind in "iu" and low >= -(2**31) and high < 2**31:
        return np.dtype(np.int32)
    if dtype.kind in "iu" and low >= 0 and high < 2**32:
        return np.dtype(np.uint32)
    return np.dtype(np.float32)
