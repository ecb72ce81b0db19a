"""Images are read apart, and whatever happens to the reader is a sentence."""

import io
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

from segmentation.io.image import image_from_pixels
from segmentation.io.limits import ImageError, PageError, PassingError
from segmentation.io.read import read_image, read_stack
from segmentation.web.decoding import client as decoding
from segmentation.web.decoding.client import Decoder, _error, _image, _memory
from tests.support import PATIENCE_SECONDS
from tests.support.imagefiles import tiff_with_broken_page

pytestmark = pytest.mark.slow

MAX_PIXELS = 4_000_000
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def decoder():
    return Decoder()


def file_of(pixels, kind, **options):
    buffer = io.BytesIO()
    if kind == "TIFF":
        tifffile.imwrite(buffer, pixels, **options)
    else:
        PillowImage.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def noise(dtype, *shape):
    return (RNG.random(shape) * 200).astype(dtype)


@pytest.mark.parametrize("page", [None, 1])
@pytest.mark.parametrize("pages", [1, 3])
def test_that_an_image_has_too_many_pixels_is_told_apart_from_what_else_is_wrong(decoder, page, pages):
    content = file_of(noise("uint8", pages, 30, 40), "TIFF", photometric="minisblack")
    for data, most, too_large in ((content, 1000, True), (content[:-2000], 1200, False)):
        with pytest.raises(ImageError) as told:
            decoder.read_image(data, max_pixels=most, page=page, name="megapixels are allowed.tif")
        assert told.value.too_large is too_large


@pytest.mark.parametrize(
    "content",
    [
        file_of(noise("uint8", 30, 40, 3), "PNG"),
        file_of(noise("uint8", 30, 40, 4), "PNG"),
        file_of(noise("uint8", 30, 40), "JPEG"),
        file_of(noise("uint8", 30, 40, 3), "BMP"),
        file_of(noise("uint8", 30, 40, 3), "WEBP"),
        file_of(noise("uint16", 30, 40), "TIFF", compression="zlib"),
        file_of(noise("float32", 5, 30, 40), "TIFF", photometric="minisblack"),
        Path("tests/data/nuclei_fluo_u16.tif").read_bytes(),
    ],
    ids=["png", "alpha", "jpeg", "bmp", "webp", "tiff16", "stack", "nuclei"],
)
def test_an_image_read_apart_is_the_image(decoder, content):
    apart, here = (
        decoder.read_image(content, name="a/b.png", max_pixels=MAX_PIXELS),
        read_image(content, name="a/b.png", max_pixels=MAX_PIXELS),
    )
    assert apart.hash == here.hash
    assert apart.metadata == here.metadata
    assert apart.pixels.flags.writeable
    assert apart.pixels.flags.c_contiguous


def test_the_sentences_of_the_library_come_through(decoder):
    for content in (b"", b"hello", b"<svg/>", b"\x89PNG\r\n\x1a\n" + bytes(100)):
        with pytest.raises(ImageError) as here:
            read_image(content, max_pixels=MAX_PIXELS)
        with pytest.raises(ImageError) as apart:
            decoder.read_image(content, max_pixels=MAX_PIXELS)
        assert str(apart.value) == str(here.value)


def test_one_of_several_images_that_cannot_be_read_is_told_by_its_number(decoder):
    content = tiff_with_broken_page(noise("float32", 3, 30, 40), 1)
    with pytest.raises(PageError) as apart:
        decoder.read_image(content, max_pixels=MAX_PIXELS, page=2)
    assert (apart.value.page, apart.value.pages) == (2, 3)
    with pytest.raises(PageError) as here:
        next(read_stack(content, first=2))
    assert str(apart.value) == str(here.value)
    assert decoder.read_image(content, max_pixels=MAX_PIXELS, page=3).metadata["page"] == 3


@pytest.mark.parametrize("answer", [{"page": 1}, {"page": 0, "pages": 2}, {"page": 9, "pages": 2}, {"page": "1"}])
def test_a_decoder_that_counts_wrongly_is_not_believed(answer):
    assert type(_error({"error": "No.", **answer})) is ImageError


def test_what_takes_too_much_memory_is_a_sentence():
    content = file_of(np.zeros((3000, 3000, 3), np.float32), "TIFF", compression="zlib", photometric="rgb")
    small = Decoder(memory_bytes=50_000_000)
    with pytest.raises(decoding.CutShortError, match="memory"):
        small.read_image(content, max_pixels=10_000_000)
    assert small.read_image(file_of(noise("uint8", 9, 9), "PNG"), max_pixels=MAX_PIXELS).shape == (9, 9)


