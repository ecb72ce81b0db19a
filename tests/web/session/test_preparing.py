"""Large images whose files lack coarse levels: these are made in the background, and then they open like others."""

import errno
import io
import itertools
import re
import shutil
import time
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image

from segmentation.io import pyramid_making
from segmentation.io.halving import halved_by_means
from segmentation.io.limits import PassingError
from segmentation.io.pyramid_file import open_pyramid_file
from segmentation.web.application import create_app
from segmentation.web.decoding import client as decoding
from segmentation.web.session import made_levels, pyramid_maker
from segmentation.web.settings import Settings
from segmentation.web.store import DiskFullError, Limits, StoreAwayError, StoreFullError, holding, pyramids
from segmentation.web.store.pyramids import Pyramids
from tests.support.asking import converse
from tests.support.images import textured
from tests.support.preparing import look, send
from tests.support.pyramids import write_pyramid, zipped
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow

SHAPE = 1101, 1300
KINDS = ("strips.tif", "tiles.tif", "lies.tif", "zarr.ozx")


@pytest.fixture(scope="module")
def pixels():
    return textured(*SHAPE)


@pytest.fixture(scope="module")
def files(pixels, tmp_path_factory):
    """Files without a level of less than a megapixel, by their names."""
    folder = tmp_path_factory.mktemp("files")
    tifffile.imwrite(folder / "strips.tif", pixels, rowsperstrip=10, compression="zlib", metadata=None)
    tifffile.imwrite(folder / "tiles.tif", pixels, tile=(128, 128), metadata=None)
    with tifffile.TiffWriter(folder / "lies.tif") as file:
        file.write(pixels, tile=(128, 128), metadata=None, subifds=1)
        file.write(pixels[:500, :500], tile=(128, 128), metadata=None, subfiletype=1)
    packed = zipped(write_pyramid(folder / "a.zarr", pixels, levels=1, chunks=256))
    (folder / "zarr.ozx").write_bytes(packed)
    return {name: (folder / name).read_bytes() for name in KINDS}


def store_of(client):
    return client.application.extensions["workbench"].store


def prepared(client, session, content, name="strips.tif"):
    """The facts of an image, once it is prepared and opened."""
    image_hash = send(client, session, content, name)
    wait_for(lambda: look(client, session, image_hash)["done"], "the image is prepared")
    facts = client.get(f"/s/{session}/preparing/{image_hash}").json
    converse(client, session, [{"id": "open", "type": "image.open", "image": facts}])
    return facts


def end_of(client, session, image_hash):
    """Why an image could not be prepared."""
    wait_for(lambda: look(client, session, image_hash)["reason"], "a reason is told")
    return look(client, session, image_hash)["reason"]


def files_of(client, session):
    """The files of a session that lie in the store."""
    return [one.name for one in store_of(client).images(session)]


@pytest.fixture
def stopped(monkeypatch):
    """Nothing is made until this is called."""
    notice = pyramid_maker.PyramidMaker.notice
    monkeypatch.setattr(pyramid_maker.PyramidMaker, "notice", lambda maker: None)
    return lambda: monkeypatch.setattr(pyramid_maker.PyramidMaker, "notice", notice)


def passes(*args, **options):
    raise PassingError(decoding.BUSY)


@pytest.mark.parametrize("name", KINDS)
def test_an_image_is_prepared_and_seen_as_means_of_its_pixels(client, session, files, pixels, name, tmp_path):
    facts = prepared(client, session, files[name], name)
    assert (facts["rows"], facts["columns"], facts["name"]) == (*SHAPE, name)
    assert facts["levels"] == [list(SHAPE), [276, 325]]
    url = f"/s/{session}/images/{facts['hash']}"
    whole = client.get(f"{url}/view?rows=0,1101&columns=0,1300&step=4")
    assert Image.open(io.BytesIO(whole.data)).size == (325, 276)
    coarse = np.frombuffer(client.get(f"{url}/levels?rows=0,40&columns=0,80&step=4&channels=0").data, np.uint8)
    assert np.array_equal(coarse.reshape(10, 20), halved_by_means(halved_by_means(pixels))[:10, :20])
    values = client.get(f"{url}/values?rows=1000,1002&columns=1200,1203").data
    assert np.array_equal(np.frombuffer(values, "<f8").reshape(2, 3), pixels[1000:1002, 1200:1203])
    assert client.get(f"{url}/thumbnail").status_code == 200
    (tmp_path / name).write_bytes(files[name])
    large = client.application.extensions["workbench"].images.large
    assert large.pyramid(session, facts["hash"]).origin == open_pyramid_file(tmp_path / name, name).hash


