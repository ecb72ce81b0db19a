"""What is computed for a whole image and downloaded: tile by tile, in turns, until nobody waits for it any more."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from functools import partial
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import IO, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.cached_property import cached_property
from segmentation._shared.tiling import Tile, TileGrid
from segmentation.io.export import probability_pages
from segmentation.io.image import Image
from segmentation.live.segmenter import LiveSegmenter
from segmentation.model.classifier import PixelClassifier
from segmentation.objects.correcting import apply_corrections
from segmentation.web.session.scheduler import NobodyWaitsError

TIFF_HEAD = b"II*\0\x08\0\0\0"
"""The first bytes of each TIFF file that we write: they are sent at once, since routers wait for them."""

PART_BYTES = 2**18

Turn = Callable[..., AbstractContextManager[None]]
"""Gives each task its turn, as :meth:`Scheduler.turn` does; asks ``stale`` while it waits."""


def until_gone(turn: Turn, has_gone: Callable[[], bool]) -> Turn:
    """The same turns, until nobody waits any more: then a NobodyWaitsError ends what they are for."""

    def next_turn(*, stale: Callable[[], bool] = has_gone) -> AbstractContextManager[None]:
        if has_gone():
            raise NobodyWaitsError
        return turn(stale=stale)

    return next_turn


@dataclass
class WholeImage:
    """A classifier at work on a whole image.

    Attributes:
        live: segments.
        image: the image.
        classifier: the classifier.
        turn: entered for each tile, so that others have their turn in between.
        has_gone: asked before each tile; says whether nobody waits any more.
        corrections: ``(rows, columns)`` uint8, what people have painted into the result; None for nothing.
        once: the class ids of a tile, before clean-up and corrections; computes them only if nobody else has, or does.
        whole_turn: entered for what looks at the whole image at once; None stands for that of tiles.
        tiles: those of the image.
    """

    live: LiveSegmenter
    image: Image
    classifier: PixelClassifier
    turn: Turn
    has_gone: Callable[[], bool]
    corrections: NDArray[np.uint8] | None = None
    once: Callable[[Tile, Callable[[], NDArray[np.uint8]]], NDArray[np.uint8]] = lambda tile, compute: compute()
    whole_turn: Turn | None = None
    tiles: Sequence[Tile] = field(init=False)

    def __post_init__(self) -> None:
        self.tiles = TileGrid(self.image.shape).tiles

    @cached_property
    def _adapted(self) -> Image:
        """The image as the features see it, which is made in the first turn."""
        return self.classifier.adapt(self.image)

    def class_ids(self) -> NDArray[np.uint8]:
        """The class of each pixel, cleaned up and corrected, ``(rows, columns)`` uint8.

        Raises:
            NobodyWaitsError: if that is so.
        """
        ids = np.empty(self.image.shape, np.uint8)
        for tile in self.tiles:
            with self._turn():
                ids[tile.rows, tile.columns] = self.once(tile, partial(self._segment, tile))
        with self._whole_turn():
            cleaned = self.classifier.cleaned(ids)
            return cleaned if self.corrections is None else apply_corrections(cleaned, self.corrections)

    def _segment(self, tile: Tile) -> NDArray[np.uint8]:
        return self.live.segment(self._adapted, self.classifier, tile, cache=False)

    def probability_file(self, class_names: Sequence[str]) -> Iterator[bytes]:
        """The TIFF file of :func:`~segmentation.io.export.probabilities_tiff` in parts, the first of them at once.

        In memory there is a tile of all classes, or the whole image in one of them; the rest waits on the disk.

        Args:
            class_names: the names of the classes in their order.

        Yields:
            The parts; no more come once nobody waits.
        """
        yield TIFF_HEAD
        with TemporaryFile() as planes, NamedTemporaryFile() as file, suppress(NobodyWaitsError):
            lengths = self._write_planes(planes)
            with probability_pages(cast(BinaryIO, file), class_names, like=self.image) as pages:
                for number, name in enumerate(class_names):
                    with self._whole_turn():
                        pages.add(self._read_plane(planes, lengths, number), name)
            file.seek(len(TIFF_HEAD))
            while part := file.read(PART_BYTES):
                yield part

    def _write_planes(self, planes: IO[bytes]) -> NDArray[np.int64]:
        """Write the probabilities, tile by tile and class by class, each compressed.

        Returns:
            ``(tiles, classes)``, the bytes that each takes.
        """
        lengths = np.zeros((len(self.tiles), len(self.classifier.classes_)), np.int64)
        for tile, of_tile in zip(self.tiles, lengths, strict=True):
            with self._turn():
                for number, plane in enumerate(
                    self.live.probabilities(self._adapted, self.classifier, tile, cache=False)
                ):
                    of_tile[number] = planes.write(zlib.compress(np.ascontiguousarray(plane).tobytes(), 1))
        return lengths

    def _read_plane(self, planes: IO[bytes], lengths: NDArray[np.int64], number: int) -> NDArray[np.float32]:
        """The probabilities of one class, ``(rows, columns)`` float32."""
        plane = np.empty(self.image.shape, np.float32)
        starts = np.cumsum(lengths).reshape(lengths.shape) - lengths
        for tile, start, length in zip(self.tiles, starts[:, number], lengths[:, number], strict=True):
            planes.seek(int(start))
            found = np.frombuffer(zlib.decompress(planes.read(int(length))), np.float32)
            plane[tile.rows, tile.columns] = found.reshape(tile.shape)
        return plane

    def _turn(self) -> AbstractContextManager[None]:
        return until_gone(self.turn, self.has_gone)()

    def _whole_turn(self) -> AbstractContextManager[None]:
        return until_gone(self.whole_turn or self.turn, self.has_gone)()
