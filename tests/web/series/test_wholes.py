"""Whole images of any size are segmented in the background, as the command line does it, whatever comes between."""

import csv
import io

import numpy as np
import pytest
import tifffile
import zarr
from zarr.storage import ZipStore

import segmentation as seg
from segmentation.io.limits import ImageError, PassingError
from segmentation.io.pyramid_file import open_pyramid_file
from segmentation.strokes.classes import REGION
from segmentation.web.application import create_app
from segmentation.web.decoding import patience
from segmentation.web.decoding.client import Decoder
from segmentation.web.series import whole_images
from segmentation.web.series.worker import NotOursError, SeriesWorker
from segmentation.web.settings import Settings
from segmentation.web.store import Limits, StoreFullError, series_claims, wholes
from segmentation.web.store.series_claims import SeriesClaims
from tests.support.asking import Someone
from tests.support.images import textured
from tests.support.pyramids import write_pyramid
from tests.support.series import work
from tests.support.wholes import BLOCKS, SHAPE, Whole, applied, classifier_of, raising

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("small_blocks")]


@pytest.fixture
def settings(tmp_path):
    return Settings(data_folder=tmp_path / "data", max_pixels=100_000, max_upload_bytes=5_000_000)


def test_a_zipped_zarr_gives_what_the_command_line_gives_as_pyramids(whole, bench, tmp_path):
    assert whole.state == {"id": None}
    assert "series" in whole.begin()
    assert whole.state["waiting"] == 1
    work(bench)
    state = whole.state
    assert (state["done"], state["failed"], state["items"][0]["reason"]) == (1, 0, "")
    expected = zarr.open_group(applied(whole, tmp_path / "cells.ozx", tmp_path), mode="r")
    assert np.array_equal(whole.ids, expected["0"][:])
    (tmp_path / "a.ome.tif").write_bytes(whole.file("segmentation.ome.tif"))
    pyramid = open_pyramid_file(tmp_path / "a.ome.tif", "a.ome.tif")
    assert [level.shape for level in pyramid.levels] == [SHAPE, (150, 200)]
    assert pyramid.pixel_size.spacing == (0.5, 0.5)
    for name in ("segmentation.ozx", "segmentation.ome.zarr.zip"):
        (tmp_path / name).write_bytes(whole.file(name))
        opened = open_pyramid_file(tmp_path / name, name)
        assert [level.shape for level in opened.levels] == [SHAPE, (150, 200)]
        assert opened.pixel_size == pyramid.pixel_size
    group = zarr.open_group(ZipStore(tmp_path / "segmentation.ozx"), mode="r")
    assert all(np.array_equal(group[level][:], expected[level][:]) for level in ("0", "1"))
    rows = list(csv.DictReader(io.StringIO(whole.file("shares.csv").decode("utf-8-sig"))))
    assert [int(row["pixels"]) for row in rows] == [np.count_nonzero(whole.ids == one) for one in (1, 2)]
    assert not list((bench.settings.data_folder / "wholes").iterdir())
    now = whole.client.get(f"/s/{whole.someone.session}/series/classifier?image={whole.facts['hash']}").json
    assert state["items"][0]["made_by"] == now["classifier"]


def test_learned_texture_is_that_of_the_whole_image(whole, bench, pixels):
    features, forest = seg.FeatureSpec(learned=True).to_json(), seg.ForestSettings(n_estimators=20).to_json()
    whole.someone.does(type="settings.change", features=features, forest=forest)
    assert "series" in whole.begin()
    work(bench)
    assert np.array_equal(whole.ids, classifier_of(whole).predict(pixels))


def test_a_tiff_gives_it_too_with_the_size_that_was_typed(client, bench, pixels, tmp_path):
    path = tmp_path / "cells.tif"
    with tifffile.TiffWriter(path) as file:
        for step, more in ((1, {"subifds": 1}), (2, {"subfiletype": 1})):
            level = np.dstack([pixels[::step, ::step]] * 3)
            file.write(level, photometric="rgb", tile=(128, 128), compression="zlib", metadata=None, **more)
    whole = Whole(client, path.read_bytes(), "cells.tif")
    size = {"x": 0.25, "y": 0.25, "unit": "µm"}
    whole.someone.does(type="image.measure", image=whole.facts["hash"], pixel_size=size)
    whole.begin()
    work(bench)
    assert np.array_equal(whole.ids, tifffile.imread(applied(whole, path, tmp_path)))
    with tifffile.TiffFile(io.BytesIO(whole.file("segmentation.ome.tif"))) as file:
        assert 'PhysicalSizeX="0.25"' in file.ome_metadata
    assert whole.client.get(f"{whole.url}/report.html").status_code == 404
    assert whole.client.get(f"/s/{whole.someone.session}/series").json["series"] == []


