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
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict
from typing import Any, BinaryIO

import numpy as np

from segmentation._shared.memory import returned_memory
from segmentation._shared.processes import import_paths, python_command
from segmentation._shared.tiling import Window
from segmentation.io.address_file import BEGINNING, checked_documents
from segmentation.io.image import KEPT_TYPES, Image
from segmentation.io.limits import MAX_CHANNELS, MAX_LEVELS, MAX_PAGES, ImageError, PageError, PassingError
from segmentation.io.pyramid import LARGEST_SIDE
from segmentation.io.reduced import STEP
from segmentation.web.decoding.environment import environment_of_decoders
from segmentation.web.decoding.reading import MAX_COARSEST_PIXELS, Part, read_one

SECONDS = 25.0
"""For one image; a router that gives up after 30 seconds still gets the answer."""

MAKING_SECONDS = 240.0
"""For a part of an image of which coarser levels are made, for which nobody waits."""

AT_ONCE = 2
"""Images of one server process that are read at the same time; others wait."""

ADDRESSES_AT_ONCE = 4
"""The same of images at addresses, which are waited for more than they are worked on."""

MEMORY_BYTES = 2**31
MAX_ANSWER_BYTES = 2**20

BUSY = "Other images are being read just now: try again in a moment."
LOST = (
    "Reading this image took more memory or time than this server allows, or its file is damaged: crop it, make it "
    "smaller, or save it anew as PNG or TIFF."
)
CUT_SHORT = (
    "Reading this image took more memory or time than this server has just now: try again in a moment, or crop it or "
    "make it smaller."
)
ENDED_FROM_OUTSIDE = frozenset(
    getattr(signal, name) for name in ("SIGKILL", "SIGALRM", "SIGXCPU", "SIGTERM") if hasattr(signal, name)
)
"""Signals by which a reader ends that took too much, or was in the way; by others its file has ended it."""

CAN_FORK = hasattr(os, "fork")
"""Whether this system can fork; elsewhere one's own images are read in the server itself."""

WORK, PARTS, ADDRESSES = b"!", b"p", b"a"
"""What the decoder is to do: to read an image, or a part of one that is read part by part, or of one at an address."""


class CutShortError(PassingError):
    """Reading was ended, or had too little memory: this time, since a computer is busy, or each time."""

    def __init__(self, sentence: str = CUT_SHORT) -> None:
        super().__init__(sentence)


class KilledError(CutShortError):
    """The system has ended a reader, mostly since memory was short."""


