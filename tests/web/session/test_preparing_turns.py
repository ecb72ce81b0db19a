"""Who prepares a large image, for how long, and what becomes of it where that cannot be told."""

import io
import shutil
import time
from types import SimpleNamespace

import pytest
import tifffile

from segmentation.io import pyramid_making
from segmentation.io.pyramid_making import hold_data
from segmentation.web.decoding import client as decoding
from segmentation.web.session import pyramid_maker
from segmentation.web.store import DiskFullError, StoreAwayError, holding, pyramids
from segmentation.web.store.pyramids import Pyramids
from tests.support.images import textured
from tests.support.preparing import look, send
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("stopped")]


@pytest.fixture(scope="module")
def files():
    """Files without a level of less than a megapixel, by their names."""
    pixels, written = textured(1101, 1300), {}
    for name, cut in {"strips.tif": {"rowsperstrip": 10}, "tiles.tif": {"tile": (128, 128)}}.items():
        tifffile.imwrite(file := io.BytesIO(), pixels, compression="zlib", metadata=None, **cut)
        written[name] = file.getvalue()
    return written


@pytest.fixture
def stopped(monkeypatch):
    """Nothing is made but by who calls."""
    monkeypatch.setattr(pyramid_maker.PyramidMaker, "notice", lambda maker: None)


@pytest.mark.parametrize("problem", [DiskFullError(), StoreAwayError()], ids=["full", "away"])
def test_who_cannot_tell_that_it_is_at_work_tells_it_again(client, session, files, monkeypatch, problem):
    image_hash, told = send(client, session, files["strips.tif"]), []
    maker, reduced = client.application.extensions["workbench"].pyramid_maker, decoding.Decoder.read_reduced
    heartbeat = Pyramids.heartbeat

    def tell(self, *given):
        told.append(given)
        if len(told) < 3:
            raise problem
        return heartbeat(self, *given)

    def read(self, *given, **named):
        wait_for(lambda: len(told) >= 3, "it has told it again")
        return reduced(self, *given, **named)

    monkeypatch.setattr(Pyramids, "heartbeat", tell)
    monkeypatch.setattr(decoding.Decoder, "read_reduced", read)
    assert maker.work_on_one()
    assert look(client, session, image_hash)["done"]


def test_what_cannot_be_held_is_left_to_others(client, session, files, monkeypatch):
    image_hash = send(client, session, files["strips.tif"])
    maker, reduced = client.application.extensions["workbench"].pyramid_maker, decoding.Decoder.read_reduced

    def fail(*_given):
        raise KeyError("no such column")

    def read(self, *given, **named):
        wait_for(maker._holder.lost.is_set, "it is left")
        return reduced(self, *given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(Pyramids, "heartbeat", fail)
        patched.setattr(decoding.Decoder, "read_reduced", read)
        assert maker.work_on_one()
    assert not look(client, session, image_hash)["done"]
    monkeypatch.setattr(pyramids, "time", SimpleNamespace(time=lambda: time.time() + 120))
    assert maker.work_on_one()
    assert look(client, session, image_hash)["done"]


def test_what_another_process_has_taken_away_is_made_again(client, session, files, monkeypatch):
    image_hash = send(client, session, files["tiles.tif"])
    maker = client.application.extensions["workbench"].pyramid_maker

    def taken_away(folder):
        shutil.rmtree(folder)
        return hold_data(folder)

    with monkeypatch.context() as patched:
        patched.setattr(pyramid_making, "hold_data", taken_away)
        assert maker.work_on_one()
    told = look(client, session, image_hash)
    assert (told["waits"], told["reason"]) == (True, "")
    monkeypatch.setattr(pyramids, "time", SimpleNamespace(time=lambda: time.time() + 120))
    assert maker.work_on_one()
    assert look(client, session, image_hash)["done"]


def test_a_small_image_does_not_wait_for_all_of_a_large_one(client, session, files, monkeypatch):
    monkeypatch.setattr(holding, "CLAIM_SECONDS", 0.1)
    maker, reduced = client.application.extensions["workbench"].pyramid_maker, decoding.Decoder.read_reduced
    large, small = (send(client, session, files[name], name) for name in ("strips.tif", "tiles.tif"))

    def read(self, *given, **named):
        wait_for(maker._holder.turn_ended.is_set, "the turn has ended, since another waits")
        return reduced(self, *given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(pyramid_maker, "TURN_SECONDS", -1.0)
        patched.setattr(decoding.Decoder, "read_reduced", read)
        assert maker.work_on_one()
    told = look(client, session, large)
    assert (told["done"], told["waits"], told["reason"]) == (False, False, "")
    assert maker.work_on_one()
    assert (look(client, session, small)["done"], look(client, session, large)["done"]) == (True, False)
    assert maker.work_on_one()
    assert look(client, session, large)["done"]
    assert not maker.work_on_one()