def test_two_sessions_have_it_made_once_and_another_server_makes_the_same(client, files, monkeypatch, tmp_path):
    made = []
    make = pyramid_making.make_levels
    monkeypatch.setattr(
        pyramid_making, "make_levels", lambda *args, **options: made.append(1) or make(*args, **options)
    )
    other = create_app(Settings(data_folder=tmp_path / "other", max_pixels=500_000)).server.test_client()
    found = []
    for one, times in ((client, 2), (other, 1)):
        sessions = [one.post("/sessions").json["session"] for _ in range(times)]
        hashes = {send(one, session, files["strips.tif"]) for session in sessions}
        for session, image_hash in itertools.product(sessions, hashes):
            wait_for(lambda s=session, h=image_hash, c=one: look(c, s, h)["done"], "the image is prepared")
            content = io.BytesIO()
            Pyramids(store_of(one)).write_image(session, image_hash, content)
            found.append((image_hash, content.getvalue()))
    assert len(found) == 3
    assert len(set(found)) == 1
    assert len(made) == 2
    store_of(other).close()


def test_until_then_it_is_not_seen_and_a_server_that_begins_anew_goes_on(client, session, files, stopped, monkeypatch):
    image_hash = send(client, session, files["strips.tif"])
    assert look(client, session, image_hash) == {
        "hash": image_hash, "name": "strips.tif", "part": 0.0, "reason": "", "done": False, "waits": False,
        "hindrance": "",
    }  # fmt: skip
    view = client.get(f"/s/{session}/images/{image_hash}/view?rows=0,1101&columns=0,1300&step=4")
    assert "being prepared" in view.json["error"]
    not_yet = client.get(f"/s/{session}/preparing/{image_hash}")
    assert (not_yet.status_code, "being prepared" in not_yet.json["error"]) == (503, True)
    stopped()
    wait_for(lambda: look(client, session, image_hash)["done"], "the image is prepared")
    with monkeypatch.context() as patched:
        patched.setattr(decoding.Decoder, "read_coarsest", passes)
        busy = client.get(f"/s/{session}/preparing/{image_hash}")
    assert (busy.status_code, busy.json["error"]) == (503, decoding.BUSY)
    assert int(busy.headers["Retry-After"]) > 0
    assert client.get(f"/s/{session}/preparing/{image_hash}").json["hash"] == image_hash
    assert send(client, session, files["strips.tif"]) == image_hash
    assert look(client, session, image_hash)["done"]


def test_who_gives_it_up_leaves_nothing_of_it_and_what_is_open_stays(client, session, files, stopped, tmp_path):
    image_hash = send(client, session, files["strips.tif"])
    assert "strips.tif" in files_of(client, session)
    begun = tmp_path / "pyramids" / f"{image_hash}.unfinished"
    begun.mkdir(parents=True)
    assert client.delete(f"/s/{session}/preparing/{image_hash}").status_code == 200
    assert look(client, session, image_hash) is None
    assert "strips.tif" not in files_of(client, session)
    assert client.delete(f"/s/{session}/preparing/{image_hash}").status_code == 404
    stopped()
    facts = prepared(client, session, files["tiles.tif"], "tiles.tif")
    assert not begun.exists()
    client.delete(f"/s/{session}/preparing/{facts['hash']}")
    assert "tiles.tif" in files_of(client, session)
    assert client.get(f"/s/{session}/images/{facts['hash']}/thumbnail").status_code == 200


def test_what_fails_since_the_process_ends_is_left_to_the_next(client, session, files, stopped, monkeypatch):
    image_hash = send(client, session, files["strips.tif"])
    bench = client.application.extensions["workbench"]

    def fail(*args, **options):
        bench.closing.set()
        raise RuntimeError("cannot schedule new futures after interpreter shutdown")

    with monkeypatch.context() as patched:
        patched.setattr(pyramid_making, "make_levels", fail)
        assert bench.pyramid_maker.work_on_one()
    assert not look(client, session, image_hash)["reason"]
    assert Pyramids(store_of(client)).claim().hash == image_hash