def test_what_takes_too_long_is_ended():
    content = file_of(np.zeros((6000, 6000, 3), np.uint16), "TIFF", compression="zlib", photometric="rgb")
    hasty = Decoder(seconds=0.05)
    with pytest.raises(decoding.CutShortError, match="more memory or time"):
        hasty.read_image(content, max_pixels=64_000_000)


ENDS = """
import os, signal, sys, socket
from segmentation.web.decoding import server as decoder
def read(source, request):
    if request["name"] == "fine":
        return image(source, request)
    if request["name"] == "ends":
        raise RuntimeError
    if request["name"] == "all":
        os.kill(os.getppid(), signal.SIGKILL)
    signal.signal(signal.SIGSEGV, signal.SIG_DFL)
    os.kill(os.getpid(), getattr(signal, request["name"], signal.SIGKILL))
image, decoder._read = decoder._read, read
decoder.main(socket.socket(fileno=int(sys.argv[1])))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="images are read in the server itself")
def test_what_ended_a_reader_says_whether_that_passes(monkeypatch):
    monkeypatch.setattr(decoding, "python_command", lambda *given: [sys.executable, "-c", ENDS, given[-1]])
    decoder, content = Decoder(), file_of(noise("uint8", 9, 9), "PNG")
    for name, passes in {"SIGKILL": 1, "SIGALRM": 1, "SIGSEGV": 0, "SIGABRT": 0, "ends": 0, "all": 1}.items():
        with pytest.raises(ImageError, match=r"more memory or time") as told:
            decoder.read_image(content, name=name, max_pixels=MAX_PIXELS)
        assert isinstance(told.value, PassingError) == bool(passes), name
        assert decoder.read_image(content, name="fine", max_pixels=MAX_PIXELS).shape == (9, 9)


def test_what_passes_where_an_image_is_read_passes_here_too():
    assert type(_error({"error": "No.", "passing": True})) is PassingError
    assert type(_error({"error": "No.", "passing": "yes"})) is ImageError


def test_a_reader_that_was_killed_is_replaced(decoder):
    content = file_of(noise("uint8", 9, 9), "PNG")
    decoder.begin()
    os.kill(decoder._ending.peek()[2][1].pid, signal.SIGKILL)
    decoder._ending.peek()[2][1].wait()
    assert decoder.read_image(content, max_pixels=MAX_PIXELS).shape == (9, 9)


def test_many_at_once_all_come(decoder):
    contents = [file_of(np.full((20, 20), n, np.uint8), "PNG") for n in range(12)]
    found = {}
    threads = [
        threading.Thread(target=lambda n=n: found.update({n: decoder.read_image(contents[n], max_pixels=MAX_PIXELS)}))
        for n in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {n: int(image.pixels[3, 3]) for n, image in found.items()} == {n: n for n in range(12)}


def test_who_waits_too_long_is_told():
    decoder = Decoder(seconds=0.01)
    for _ in range(decoding.AT_ONCE):
        decoder._slots.acquire()
    with pytest.raises(PassingError, match="Other images"):
        decoder.read_image(b"x", max_pixels=MAX_PIXELS)


@pytest.mark.parametrize(
    "lie",
    [
        {"dtype": "object"},
        {"dtype": "float64"},
        {"dtype": None},
        {"shape": [10, 11]},
        {"shape": [-10, -10]},
        {"shape": [100]},
        {"shape": [10, 10, 1]},
        {"shape": [2**40, 2**40]},
        {"shape": "10"},
        {"metadata": []},
    ],
)
def test_a_reader_that_lies_is_not_believed(lie):
    honest = {"dtype": "uint8", "shape": [10, 10], "metadata": {}}
    with _memory() as memory:
        memory.write(bytes(100))
        memory.flush()
        with pytest.raises(ImageError):
            _image(honest | lie, memory.fileno())
    with _memory() as memory:
        memory.write(bytes(100))
        memory.flush()
        assert _image(honest, memory.fileno()).hash == image_from_pixels(np.zeros((10, 10), np.uint8)).hash


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs memory that can be sealed")
def test_pixels_cannot_be_changed_behind_the_servers_back():
    with _memory() as memory:
        memory.write(bytes(100))
        memory.flush()
        image = _image({"dtype": "uint8", "shape": [10, 10], "metadata": {}}, memory.fileno())
        for change in (lambda: os.ftruncate(memory.fileno(), 0), lambda: os.pwrite(memory.fileno(), b"x", 0)):
            with pytest.raises(OSError):  # noqa: PT011
                change()
        assert not image.pixels.any()


def test_the_reader_knows_no_secrets_and_ends_with_its_server(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    decoder = Decoder()
    decoder.begin()
    control, process = decoder._ending.peek()[2]
    known = Path(f"/proc/{process.pid}/environ").read_bytes()
    assert b"secret" not in known
    assert b"MALLOC_ARENA_MAX=1" in known.split(b"\0"), "or threads reserve what an image may take"
    control.shutdown(socket.SHUT_RDWR)
    assert process.wait(timeout=PATIENCE_SECONDS) == 0


def test_an_image_of_a_stack_read_apart_is_that_image(decoder):
    content = file_of(noise("uint16", 3, 30, 40), "TIFF", photometric="minisblack")
    here = list(read_stack(content, max_pixels=MAX_PIXELS))
    for page, image in enumerate(here, start=1):
        apart = decoder.read_image(content, max_pixels=MAX_PIXELS, page=page)
        assert (apart.hash, apart.metadata) == (image.hash, image.metadata)
        assert (apart.metadata["page"], apart.metadata["pages"]) == (page, 3)


def test_the_process_that_stands_by_ends_when_nothing_comes_and_another_is_started():
    ours, theirs = socket.socketpair()
    code = "import socket, sys; from segmentation.web.decoding import server as decoder; decoder.IDLE_SECONDS = 0.3; "
    code += "decoder.main(socket.socket(fileno=int(sys.argv[1])))"
    with ours:
        with theirs:
            command = [sys.executable, "-c", code, str(theirs.fileno())]
            process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        assert process.wait(timeout=PATIENCE_SECONDS) == 0
        with pytest.raises(OSError, match=r"."):
            ours.send(b"!")
    decoder = Decoder()
    content = file_of(np.arange(12, dtype=np.uint8).reshape(3, 4), "PNG")
    for _ in range(2):
        assert decoder.read_image(content, max_pixels=100).shape == (3, 4)
        decoder._process.terminate()
        decoder._process.wait()


def test_pixels_without_data_come_along(decoder):
    pixels = noise("float32", 30, 41)
    pixels[4:9, 7:20] = np.nan
    content = file_of(pixels, "TIFF", photometric="minisblack")
    there, here = decoder.read_image(content, max_pixels=MAX_PIXELS), read_image(content)
    np.testing.assert_array_equal(there.no_data, np.isnan(pixels))
    np.testing.assert_array_equal(there.pixels, here.pixels)
    assert there.hash == here.hash


STANDS_BACK = """
import os, threading, time, zlib
from segmentation.web.decoding.server import _limit
before, ended, seen = os.nice(0), threading.Event(), []
_limit(2**31, 60.0)
print(os.nice(0) - before)
def watch():
    while os.getpriority(os.PRIO_PROCESS, os.getpid()) == before:
        time.sleep(0.01)
    seen.append(not ended.is_set())
