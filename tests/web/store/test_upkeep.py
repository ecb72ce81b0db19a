"""What is removed, when, and by whom."""

import dataclasses
import os
import time

import pytest

from segmentation.web.application import create_app
from segmentation.web.store import Store
from segmentation.web.store.upkeep import SWEEP_SECONDS

DAY_SECONDS = 24 * 3600


@pytest.fixture
def clock(monkeypatch):
    """Lets days pass."""

    class Clock:
        ahead = 0.0

        def pass_days(self, days):
            self.ahead += days * DAY_SECONDS

    clock, real = Clock(), time.time
    monkeypatch.setattr(time, "time", lambda: real() + clock.ahead)
    return clock


@pytest.fixture
def forgetful(store_settings):
    store = Store.of(dataclasses.replace(store_settings, keep_seconds=10 * DAY_SECONDS))
    yield store
    store.close()


def test_sessions_that_nobody_opened_for_long_are_removed_with_their_images(forgetful, clock):
    unused, drawn_in, looked_at = (forgetful.create_session() for _ in range(3))
    forgetful.put_image(unused, "a" * 64, "a.png", b"pixels")
    clock.pass_days(7)
    forgetful.append(drawn_in, [{"id": "a", "type": "undo"}])
    forgetful.events(looked_at)
    clock.pass_days(7)
    forgetful.upkeep.sweep()
    assert not forgetful.has_session(unused)
    assert forgetful.has_session(drawn_in)
    assert forgetful.has_session(looked_at)
    clock.pass_days(11)
    forgetful.upkeep.sweep()
    assert not forgetful.has_session(looked_at)


def test_sessions_are_kept_for_ever_unless_told_otherwise(store, clock):
    session = store.create_session()
    clock.pass_days(5000)
    store.upkeep.sweep()
    assert store.has_session(session)


def test_one_process_sweeps_for_all_once_an_hour(forgetful, store_settings, clock):
    clock.pass_days(1)
    forgetful.upkeep.sweep()
    old = forgetful.create_session()
    with_other_settings = Store.of(dataclasses.replace(store_settings, keep_seconds=0.001))
    clock.ahead += 1
    with_other_settings.upkeep.sweep()
    assert with_other_settings.has_session(old)
    clock.ahead += SWEEP_SECONDS
    with_other_settings.upkeep.sweep()
    assert not with_other_settings.has_session(old)
    with_other_settings.close()


def test_a_session_that_is_used_while_old_ones_are_swept_stays(forgetful, clock):
    session = forgetful.create_session()
    then = time.time() + 1
    clock.pass_days(1)
    forgetful.append(session, [{"id": "a", "type": "undo"}])
    forgetful.delete_session(session, unused_since=then)
    assert forgetful.has_session(session)


def test_the_server_sweeps_with_the_first_request(store_settings, clock):
    store = Store.of(store_settings)
    session = store.create_session()
    store.close()
    clock.pass_days(3)
    app = create_app(dataclasses.replace(store_settings, keep_seconds=2 * DAY_SECONDS))
    store = app.server.extensions["workbench"].store
    app.server.test_client().get("/")
    store.upkeep.finish()
    assert not store.has_session(session)
    store.close()


def test_sqlites_file_shrinks_after_large_sessions_are_gone(tmp_path):
    store = Store.in_folder(tmp_path)
    session = store.create_session()
    store.put_image(session, "a" * 64, "a.png", os.urandom(20 * 2**20))
    store.delete_session(session)
    store.upkeep.sweep()
    store.close()
    assert (tmp_path / "squiggle.sqlite3").stat().st_size < 2**20
