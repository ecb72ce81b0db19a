"""Who works on series in a process: one on images that are read whole, one on those read by parts, which take long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from segmentation.io.pixel_size import PixelSize
from segmentation.strokes.stroke import Stroke
from segmentation.web.decoding.client import Decoder
from segmentation.web.series.whole_images import WholeImages
from segmentation.web.series.worker import SeriesWorker
from segmentation.web.settings import Settings
from segmentation.web.store import Store
from segmentation.web.store.series_claims import SeriesClaims
from segmentation.web.store.wholes import WholeStore


class SeriesWorkers:
    """The workers of a process; what they have in common :class:`SeriesWorker` describes.

    Args:
        store: where series are.
        decoder: reads the images.
        settings: of the server.
    """

    def __init__(
        self,
        store: Store,
        decoder: Decoder,
        settings: Settings,
        *,
        threads: int,
        outlines: Callable[[str], Mapping[str, Sequence[Stroke]]],
        sizes: Callable[[str], Mapping[str, PixelSize]],
        busy: Callable[[], bool],
        closing: threading.Event,
    ) -> None:
        wholes = WholeImages(WholeStore(store), decoder, settings.data_folder, settings.max_pixels)
        self._workers = [
            SeriesWorker(
                SeriesClaims(store),
                decoder,
                max_pixels=settings.max_pixels,
                threads=threads,
                outlines=outlines,
                sizes=sizes,
                busy=busy,
                closing=closing,
                wholes=of_wholes,
            )
            for of_wholes in (None, wholes)
        ]

    def begin(self) -> None:
        """Work in threads of this process from now on; a second time does nothing."""
        for worker in self._workers:
            worker.begin()

    def notice(self) -> None:
        """Look for work at once: there may be some."""
        for worker in self._workers:
            worker.notice()

    def work(self) -> None:
        """Work until the process is to end."""
        first, *others = self._workers
        threads = [threading.Thread(target=worker.work, name="series", daemon=True) for worker in others]
        for thread in threads:
            thread.start()
        first.work()
        self.notice()
        for thread in threads:
            thread.join()

    def work_on_one(self) -> bool:
        """Work on the next item of a series, and of whole images; False if there is none."""
        return any(worker.work_on_one() for worker in self._workers)
