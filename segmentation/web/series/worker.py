"""Works on the series of all sessions, one image at a time, and lets people who draw go first.

It can be a thread of each server process, or a process of its own. Several can work at once: the store says which of
them works on which image.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from segmentation._shared.full_disk import is_full
from segmentation._shared.tiling import whole_window
from segmentation.assessment.counting import RecountedObjects
from segmentation.assessment.trust import TrustSample
from segmentation.io.formats import TIFF_BEGINNINGS
from segmentation.io.image import Image
from segmentation.io.limits import ImageError, PageError, PassingError
from segmentation.io.pixel_size import PixelSize
from segmentation.model.classifier import PixelClassifier
from segmentation.objects.tables import pack_tables
from segmentation.series.drawn import painted_on
from segmentation.series.jobs import reason
from segmentation.series.model import Model, Segmented, both
from segmentation.series.objects import ObjectTables
from segmentation.series.pages import Extras, PageWriter, segment_pages
from segmentation.series.results import ResultFolder
from segmentation.strokes.raster import region_of
from segmentation.strokes.stroke import Stroke
from segmentation.web.decoding.client import Decoder
from segmentation.web.decoding.patience import patiently
from segmentation.web.series.changed import Known, known_of, known_on, painted_key
from segmentation.web.series.pictures import small_picture
from segmentation.web.series.upload_zip import is_zip
from segmentation.web.series.whole_images import WholeImages
from segmentation.web.store import DiskFullError, StoreAwayError, StoreFullError, UnknownSessionError
from segmentation.web.store.files import digest_and_size, stack_key
from segmentation.web.store.holding import ClaimHolder
from segmentation.web.store.records import ClaimedItem, ItemResult
from segmentation.web.store.series import UnknownSeriesError
from segmentation.web.store.series_claims import SeriesClaims

LOOK_SECONDS = 2.0
"""How often a worker that has nothing to do asks the store for work."""

NICENESS = 10
NICENESS_OF_WHOLES = 15
"""By how much who segments what takes long gives way to who segments what is small, too: a third of the processor."""

TILE_SIDE = 512
TURN_SECONDS = 300.0
"""After which an image that is read part by part gives way to others that wait; to go on costs some seconds."""

PATIENCE_SECONDS = 3.0
"""So long a tile of a series waits at most for people who draw."""

RESULT = "result"
GOES_ON = "It goes on by itself once there is room."

log = logging.getLogger(__name__)


class NotOursError(Exception):
    """The item is another's by now, was cancelled, or this process is to end."""


class TurnEndedError(Exception):
    """The item has had its turn, and others wait."""


class ByPartsError(Exception):
    """The image of the item is too large to be read whole."""


def _known_of_page(page_hashes: tuple[str, ...], stack: str, known: Known) -> dict[str, Any]:
    """By which hashes sessions know an image, or the stack that its file is, and what they have said of it."""
    hashes = (*page_hashes, stack) if page_hashes else ()
    return {"hashes": hashes} | known_on(hashes, known)