def test_what_was_interrupted_goes_on_in_another_process(whole, bench, settings, monkeypatch):
    whole.begin()
    pauses = []

    def ends_amid_it(worker):
        pauses.append(worker)
        if len(pauses) == 6:
            raise NotOursError

    with monkeypatch.context() as patched:
        patched.setattr(SeriesWorker, "_pause", ends_amid_it)
        assert bench.series_worker.work_on_one()
    assert whole.state["waiting"] == 1
    claims = SeriesClaims(bench.store)
    claimed = claims.claim(wholes=True)
    assert all(claims.heartbeat(claimed, *part) for part in ([0.4], []))
    claims.release(claimed)
    assert whole.state["part"] == 0.4, "until more than that is done it does not go back"
    read = []
    read_part = Decoder.read_part
    monkeypatch.setattr(Decoder, "read_part", lambda *given, **named: read.append(named) or read_part(*given, **named))
    other = create_app(settings).server.extensions["workbench"]
    work(other)
    other.store.close()
    assert whole.state["done"] == 1
    blocks = [one["window"].shape for one in read if min(one["window"].shape) > 1]
    assert len(blocks) == 1 + BLOCKS - 5, "all says how values are taken, and what was not done is segmented"
    image = seg.image_from_pixels(textured(*SHAPE))
    assert np.array_equal(whole.ids, classifier_of(whole).predict(image))


def test_it_is_stopped_goes_on_and_is_done_again_with_what_was_there_until_then(whole, bench):
    series = f"/s/{whole.someone.session}/series/{whole.begin()['series']}"
    whole.client.post(f"{series}/stop")
    assert not bench.series_worker.work_on_one()
    assert not whole.state["running"]
    whole.client.post(f"{series}/continue")
    work(bench)
    before = whole.ids
    shares, zipped_ids = whole.file("shares.csv"), whole.file("segmentation.ozx")
    third = {"id": 3, "name": "Third", "colour": "#123456"}
    whole.someone.does(**{"type": "class.add", "class": third})
    whole.someone.draws("more", whole.facts["hash"], 3, "M300,60L390,100")
    assert whole.begin()["series"] in series
    assert np.array_equal(whole.ids, before)
    assert (whole.file("shares.csv"), whole.file("segmentation.ozx")) == (shares, zipped_ids)
    work(bench)
    assert b"Third" in whole.file("shares.csv")
    assert np.array_equal(whole.ids, classifier_of(whole).predict(seg.image_from_pixels(textured(*SHAPE))))
    assert not np.array_equal(whole.ids, before)
    assert whole.client.delete(series).status_code == 200
    assert whole.state == {"id": None}
    assert whole.client.get(f"{whole.url}/shares.csv").status_code == 404
    view = f"/s/{whole.someone.session}/images/{whole.facts['hash']}/values?rows=0,2&columns=0,2"
    assert whole.client.get(view).status_code == 200
    bench.store.delete_session(whole.someone.session)


def test_begun_anew_while_another_process_works_on_it_it_is_what_it_was_begun_with(whole, bench, settings, monkeypatch):
    pauses = []

    def begins_anew(worker):
        pauses.append(worker)
        if len(pauses) == 9:
            assert len(list((settings.data_folder / "wholes").iterdir())) == 2, "neither writes where the other does"
        if len(pauses) == 6:
            whole.someone.draws("more", whole.facts["hash"], 2, "M300,60L390,100")
            whole.begin()
            other = create_app(settings).server.extensions["workbench"]
            assert other.series_worker.work_on_one()
            other.store.close()

    whole.begin()
    monkeypatch.setattr(SeriesWorker, "_pause", begins_anew)
    assert bench.series_worker.work_on_one()
    assert len(pauses) > BLOCKS
    assert (whole.state["done"], whole.state["failed"]) == (1, 0)
    assert np.array_equal(whole.ids, classifier_of(whole).predict(seg.image_from_pixels(textured(*SHAPE))))
    assert not bench.series_worker.work_on_one()
    assert not list((settings.data_folder / "wholes").iterdir())


def test_it_is_worked_on_where_it_is_outlined(whole, bench):
    here = {"id": "here", "class_id": REGION, "kind": "rectangle", "x0": 100, "y0": 50, "x1": 299, "y1": 249}
    whole.someone.does(type="stroke.add", image=whole.facts["hash"], stroke=here)
    whole.begin()
    work(bench)
    ids = whole.ids
    assert np.count_nonzero(ids) == 200 * 200
    assert ids[50:250, 100:300].all()
    (item,) = whole.state["items"]
    assert "only within what was outlined" in " ".join(item["notes"])
    now = whole.client.get(f"/s/{whole.someone.session}/series/classifier").json["outlined"]
    assert item["images"][0]["outlined"] == now[whole.facts["hash"]]


