"""An OME-Zarr at an address has the pixels that it has on the disk; what goes wrong elsewhere is a sentence."""

import asyncio
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import zarr
from aiohttp.resolver import ThreadedResolver
from zarr.storage import LocalStore

from segmentation._shared.tiling import Window
from segmentation.io import remote
from segmentation.io.addresses import Places, image_path, open_store
from segmentation.io.limits import ImageError, PassingError
from segmentation.io.zarr_images import open_images
from segmentation.io.zarr_pyramid import open_pyramid
from tests.support.elsewhere import Elsewhere
from tests.support.objectstore import ObjectStore

PIXELS = np.random.default_rng(5).integers(0, 900, (96, 130), dtype=np.uint16)
PART = Window(slice(20, 90), slice(30, 120))


def write_ome_zarr(store, version=3, shards=None):
    levels = [PIXELS, PIXELS[::2, ::2]]
    datasets = [
        {"path": str(n), "coordinateTransformations": [{"type": "scale", "scale": [2.0**n, 2.0**n]}]}
        for n in range(len(levels))
    ]
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]
    described = {"multiscales": [{"axes": axes, "datasets": datasets, "version": "0.4"}]}
    group = zarr.open_group(store, mode="w", zarr_format=version)
    group.attrs.update({"ome": {"version": "0.5"} | described} if version == 3 else described)
    for number, level in enumerate(levels):
        array = group.create_array(
            str(number),
            shape=level.shape,
            chunks=(16, 16),
            shards=shards,
            dtype=level.dtype,
        )
        array[:] = level


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    write_ome_zarr(LocalStore(folder / "new.zarr"))
    write_ome_zarr(LocalStore(folder / "old images.zarr"), version=2)
    write_ome_zarr(LocalStore(folder / "shards.zarr"), shards=(32, 32))
    return folder


@pytest.fixture(scope="module")
def elsewhere(folder):
    server = Elsewhere(folder)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def object_store():
    store = ObjectStore()
    yield store
    store.stop()


@pytest.mark.parametrize("name", ["new.zarr", "old images.zarr"])
def test_windows_of_all_levels_are_read_by_http(elsewhere, folder, name):
    there, here = open_pyramid(f"{elsewhere.url}/{name}"), open_pyramid(folder / name)
    assert there.levels == here.levels
    assert there.name == name.replace(" ", "%20")
    assert there.pixel_size == here.pixel_size is not None
    np.testing.assert_array_equal(there.read(PART).pixels, PIXELS[PART.rows, PART.columns])
    np.testing.assert_array_equal(there.read(Window(slice(0, 9), slice(3, 60)), 1).pixels, PIXELS[:18:2, 6:120:2])


def test_only_the_chunks_of_a_window_are_asked_for(elsewhere):
    pyramid = open_pyramid(f"{elsewhere.url}/new.zarr")
    elsewhere.asked.clear()
    pyramid.read(Window(slice(0, 16), slice(16, 48)))
    assert sorted(elsewhere.asked) == ["/new.zarr/0/c/0/1", "/new.zarr/0/c/0/2"]


def test_a_server_that_sends_no_parts_of_files_is_said_where_they_are_needed(elsewhere):
    """Python's own server knows no ranges, of which shards need some."""
    pyramid = open_pyramid(f"{elsewhere.url}/shards.zarr")
    with pytest.raises(ImageError, match="does not send parts of a file"):
        pyramid.read(Window(slice(0, 16), slice(0, 16)))


@pytest.mark.parametrize(
    ("first", "words"),
    [
        ("leads-elsewhere", "leads elsewhere, which is not followed"),
        ("page", "a web page, and not a Zarr image"),
        ("private", "not open to everybody"),
        ("fails", "fails \\(it answers 500\\)"),
        ("huge", "more than 4 MB"),
        ("endless", "more than 4 MB"),
        ("nothing-there", "cannot be opened as a Zarr array"),
    ],
)
def test_an_address_that_does_not_answer_as_it_should_is_a_sentence(elsewhere, first, words):
    elsewhere.asked.clear()
    with pytest.raises(ImageError, match=words) as told:
        open_pyramid(f"{elsewhere.url}/{first}/new.zarr")
    assert isinstance(told.value, PassingError) == (first == "fails")
    assert not any(path.startswith("/new.zarr") for path in elsewhere.asked)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "words"),
    [("breaks-off", "breaks off in the middle"), ("chunks-fail", "503"), ("chunks-lie", "cannot be read")],
)
def test_a_chunk_that_does_not_come_is_a_sentence_and_the_rest_goes_on(elsewhere, first, words):
    pyramid = open_pyramid(f"{elsewhere.url}/{first}/new.zarr")
    with pytest.raises(ImageError, match=words) as told:
        pyramid.read(PART)
    assert isinstance(told.value, PassingError) == (first != "chunks-lie")
    assert open_pyramid(f"{elsewhere.url}/new.zarr").read(PART).shape == (70, 90)