class SeriesWorker:
    """Claims items of the store and works on them.

    Args:
        claims: on what there is to do, and how that ends.
        decoder: reads the images.
        max_pixels: that an image may have.
        threads: number of threads of one computation.
        outlines: says where images of a session are worked on, by the hashes of their pixels.
        sizes: says how large the pixels of images are, as people have typed it, in the same way; those of stacks by
            their keys.
        busy: says whether a browser window waits for its segmentation.
        closing: set once this process is to end.
        wholes: segments images that are read part by part; None leaves these to others, and works on all others.
    """

    def __init__(
        self,
        claims: SeriesClaims,
        decoder: Decoder,
        *,
        max_pixels: int,
        threads: int,
        outlines: Callable[[str], Mapping[str, Sequence[Stroke]]],
        sizes: Callable[[str], Mapping[str, PixelSize]],
        busy: Callable[[], bool],
        closing: threading.Event,
        wholes: WholeImages | None = None,
    ) -> None:
        self._claims, self._decoder, self._max_pixels, self._threads = claims, decoder, max_pixels, threads
        self._outlines, self._sizes, self._busy, self._closing = outlines, sizes, busy, closing
        self._noticed = threading.Event()
        self._begun = threading.Lock()
        self._model: tuple[str, Model] | None = None
        self._holder = ClaimHolder("series")
        self._wholes = wholes
        self._part: float | None = None

    def begin(self) -> None:
        """Work in a thread of this process from now on; a second time does nothing."""
        if self._begun.acquire(blocking=False):
            threading.Thread(target=self.work, name="series", daemon=True).start()

    def notice(self) -> None:
        """Look for work at once: there may be some."""
        self._noticed.set()

    def work(self) -> None:
        """Work until the process is to end."""
        if sys.platform == "linux":
            niceness = NICENESS if self._wholes is None else NICENESS_OF_WHOLES
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
        while not self._closing.is_set():
            self._noticed.clear()
            try:
                if self.work_on_one():
                    continue
            except StoreAwayError as problem:
                log.warning("series wait for the store: %s", problem)
            except Exception:
                log.exception("a series could not be worked on")
            self._noticed.wait(LOOK_SECONDS)

    def work_on_one(self) -> bool:
        """Work on the next item; False if there is none."""
        item = self._claims.claim(wholes=self._wholes is not None)
        if item is None:
            self._model = None
            if self._wholes is not None:
                self._wholes.sweep()
            return False
        self._part = None

        def heartbeat() -> bool:
            return self._claims.heartbeat(item, self._part)

        try:
            with self._holder.holding(heartbeat, TURN_SECONDS, self._others_wait):
                self._work_on(item)
        except TurnEndedError:
            self._claims.give_way(item)
        except ByPartsError:
            self._claims.hand_over(item)
        except (NotOursError, UnknownSeriesError, UnknownSessionError):
            self._claims.release(item)
        return True

    def _others_wait(self) -> bool:
        """Whether others wait for what is read part by part, which alone takes so long that it gives way to them."""
        return self._wholes is not None and self._claims.others_wait(wholes=True)

    def _work_on(self, item: ClaimedItem) -> None:
        begun = time.monotonic()
        try:
            if self._finished(item):
                log.info("image of a series done", extra={"fields": {"seconds": round(time.monotonic() - begun, 3)}})
        except (NotOursError, TurnEndedError, ByPartsError, UnknownSeriesError, UnknownSessionError, StoreAwayError):
            raise
        except PassingError as problem:
            self._claims.release(item, str(problem))
        except DiskFullError as problem:
            self._wait_for_room(item, problem)
        except StoreFullError as problem:
            self._claims.fail(item, str(problem))
        except Exception as error:
            if self._closing.is_set():  # threads are refused while a process ends, which is no fault of the image
                raise NotOursError from error
            if is_full(error):
                self._wait_for_room(item, DiskFullError())
                return
            if not isinstance(error, ValueError | OSError | MemoryError):
                log.exception("an image of a series failed")
            self._claims.fail(item, reason(error))

    def _wait_for_room(self, item: ClaimedItem, problem: DiskFullError) -> None:
        """Leave an item until there is room, which is no fault of it; a store that has none for that is waited for."""
        while True:
            try:
                self._claims.release(item, f"{problem} {GOES_ON}", counts=False)
                return
            except (StoreAwayError, StoreFullError):
                if self._closing.wait(LOOK_SECONDS):
                    raise NotOursError from problem

    def _finished(self, item: ClaimedItem) -> bool:
        """Segment an item, and end it with the result; whether that counts."""
        if self._wholes is None:
            return self._claims.finish(item, self._segmented(item))
        outlines = patiently(partial(self._outlines, item.session_id), self._rest)
        known = outlines, self._sizes(item.session_id)
        with self._wholes.segmented(
            item, self._model_for(item), *known, pause=self._pause, rest=self._rest, note=self._note_part
        ) as found:
            return self._claims.finish(item, found)

    def _note_part(self, part: float) -> None:
        self._part = part

    def _segmented(self, item: ClaimedItem) -> ItemResult:
        """What the image gives; the class ids are a TIFF as the command line writes it for the same image.

        An image that the session works on within outlines is worked on within them here too, and has pixels of the
        size that was typed for it there.
        """
        model, tables = self._model_for(item), ObjectTables()
        outlines = patiently(partial(self._outlines, item.session_id), self._rest)
        sizes = self._sizes(item.session_id)
        document = self._claims.corrections_of(item)
        painted, known = painted_key(document, model.names), known_of(document, outlines, sizes)
        picture = b""
        with tempfile.TemporaryDirectory(prefix="squiggle-series-") as desk:
            content, folder = self._claims.image(item), ResultFolder(Path(desk))
            stack = stack_key(digest_and_size(content)[0])
            folder.prepare()

            def segment(image: Image) -> Segmented:
                nonlocal picture
                segmented = self._segment(model.classifier, image).corrected(painted_on(image, painted))
                picture = picture or small_picture(image, segmented.class_ids, model.colours)
                return segmented

            with folder.writing() as staging, PageWriter(model, RESULT, Extras(), staging, tables) as writer:
                for _ in segment_pages(self._images(content, stack, outlines, sizes), segment, writer):
                    pass
            result = (folder.path / f"{RESULT}.tif").read_bytes()
        pages = [vars(page) | _known_of_page(page.hashes, stack, known) for page in writer.pages]
        return ItemResult(result, picture, pack_tables(tables.pages), pages)

    def _model_for(self, item: ClaimedItem) -> Model:
        if self._model is None or self._model[0] != item.classifier_key:
            data = self._claims.classifier_of(item)
            self._model = item.classifier_key, Model.from_file(data)
        return self._model[1]

    def _images(
        self, content: bytes, stack: str, outlines: Mapping[str, Sequence[Stroke]], sizes: Mapping[str, PixelSize]
    ) -> Iterator[Image | PageError]:
        """The images of a file, one after the other, as the session knows them, or why one cannot be read."""
        page, pages = 1, 1
        if is_zip(content[:4]):
            raise ByPartsError
        while page <= pages:
            try:
                image = patiently(partial(self._read, content, page), self._rest)
            except PassingError:
                raise
            except ImageError as error:
                pages = error.pages if isinstance(error, PageError) else pages
                if page == 1 and error.too_large and content.startswith(TIFF_BEGINNINGS):
                    raise ByPartsError from error
                if pages == 1:
                    raise
                yield error if isinstance(error, PageError) else PageError(page, pages, error)
            else:
                pages = image.metadata["pages"]
                drawn = next((outlines[one] for one in image.hashes if one in outlines), ())
                typed = next((sizes[one] for one in (*image.hashes, stack) if one in sizes), None)
                yield image.with_pixel_size(typed).within(region_of(drawn, image.shape))
                del image
            self._pause()
            page += 1

    def _read(self, content: bytes, page: int) -> Image:
        return self._decoder.read_image(content, max_pixels=self._max_pixels, page=page)

    def _rest(self, seconds: float) -> None:
        """Wait so long, unless the item is to be left."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            self._refuse_what_is_not_ours()
            self._holder.lost.wait(min(LOOK_SECONDS, seconds))

    def _segment(self, classifier: PixelClassifier, image: Image) -> Segmented:
        """Segment an image tile by tile; before each tile others go first."""
        checked, sample = classifier.adapt(image), TrustSample(image)
        recounted = RecountedObjects(classifier, checked)
        on_piece = both(sample.add, recounted.add)
        whole = whole_window(checked.shape)
        segmentation = np.empty(whole.shape, np.uint8)
        for tile in whole.split(TILE_SIDE, TILE_SIDE):
            self._pause()
            found = classifier.predict_window(checked, tile, on_piece=on_piece, threads=self._threads)
            segmentation[tile.place_in(whole)] = found
        return Segmented(classifier.cleaned(segmentation), None, sample.trust(classifier), recounted)

    def _refuse_what_is_not_ours(self) -> None:
        if self._closing.is_set() or self._holder.lost.is_set():
            raise NotOursError
        if self._holder.turn_ended.is_set():
            raise TurnEndedError

    def _pause(self) -> None:
        """Let others go first for a while."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            self._refuse_what_is_not_ours()
            if not self._busy() or time.monotonic() > deadline:
                return
            self._holder.lost.wait(0.02)
