"""Images that lie elsewhere are opened by their addresses, if whoever runs the server allows it."""

import io
import json
import re

import fsspec
import numpy as np
import pytest
from PIL import Image

from segmentation._shared.bounded_cache import BoundedCache
from segmentation.io.address_file import BEGINNING, AddressFile
from segmentation.io.limits import ImageError, PassingError
from segmentation.web.application import create_app
from segmentation.web.decoding import client as decoding
from segmentation.web.decoding.environment import environment_of_decoders
from segmentation.web.settings import Settings
from segmentation.web.store.files import LARGE
from tests.support.asking import converse, stroke_event
from tests.support.elsewhere import Elsewhere
from tests.support.images import textured
from tests.support.pyramids import write_pyramid

pytestmark = pytest.mark.slow

SHAPE = 500, 600


@pytest.fixture(scope="module")
def pixels():
    return textured(*SHAPE)


@pytest.fixture(scope="module")
def elsewhere(pixels, tmp_path_factory):
    folder = tmp_path_factory.mktemp("elsewhere")
    for path in ("public/cells.zarr", "new.zarr"):
        write_pyramid(folder / path, pixels, chunks=256)
    server = Elsewhere(folder)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A folder of the server."""
    return tmp_path_factory.mktemp("own")


@pytest.fixture(scope="module")
def places(elsewhere, own):
    """What the operator allows."""
    names = ("public", "chunks-fail", "slow", "page", "leads-elsewhere", "private", "fails", "endless")
    return ",".join([*(f"{elsewhere.url}/{name}" for name in names), str(own)])


@pytest.fixture(scope="module")
def client(places, tmp_path_factory):
    app = create_app(Settings(data_folder=tmp_path_factory.mktemp("data"), remote=places))
    yield app.server.test_client()
    app.server.extensions["workbench"].store.close()


def opened(client, session, address):
    return client.post(f"/s/{session}/addresses", json={"address": address}).json


def drawn(client, session, facts, view=(0, 500, 0, 600)):
    """Two strokes on an image that was opened, and what comes of them."""
    paths = {1: "M40,40L200,90", 2: "M300,200L420,260"}
    strokes = [stroke_event(f"s{one}", facts["hash"], one, path) for one, path in paths.items()]
    converse(client, session, [{"id": "open", "type": "image.open", "image": facts}])
    return converse(client, session, strokes, segment={"image": facts["hash"], "view": list(view), "known": {}})


def test_an_image_is_opened_seen_and_segmented_and_its_metadata_are_asked_for_once(client, session, elsewhere, pixels):
    facts = opened(client, session, f" {elsewhere.url}/public/cells.zarr/ ")
    assert (facts["name"], facts["rows"], facts["columns"]) == ("cells.zarr", *SHAPE)
    assert facts["levels"] == [[500, 600], [250, 300], [125, 150]]
    assert facts["hash"].endswith(LARGE)
    elsewhere.asked.clear()
    url = f"/s/{session}/images/{facts['hash']}"
    values = client.get(f"{url}/values?rows=400,402&columns=500,503").data
    assert np.array_equal(np.frombuffer(values, "<f8").reshape(2, 3), pixels[400:402, 500:503])
    messages = drawn(client, session, facts)
    assert messages[-1]["kind"] == "done"
    assert sum(one["kind"] == "tile" for one in messages) == 6
    assert elsewhere.asked
    assert all("/c/" in path for path in elsewhere.asked), "chunks, and no metadata"


def test_what_was_opened_is_the_image_of_its_address_whoever_opens_it(client, elsewhere):
    sessions = [client.post("/sessions").json["session"] for _ in range(2)]
    assert len({opened(client, one, f"{elsewhere.url}/public/cells.zarr")["hash"] for one in sessions}) == 1


def test_an_image_in_an_object_store_is_opened_and_segmented(bucket, pixels, tmp_path):
    store = fsspec.filesystem("s3", skip_instance_cache=True, s3_additional_kwargs={"ACL": "public-read"})
    folder, address = write_pyramid(tmp_path / "cells.zarr", pixels, chunks=256), f"{bucket}/public/cells.zarr"
    store.put(str(folder), address, recursive=True)
    app = create_app(Settings(data_folder=tmp_path / "data", remote=f"{bucket}/public"))
    client = app.server.test_client()
    session = client.post("/sessions").json["session"]
    assert "does not open images from there" in opened(client, session, f"{bucket}/cells.zarr")["error"]
    facts = opened(client, session, address)
    values = client.get(f"/s/{session}/images/{facts['hash']}/values?rows=400,402&columns=500,503").data
    assert np.array_equal(np.frombuffer(values, "<f8").reshape(2, 3), pixels[400:402, 500:503])
    messages = drawn(client, session, facts)
    assert messages[-1]["kind"] == "done"
    assert sum(one["kind"] == "tile" for one in messages) == 6
    app.server.extensions["workbench"].store.close()


def test_a_folder_that_is_allowed_is_opened_and_parts_that_are_damaged_are_told_of(client, session, own):
    folder = write_pyramid(own / "slide.zarr", textured(300, 1300), chunks=256)
    facts = opened(client, session, str(folder))
    assert facts["name"] == "slide.zarr"
    (folder / "0" / "c" / "0" / "5").write_bytes(b"damaged")
    seen = client.get(f"/s/{session}/images/{facts['hash']}/view?rows=0,300&columns=0,1300&step=1")
    shown = np.array(Image.open(io.BytesIO(seen.data)).convert("RGBA"))[..., 3] > 0
    assert not shown[:256, 1280:].any()
    assert shown.sum() == 300 * 1300 - 256 * 20, "of the cell that is damaged there is what can be read"
    assert "immutable" not in seen.headers.get("Cache-Control", ""), "it may come the next time"
    messages = drawn(client, session, facts, [0, 300, 0, 1300])
    assert messages[-1]["kind"] == "done"
    assert "cannot be read" in messages[-1]["note"]
    assert sum(messages[-1]["pixels"].values()) > 0


def imported(client, file):
    lines = client.post("/sessions/import", data=file).get_data(as_text=True).splitlines()
    return json.loads(lines[-1])


def test_a_session_file_brings_the_address_along_to_who_allows_it(client, session, elsewhere, tmp_path):
    facts = opened(client, session, f"{elsewhere.url}/public/cells.zarr")
    drawn(client, session, facts)
    file = client.get(f"/s/{session}/file").data
    other = imported(client, file)["session"]
    assert client.get(f"/s/{other}/images/{facts['hash']}/thumbnail").status_code == 200
    assert "does not open images from there" in imported(asked_of(tmp_path), file)["error"]


def test_an_image_of_two_sessions_stays_when_one_of_them_goes(client, session, elsewhere, monkeypatch):
    first = client.post("/sessions").json["session"]
    for one in (first, session):
        facts = opened(client, one, f"{elsewhere.url}/public/cells.zarr")
        drawn(client, one, facts)
    client.delete(f"/s/{first}")
    large = client.application.extensions["workbench"].images.large
    monkeypatch.setattr(large._cells, "_kept", BoundedCache(10))
    monkeypatch.setattr(large._files, "_files", BoundedCache(10))
    assert client.get(f"/s/{session}/images/{facts['hash']}/values?rows=1,2&columns=1,2").status_code == 200


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("{url}/new.zarr", "does not open images from there"),
        ("{url}/public/../new.zarr", "not clear"),
        ("{url}/public/%2e%2e/new.zarr", "not clear"),
        ("{url}@127.0.0.1:{port}/public/cells.zarr", r"leave out what stands before the @|not understood"),
        ("http://user:word@127.0.0.1:{port}/public/cells.zarr", "names a user"),
        ("http://localhost:{port}/public/cells.zarr", "does not open images from there"),
        ("http://[::ffff:127.0.0.1]:{port}/public/cells.zarr", "does not open images from there"),
        ("http://2130706433:{port}/public/cells.zarr", "does not open images from there"),
        ("http://169.254.169.254/latest/meta-data", "does not open images from there"),
        ("file:///etc/passwd", "begins with https://"),
        ("/etc", "does not open images from there"),
        ("{own}/../data", "does not open images from there"),
        ("{url}/leads-elsewhere/new.zarr", "leads elsewhere, which is not followed"),
        ("{url}/page/new.zarr", "a web page"),
        ("{url}/private/new.zarr", "not open to everybody"),
        ("{url}/fails/new.zarr", "it answers 500"),
        ("{url}/endless/new.zarr", "more than 4 MB"),
        ("{url}/public/nothing.zarr", "no OME-Zarr image at this address"),
    ],
)
def test_hostile_and_broken_addresses_are_refused_with_a_sentence(client, session, elsewhere, own, address, words):
    elsewhere.asked.clear()
    filled = address.format(url=elsewhere.url, port=elsewhere.port, own=own)
    answer = client.post(f"/s/{session}/addresses", json={"address": filled})
    assert answer.status_code == 200
    assert re.search(words, answer.json["error"])
    assert not any(path.startswith("/new.zarr") for path in elsewhere.asked)
    images = client.application.extensions["workbench"].store.images(session)
    assert len(images) == 1, "the sample alone"


@pytest.mark.parametrize("body", [b"[]", b'{"address": 7}', b'{"address": "\\u0000"}', b"{}", b" " * 20_000])
def test_bodies_of_any_shape_are_refused(client, session, body):
    answer = client.post(f"/s/{session}/addresses", data=body, content_type="application/json")
    assert 400 <= answer.status_code < 500
    assert answer.json["error"].endswith(".")


def asked_of(folder):
    """A server that allows nothing."""
    return create_app(Settings(data_folder=folder / "none")).server.test_client()


def test_a_server_that_allows_nothing_refuses_and_asks_nobody(elsewhere, tmp_path):
    client = asked_of(tmp_path)
    session = client.post("/sessions").json["session"]
    elsewhere.asked.clear()
    for address in (f"{elsewhere.url}/public/cells.zarr", "https://images.example.org/a.zarr", "/srv"):
        assert "ask who runs it" in opened(client, session, address)["error"]
    assert not elsewhere.asked


def test_a_file_that_names_an_address_itself_is_bounded_in_the_same_way(client, session, elsewhere):
    elsewhere.asked.clear()
    workbench = client.application.extensions["workbench"]
    hostile = AddressFile(f"{elsewhere.url}/new.zarr").content()
    assert "error" in client.post(f"/s/{session}/images?name=a.ozx", data=hostile).json
    with pytest.raises(ImageError, match="does not open images from there"):
        workbench.decoder.read_coarsest(hostile)
    for damaged in (BEGINNING, BEGINNING + b"[]", BEGINNING + json.dumps({"address": "a", "documents": 1}).encode()):
        with pytest.raises(ImageError, match="damaged"):
            workbench.decoder.read_coarsest(damaged)
    assert not elsewhere.asked


def test_an_address_that_takes_too_long_is_a_sentence(elsewhere, places):
    hasty = decoding.Decoder(seconds=6, places=places)
    with pytest.raises(PassingError, match="answers too slowly"):
        hasty.read_coarsest(AddressFile(f"{elsewhere.url}/slow/new.zarr").content())


def test_an_image_elsewhere_that_lacks_coarse_levels_is_refused(client, elsewhere):
    address = AddressFile(f"{elsewhere.url}/public/cells.zarr").content()
    with pytest.raises(ImageError, match="or open it as a file, for which they are made here"):
        client.application.extensions["workbench"].decoder.read_coarsest(address, most_pixels=10_000)


def test_who_waits_for_addresses_keeps_nobody_from_files(elsewhere, places):
    decoder = decoding.Decoder(seconds=1.5, places=places)
    for _ in range(decoding.ADDRESSES_AT_ONCE):
        assert decoder._address_slots.acquire(blocking=False)
    with pytest.raises(PassingError, match="Other images are being read"):
        decoder.read_coarsest(AddressFile(f"{elsewhere.url}/public/cells.zarr").content())
    assert decoder._slots.acquire(blocking=False)


def test_the_reader_of_addresses_has_the_keys_that_are_meant_for_it_and_no_others(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the store")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("SQUIGGLE_REMOTE_AWS_ACCESS_KEY_ID", "of images")
    assert not [name for name in environment_of_decoders(addresses=False) if "AWS" in name]
    found = environment_of_decoders(addresses=True)
    assert "AWS_SECRET_ACCESS_KEY" not in found
    assert (found["AWS_ACCESS_KEY_ID"], found["AWS_ENDPOINT_URL"]) == ("of images", "http://127.0.0.1:9")
