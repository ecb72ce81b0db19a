"""The sample of images that are read part by part which says how they are shown, as long as it comes in time."""

from __future__ import annotations

import logging
import threading

from segmentation._shared.bounded_cache import BoundedCache
from segmentation.io.image import Image
from segmentation.io.limits import ImageError
from segmentation.io.pyramid import Pyramid

SECONDS = 3.0
"""So long the first view of an image waits for its sample, which mostly comes in a tenth of that."""

KEPT_BYTES = 2**26
LATE = 10_000
"""Images of which is kept that they were shown without their sample."""

log = logging.getLogger(__name__)


class SamplesInTime:
    """Samples of images: what has not come in time comes meanwhile, and is there when the image is seen anew.

    So no part of a view is shown otherwise than the parts beside it.
    """

    def __init__(self) -> None:
        self._kept: BoundedCache[str, Image] = BoundedCache(KEPT_BYTES, lambda image: image.pixels.nbytes)
        self._late: BoundedCache[str, bool] = BoundedCache(LATE)
        self._coming: dict[str, threading.Event] = {}
        self._lock = threading.Lock()

    def begin(self, pyramid: Pyramid) -> None:
        """Let the sample of an image come, which is soon to be seen."""
        if self._kept.get(pyramid.hash) is None:
            self._ask(pyramid.hash, pyramid)

    def wait_for(self, pyramid: Pyramid) -> None:
        """Wait for a sample that is being read, so that who needs it too does not read it a second time."""
        with self._lock:
            coming = self._coming.get(pyramid.hash)
        if coming is not None:
            coming.wait()

    def of(self, pyramid: Pyramid, *, anew: bool) -> Image | None:
        """The :attr:`~segmentation.io.pyramid.Pyramid.sample` of an image; None if its view is to do without.

        Args:
            pyramid: the image.
            anew: whether its view begins anew, so that it need not look as it did.
        """
        key = pyramid.hash
        if self._late.get(key) and not anew:
            return None
        sample = self._kept.get(key)
        if sample is None:
            self._ask(key, pyramid).wait(SECONDS)
            sample = self._kept.get(key)
        if sample is None:
            self._late.put(key, True)
        else:
            self._late.pop(key)
        return sample

    def _ask(self, key: str, pyramid: Pyramid) -> threading.Event:
        with self._lock:
            if (coming := self._coming.get(key)) is None:
                coming = self._coming[key] = threading.Event()
                threading.Thread(target=self._read, args=(key, pyramid, coming), name="sample", daemon=True).start()
            return coming

    def _read(self, key: str, pyramid: Pyramid, coming: threading.Event) -> None:
        try:
            self._kept.put(key, pyramid.sample)
        except ImageError as problem:
            log.info("an image is shown without its sample: %s", problem)
        except Exception:  # such as that its session is gone: who asked for it is told by what else they ask for
            log.warning("an image is shown without its sample", exc_info=True)
        finally:
            with self._lock:
                del self._coming[key]
            coming.set()