def test_what_passes_leaves_it_for_a_while_however_often_and_then_it_goes_on(
    client, session, files, stopped, monkeypatch
):
    monkeypatch.setattr(pyramid_maker, "PAUSE_SECONDS", 0)
    image_hash = send(client, session, files["strips.tif"])
    maker = client.application.extensions["workbench"].pyramid_maker
    problems = itertools.cycle([PassingError(decoding.BUSY), StoreAwayError(), OSError(errno.EMFILE, "files")])

    def fail(*args, **options):
        raise next(problems)

    with monkeypatch.context() as patched:
        patched.setattr(decoding.Decoder, "read_reduced", fail)
        assert maker.work_on_one()
        assert not maker.work_on_one(), "it is left for a while"
        told = look(client, session, image_hash)
        assert (told["waits"], told["reason"], told["done"]) == (True, "", False)
        monkeypatch.setattr(pyramids, "time", SimpleNamespace(time=lambda: time.time() + 120))
        patched.setattr(pyramids, "POSTPONED_SECONDS", -1.0)
        for _ in range(pyramids.MOST_TRIES + 1):
            assert maker.work_on_one()
    assert maker.work_on_one()
    assert look(client, session, image_hash)["done"]


def test_a_session_that_is_deleted_meanwhile_ends_it(client, session, files, monkeypatch, tmp_path):
    monkeypatch.setattr(holding, "CLAIM_SECONDS", 0.5)
    deleted = []

    def read(self, *args, **options):
        if not deleted:
            deleted.append(client.delete(f"/s/{session}"))
        wait_for(maker._holder.lost.is_set, "it is noticed")
        return reduced(self, *args, **options)

    reduced = decoding.Decoder.read_reduced
    monkeypatch.setattr(decoding.Decoder, "read_reduced", read)
    maker = client.application.extensions["workbench"].pyramid_maker
    send(client, session, files["strips.tif"])
    client.get(f"/s/{session}/preparing")
    wait_for(lambda: deleted and maker._thread is None, "it has ended")
    assert not list((tmp_path / "pyramids").iterdir())


def test_where_there_is_no_room_nothing_is_kept(client, session, files, monkeypatch):
    monkeypatch.setattr(made_levels.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 2**29 + 1000}))
    answer = client.post(f"/s/{session}/images?name=strips.tif", data=files["strips.tif"])
    assert answer.status_code == 507
    assert "To view all of this image" in answer.json["error"]
    monkeypatch.undo()
    monkeypatch.setattr(store_of(client).files, "_limits", Limits(session_bytes=50_000))
    answer = client.post(f"/s/{session}/images?name=strips.tif", data=files["strips.tif"])
    assert answer.status_code == 507
    assert "This session is full" in answer.json["error"]
    assert "strips.tif" not in files_of(client, session)


def test_where_the_file_takes_the_room_that_was_left_it_is_not_kept_either(client, session, files, monkeypatch):
    check_room, looks = Pyramids.check_room, []

    def is_full_at_last(self, session_id, size):
        looks.append(size)
        if len(looks) == 2:
            raise StoreFullError("This session is full.")
        check_room(self, session_id, size)

    with monkeypatch.context() as patched:
        patched.setattr(Pyramids, "check_room", is_full_at_last)
        answer = client.post(f"/s/{session}/images?name=strips.tif", data=files["strips.tif"])
    assert answer.json["error"] == "This session is full."
    assert "strips.tif" not in files_of(client, session)
    assert prepared(client, session, files["strips.tif"])["name"] == "strips.tif"


def test_of_too_many_pixels_no_levels_are_made_however_small_the_file_is(client, session, tmp_path):
    array = {"shape": (2**20, 2**20), "chunks": (1024, 1024), "dtype": "uint8"}
    zarr.create_array(tmp_path / "a.zarr", **array, dimension_names=("y", "x"))
    answer = client.post(f"/s/{session}/images?name=a.ozx", data=zipped(tmp_path / "a.zarr"))
    assert "1,100 gigapixels" in answer.json["error"]
    assert "a.ozx" not in files_of(client, session)


def damaged(content, pieces):
    """A TIFF some of whose strips or tiles are none any more."""
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        starts = [file.pages[0].dataoffsets[piece] for piece in pieces]
    data = bytearray(content)
    for start in starts:
        data[start : start + 8] = b"\xff" * 8
    return bytes(data)


