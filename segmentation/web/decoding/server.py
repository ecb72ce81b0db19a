"""The process that reads images for :mod:`segmentation.web.decoding.client`, and its forks.

``python -m segmentation.web.decoding.server DESCRIPTOR`` gets its work through a socket: a byte, and with it three
descriptors: the file, where to put its pixels, and a socket on which the request comes as JSON and the answer goes
back.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from segmentation.io.addresses import Places
from segmentation.io.image import Image
from segmentation.io.limits import ImageError, PageError, PassingError
from segmentation.web.decoding.reading import Part, read_one, read_part

DESCRIPTORS = 3
PARTS = b"p"
"""The byte of work on images that are read part by part, for which more is loaded than for others."""

ADDRESSES = b"a"
"""The same of images at an address, which need more still."""

FETCHING_SHARE = 0.8
"""Of the time for an image that an address may take; the rest is for what comes from there."""

STANDS_BACK = 10
QUICK_SECONDS = 0.1
"""Of processor time, which a plane that somebody waits for takes at most; what takes longer stands back."""

MAX_OPEN_FILES = 64
IDLE_SECONDS = 20
"""Without an image, after which this process ends: 25 MB for something that is mostly not needed."""


def main(control: socket.socket) -> None:
    """Fork for each image, until none has come for a while or the server process is gone."""
    _load()
    readers = Readers()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control.settimeout(IDLE_SECONDS)
    while True:
        try:
            word, descriptors, _, _ = socket.recv_fds(control, 1, DESCRIPTORS)
        except TimeoutError:
            # A request from now on fails and starts another process; those that have come are served.
            control.shutdown(socket.SHUT_RD)
            continue
        if not word:
            return
        if word in (PARTS, ADDRESSES):
            _load_more(word == ADDRESSES)
        readers.begin(control, descriptors)


class Readers:
    """Forks that read; where one does not come to an answer, whoever waits for it is told what ended it."""

    def __init__(self) -> None:
        self._replies: dict[int, int] = {}
        signal.signal(signal.SIGCHLD, lambda *_: self._tell())

    def begin(self, control: socket.socket, descriptors: list[int]) -> None:
        """Fork for an image; the descriptors are closed once they are not needed here."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # until it is known
        reader = os.fork()
        if reader == 0:
            status = 1
            try:
                control.close()
                for reply in self._replies.values():
                    os.close(reply)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
                _answer(*descriptors)
                status = 0
            finally:
                os._exit(status)
        *others, self._replies[reader] = descriptors
        for descriptor in others:
            os.close(descriptor)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})

    def _tell(self) -> None:
        """Tell of those that have ended, and forget them; the next signal may come in the midst of this."""
        with suppress(ChildProcessError):  # none is left
            while True:
                reader, status = os.waitpid(-1, os.WNOHANG)  # which names each of them once, whoever asks
                if not reader:
                    return
                with socket.socket(fileno=self._replies.pop(reader)) as end:
                    if status:
                        ended_by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
                        end.setblocking(False)  # nobody waits here for who does not take it
                        with suppress(OSError):
                            end.send(json.dumps({"signal": ended_by}).encode())


def _load() -> None:
    """Import what the formats need, once for all forks."""
    for name in ("PIL.BmpImagePlugin", "PIL.JpegImagePlugin", "tifffile"):
        import_module(name)
    imagecodecs = import_module("imagecodecs")
    for codec in ("png_decode", "webp_decode", "lzw_decode", "zlib_decode", "jpeg8_decode"):
        getattr(imagecodecs, codec)


def _load_more(addresses: bool) -> None:
    """Import what images that are read part by part need, once it is needed; what is not installed, an image says."""
    import_module("segmentation.io.addressed_pyramid")
    for name in ("segmentation.io.remote", "s3fs") if addresses else ():
        with suppress(ModuleNotFoundError):
            import_module(name)


def _answer(source: int, target: int, reply: int) -> None:
    with socket.socket(fileno=reply) as end:
        request = json.loads(b"".join(iter(lambda: end.recv(2**16), b"")))
        with suppress(OSError, ValueError):
            _limit(request["memory_bytes"], request["seconds"])
        answer = _decode(source, target, request)
        end.sendall(json.dumps(answer).encode())
        end.shutdown(socket.SHUT_WR)  # the process that stands by holds it too


def _limit(memory_bytes: int, seconds: float) -> None:
    """Bound what this process may take: the system ends it when it takes more, and first when memory runs out.

    What is not quick stands back behind what people draw meanwhile.
    """
    threading.Thread(target=_stand_back_in_time, args=(os.getpid(), time.process_time()), daemon=True).start()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    for limit, most in (
        (resource.RLIMIT_CPU, int(seconds) + 1),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, MAX_OPEN_FILES),
        (resource.RLIMIT_FSIZE, memory_bytes),
    ):
        resource.setrlimit(limit, (most, most))
    if sys.platform == "linux":
        with open("/proc/self/oom_score_adj", "w") as score:
            score.write("1000")
        with open("/proc/self/statm") as pages:
            used = int(pages.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + memory_bytes, used + memory_bytes))


def _stand_back_in_time(reader: int, begun: float) -> None:
    """Let the thread that reads stand back: a signal would wait until the decoder, a single call, has ended."""
    while time.process_time() - begun < QUICK_SECONDS:
        time.sleep(QUICK_SECONDS / 5)
    os.setpriority(os.PRIO_PROCESS, reader, os.getpriority(os.PRIO_PROCESS, reader) + STANDS_BACK)


def _read(source: int, request: Mapping[str, Any]) -> Image:
    """What a request asks of a file."""
    if "level" in request:
        places, ends = Places.parse(request["places"]), time.monotonic() + FETCHING_SHARE * request["seconds"]
        path = Path(f"/dev/fd/{source}")
        bounds = request["window"]
        kind = request["reduced"], request["filled"]
        part = Part(request["level"], bounds and tuple(bounds), *kind, request["most_pixels"])
        return read_part(path, request["name"], part, places, ends, request["memory_bytes"])
    with open(source, "rb") as file:
        file.seek(0)
        size = os.fstat(source).st_size
        limits = {"name": request["name"], "max_pixels": request["max_pixels"], "max_bytes": max(size, 1)}
        return read_one(file, limits, request["page"], request["labels"])


def _decode(source: int, target: int, request: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return _passed_on(_read(source, request), target)
    except PageError as error:
        return {"error": error.reason, "page": error.page, "pages": error.pages, "too_large": error.too_large}
    except ImageError as error:
        cut_short = isinstance(error.__cause__, MemoryError)
        passing = isinstance(error, PassingError)
        return {"error": str(error), "passing": passing, "cut_short": cut_short, "too_large": error.too_large}
    except (MemoryError, ImportError):  # or there is no room to load what fills in where no data are
        sentence = "The image does not fit into this server's memory: crop it or make it smaller."
        return {"error": sentence, "passing": True, "cut_short": True}


def _passed_on(image: Image, target: int) -> dict[str, Any]:
    """Write the pixels of an image, and say what they are."""
    _write_all(target, image.pixels.data.cast("B"))
    if image.no_data is not None:
        _write_all(target, np.packbits(image.no_data).data)
    return {
        "dtype": image.pixels.dtype.name,
        "shape": list(image.pixels.shape),
        "metadata": image.metadata,
        "no_data": image.no_data is not None,
    }


def _write_all(target: int, left: memoryview) -> None:
    while left:
        left = left[os.write(target, left) :]


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
