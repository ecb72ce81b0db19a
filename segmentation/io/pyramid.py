"""Images of any size, read window by window and never whole: a pyramid of levels, each coarser than the one before.

What is computed on a window of the finest level and a halo around it is, to the last bit, what the whole image gives.
Coarser levels are looked at only; nothing is learnt from them, and nothing is segmented on them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.bounded_cache import BoundedCache
from segmentation._shared.cached_property import cached_property
from segmentation._shared.tiling import Window, whole_window
from segmentation.io.image import Image, normalised
from segmentation.io.limits import MAX_CHANNELS, ImageError, PassingError
from segmentation.io.no_data import halo_with_no_data, not_numbers, together
from segmentation.io.pixel_size import PixelSize
from segmentation.io.sampling import is_large, sampled_windows, spread
from segmentation.io.standardise import Standards, standardised, standards

MAX_WINDOW_BYTES = 2**28
"""Bytes of the pixels that are read at once; whoever wants more asks for a coarser level."""

LARGEST_SIDE = 2**24
"""Rows or columns that an image may have."""

MAX_PIXELS = 2**37
"""Rows times columns of a TIFF, or of an image of which coarser levels are made: 137 gigapixels."""

USUAL_PIECE = (512, 512)
"""Rows and columns that files mostly store as one."""

NO_DATA_BYTES = 2**20
"""Kept of an image to know where it holds no data: of 10,000 tiles that hold data everywhere, of 120 that do not."""

PROBLEMS = 10_000
"""Parts of an image of which is kept whether they can be read."""

_STREAMED_SIDE = 1024
_HASHED_BLOCKS, _HASHED_SIDE = 4, 256


@dataclass(frozen=True)
class Level:
    """One of the levels of a pyramid.

    Attributes:
        shape: rows and columns.
        step: rows, and columns, of the finest level that one of this level stands for.
    """

    shape: tuple[int, int]
    step: float = 1.0


ReadValues = Callable[[Window, int], NDArray[Any]]
"""``(rows, columns)`` or ``(rows, columns, channels)`` of a window of a level; raises an ImageError with a sentence."""

ReadMissing = Callable[[Window, int], NDArray[np.bool_] | None]
"""``(rows, columns)`` bool, where the file says that a window of a level holds no data; None if nowhere."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Pyramid:
    """An image that is read window by window; :func:`segmentation.io.zarr_pyramid.open_pyramid` opens one.

    Attributes:
        name: of its file, or the last part of its address.
        levels: finest first, each coarser than the one before.
        channels: number of channels.
        dtype: of the values as they are stored.
        values: reads a window of a level.
        missing: tells where there is no data, beside values that are no numbers; None if the file never says so.
        pixel_size: how large a pixel of the finest level is; None if it is not known.
        channel_names: one a channel, or none.
        origin: what tells the image from others that look alike, such as its address; it counts for the hash.
        metadata: what else is known, as :attr:`Image.metadata` has it; each image that is read has it too.
        standards: mean and standard deviation of each channel, if windows are read relative to these.
        piece: rows and columns of the coarsest level that the file stores as one, so that they are read, or damaged, as
            one.
        decoded_bytes: of the largest piece of a TIFF that is decoded as a whole.

    Raises:
        ImageError: with a sentence, if it has no pixels, or the levels are none of the same image.
    """

    name: str
    levels: tuple[Level, ...]
    channels: int
    dtype: np.dtype[Any]
    values: ReadValues
    missing: ReadMissing | None = None
    pixel_size: PixelSize | None = None
    channel_names: tuple[str, ...] = ()
    origin: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    standards: Standards | None = None
    piece: tuple[int, int] = USUAL_PIECE
    decoded_bytes: int = 0

    def __post_init__(self) -> None:
        if not self.levels or any(min(level.shape) < 1 for level in self.levels):
            raise ImageError("The image has no pixels.")
        if max(self.shape) > LARGEST_SIDE:
            raise ImageError(f"The image has {self.shape[1]} × {self.shape[0]} pixels, which is too large.")
        if not 1 <= self.channels <= MAX_CHANNELS:
            raise ImageError(f"The image has {self.channels} channels, but at most {MAX_CHANNELS} can be used.")
        for number, level in enumerate(self.levels[1:], start=1):
            _check_level(number, level, self.levels[number - 1], self.shape)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the finest level."""
        return self.levels[0].shape

    @property
    def is_large(self) -> bool:
        """Whether it has more pixels than :data:`segmentation.io.sampling.LARGE_PIXELS`."""
        return is_large(self.shape)

    @cached_property
    def hash(self) -> str:
        """What it is known by: SHA-256 of its levels, its type, its origin and a sample of its coarsest level.

        Another image that differs elsewhere may have it, too: nothing that is recorded names an image by it alone.

        Raises:
            PassingError: with a sentence, if a part of the sample did not come this time.
        """
        about = [[*level.shape, level.step] for level in self.levels]
        digest = sha256(json.dumps([about, self.channels, self.dtype.name, self.origin]).encode())
        for window in spread(self.levels[-1].shape, _HASHED_BLOCKS, _HASHED_SIDE):
            try:
                values = self.values(window, len(self.levels) - 1)
            except PassingError:
                raise
            except ImageError:
                digest.update(b" damaged")
            else:
                digest.update(np.ascontiguousarray(values, values.dtype.newbyteorder("<")).data)
        return digest.hexdigest()

    def read(self, window: Window, level: int = 0) -> Image:
        """A window of one of the levels, as an image of its own.

        Args:
            window: in rows and columns of that level.
            level: which one, 0 is the finest.

        Raises:
            ImageError: with a sentence, if it is too large to be read at once, or a part of it cannot be read.
        """
        return self._as_image(*self._stored(window, level), level)

    def _as_image(self, values: NDArray[Any], missing: NDArray[np.bool_] | None, level: int = 0) -> Image:
        image = normalised(values, self.about(level), missing)
        if np.may_share_memory(image.pixels, values):  # and not where pixels without data were filled, in a copy
            image = replace(image, pixels=image.pixels.copy())
        return image if self.standards is None else standardised(image, self.standards)

    def _stored(self, window: Window, level: int = 0) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """What the file has of a window of one of the levels, and where it says that there is no data."""
        rows, columns = window.shape
        if rows < 1 or columns < 1:
            raise ImageError("That part of the image has no pixels.")
        if rows * columns * self.channels * self.dtype.itemsize > MAX_WINDOW_BYTES:
            raise ImageError(f"A part of {columns} × {rows} pixels is too large to be read at once: ask for less.")
        missing = None if self.missing is None else self.missing(window, level)
        return self.values(window, level), missing

    def _around(self, window: Window, halo: int) -> tuple[Window, NDArray[Any], NDArray[np.bool_] | None]:
        """The window that :meth:`block` reads, and what the file has of it. Nothing is put where there is no data yet,
        which takes longer than all else.
        """
        around = window_with_halo(window, halo, self.shape)
        values, missing = self._stored(around)
        if together(missing, not_numbers(values)) is not None:
            around = window_with_halo(window, halo_with_no_data(halo), self.shape)
            values, missing = self._stored(around)
        return around, values, missing

    def about(self, level: int = 0) -> dict[str, Any]:
        """What is known of the images that are read of a level, as :attr:`Image.metadata` has it."""
        about: dict[str, Any] = {**self.metadata, "name": self.name}
        if self.channel_names:
            about["channel_names"] = list(self.channel_names)
        if self.pixel_size is not None and level == 0:
            about["pixel_size"] = self.pixel_size.to_json()
        return about

    def block(self, window: Window, halo: int) -> tuple[Image, Window]:
        """A window of the finest level with what its features look at around it, as an image of its own.

        It is known by the hash of the pyramid and its place, so that nothing of it is hashed.

        Args:
            window: which part of the image.
            halo: pixels around it that features look at.

        Returns:
            The image, and where the window lies in it.

        Raises:
            ImageError: with a sentence, if a part of it cannot be read.
        """
        around, values, missing = self._around(window, halo)
        image = self._as_image(values, missing)
        image = replace(image, corner=(around.rows.start, around.columns.start))
        vars(image)["hash"] = f"{self.hash}@{around.rows.start},{around.columns.start}"
        return image, Window(*window.place_in(around))

    def problem_of(self, window: Window, halo: int) -> str:
        """Why :meth:`block` cannot read a window with its halo, as a sentence; empty if it can.

        It is kept, since it is asked for at each stroke.

        Raises:
            PassingError: with a sentence, if it did not come this time.
        """
        problem = self._problems.get((window.bounds, halo))
        if problem is None:
            try:
                self._around(window, halo)
            except PassingError:
                raise
            except ImageError as error:
                problem = str(error)
            else:
                problem = ""
            self._problems.put((window.bounds, halo), problem)
        return problem

    @cached_property
    def _problems(self) -> BoundedCache[tuple[tuple[int, ...], int], str]:
        return BoundedCache(PROBLEMS)

    def no_data(self, window: Window) -> NDArray[np.bool_] | None:
        """Where a window of the finest level holds no data, ``(rows, columns)`` bool; None if nowhere.

        It is kept, since it is asked for at each stroke.

        Raises:
            ImageError: with a sentence, if a part of it cannot be read.
        """
        packed = self._no_data.get(window.bounds)
        if packed is None:
            values, missing = self._stored(window)
            found = together(missing, not_numbers(values))
            packed = np.packbits(found if found is not None else np.empty(0, bool))
            self._no_data.put(window.bounds, packed)
        rows, columns = window.shape
        return np.unpackbits(packed, count=rows * columns).reshape(rows, columns).view(bool) if packed.size else None

    @cached_property
    def _no_data(self) -> BoundedCache[tuple[int, ...], NDArray[np.uint8]]:
        return BoundedCache(NO_DATA_BYTES, lambda packed: packed.nbytes + 100)

    def level_for(self, step: float) -> int:
        """The coarsest level of which a pixel stands for no more than ``step`` rows and columns of the finest."""
        return max(number for number, level in enumerate(self.levels) if number == 0 or level.step <= step * 1.001)

    @cached_property
    def sample(self) -> Image:
        """Blocks of the finest level, evenly spread, one below the other as if they were one image.

        They are what is taken for the whole where the image :attr:`is_large`. What is damaged is left out.

        Raises:
            PassingError: with a sentence, if one of them did not come this time.
            ImageError: with a sentence, if none of them can be read.
        """
        found: list[Image] = []
        failed: ImageError | None = None
        for window in sampled_windows(self.shape):
            try:
                found.append(self.read(window))
            except PassingError:
                raise
            except ImageError as error:
                failed = error
        if not found:
            raise failed or ImageError("The image has no pixels.")
        pixels = np.concatenate([one.pixels for one in found])
        masks = [np.zeros(one.shape, bool) if one.no_data is None else one.no_data for one in found]
        no_data = np.concatenate(masks)
        ends = [pixels.dtype.type(end).item() for end in (pixels.min(), pixels.max())]
        about = found[0].metadata | {"value_range": ends}
        return replace(found[0], pixels=pixels, no_data=no_data if no_data.any() else None, metadata=about)

    def blocks(self) -> Iterator[tuple[Window, Image]]:
        """All of the finest level, block by block, row by row.

        Raises:
            ImageError: with a sentence, if a part of it cannot be read.
        """
        side = side_that_fits(_STREAMED_SIDE, self.channels * self.dtype.itemsize)
        for window in whole_window(self.shape).split(side, side):
            yield window, self.read(window)

    def with_channels(self, indices: tuple[int, ...]) -> Pyramid:
        """A pyramid of some of the channels, in this order; for the same ones of late the same object.

        A pixel holds no data where it does not in the whole image, whichever channel lacks them.
        """
        known: tuple[tuple[int, ...], Pyramid] | None = vars(self).get("_of_channels")
        if known is None or known[0] != indices:
            known = indices, self._of_some_channels(indices)
            vars(self)["_of_channels"] = known
        return known[1]

    def _of_some_channels(self, indices: tuple[int, ...]) -> Pyramid:
        def values(window: Window, level: int) -> NDArray[Any]:
            found = self.values(window, level)
            return found.reshape(*found.shape[:2], self.channels)[..., list(indices)]

        def missing(window: Window, level: int) -> NDArray[np.bool_] | None:
            told = None if self.missing is None else self.missing(window, level)
            return together(told, not_numbers(self.values(window, level)))

        return replace(
            self,
            values=values,
            missing=missing if self.dtype.kind == "f" else self.missing,
            channels=len(indices),
            channel_names=tuple(self.channel_names[one] for one in indices if self.channel_names),
            origin=f"channels {indices} of {self.hash}",
            standards=None if self.standards is None else tuple(self.standards[one] for one in indices),
        )

    @cached_property
    def channel_standards(self) -> Standards:
        """Mean and standard deviation of each channel: of the whole, or of the sample where it :attr:`is_large`.

        They are those of the sample, too, where a part of the image is damaged.

        Raises:
            PassingError: with a sentence, if a part of it did not come this time.
            ImageError: with a sentence, if the image cannot be read.
        """
        if not self.is_large:
            try:
                return standards(image for _, image in self.blocks())
            except PassingError:
                raise
            except ImageError:  # a part of it is damaged
                pass
        return standards([self.sample])

    def standardised(self) -> Pyramid:
        """The same image, read relative to the mean and the standard deviation of each channel.

        Raises:
            ImageError: with a sentence, if the image cannot be read.
        """
        seen = replace(self, standards=self.channel_standards)
        vars(seen)["hash"] = self.hash
        return seen


def side_that_fits(side: int, pixel_bytes: int, halo: int = 0) -> int:
    """Rows and columns of what is read at once: so many, or half of it as often as :data:`MAX_WINDOW_BYTES` asks for.

    Args:
        side: that is wanted.
        pixel_bytes: of all channels of a pixel.
        halo: pixels that are read around it.
    """
    while side > 1 and (side + 2 * halo) ** 2 * pixel_bytes > MAX_WINDOW_BYTES:
        side //= 2
    return side


def window_with_halo(window: Window, halo: int, shape: tuple[int, int]) -> Window:
    """A window and the halo around it, as far as the image goes."""
    rows, columns = (
        slice(max(part.start - halo, 0), min(part.stop + halo, length))
        for part, length in zip((window.rows, window.columns), shape, strict=True)
    )
    return Window(rows, columns)


def _check_level(number: int, level: Level, finer: Level, shape: tuple[int, int]) -> None:
    """Refuse a level that is not a coarser view of the same image."""
    if not level.step > finer.step:
        raise ImageError(f"Level {number} of the image is not coarser than the one before: the levels disagree.")
    for length, whole in zip(level.shape, shape, strict=True):
        if abs(length * level.step - whole) > 2 * level.step + 0.01 * whole:
            rows, columns = level.shape
            raise ImageError(
                f"Level {number} of the image has {columns} × {rows} pixels, each for {level.step:g} × {level.step:g}, "
                f"but the image has {shape[1]} × {shape[0]}: the levels disagree."
            )
