"""The segmentation of a whole stack, plane by plane, as one TIFF; line by line, so that a page sees how far it is."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from tempfile import NamedTemporaryFile
from typing import Any, BinaryIO, cast

import numpy as np

from segmentation.io.export import CLASS_IDS, label_pages
from segmentation.io.image import Image
from segmentation.io.limits import ImageError, PassingError
from segmentation.io.slab import Smoothing, kept_smoothing
from segmentation.io.tiffwriter import BIG_TIFF_BYTES, TiffPages
from segmentation.live.segmenter import LiveSegmenter
from segmentation.strokes.raster import rasterise, region_of
from segmentation.web.decoding.patience import patiently
from segmentation.web.session.depth import seen_image
from segmentation.web.session.images import Images
from segmentation.web.session.scheduler import NobodyWaitsError, Scheduler
from segmentation.web.session.training import Result, Trainer
from segmentation.web.session.whole_results import WholeImage, until_gone

PART_BYTES = 3 * 2**18
"""Bytes that are sent in one line; a multiple of 3, as base64 likes it."""


LOOK_SECONDS = 0.5
"""How often is looked whether somebody still waits."""


class StackResults:
    """Segments stacks of sessions.

    Args:
        trainer: trains their classifiers.
        images: of the sessions.
        live: segments.
        scheduler: says whose turn it is to compute.
    """

    def __init__(self, trainer: Trainer, images: Images, live: LiveSegmenter, scheduler: Scheduler) -> None:
        self._trainer, self._images, self._live, self._scheduler = trainer, images, live, scheduler

    def segment(self, session_id: str, image_hash: str, has_gone: Callable[[], bool]) -> Iterator[dict[str, Any]]:
        """Segment all planes of a stack with what the session has learnt by now; later strokes do not change it.

        Args:
            session_id: the session.
            image_hash: a plane of the stack.
            has_gone: says whether nobody waits any more.

        Returns:
            Messages: ``done`` and ``of`` after each plane, then each ``part`` of the file in base64, and ``notes``
            at last: what is to be said of planes that are damaged, whose pages hold 0. A :class:`PassingError` says in
            a sentence that one did not come, however often it was asked for.

        Raises:
            NobodyWaitsError: if nobody waits any more.
            ValueError: with a sentence, if it is no plane, or something is missing to segment it.
        """
        with until_gone(partial(self._scheduler.download_turn, session_id), has_gone)():
            result = self._trainer.result(session_id, image_hash)
        stack = result.state.stacks.get(result.state.image.get("stack", ""))
        if stack is None:
            raise ValueError("This image is not a plane of a stack.")
        return self._messages(session_id, result, stack, has_gone)

    def _messages(
        self, session_id: str, result: Result, stack: Mapping[str, Any], has_gone: Callable[[], bool]
    ) -> Iterator[dict[str, Any]]:
        notes, smoothing = list[str](), kept_smoothing()
        planes = stack["planes"]
        rows, columns = result.image.shape
        classes = result.state.classes.values()
        yield {"done": 0, "of": len(planes)}
        with NamedTemporaryFile() as file:
            target = cast(BinaryIO, file)
            big = len(planes) * rows * columns > BIG_TIFF_BYTES
            like = self._first(session_id, result, planes).in_stack(stack["axes"])
            with label_pages(target, classes, like=like, images=len(planes), big=big) as pages:
                for done, plane in enumerate(planes, 1):
                    try:
                        self._add(session_id, result, plane, pages, has_gone, smoothing)
                    except NobodyWaitsError:
                        return
                    except PassingError:
                        raise
                    except ImageError as problem:
                        notes.append(str(problem))
                        pages.add(np.zeros((rows, columns), np.uint8), CLASS_IDS)
                    yield {"done": done, "of": len(planes)}
            file.seek(0)
            while part := file.read(PART_BYTES):
                yield {"part": base64.b64encode(part).decode()}
        yield {"notes": notes}

    def _first(self, session_id: str, result: Result, planes: list[str]) -> Image:
        """What the file says of pixel sizes and places is what the first plane says."""
        try:
            first = patiently(partial(self._images.get, session_id, planes[0]))
        except PassingError:
            raise
        except ImageError:
            first = result.image
        return first.with_pixel_size(result.state.pixel_size)

    def _add(
        self,
        session_id: str,
        result: Result,
        plane: str,
        pages: TiffPages,
        has_gone: Callable[[], bool],
        smoothing: Smoothing,
    ) -> None:
        turn = until_gone(partial(self._scheduler.download_turn, session_id), has_gone)
        whole_turn = until_gone(partial(self._scheduler.whole_turn, session_id), has_gone)
        see = partial(seen_image, self._images, session_id, result.state, plane, result.classifier.spec, smoothing)
        image = patiently(see, partial(_rest, has_gone))
        state, shape = result.state, image.shape
        with whole_turn():
            image = image.within(region_of(state.drawn.get(plane, ()), shape))
            painted = state.corrections.get(plane)
            corrections = rasterise(painted, shape) if painted else None
        whole = WholeImage(self._live, image, result.classifier, turn, has_gone, corrections, whole_turn=whole_turn)
        ids = whole.class_ids()
        with whole_turn():
            pages.add(ids, CLASS_IDS)


def _rest(has_gone: Callable[[], bool], seconds: float) -> None:
    """Wait so long, unless nobody waits any more."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if has_gone():
            raise NobodyWaitsError
        time.sleep(min(LOOK_SECONDS, seconds))
