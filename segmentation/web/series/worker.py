"""Works on the series of all sessions, one image at a time, and leaves the way to whoever is drawing.

It can be a thread of each server process, or a process of its own. Several go beside each other: the store says who is
at which image.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.tiling import Tile
from segmentation.io.display import display_pixels, display_range, encode_jpeg
from segmentation.io.export import overlay_image
from segmentation.io.image import Image
from segmentation.series.jobs import Extras, FileJob, Model, reason
from segmentation.series.results import ResultFolder
from segmentation.web.decoding.client import Decoder
from segmentation.web.store import StoreAwayError, StoreFullError
from segmentation.web.store.series import HELD_SECONDS, HeldItem, SeriesStore, UnknownSeriesError

LOOK_SECONDS = 2.0
"""How often a worker that has nothing to do asks the store for work."""

NICENESS = 10
TILE_SIDE = 512
PATIENCE_SECONDS = 3.0
"""So long a tile of a series waits at most for whoever is drawing."""

PICTURE_SIDE = 640
RESULT = "result"

log = logging.getLogger(__name__)


class NotOursError(Exception):
    """The item is another's by now, was cancelled, or this process is to end."""


class PatientModel(Model):
    """A classifier file that is applied tile by tile, asking before each whether it may go on.

    Args:
        data: the bytes of the classifier file.
        threads: number of threads.
        read: gives one image of a file: its content, and which, from 1.
        pause: waits as long as others come first; raises an error if there is nothing to go on with.
    """

    def __init__(
        self, data: bytes, threads: int, read: Callable[[bytes, int], Image], pause: Callable[[], None]
    ) -> None:
        super().__init__(data, threads)
        self._read = read
        self._pause = pause
        self.content = b""
        self.picture = b""

    def images(self, path: str) -> Generator[Image, None, None]:
        """The images of the file whose content is at hand."""
        first = self._read(self.content, 1)
        yield first
        pages = first.metadata["pages"]
        del first
        for page in range(2, pages + 1):
            self._pause()
            yield self._read(self.content, page)

    def segment(
        self, image: Image, window: Tile, with_probabilities: bool
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32] | None]:
        """The class ids in a window; of the first image a small picture is kept."""
        checked = self.classifier.check(image)
        segmentation = np.empty(window.shape, np.uint8)
        for tile in window.pieces(TILE_SIDE, TILE_SIDE):
            self._pause()
            segmentation[tile.place_in(window)] = self.classifier.predict_window(checked, tile)
        if not self.picture:
            self.picture = small_picture(image, segmentation, self.colours)
        return segmentation, None


def small_picture(image: Image, segmentation: NDArray[np.uint8], colours: dict[int, str]) -> bytes:
    """A JPEG of an image with the classes painted over it, at most :data:`PICTURE_SIDE` pixels wide and high."""
    step = -(-max(image.shape) // PICTURE_SIDE)
    shown = display_pixels(image, step=step, ranges=display_range(image))
    return encode_jpeg(overlay_image(shown, np.ascontiguousarray(segmentation[::step, ::step]), colours))


class SeriesWorker:
    """Takes items from the store and works on them.

    Args:
        store: where series are.
        decoder: reads the images.
        max_pixels: that an image may have.
        threads: number of threads of one computation.
        busy: says whether somebody is waiting for the screen.
        closing: set once this process is to end.
    """

    def __init__(
        self,
        store: SeriesStore,
        decoder: Decoder,
        *,
        max_pixels: int,
        threads: int,
        busy: Callable[[], bool],
        closing: threading.Event,
    ) -> None:
        self._store, self._decoder, self._max_pixels, self._threads = store, decoder, max_pixels, threads
        self._busy, self._closing = busy, closing
        self._news = threading.Event()
        self._begun = threading.Lock()
        self._model: tuple[str, PatientModel] | None = None
        self._lost = threading.Event()

    def begin(self) -> None:
        """Work in a thread of this process from now on; a second time does nothing."""
        if self._begun.acquire(blocking=False):
            threading.Thread(target=self.work, name="series", daemon=True).start()

    def notice(self) -> None:
        """There may be something to do."""
        self._news.set()

    def work(self) -> None:
        """Work until the process is to end."""
        if sys.platform == "linux":
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        while not self._closing.is_set():
            self._news.clear()
            try:
                if self.work_on_one():
                    continue
            except StoreAwayError as problem:
                log.warning("series wait for the store: %s", problem)
            except Exception:
                log.exception("a series could not be worked on")
            self._news.wait(LOOK_SECONDS)

    def work_on_one(self) -> bool:
        """Work on the next item; False if there is none."""
        item = self._store.take()
        if item is None:
            self._model = None
            return False
        self._lost.clear()
        ended = threading.Event()
        holder = threading.Thread(target=self._hold, args=(item, ended), name="series-hold", daemon=True)
        holder.start()
        try:
            self._work_on(item)
        except (NotOursError, UnknownSeriesError):
            self._store.give_back(item)
        finally:
            ended.set()
            holder.join()
        return True

    def _hold(self, item: HeldItem, ended: threading.Event) -> None:
        """Say now and then that somebody is at an item, and notice if it is to be left."""
        since = time.monotonic()
        while not ended.wait(HELD_SECONDS / 15):
            if time.monotonic() - since > HELD_SECONDS:
                self._lost.set()
            try:
                if not self._store.still(item):
                    self._lost.set()
                    return
                since = time.monotonic()
            except StoreAwayError:
                continue
            except Exception:
                log.exception("an image of a series cannot be held")
                self._lost.set()
                return

    def _work_on(self, item: HeldItem) -> None:
        begun = time.monotonic()
        try:
            result, picture, pages = self._segmented(item)
            if self._store.finish(item, result, picture, pages):
                log.info("image of a series done", extra={"fields": {"seconds": round(time.monotonic() - begun, 3)}})
        except (NotOursError, UnknownSeriesError, StoreAwayError):
            raise
        except StoreFullError as problem:
            self._store.fail(item, str(problem))
        except Exception as error:
            if not isinstance(error, ValueError | OSError | MemoryError):
                log.exception("an image of a series failed")
            self._store.fail(item, reason(error))

    def _segmented(self, item: HeldItem) -> tuple[bytes, bytes, list[dict[str, object]]]:
        """Class ids as a TIFF, a small picture, and what came out: what the command line writes for the same image."""
        model = self._model_for(item)
        model.content, model.picture = self._store.image(item), b""
        with tempfile.TemporaryDirectory(prefix="squiggle-series-") as desk:
            folder = ResultFolder(Path(desk))
            folder.prepare()
            pages = FileJob(item.name, RESULT, desk, {}, Extras()).run(model, lambda part: None)
            result = (folder.path / f"{RESULT}.tif").read_bytes()
        model.content = b""
        return result, model.picture, [vars(page) for page in pages]

    def _model_for(self, item: HeldItem) -> PatientModel:
        if self._model is None or self._model[0] != item.classifier_key:
            data = self._store.classifier_of(item)
            self._model = item.classifier_key, PatientModel(data, self._threads, self._read, self._pause)
        return self._model[1]

    def _read(self, content: bytes, page: int) -> Image:
        return self._decoder.read_image(content, max_pixels=self._max_pixels, page=page)

    def _pause(self) -> None:
        """Let others go first for a while."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            if self._closing.is_set() or self._lost.is_set():
                raise NotOursError
            if not self._busy() or time.monotonic() > deadline:
                return
            self._lost.wait(0.02)
