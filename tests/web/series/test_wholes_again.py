"""Whole images that fail are tried again, those that take long give way, and what there is to say of them is said."""

import numpy as np
import pytest
import tifffile

import segmentation as seg
from segmentation.io.limits import ImageError
from segmentation.web.decoding.client import Decoder
from segmentation.web.series import whole_images, worker
from segmentation.web.series.worker import SeriesWorker
from segmentation.web.settings import Settings
from segmentation.web.store import DiskFullError, StoreAwayError, wholes
from segmentation.web.store.series_claims import SeriesClaims
from tests.support.images import textured
from tests.support.series import Series, work
from tests.support.waiting import wait_for
from tests.support.wholes import BLOCKS, SHAPE, Whole, classifier_of, raising

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("small_blocks")]


@pytest.fixture
def settings(tmp_path):
    return Settings(data_folder=tmp_path / "data", max_pixels=100_000, max_upload_bytes=5_000_000)


def test_what_has_failed_goes_on_where_it_was_if_it_is_tried_again_with_the_same(whole, bench, monkeypatch):
    read_part = Decoder.read_part

    def blocks_until(number):
        """Begin it, let the block of that number fail, and give how many were read."""
        read = []

        def read_or_fail(*given, **named):
            read.extend([named["window"]] if 1 < min(named["window"].shape) < SHAPE[0] else [])
            if len(read) == number:
                raise ImageError("A part of the image cannot be read.")
            return read_part(*given, **named)

        with monkeypatch.context() as patched:
            patched.setattr(Decoder, "read_part", read_or_fail)
            whole.begin()
            work(bench)
        assert whole.state["failed"] == (number <= BLOCKS)
        return len(read)

    assert blocks_until(6) == 6
    assert blocks_until(3) == 3
    whole.someone.draws("more", whole.facts["hash"], 2, "M300,60L390,100")
    assert blocks_until(9) == 9, "of another classifier nothing is done yet"
    assert blocks_until(100) == BLOCKS - 8
    assert np.array_equal(whole.ids, classifier_of(whole).predict(seg.image_from_pixels(textured(*SHAPE))))
    assert not list((bench.settings.data_folder / "wholes").iterdir())


def test_what_is_kept_of_a_failed_image_goes_in_a_while(whole, bench, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(whole_images, "task_of_blocks", raising(ImageError("It cannot be read.")))
        whole.begin()
        work(bench)
    places = bench.settings.data_folder / "wholes"
    assert list(places.iterdir())
    monkeypatch.setattr(wholes, "KEPT_SECONDS", 0)
    work(bench)
    assert not list(places.iterdir())


def test_all_of_a_session_are_told_of_together(whole, bench):
    url = f"/s/{whole.someone.session}/wholes"
    assert whole.client.get(url).json == {"wholes": []}
    whole.begin()
    told = {"image": whole.facts["hash"], "state": "waiting", "running": True, "part": 0.0, "reason": ""}
    assert whole.client.get(url).json == {"wholes": [told]}
    work(bench)
    (told,) = whole.client.get(url).json["wholes"]
    assert (told["state"], told["reason"]) == ("done", "")
    assert whole.client.get("/s/none/wholes").json == {"wholes": []}


def test_of_an_incomplete_file_it_is_told_at_once(client, bench, pixels, tmp_path):
    with tifffile.TiffWriter(tmp_path / "cells.tif") as file:
        file.write(pixels, tile=(128, 128), metadata=None, subifds=1)
        file.write(pixels[::2, ::2], tile=(128, 128), metadata=None, subfiletype=1)
    content = bytearray((tmp_path / "cells.tif").read_bytes())
    with tifffile.TiffFile(tmp_path / "cells.tif") as file:
        last = file.pages[0].tags["TileOffsets"].valueoffset + 4 * 11
    content[last : last + 4] = bytes(4)
    whole = Whole(client, bytes(content), "cells.tif")
    assert "About 8 % of this image cannot be read" in whole.facts["notes"][0]
    assert "segmented as a whole only where all of it can be read" in whole.begin()["error"]
    assert whole.state == {"id": None, "cannot": whole.begin()["error"]}
    series = Series(client)
    series.add("cells.tif", bytes(content))
    work(bench)
    (item,) = series.progress["items"]
    assert "segmented as a whole only where all of it can be read" in item["reason"]


@pytest.mark.parametrize("problem", [DiskFullError(), StoreAwayError()], ids=["full", "away"])
def test_who_cannot_tell_that_it_is_at_work_tells_it_again(whole, bench, monkeypatch, problem):
    told, heartbeat, pause = [], SeriesClaims.heartbeat, SeriesWorker._pause

    def tell(self, *given):
        told.append(given)
        if len(told) < 3:
            raise problem
        return heartbeat(self, *given)

    def waits_for_it(worker):
        wait_for(lambda: len(told) >= 3, "it has told it again")
        return pause(worker)

    whole.begin()
    monkeypatch.setattr(SeriesClaims, "heartbeat", tell)
    monkeypatch.setattr(SeriesWorker, "_pause", waits_for_it)
    work(bench)
    assert whole.state["done"] == 1


def test_a_whole_image_gives_way_to_others_that_wait(client, bench, ozx, whole, monkeypatch):
    other, workers = Whole(client, ozx, "cells.ozx"), []
    for one in (whole, other):
        one.begin()

    def waits_for_its_end(worker):
        workers.append(worker)
        wait_for(worker._holder.turn_ended.is_set, "its turn has ended")
        return pause(worker)

    pause = SeriesWorker._pause
    with monkeypatch.context() as patched:
        patched.setattr(worker, "TURN_SECONDS", -1.0)
        patched.setattr(SeriesWorker, "_pause", waits_for_its_end)
        assert bench.series_worker.work_on_one()
    assert (len(workers), whole.state["waiting"], other.state["waiting"]) == (1, 1, 1)
    assert bench.series_worker.work_on_one()
    assert (whole.state["waiting"], other.state["done"]) == (1, 1)
    work(bench)
    assert whole.state["done"] == 1
