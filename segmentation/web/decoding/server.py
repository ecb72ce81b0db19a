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
from contextlib import suppress
from importlib import import_module
from typing import Any

import numpy as np

from segmentation.io.limits import ImageError, PageError
from segmentation.web.decoding.reading import read_one

DESCRIPTORS = 3
STANDS_BACK = 10
QUICK_SECONDS = 0.1
"""Of processor time, which a plane that somebody waits for takes at most; what takes longer stands back."""

MAX_OPEN_FILES = 64
IDLE_SECONDS = 20
"""Without an image, after which this process ends: 25 MB for something that is mostly not needed."""


def main(control: socket.socket) -> None:
    """Fork for each image, until none has come for a while or the server process is gone."""
    _load()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
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
        if os.fork() == 0:
            control.close()
            try:
                _answer(*descriptors)
            finally:
                os._exit(0)
        for descriptor in descriptors:
            os.close(descriptor)


def _load() -> None:
    """Import what the formats need, once for all forks."""
    for name in ("PIL.BmpImagePlugin", "PIL.JpegImagePlugin", "tifffile"):
        import_module(name)
    imagecodecs = import_module("imagecodecs")
    for codec in ("png_decode", "webp_decode", "lzw_decode", "zlib_decode", "jpeg8_decode"):
        getattr(imagecodecs, codec)


def _answer(source: int, target: int, reply: int) -> None:
    with socket.socket(fileno=reply) as end:
        request = json.loads(b"".join(iter(lambda: end.recv(2**16), b"")))
        with suppress(OSError, ValueError):
            _limit(request["memory_bytes"], request["seconds"])
        answer = _decode(source, target, request["name"], request["max_pixels"], request["page"], request["labels"])
        end.sendall(json.dumps(answer).encode())


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


def _decode(source: int, target: int, name: str, max_pixels: int, page: int | None, labels: bool) -> dict[str, Any]:
    try:
        with open(source, "rb") as file:
            file.seek(0)
            size = os.fstat(source).st_size
            limits = {"name": name, "max_pixels": max_pixels, "max_bytes": max(size, 1)}
            image = read_one(file, limits, page, labels)
    except PageError as error:
        return {"error": error.reason, "page": error.page, "pages": error.pages}
    except ImageError as error:
        return {"error": str(error)}
    except MemoryError:
        return {"error": "The image does not fit into this server's memory: crop it or make it smaller."}
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
