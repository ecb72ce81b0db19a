"""Loading and compiling what the first stroke needs while the page is opened, once a process.

Compiling takes some ten seconds, and memory that is not given back. It is therefore done in a process of its own,
which leaves the kernels on the disk; ``python -m segmentation.web.warming`` does that beforehand, when a host builds
the application.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import segmentation
from segmentation._shared.tiling import TileGrid
from segmentation.features.cache import FeatureCache
from segmentation.features.spec import FeatureSpec
from segmentation.forest.settings import ForestSettings
from segmentation.io.image import Image, image_from_pixels
from segmentation.live.segmenter import LabelledImage, LiveSegmenter
from segmentation.strokes.raster import rasterise
from segmentation.web.kernel_cache import CACHE_VARIABLE, let_go_of_the_compiler

WATCHED = "--watched"
COMPILED = "compiled"
"""File in the folder of kernels that says that they are all there."""

log = logging.getLogger(__name__)


class WarmUp:
    """Work that is done once in the background.

    Attributes:
        state: ``cold``, ``warming``, ``warm``, or ``failed``, after which the first stroke does the work itself.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._over = threading.Event()
        self.state = "cold"

    def begin(self) -> None:
        """Begin, unless that was done."""
        with self._lock:
            if self.state != "cold":
                return
            self.state = "warming"
        threading.Thread(target=self._run, name="warm-up", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Wait until it is over, but so many seconds at most; whether there is nothing to wait for any more.

        To do the same work twice at once would take longer; what was not begun is not waited for.
        """
        return self.state == "cold" or self._over.wait(seconds)

    def _run(self) -> None:
        try:
            _compile_in_another_process()
            self._work()
            let_go_of_the_compiler()
            self.state = "warm"
            log.info("kernels are warm")
        except Exception:
            self.state = "failed"
            log.exception("kernels could not be warmed up")
        finally:
            self._over.set()


def segment_once(live: LiveSegmenter, image: Image) -> None:
    """Load, and compile where that was not done, what a first stroke on an image needs."""
    rows, columns = image.shape
    corners = {1: [(1, 1), (4, 4)], 2: [(columns - 5, rows - 5), (columns - 2, rows - 2)]}
    labels = rasterise([{"class_id": class_id, "points": points} for class_id, points in corners.items()], image.shape)
    classifier = live.train([LabelledImage.of(image, labels)], FeatureSpec(), ForestSettings())
    live.segment(image, classifier, TileGrid(image.shape).tiles[0])


def _compile_in_another_process() -> None:
    """Have the kernels on the disk, if they can be kept there."""
    cache = os.environ.get(CACHE_VARIABLE)
    if cache and os.name == "posix":
        with _one_process_at_a_time(Path(cache)):
            if not (Path(cache) / COMPILED).exists():
                root = Path(segmentation.__file__).parents[1]
                with subprocess.Popen(
                    [sys.executable, "-m", __name__, WATCHED], cwd=root, stdin=subprocess.PIPE
                ) as compiler:
                    compiler.wait()


@contextmanager
def _one_process_at_a_time(cache: Path) -> Iterator[None]:
    """The first of several processes compiles, the others find its kernels on the disk."""
    import fcntl

    with open(cache / "compiling", "w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


def compile_kernels() -> None:
    """Compile the kernels of the default settings."""
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    segment_once(LiveSegmenter(FeatureCache()), image_from_pixels(pixels))
    cache = os.environ.get(CACHE_VARIABLE)
    if cache:
        (Path(cache) / COMPILED).touch()


def _end_with_the_parent() -> None:
    """End this process when the one that holds the other end of its standard input ends."""

    def watch() -> None:
        os.read(sys.stdin.fileno(), 1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    if WATCHED in sys.argv:
        _end_with_the_parent()
    compile_kernels()
