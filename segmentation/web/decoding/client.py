"""Reading strangers' images in processes of their own, which may fail without harm.

A small process (:mod:`segmentation.web.decoding.server`) stands by with the decoders loaded and forks for each
image; it ends when none has come for a while. The fork has limits on memory and time and is gone with its image,
whatever the file did to it. Its pixels come back as plain bytes in memory that is shared and then sealed, with their
type and shape beside them; nothing is unpickled.
"""

from __future__ import annotations

import json
import mmap
import os
import socket
import subprocess
import tempfile
import threading
import weakref
from collections.abc import Mapping
from contextlib import ExitStack, closing
from typing import Any, BinaryIO

import numpy as np

from segmentation._shared.processes import import_paths, python_command
from segmentation.io.image import KEPT_TYPES, Image
from segmentation.io.limits import MAX_CHANNELS, MAX_PAGES, ImageError, PageError
from segmentation.web.decoding.reading import read_one

SECONDS = 25.0
"""For one image; a router that gives up after 30 seconds still gets the answer."""

AT_ONCE = 2
"""Images of one server process that are read at the same time; others wait."""

MEMORY_BYTES = 2**31
MAX_ANSWER_BYTES = 2**20

BUSY = "Other images are being read just now: try again in a moment."
LOST = (
    "Reading this image took more memory or time than this server allows, or its file is damaged: crop it, make it "
    "smaller, or save it anew as PNG or TIFF."
)

CAN_FORK = hasattr(os, "fork")
"""Whether this system can fork; elsewhere one's own images are read in the server itself."""

WORK = b"!"
INHERITED = ("PATH", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "MALLOC_ARENA_MAX")
"""Variables that the decoders need; passwords and addresses of databases are not among them."""

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}


class Decoder:
    """Reads images apart from this process.

    Args:
        memory_bytes: that reading one image may take.
        seconds: that reading one image may take.
    """

    def __init__(self, memory_bytes: int = MEMORY_BYTES, seconds: float = SECONDS) -> None:
        self._memory_bytes = memory_bytes
        self._seconds = seconds
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._lock = threading.Lock()
        self._owner = 0
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._ending: weakref.finalize[..., Decoder] | None = None

    def read_image(
        self,
        content: bytes | BinaryIO,
        *,
        name: str = "",
        max_pixels: int,
        page: int | None = None,
        labels: bool = False,
    ) -> Image:
        """Read an image as :func:`segmentation.read_image` does; or one of a stack, counted from 1, as
        :func:`segmentation.read_stack` does; of labels take the indices of a palette instead of its colours.

        A file on the disk is read in place. Nobody else may read it at the same time through the same descriptor.

        Raises:
            ImageError: with a sentence, if it cannot be read or used, or took too much.
        """
        if not CAN_FORK:
            return read_one(content, {"name": name, "max_pixels": max_pixels}, page, labels)
        if not self._slots.acquire(timeout=self._seconds):
            raise ImageError(BUSY)
        try:
            return self._read(content, {"name": name, "max_pixels": max_pixels, "page": page, "labels": labels})
        finally:
            self._slots.release()

    def begin(self) -> None:
        """Load the decoders, so that the first image need not wait for them."""
        if CAN_FORK:
            with self._lock:
                self._server_socket()

    def _read(self, content: bytes | BinaryIO, request: Mapping[str, Any]) -> Image:
        in_memory = len(content) if isinstance(content, bytes) else 0
        limits = {"memory_bytes": self._memory_bytes + in_memory, "seconds": self._seconds}
        with ExitStack() as stack:
            target = stack.enter_context(_memory())
            if isinstance(content, bytes):
                source = stack.enter_context(_memory())
                source.write(content)
                source.flush()
            else:
                source = content
            ours, theirs = (stack.enter_context(closing(end)) for end in socket.socketpair())
            ours.settimeout(self._seconds + 5)
            try:
                self._send_descriptors(source.fileno(), target.fileno(), theirs)
                theirs.close()
                ours.sendall(json.dumps({**request, **limits}).encode())
                ours.shutdown(socket.SHUT_WR)
                answer = json.loads(_receive_all(ours))
            except (OSError, ValueError):
                raise ImageError(LOST) from None
            if not isinstance(answer, dict):
                raise ImageError(LOST)
            if "error" in answer:
                raise _error(answer)
            return _image(answer, target.fileno())

    def _send_descriptors(self, source: int, target: int, reply: socket.socket) -> None:
        with self._lock:
            try:
                socket.send_fds(self._server_socket(), [WORK], [source, target, reply.fileno()])
            except OSError:
                self._end()
                socket.send_fds(self._server_socket(), [WORK], [source, target, reply.fileno()])

    def _server_socket(self) -> socket.socket:
        """The socket of a process that is ready; one that the parent of this process started is not ours."""
        ended = self._process is not None and self._process.poll() is not None
        if self._control is None or self._owner != os.getpid() or ended:
            self._control, theirs = socket.socketpair()
            environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
            with theirs:
                self._process = subprocess.Popen(
                    python_command("-m", "segmentation.web.decoding.server", str(theirs.fileno())),
                    env=environment | import_paths() | ONE_THREAD,
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                )
            self._owner = os.getpid()
            self._ending = weakref.finalize(self, _end, self._control, self._process)
        return self._control

    def _end(self) -> None:
        if self._ending is not None:
            self._ending()
        self._control = None