def test_what_cannot_be_done_has_a_sentence_without_a_path(whole, bench, monkeypatch):
    def failed():
        assert "series" in whole.begin()
        work(bench)
        (item,) = whole.state["items"]
        assert item["state"] == "failed"
        assert str(bench.settings.data_folder) not in item["reason"]
        assert not [path for path in places.iterdir() if not path.name.startswith(f"{whole.state['id']}.")]
        return item["reason"]

    places = bench.settings.data_folder / "wholes"

    with monkeypatch.context() as patched:
        patched.setattr(whole_images, "task_of_blocks", raising(OSError(5, "Input/output error", "/secret/place")))
        assert "/secret" not in failed()
    with monkeypatch.context() as patched:
        patched.setattr(whole_images.WholeImages, "_done", lambda *given: [])  # as if its file were gone again
        assert failed() == whole_images.UNWRITTEN
    steps = [{"kind": "fill_holes", "size": 50}]
    event = whole.someone.does(type="clean_up.change", steps=steps)
    assert "The clean-up looks at the whole image, and of more than 0 megapixels" in failed()
    whole.someone.does(type="undo", event=event)
    monkeypatch.setattr(Decoder, "read_part", raising(ImageError("A part of the image cannot be read.")))
    assert "cannot be read" in failed()
    bench.store.delete_session(whole.someone.session)
    work(bench)
    assert not list(places.iterdir())


def test_a_full_disk_is_waited_for_however_long_it_takes(whole, bench, monkeypatch):
    monkeypatch.setattr(series_claims, "POSTPONED_SECONDS", -1)
    usage = whole_images.shutil.disk_usage(bench.settings.data_folder)._replace(free=2**20)
    for place, name, full, told in (
        (whole_images.shutil, "disk_usage", lambda path: usage, "has 0.0 GB free, and 0.5 are needed"),
        (whole_images, "task_of_blocks", raising(OSError(28, "No space left", "/secret/place")), "is full: nothing"),
    ):
        whole.begin()
        with monkeypatch.context() as patched:
            patched.setattr(place, name, full)
            assert all(bench.series_worker.work_on_one() for _ in range(series_claims.MOST_TRIES + 1))
        (item,) = whole.state["items"]
        assert item["state"] == "working"
        assert told in item["reason"]
        assert item["reason"].endswith("It goes on by itself once there is room.")
        assert "/" not in item["reason"]
        work(bench)
        assert whole.state["done"] == 1


def test_what_does_not_come_just_now_is_asked_for_again_in_a_while(whole, bench, monkeypatch):
    whole.begin()
    with monkeypatch.context() as patched:
        patched.setattr(patience, "PAUSES", ())
        patched.setattr(Decoder, "read_part", raising(PassingError("There is no answer from there.")))
        assert bench.series_worker.work_on_one()
    (item,) = whole.state["items"]
    assert (item["state"], item["reason"]) == ("working", "There is no answer from there.")
    assert not bench.series_worker.work_on_one()
    whole.begin()
    work(bench)
    assert whole.state["done"] == 1


def test_there_must_be_room_for_it_in_the_session(whole, bench, monkeypatch):
    files, session = bench.store.files, whole.someone.session
    monkeypatch.setattr(files, "_limits", Limits(session_bytes=2**20 + 10**6))
    with pytest.raises(StoreFullError, match="This session is full"):
        files.require_room(session, 2 * 10**6)
    monkeypatch.setattr(wholes, "PIXELS_PER_BYTE", 0.05)
    assert "This session is full" in whole.begin()["error"]
    assert whole.state == {"id": None}


def test_an_image_that_is_read_whole_is_not_segmented_so(whole, client):
    other = whole.someone.open_image(textured(60, 90))
    assert client.post(f"/s/{whole.someone.session}/wholes/{other}").status_code == 404
    assert client.post(f"/s/{Someone(client).session}/wholes/{whole.facts['hash']}").status_code == 404


def test_an_image_at_an_address_is_read_within_what_is_allowed_now(pixels, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    path = write_pyramid(folder / "cells.zarr", pixels, chunks=128)
    allowed = Settings(data_folder=tmp_path / "data", remote=str(folder))
    app = create_app(allowed)
    whole = Whole(app.server.test_client(), None, path)
    whole.begin()
    work(app.server.extensions["workbench"])
    image = seg.image_from_pixels(pixels)
    assert np.array_equal(whole.ids, classifier_of(whole).predict(image))
    begun = whole.begin()
    app.server.extensions["workbench"].store.close()

    other = create_app(Settings(data_folder=tmp_path / "data"))
    bench = other.server.extensions["workbench"]
    work(bench)
    whole.client = other.server.test_client()
    assert whole.state["id"] == begun["series"]
    assert "This server does not open images from there" in whole.state["items"][0]["reason"]
    bench.store.close()