@pytest.mark.slow
def test_an_address_that_answers_slowly_or_not_at_all_is_a_sentence(elsewhere, monkeypatch):
    monkeypatch.setattr(remote, "SECONDS", 0.5)
    with pytest.raises(PassingError, match="does not answer within"):
        open_pyramid(f"{elsewhere.url}/slow/new.zarr")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(PassingError, match="does not answer"):
        open_pyramid(f"http://127.0.0.1:{port}/new.zarr")


def test_a_name_that_leads_to_a_private_address_is_not_asked_unless_the_operator_named_it(elsewhere, monkeypatch):
    async def leads_here(self, host, port=0, family=socket.AF_INET):
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": family, "proto": 0, "flags": 0}]

    monkeypatch.setattr(ThreadedResolver, "resolve", leads_here)
    elsewhere.asked.clear()
    address = f"http://images.inside.org:{elsewhere.port}/new.zarr"
    named = open_store(address, Places.parse(f"http://images.inside.org:{elsewhere.port}"))
    assert open_pyramid(named).levels[0].shape == PIXELS.shape
    elsewhere.asked.clear()
    anybody = remote.remote_store(image_address("http://other.inside.org/new.zarr"), private=False)
    with pytest.raises(ImageError, match="private network"):
        open_pyramid(anybody)
    assert not elsewhere.asked


def image_address(text):
    return Places.parse("http://*").find(text)


def test_what_is_not_allowed_is_not_asked(elsewhere):
    elsewhere.asked.clear()
    places = Places.parse(f"{elsewhere.url}/public")
    for path in ("new.zarr", "public/../new.zarr", "public%2f..%2fnew.zarr"):
        with pytest.raises(ImageError, match=r"\.$"):
            open_store(f"{elsewhere.url}/{path}", places)
    assert not elsewhere.asked


def test_requests_are_made_in_turns(elsewhere, monkeypatch):
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(remote, "REQUESTS_A_SECOND", 0.001)
    store = remote.remote_store(Places.parse(elsewhere.url).find(f"{elsewhere.url}/new.zarr"), private=True)
    with ThreadPoolExecutor(1) as thread:  # this one may have a loop of a browser's
        thread.submit(lambda: asyncio.run(twice(store))).result()
    assert 0 in slept
    assert max(slept) > 900


async def twice(store):
    await store._wait_for_turn()
    await store._wait_for_turn()


def test_nothing_is_written_to_an_address(elsewhere):
    store = open_store(f"{elsewhere.url}/new.zarr")
    assert store.read_only
    with pytest.raises(ValueError, match="read-only"):
        zarr.open_group(store, mode="w")


def test_a_folder_of_the_server_is_a_store_out_of_which_nothing_leads(folder, tmp_path):
    inside = tmp_path / "allowed" / "image.zarr"
    write_ome_zarr(LocalStore(inside))
    places = Places.parse(str(tmp_path / "allowed"))
    assert open_pyramid(open_store(str(inside), places)).levels[0].shape == PIXELS.shape
    chunk = inside / "0" / "c" / "0" / "0"
    chunk.unlink()
    chunk.symlink_to(folder / "new.zarr" / "0" / "c" / "0" / "0")
    read = open_pyramid(open_store(str(inside), places)).read(Window(slice(0, 16), slice(0, 16)))
    assert not read.pixels.any()


@pytest.mark.parametrize("shards", [None, (32, 32)])
def test_windows_are_read_from_an_object_store(object_store, folder, monkeypatch, shards):
    for name, value in object_store.environment.items():
        monkeypatch.setenv(name, value)
    address = f"{object_store.new_bucket()}/cells.zarr"
    write_ome_zarr(zarr.storage.FsspecStore.from_url(address), shards=shards)
    pyramid = open_pyramid(address)
    np.testing.assert_array_equal(pyramid.read(PART).pixels, PIXELS[PART.rows, PART.columns])
    assert open_images(image_path(address)).shape == PIXELS.shape
    with pytest.raises(ImageError, match="cannot be opened as a Zarr array"):
        open_pyramid(f"{address}-not")


@pytest.mark.slow
def test_an_object_store_that_does_not_answer_is_a_sentence(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(PassingError, match="The object store does not answer"):
        open_pyramid("s3://bucket/cells.zarr")


def test_without_its_reader_an_address_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "segmentation.io.remote", None)
    with pytest.raises(ImageError, match=r"pip install squiggle\[remote\]"):
        open_store("https://images.org/never-opened.zarr")