def _end(control: socket.socket, process: subprocess.Popen[bytes]) -> None:
    control.close()
    process.wait()


def _memory() -> Any:
    """A file that lies in memory where the system has such files, and can be sealed there."""
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("image", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING), "w+b")
    return tempfile.TemporaryFile()


def _seal(descriptor: int) -> None:
    """From here on nobody can change what was written."""
    import fcntl

    if hasattr(fcntl, "F_ADD_SEALS"):
        seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)


def _receive_all(end: socket.socket) -> bytes:
    parts = bytearray()
    while part := end.recv(2**16):
        parts += part
        if len(parts) > MAX_ANSWER_BYTES:
            raise ValueError("too long an answer")
    return bytes(parts)


def _error(answer: Mapping[str, Any]) -> ImageError:
    """What a decoder says is wrong, with a file or with one of several images in it."""
    page, pages, reason = answer.get("page"), answer.get("pages"), str(answer["error"])[:1000]
    if isinstance(page, int) and isinstance(pages, int) and 1 <= page <= pages <= MAX_PAGES:
        return PageError(page, pages, reason)
    return ImageError(reason)


def _image(answer: Mapping[str, Any], descriptor: int) -> Image:
    """The image that a decoder describes, if its pixels are what it says."""
    dtype, shape, metadata = (answer.get(key) for key in ("dtype", "shape", "metadata"))
    if (
        dtype not in KEPT_TYPES
        or not isinstance(metadata, dict)
        or not isinstance(shape, list)
        or len(shape) not in (2, 3)
        or not all(isinstance(length, int) and length > 0 for length in shape)
        or (len(shape) == 3 and not 1 < shape[2] <= MAX_CHANNELS)
    ):
        raise ImageError(LOST)
    size = int(np.prod(shape, dtype=object)) * np.dtype(dtype).itemsize
    try:
        _seal(descriptor)
    except OSError:
        raise ImageError(LOST) from None
    rows, columns = shape[:2]
    packed = -(-rows * columns // 8) if answer.get("no_data") is True else 0
    if os.fstat(descriptor).st_size != size + packed:
        raise ImageError(LOST)
    memory = mmap.mmap(descriptor, size + packed, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    pixels = np.frombuffer(memory, dtype, size // np.dtype(dtype).itemsize).reshape(shape)
    if not packed:
        return Image(pixels, metadata)
    bits = np.unpackbits(np.frombuffer(memory, np.uint8, offset=size), count=rows * columns)
    return Image(pixels, metadata, bits.reshape(rows, columns).astype(bool))