watching = threading.Thread(target=watch)
watching.start()
zlib.compress(os.urandom(2**26), 9)
ended.set()
watching.join()
print(os.nice(0) - before, *seen)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="images are read in the server itself")
def test_what_takes_long_to_read_stands_back_and_a_plane_that_somebody_waits_for_does_not():
    run = subprocess.run([sys.executable, "-c", STANDS_BACK], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["0", "10", "True"], "in the midst of a single call"


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="tells open files on Linux")
def test_a_reader_that_ends_leaves_no_socket_behind():
    decoder = Decoder()
    content = file_of(noise("uint8", 30, 40), "PNG")
    counts = []
    for _ in range(3):
        decoder.read_image(content, max_pixels=MAX_PIXELS)
        counts.append(len(os.listdir("/proc/self/fd")))
        decoder._process.kill()
        decoder._process.wait()
    assert counts == counts[:1] * 3


INTERRUPTED = """
import os, signal, socket
from segmentation.web.decoding.server import Readers

wait, interrupt = os.waitpid, iter([True])

def interrupted(*what):
    if next(interrupt, False):
        signal.raise_signal(signal.SIGCHLD)
    return wait(*what)

readers, control, ends = Readers(), socket.socket(), []
for _ in range(3):
    mine, its = socket.socketpair()
    readers.begin(control, [os.open(os.devnull, os.O_RDWR), os.open(os.devnull, os.O_RDWR), its.detach()])
    ends.append(mine)
known = list(readers._replies)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
for end in ends:
    end.sendall(b"no request")
    end.shutdown(socket.SHUT_WR)
for reader in known:
    os.waitid(os.P_PID, reader, os.WEXITED | os.WNOWAIT)
os.waitpid = interrupted
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
print(*(end.recv(100).decode() for end in ends), sep="\\n")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="images are read in the server itself")
def test_readers_that_end_while_another_is_told_of_are_told_of_too():
    run = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split("\n")[:3] == ['{"signal": 0}'] * 3