class Decoder:
    """Reads images apart from this process.

    Args:
        memory_bytes: that reading one image may take.
        seconds: that reading one image may take.
        places: from which images at addresses may be read, see :meth:`segmentation.io.addresses.Places.parse`.

    Attributes:
        give_way: what is called where a reader was ended since memory was short, before it is tried once more.
    """

    def __init__(self, memory_bytes: int = MEMORY_BYTES, seconds: float = SECONDS, places: str = "") -> None:
        self._memory_bytes, self._seconds, self._places = memory_bytes, seconds, places
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._address_slots = threading.BoundedSemaphore(ADDRESSES_AT_ONCE)
        self.give_way: list[Callable[[], None]] = [returned_memory]
        self._alone = threading.Lock()
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
            PassingError: with a sentence, if too much is being read just now, or it took too much.
            ImageError: with a sentence, if it cannot be read or used.
        """
        if not CAN_FORK:
            return read_one(content, {"name": name, "max_pixels": max_pixels}, page, labels)
        return self._asked(content, {"name": name, "max_pixels": max_pixels, "page": page, "labels": labels}, WORK)

    def read_coarsest(
        self, content: bytes | BinaryIO, *, name: str = "", most_pixels: int = MAX_COARSEST_PIXELS
    ) -> Image:
        """The coarsest level of an image that is read part by part, see
        :func:`segmentation.web.decoding.reading.read_part`; of a larger one only what is known of it.

        Raises:
            ImageError: as :meth:`read_image`.
        """
        image = self._asked_part(content, name, Part(most_pixels=most_pixels))
        _check_levels(image)
        return image

    def read_part(self, content: bytes | BinaryIO, *, level: int, window: Window, filled: bool = True) -> Image:
        """A window of a level of such an image; ``filled``: see :class:`segmentation.web.decoding.reading.Part`.

        Raises:
            ImageError: as :meth:`read_image`.
        """
        return self._asked_part(content, "the image", Part(level, _bounds(window), filled=filled))

    def read_reduced(self, content: bytes | BinaryIO, *, level: int, window: Window) -> Image:
        """The same as :func:`segmentation.io.reduced.read_reduced` gives it; it takes its time, and nobody waits for it
        who wants to read something else.

        Raises:
            ImageError: with a sentence, if it cannot be read.
            PassingError: with a sentence, if it took too much.
        """
        part = Part(level, _bounds(window), reduced=True)
        image = self._asked_part(content, "the image", part, in_background=True)
        if image.shape != tuple(-(-length // STEP) for length in window.shape):
            raise ImageError(LOST)
        return image

    def _asked_part(self, content: bytes | BinaryIO, name: str, part: Part, *, in_background: bool = False) -> Image:
        if isinstance(content, bytes):
            beginning = content[: len(BEGINNING)]
        else:
            content.seek(0)
            beginning = content.read(len(BEGINNING))
        work = ADDRESSES if beginning == BEGINNING else PARTS
        request = {"name": name, **asdict(part), "places": self._places}
        return self._asked(content, request, work, in_background=in_background)

    def _asked(
        self, content: bytes | BinaryIO, request: Mapping[str, Any], work: bytes, *, in_background: bool = False
    ) -> Image:
        if not CAN_FORK:
            raise ImageError("Images of this size are read in a process of their own, which this system does not have.")
        if in_background:
            return self._read(content, request, work, MAKING_SECONDS)
        begun = time.monotonic()
        try:
            with _taken([self._address_slots if work == ADDRESSES else self._slots], self._seconds):
                return self._read(content, request, work, self._seconds)
        except KilledError:
            if time.monotonic() - begun > self._seconds / 2:
                raise
        return self._read_alone(content, request, work)

    def _read_alone(self, content: bytes | BinaryIO, request: Mapping[str, Any], work: bytes) -> Image:
        """Read once more what was ended for memory, when no other image is read and what was kept has given way."""
        every = [self._slots] * AT_ONCE + [self._address_slots] * ADDRESSES_AT_ONCE
        with _taken([self._alone, *every], self._seconds):
            for give_way in self.give_way:
                give_way()
            return self._read(content, request, work, self._seconds)

    def begin(self) -> None:
        """Load the decoders, so that the first image need not wait for them."""
        if CAN_FORK:
            with self._lock:
                self._server_socket()

    def _read(self, content: bytes | BinaryIO, request: Mapping[str, Any], work: bytes, seconds: float) -> Image:
        in_memory = len(content) if isinstance(content, bytes) else 0
        limits = {"memory_bytes": self._memory_bytes + in_memory, "seconds": seconds}
        with ExitStack() as stack:
            target = stack.enter_context(_memory())
            if isinstance(content, bytes):
                source = stack.enter_context(_memory())
                source.write(content)
                source.flush()
            else:
                source = content
            ours, theirs = (stack.enter_context(closing(end)) for end in socket.socketpair())
            ours.settimeout(seconds + 5)
            try:
                self._send_descriptors([source.fileno(), target.fileno(), theirs.fileno()], work)
                theirs.close()
                ours.sendall(json.dumps({**request, **limits}).encode())
                ours.shutdown(socket.SHUT_WR)
                answer = _answer(_receive_all(ours))
            except OSError:
                raise CutShortError from None
            if answer.get("signal") == signal.SIGKILL:
                raise KilledError
            if answer.get("signal") in ENDED_FROM_OUTSIDE:
                raise CutShortError
            if "error" in answer:
                raise _error(answer)
            return _image(answer, target.fileno())

    def _send_descriptors(self, descriptors: list[int], work: bytes) -> None:
        with self._lock:
            try:
                socket.send_fds(self._server_socket(), [work], descriptors)
            except OSError:
                self._end()
                socket.send_fds(self._server_socket(), [work], descriptors)

    def _server_socket(self) -> socket.socket:
        """The socket of a process that is ready; one that the parent of this process started is not ours."""
        if self._owner == os.getpid() and self._process is not None and self._process.poll() is not None:
            self._end()
        if self._control is None or self._owner != os.getpid():
            self._control, theirs = socket.socketpair()
            environment = environment_of_decoders(bool(self._places))
            with theirs:
                self._process = subprocess.Popen(
                    python_command("-m", "segmentation.web.decoding.server", str(theirs.fileno())),
                    env=environment | import_paths(),
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


@contextmanager
def _taken(slots: Sequence[threading.Semaphore | threading.Lock], seconds: float) -> Iterator[None]:
    """Hold each of these, all of which must be free within so many seconds."""
    ends = time.monotonic() + seconds
    with ExitStack() as stack:
        for one in slots:
            if not one.acquire(timeout=max(ends - time.monotonic(), 0)):
                raise PassingError(BUSY)
            stack.callback(one.release)
        yield


def _check_levels(coarsest: Image) -> None:
    """Refuse what a decoder says of the levels of an image, if it makes no sense."""
    about = coarsest.metadata.get("pyramid")
    levels = about.get("levels") if isinstance(about, dict) else None
    if (
        not isinstance(about, dict)
        or not re.fullmatch("[0-9a-f]{64}", str(about.get("hash")))
        or not isinstance(levels, list)
        or not 1 <= len(levels) <= MAX_LEVELS
        or not all(isinstance(one, list) and len(one) == 3 and all(_is_size(part) for part in one) for one in levels)
        or not isinstance(about.get("piece"), list)
        or len(about["piece"]) != 2
        or not all(isinstance(side, int) and _is_size(side) for side in about["piece"])
        or not isinstance(about.get("whole"), bool)
    ):
        raise ImageError(LOST)
    try:
        about["documents"] = checked_documents(about.get("documents"))
    except ValueError:
        raise ImageError(LOST) from None


def _bounds(window: Window) -> tuple[int, int, int, int]:
    return window.rows.start, window.rows.stop, window.columns.start, window.columns.stop


def _is_size(value: object) -> bool:
    """Whether it is a positive number that can be a size."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= LARGEST_SIDE


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
            raise ImageError(LOST)
    return bytes(parts)


def _answer(told: bytes) -> Mapping[str, Any]:
    """What a decoder tells of an image.

    Raises:
        KilledError: if it tells nothing: the process that stands by was ended with it.
        ImageError: if it makes no sense.
    """
    if not told:
        raise KilledError
    try:
        answer = json.loads(told)
    except ValueError:
        raise ImageError(LOST) from None
    if not isinstance(answer, dict):
        raise ImageError(LOST)
    return answer


def _error(answer: Mapping[str, Any]) -> ImageError:
    """What a decoder says is wrong, with a file or with one of several images in it."""
    page, pages, reason = answer.get("page"), answer.get("pages"), str(answer["error"])[:1000]
    if answer.get("cut_short") is True:
        return CutShortError(reason)
    if answer.get("passing") is True:
        return PassingError(reason)
    error = ImageError(reason)
    if isinstance(page, int) and isinstance(pages, int) and 1 <= page <= pages <= MAX_PAGES:
        error = PageError(page, pages, reason)
    error.too_large = answer.get("too_large") is True
    return error


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
