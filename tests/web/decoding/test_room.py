"""A reader takes little more memory than what it reads, and one that was ended for memory is tried once more."""

import io
import os
import sys
import threading

import numpy as np
import pytest
import tifffile

from segmentation._shared.tiling import Window
from segmentation.io.no_data import filled
from segmentation.io.pyramid_file import open_pyramid_file
from segmentation.web.decoding import client as decoding
from segmentation.web.decoding.client import Decoder
from segmentation.web.decoding.reading import read_unfilled

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(os, "fork"), reason="images are not read apart")]

CHANNELS, SIDE = 3, 2048
WINDOW = Window(slice(1000, 2024), slice(0, SIDE))
WINDOW_BYTES = CHANNELS * 4 * 1024 * SIDE


def file_of(rows: int, columns: int, **options) -> bytes:
    """A TIFF of three channels of real numbers one after the other, of which some are not there."""
    pixels = np.random.default_rng(0).random((CHANNELS, rows, columns), np.float32)
    pixels[1, 5::37, 3::11] = np.nan
    pixels[:, rows // 4 : rows // 3, columns // 4 : columns // 3] = np.inf
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, photometric="minisblack", planarconfig="separate", compression="zlib", **options)
    return buffer.getvalue()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds it")
@pytest.mark.parametrize("stored", [{"tile": (256, 256)}, {"rowsperstrip": 16}], ids=["tiles", "strips"])
def test_a_part_of_an_image_without_data_takes_little_more_than_its_pixels(stored):
    content = file_of(SIDE, SIDE, **stored)
    small = Decoder(memory_bytes=3 * WINDOW_BYTES - len(content))  # which comes on top of it
    found = small.read_part(content, level=0, window=WINDOW, filled=False)
    whole = Decoder().read_part(content, level=0, window=WINDOW)
    np.testing.assert_array_equal(found.no_data, whole.no_data)
    np.testing.assert_array_equal(found.pixels[found.no_data], 0)
    np.testing.assert_array_equal(filled(found.pixels, found.no_data), whole.pixels)


@pytest.mark.parametrize("stored", [{"tile": (64, 48)}, {"rowsperstrip": 7}, {}], ids=["tiles", "strips", "plain"])
def test_what_is_read_band_by_band_is_what_is_read_at_once(stored, tmp_path, monkeypatch):
    (tmp_path / "a.tif").write_bytes(file_of(211, 190, **stored))
    pyramid = open_pyramid_file(tmp_path / "a.tif", "a.tif")
    for window in (Window(slice(0, 211), slice(0, 190)), Window(slice(33, 180), slice(7, 90))):
        at_once = pyramid.read(window)
        for some in (1, 2**13, 2**22):
            monkeypatch.setattr("segmentation.web.decoding.reading.BAND_BYTES", some)
            found = read_unfilled(pyramid, window, 0)
            assert found.pixels.dtype == at_once.pixels.dtype
            np.testing.assert_array_equal(found.no_data, at_once.no_data)
            np.testing.assert_array_equal(filled(found.pixels, found.no_data), at_once.pixels)


ENDED_ONCE = """
import os, pathlib, signal, sys, socket
from segmentation.web.decoding import server as decoder
def read(source, request):
    once = pathlib.Path(request["name"])
    if not once.exists():
        once.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return image(source, request)
image, decoder._read = decoder._read, read
decoder.main(socket.socket(fileno=int(sys.argv[1])))
"""


def test_a_reader_that_was_ended_for_memory_is_tried_once_more_when_others_have_given_way(tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "python_command", lambda *given: [sys.executable, "-c", ENDED_ONCE, given[-1]])
    decoder, content, gave_way = Decoder(), file_of(9, 9), []
    decoder.give_way.append(lambda: gave_way.append((decoder._slots._value, decoder._address_slots._value)))
    decoder.read_image(content, name=str(tmp_path / "first"), max_pixels=100)
    assert gave_way == [(0, 0)], "nobody else reads meanwhile"
    several = [tmp_path / str(number) for number in range(6)]
    reading = [
        threading.Thread(target=decoder.read_image, args=(content,), kwargs={"name": str(one), "max_pixels": 100})
        for one in several
    ]
    for thread in reading:
        thread.start()
    for thread in reading:
        thread.join()
    assert all(one.exists() for one in several)
    assert gave_way == [(0, 0)] * 7
    assert (decoder._slots._value, decoder._address_slots._value) == (decoding.AT_ONCE, decoding.ADDRESSES_AT_ONCE)