def test_what_the_end_of_a_file_lacks_is_told_at_once_and_when_it_is_seen(client, session, files, pixels):
    content = files["tiles.tif"][: 2 * len(files["tiles.tif"]) // 3]
    answer = client.post(f"/s/{session}/images?name=tiles.tif", data=content).json
    facts = prepared(client, session, content, "tiles.tif")
    for (told,) in (answer["notes"], facts["notes"]):
        assert re.match("About 3[0-9] % of this image cannot be read, since its file is damaged or incomplete", told)
    values = f"/s/{session}/images/{facts['hash']}/values"
    assert np.array_equal(
        np.frombuffer(client.get(f"{values}?rows=300,302&columns=7,9").data, "<f8").reshape(2, 2), pixels[300:302, 7:9]
    )
    assert "damaged or incomplete" in client.get(f"{values}?rows=1099,1101&columns=7,9").json["error"]


@pytest.mark.parametrize(
    "problem",
    [
        StoreFullError("This session is full."),
        DiskFullError("The disk of the store is full."),
        OSError(errno.ENOSPC, "No space left"),
    ],
)
def test_where_the_disk_is_full_it_goes_on_once_there_is_room(client, session, files, stopped, monkeypatch, problem):
    image_hash = send(client, session, files["strips.tif"])
    maker = client.application.extensions["workbench"].pyramid_maker

    def fail(*args, **options):
        raise problem

    asked_for_room = SimpleNamespace(**vars(shutil) | {"disk_usage": fail})
    for place in ((made_levels, "shutil", asked_for_room), (Pyramids, "finish", fail)):
        with monkeypatch.context() as patched:
            patched.setattr(*place)
            assert maker.work_on_one()
        told = look(client, session, image_hash)
        assert (told["waits"], told["reason"], told["done"]) == (True, "", False)
        full = "This session" if type(problem) is StoreFullError else "The disk of the server"
        assert told["hindrance"] == f"{full} is full. It goes on once there is room."
        monkeypatch.setattr(pyramids, "time", SimpleNamespace(time=lambda: time.time() + 120))
    monkeypatch.setattr(pyramids, "time", SimpleNamespace(time=lambda: time.time() + 240))
    monkeypatch.setattr(decoding.Decoder, "read_reduced", lambda *given, **named: pytest.fail("It is read again."))
    assert maker.work_on_one()
    told = look(client, session, image_hash)
    assert (told["done"], told["waits"], told["hindrance"]) == (True, False, "")


def test_a_strip_that_is_damaged_is_transparent_and_told_of_and_the_rest_is_there(client, session, files, pixels):
    facts = prepared(client, session, damaged(files["strips.tif"], range(40, 50)))
    assert re.match("About [1-9]+ % of this image cannot be read, .* copy it again", *facts["notes"])
    assert prepared(client, session, files["tiles.tif"], "tiles.tif")["notes"] == []
    url = f"/s/{session}/images/{facts['hash']}"
    whole = np.asarray(Image.open(io.BytesIO(client.get(f"{url}/view?rows=0,1101&columns=0,1300&step=4").data)))
    transparent = whole[..., -1] == 0
    assert transparent[100:124].all()
    assert not transparent[:80].any()
    assert not transparent[140:].any()


def test_where_nothing_can_be_read_or_it_takes_too_much_the_reason_is_told(client, session, files, monkeypatch):
    image_hash = send(client, session, damaged(files["strips.tif"], range(111)))
    assert "Nothing of this image can be read" in end_of(client, session, image_hash)
    client.delete(f"/s/{session}/preparing/{image_hash}")
    tried = []

    def lost(*args, **options):
        tried.append(1)
        raise decoding.CutShortError

    monkeypatch.setattr(decoding.Decoder, "read_reduced", lost)
    monkeypatch.setattr(pyramid_maker, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(pyramids, "POSTPONED_SECONDS", -1.0)
    image_hash = send(client, session, files["strips.tif"])
    assert "more memory or time" in end_of(client, session, image_hash)
    assert len(tried) == pyramid_maker.TRIES * pyramids.MOST_TRIES


def test_the_file_of_a_session_brings_the_image_and_its_levels_are_made_again(client, session, files):
    facts = prepared(client, session, files["tiles.tif"], "tiles.tif")
    exported = client.get(f"/s/{session}/file").data
    store_of(client).delete_session(session)
    with client.post("/sessions/import", data=exported) as answer:
        brought = answer.text.splitlines()[-1].split('"')[3]
    assert not look(client, brought, facts["hash"])["reason"]
    wait_for(lambda: look(client, brought, facts["hash"])["done"], "the image is prepared")
    assert client.get(f"/s/{brought}/images/{facts['hash']}/thumbnail").status_code == 200


def test_a_copy_of_a_session_has_the_levels_of_its_images(client, session, files):
    facts = prepared(client, session, files["tiles.tif"], "tiles.tif")
    copy = store_of(client).duplicate_session(session, name="copy")
    store_of(client).delete_session(session)
    assert look(client, copy, facts["hash"])["done"]
    assert client.get(f"/s/{copy}/images/{facts['hash']}/thumbnail").status_code == 200
