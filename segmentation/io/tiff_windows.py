"""Windows of a page of a TIFF file, decoded from the strips and tiles that they touch.

tifffile decodes a strip or a tile; which are needed, whether they may be decoded, and what their values mean is said
here. A whole image is read the same way, some rows at a time, so that little more than its pixels is in memory.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.bounded_cache import BoundedCache
from segmentation._shared.cached_property import cached_property
from segmentation._shared.tiling import Window, whole_window
from segmentation.io import headers
from segmentation.io.limits import ImageError
from segmentation.io.no_data import has_value, together
from segmentation.io.pixels import ALPHA_NOTE, cmyk_to_rgb, upright
from segmentation.io.placement import own_description
from segmentation.io.sampling import SAMPLED_BLOCKS, is_large, sampled_windows
from segmentation.io.tiff_directories import read_at
from segmentation.io.tifftags import no_data_value
from segmentation.io.tiffwriter import SOFTWARE

if TYPE_CHECKING:
    import tifffile

BAND_BYTES = 2**22
"""About how much of an image is decoded at a time when all of it is read."""

KEPT_BYTES = 2**26
"""Of decoded strips and tiles that are kept for the next window."""

JPEG = 7
BOUNDED = {1, 2, 3, 4, 5, 8, 32946, 32773, 50000, 34926, 34925}
"""None, the fax codes, LZW, deflate (two numbers), PackBits, Zstandard (two numbers), LZMA: those whose decoders stop
at the size that they are told."""

SIZES = {
    JPEG: headers.jpeg_size,
    34712: headers.jpeg_2000_size,
    34887: headers.lerc_size,
    34933: headers.png_size,
    50001: headers.webp_size,
    50002: headers.jpeg_xl_size,
    52546: headers.jpeg_xl_size,
}
"""JPEG, JPEG 2000, LERC, PNG, WebP, JPEG XL (two numbers): those whose headers tell the size beforehand."""

_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB, _PALETTE, _CMYK, _YCBCR = 0, 1, 2, 3, 5, 6
_ALPHA = (1, 2)
_BACK = {6: 8, 8: 6}
"""The orientations that are undone by another; the others are undone by themselves."""


@dataclass(frozen=True, eq=False)
class OpenTiff:
    """A file that was opened.

    Attributes:
        tiff: as tifffile sees it.
        file: the file.
        size: its bytes.
        lock: held while it is read.
        kept: strips and tiles that were decoded.
    """

    tiff: tifffile.TiffFile
    file: IO[bytes]
    size: int
    lock: threading.RLock = field(default_factory=threading.RLock)
    kept: BoundedCache[tuple[int, int], NDArray[Any]] = field(
        default_factory=lambda: BoundedCache(0, lambda segment: segment.nbytes)
    )

    def bytes_at(self, start: int, count: int) -> bytes:
        """Bytes of the file, fewer if it has become shorter."""
        with self.lock:
            return read_at(self.file, start, count, self.size)


class PlaneWindows:
    """A plane of a TIFF file, upright, with colours as they are meant, window by window.

    Args:
        opened: the file.
        page: that describes the plane, which was checked.
        number: which of the planes that lie one behind the other it is, from 0.
        labels: take the indices of a palette instead of its colours.
        orientation: as which it is turned if the page does not say it.

    Attributes:
        shape: rows and columns.
        orientation: as which the page asks to be turned.
        bits: per value in the file.
        of_class_ids: whether its values are class ids, whatever colours its palette has for viewers.
        notes: sentences on what is left out.

    Raises:
        ImageError: if its colours are stored in a way that is not known.
    """

    def __init__(
        self,
        opened: OpenTiff,
        page: tifffile.TiffPage,
        number: int = 0,
        *,
        labels: bool = False,
        orientation: int | None = None,
    ) -> None:
        self._opened, self._page, self._number = opened, page, number
        self._photometric = int(page.photometric) if 262 in page.tags else _MIN_IS_BLACK
        if self._photometric not in (_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB, _PALETTE, _CMYK, _YCBCR) or (
            self._photometric == _YCBCR and page.compression != JPEG
        ):
            raise ImageError("The TIFF file stores its colours in a rare way: save it anew as RGB or grey.")
        turned = page.tags.valueof(274, orientation)
        self.orientation = turned if isinstance(turned, int) else 1
        rows, columns = page.imagelength, page.imagewidth
        self.shape = (columns, rows) if self.orientation >= 5 else (rows, columns)
        self.bits = max(np.atleast_1d(page.bitspersample).tolist())
        samples = page.samplesperpixel
        named = samples - len(page.extrasamples)
        kept = [*range(named), *(named + i for i, kind in enumerate(page.extrasamples) if kind not in _ALPHA)]
        self._kept = tuple(kept) if samples > 1 else (0,)
        self._alpha = next((band for band in range(samples) if band not in self._kept), None)
        self.notes = () if self._alpha is None else (ALPHA_NOTE,)
        self._value = no_data_value(page)
        self._tables = {"jpegtables": page.jpegtables} if page.compression == JPEG else {}
        self._colours: NDArray[np.uint8] | None = None
        self.of_class_ids = labels or _is_of_class_ids(page)
        if self._photometric == _PALETTE and not self.of_class_ids:
            if page.colormap is None:
                raise ImageError("The TIFF file is damaged: its palette is missing.")
            colours = page.colormap >> 8 if page.colormap.max() > 255 else page.colormap
            self._colours = colours.T.astype(np.uint8)

    @property
    def rows_apart(self) -> int:
        """Rows of a tile, or of a strip, as they are stored."""
        page = self._page
        return int(page.tilelength if page.is_tiled else min(page.rowsperstrip, page.imagelength))

    @property
    def piece(self) -> tuple[int, int]:
        """Rows and columns of the upright plane that are stored as one: a tile, a strip, or a row of what is plain."""
        page = self._page
        rows = 1 if self._is_plain else self.rows_apart
        columns = int(page.tilewidth if page.is_tiled else page.imagewidth)
        return (columns, rows) if self.orientation >= 5 else (rows, columns)

    @property
    def decoded_bytes(self) -> int:
        """Of a strip or tile that is decoded as a whole, with all its samples; 0 of what is plain."""
        page = self._page
        columns = int(page.tilewidth if page.is_tiled else page.imagewidth)
        samples = page.samplesperpixel if page.planarconfig == 1 else 1
        return 0 if self._is_plain or page.dtype is None else self.rows_apart * columns * samples * page.dtype.itemsize

    @property
    def may_miss(self) -> bool:
        """Whether the file may say of a pixel that it holds no data."""
        return self._alpha is not None or self._value is not None

    @cached_property
    def colour(self) -> bool:
        """Whether the first three channels are red, green and blue."""
        if self._colours is not None:
            return self._has_colour
        return self._photometric in (_RGB, _YCBCR, _CMYK) and len(self._kept) > 1

    @cached_property
    def channels(self) -> int:
        """Number of channels."""
        if self._colours is not None:
            return 3 if self._has_colour else 1
        return 3 if self._photometric == _CMYK else len(self._kept)

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """Of the values."""
        assert self._page.dtype is not None
        return np.dtype(np.uint8) if self._colours is not None else self._page.dtype.newbyteorder("=")

    def read(self, window: Window) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """A window of the upright plane.

        Returns:
            ``(rows, columns)`` or ``(rows, columns, channels)``, and where there is no data, ``(rows, columns)`` bool,
            or None if the file says so nowhere in the window.

        Raises:
            ImageError: if a strip or tile that it touches is damaged.
        """
        values = self._stored(self._as_stored(window))
        unseen = self._unseen(values)
        if unseen is not None and unseen.all() and not self._is_seen_anywhere:
            unseen = None
        pixels, missing = self._meant(values)
        missing = together(missing, unseen)
        return upright(pixels, self.orientation), None if missing is None else upright(missing, self.orientation)

    def read_all(self, into: NDArray[Any]) -> NDArray[np.bool_] | None:
        """The whole plane, some rows at a time.

        Args:
            into: ``(rows, columns, channels)``, which is filled.

        Returns:
            As of :meth:`read`.
        """
        target = upright(into, _BACK.get(self.orientation, self.orientation))
        without = np.zeros(target.shape[:2], bool) if self._value is not None else None
        unseen = np.zeros(target.shape[:2], bool) if self._alpha is not None else None
        for rows, values in self._bands():
            pixels, missing = self._meant(values)
            target[rows] = pixels.reshape(target[rows].shape)
            if without is not None and missing is not None:
                without[rows] = missing
            if unseen is not None:
                unseen[rows] = self._unseen(values)
        if unseen is not None and unseen.all():
            unseen = None
        missing = together(without, unseen)
        return None if missing is None else upright(missing, self.orientation)

    def _meant(self, values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """What stored values mean, without transparency, and where they say that there is no data."""
        pixels = values[..., list(self._kept)] if self._alpha is not None else values
        pixels = pixels[..., 0] if pixels.shape[2] == 1 else pixels
        missing = None if self._value is None else has_value(pixels, self._value)
        if self._photometric == _MIN_IS_WHITE and pixels.dtype.kind in "bu":
            pixels = ~pixels if pixels.dtype.kind == "b" else pixels.dtype.type(2**self.bits - 1) - pixels
        elif self._photometric == _CMYK:
            pixels = cmyk_to_rgb(pixels[..., :4])
        elif self._colours is not None:
            colours = self._colours if self._has_colour else self._colours[:, 0]
            pixels = colours[pixels.astype(np.intp, copy=False)]
        return pixels, missing

    def _unseen(self, values: NDArray[Any]) -> NDArray[np.bool_] | None:
        """Where stored values are wholly transparent."""
        return None if self._alpha is None else values[..., self._alpha] == 0

    @cached_property
    def _is_seen_anywhere(self) -> bool:
        """Whether not all of the plane is transparent, as where nobody has filled that in."""
        return self._somewhere(lambda values: values[..., self._alpha])

    @cached_property
    def _has_colour(self) -> bool:
        """Whether there are pixels whose colour in the palette is no grey; of a large plane, whether it has such."""
        assert self._colours is not None
        coloured = (self._colours != self._colours[:, :1]).any(axis=1)
        if not coloured.any() or is_large(self.shape):
            return bool(coloured.any())
        return self._somewhere(lambda values: coloured[values.astype(np.intp, copy=False)])

    def _somewhere(self, tell: Callable[[NDArray[Any]], NDArray[Any]]) -> bool:
        """Whether something is so of any stored values; some windows mostly tell, else all of the plane does."""
        samples = sampled_windows((self._page.imagelength, self._page.imagewidth))
        with suppress(Exception):  # of what is damaged all of the plane tells
            step = 1 if self._page.is_tiled else SAMPLED_BLOCKS + 1  # no strip twice
            if any(tell(self._stored(one)).any() for one in samples[::step]):
                return True
        return any(tell(values).any() for _, values in self._bands())

    # As it is stored

    def _as_stored(self, window: Window) -> Window:
        """Where the pixels of a window of the upright plane are stored."""
        rows, columns = window.rows, window.columns
        height, width = self.shape
        if self.orientation in (2, 3, 6, 7):
            columns = slice(width - columns.stop, width - columns.start)
        if self.orientation in (3, 4, 7, 8):
            rows = slice(height - rows.stop, height - rows.start)
        return Window(columns, rows) if self.orientation >= 5 else Window(rows, columns)

    def _bands(self) -> Iterator[tuple[slice, NDArray[Any]]]:
        """The stored values, some rows at a time, so that no strip or tile is decoded twice."""
        rows, columns = self._page.imagelength, self._page.imagewidth
        row_bytes = max(1, columns * self._page.samplesperpixel * self.dtype.itemsize)
        apart = 1 if self._is_plain else self.rows_apart
        for band in whole_window((rows, columns)).split(max(1, BAND_BYTES // (row_bytes * apart)) * apart, columns):
            yield band.rows, self._stored(band)

    @cached_property
    def _is_plain(self) -> bool:
        """Whether rows lie in the file as they are in memory, so that parts of strips can be read."""
        page = self._page
        plain = page.compression == 1 and page.predictor == 1 and page.fillorder == 1 and not page.is_tiled
        return self._number > 0 or (plain and page.dtype is not None and self.bits == 8 * page.dtype.itemsize)

    def _stored(self, window: Window) -> NDArray[Any]:
        """A window of what is stored, ``(rows, columns, samples)``."""
        separate, _, _, _, samples = self._page.shaped
        values = np.empty((separate, *window.shape, samples), self._page.dtype)
        fill = self._fill_plain if self._is_plain else self._fill_decoded
        for sample in range(separate):
            fill(sample, window, values[sample])
        return values[0] if separate == 1 else np.ascontiguousarray(np.moveaxis(values[..., 0], 0, -1))

    def _fill_plain(self, sample: int, window: Window, into: NDArray[Any]) -> None:
        page = self._page
        assert page.dtype is not None
        _, _, rows, columns, samples = page.shaped
        stored = page.dtype.newbyteorder(self._opened.tiff.byteorder)
        pixel_bytes = samples * stored.itemsize
        row_bytes = columns * pixel_bytes
        start, width = window.columns.start * pixel_bytes, window.shape[1] * pixel_bytes
        behind = page.is_contiguous or self._number > 0
        strips = -(-rows // page.rowsperstrip)
        row = window.rows.start
        while row < window.rows.stop:
            strip, inside = sample * strips + row // page.rowsperstrip, row % page.rowsperstrip
            end = window.rows.stop if behind else min(window.rows.stop, row - inside + page.rowsperstrip)
            end = end if width == row_bytes else row + 1
            if behind:
                at = page.dataoffsets[0] + self._number * page.nbytes + (sample * rows + row) * row_bytes
            else:
                at = page.dataoffsets[strip] + inside * row_bytes
                if (inside + end - row) * row_bytes > page.databytecounts[strip]:
                    raise _damaged()
            data = self._opened.bytes_at(at + start, (end - row - 1) * row_bytes + width)
            if len(data) != (end - row - 1) * row_bytes + width:
                raise _damaged()
            into[row - window.rows.start : end - window.rows.start] = np.frombuffer(data, stored).reshape(
                end - row, window.shape[1], samples
            )
            row = end

    def _fill_decoded(self, sample: int, window: Window, into: NDArray[Any]) -> None:
        page = self._page
        rows, columns = page.shaped[2:4]
        height, width = (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, columns)
        down, across = -(-rows // height), -(-columns // width)
        for i in range(window.rows.start // height, -(-window.rows.stop // height)):
            for j in range(window.columns.start // width, -(-window.columns.stop // width)):
                place = Window(
                    slice(max(window.rows.start, i * height), min(window.rows.stop, (i + 1) * height)),
                    slice(max(window.columns.start, j * width), min(window.columns.stop, (j + 1) * width)),
                )
                segment = self._segment((sample * down + i) * across + j)
                whole = Window(slice(i * height, (i + 1) * height), slice(j * width, (j + 1) * width))
                into[place.place_in(window)] = segment[place.place_in(whole)]

    def _segment(self, index: int) -> NDArray[Any]:
        """A strip or tile, decoded: ``(rows, columns, samples)``."""
        opened, page = self._opened, self._page
        known = opened.kept.get((page.offset, index))
        if known is not None:
            return known
        start, count = page.dataoffsets[index], page.databytecounts[index]
        if start < 8 or count < 1 or start + count > opened.size:
            raise _damaged()
        data = opened.bytes_at(start, count)
        self._refuse_more_than_claimed(data)
        decoded, _, _ = page.decode(data, index, **self._tables)
        if decoded is None:
            raise _damaged()
        opened.kept.put((page.offset, index), decoded[0])
        return decoded[0]

    def _refuse_more_than_claimed(self, data: bytes) -> None:
        page = self._page
        size_of = SIZES.get(page.compression)
        if size_of is None:
            return
        claimed = size_of(data)
        pixels = page.tilelength * page.tilewidth if page.is_tiled else page.rowsperstrip * page.imagewidth
        if claimed.rows * claimed.columns > pixels or claimed.channels > max(4, page.samplesperpixel):
            raise ImageError("The TIFF file is damaged: it claims more than it holds.")


def _damaged() -> ImageError:
    return ImageError("The TIFF file is damaged or incomplete, some of its pixels are missing: copy it again.")


def _is_of_class_ids(page: tifffile.TiffPage) -> bool:
    """Whether a page is a result of ours: its palette is for viewers, and its values are what is meant."""
    return page.software == SOFTWARE and own_description(page.description).startswith('{"classes": [')
