"""Loading and compiling what the first strokes need while the page is opened, once a process.

Compiling takes some ten seconds, and memory that is not given back. It is therefore done in a process of its own,
which leaves the kernels on the disk; until they are there, references compute, so that no stroke waits for a compiler.
``python -m segmentation.web.warming`` compiles beforehand, when a host builds the application.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from segmentation._shared.kernels import kernels_are_ready, references_instead
from segmentation._shared.processes import import_paths, python_command
from segmentation._shared.tiling import TileGrid
from segmentation.features.all_pixels import compute_features
from segmentation.features.cache import FeatureCache
from segmentation.features.spec import FeatureSpec
from segmentation.forest.settings import ForestSettings
from segmentation.io.image import Image, image_from_pixels
from segmentation.live.segmenter import LiveSegmenter
from segmentation.model.labelled import LabelledImage
from segmentation.objects.cleaning import clean_up
from segmentation.objects.steps import CleanUpStep
from segmentation.strokes.raster import rasterise
from segmentation.web.kernel_cache import CACHE_VARIABLE, unload_llvm_code

WATCHED = "--watched"
COMPILED = "compiled"
"""File in the folder of kernels that says that they are all there."""

POLITENESS = 5
"""By how much the compiler gives way: next to a thread that works on a stroke it has a quarter of the processor."""

log = logging.getLogger(__name__)


class WarmUp:
    """Work that is done once in the background.

    Args:
        work: segments something, whatever computes it.

    Attributes:
        state: ``cold``; ``warming``, while references compute if kernels are not on the disk; ``warm``; or ``failed``,
            after which the first stroke loads or compiles itself what it needs.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self.state = "cold"

    def begin(self) -> None:
        """Begin, unless that was done."""
        with self._lock:
            if self.state != "cold":
                return
            self.state = "warming"
        threading.Thread(target=self._run, name="warm-up", daemon=True).start()

    def _run(self) -> None:
        try:
            cache = os.environ.get(CACHE_VARIABLE)
            if cache and not _is_compiled(Path(cache)):
                with references_instead():
                    self._work()
                    _compile_in_another_process(Path(cache))
            self._work()
            unload_llvm_code()
            self.state = "warm"
            log.info("kernels are warm")
        except Exception as problem:
            self.state = "failed"
            if "interpreter shutdown" not in str(problem):  # who is asked to end in the middle of it has done no wrong
                log.exception("kernels could not be warmed up")


def segment_once(live: LiveSegmenter, image: Image) -> None:
    """Load, and compile where that is due, what a first stroke on an image needs."""
    rows, columns = image.shape
    corners = {1: [(1, 1), (4, 4)], 2: [(columns - 5, rows - 5), (columns - 2, rows - 2)]}
    labels = rasterise([{"class_id": class_id, "points": points} for class_id, points in corners.items()], image.shape)
    settings = ForestSettings(random_state=int(kernels_are_ready()))  # what a reference has grown is grown once more
    classifier = live.train([LabelledImage.from_image(image, labels)], FeatureSpec(), settings)
    live.segment(image, classifier, TileGrid(image.shape).tiles[0])


def _is_compiled(cache: Path) -> bool:
    return (cache / COMPILED).exists()


def _compile_in_another_process(cache: Path) -> None:
    """Have the kernels on the disk, if they can be kept there."""
    with _one_process_at_a_time(cache):
        if not _is_compiled(cache):
            command, environment = python_command("-m", __name__, WATCHED), os.environ | import_paths()
            with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE) as compiler:
                compiler.wait()


@contextmanager
def _one_process_at_a_time(cache: Path) -> Iterator[None]:
    """The first of several processes compiles, the others find its kernels on the disk; Windows has one only."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    with open(cache / "compiling", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def compile_kernels() -> None:
    """Compile the kernels of the default settings, and of learned texture."""
    from segmentation._shared.compiled import all_are_kept

    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    segment_once(LiveSegmenter(FeatureCache()), image_from_pixels(pixels))
    compute_features(pixels, FeatureSpec(learned=True))
    clean_up(pixels[..., 0] % 3, [CleanUpStep("smooth", 1), CleanUpStep("drop_small", 2)])
    cache = os.environ.get(CACHE_VARIABLE)
    if cache and all_are_kept():
        (Path(cache) / COMPILED).touch()


def _end_with_the_parent() -> None:
    """End this process when the one that holds the other end of its standard input ends, and not before by Ctrl+C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        os.read(sys.stdin.fileno(), 1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    if WATCHED in sys.argv:
        _end_with_the_parent()
        if sys.platform != "win32":
            os.nice(POLITENESS)
    compile_kernels()
