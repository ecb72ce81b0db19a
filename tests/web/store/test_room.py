"""Limits, and disks that are really full: a sentence, and nothing half-written."""

import contextlib
import io
import os
import shutil
import sqlite3

import numpy as np
import pytest
from PIL import Image

from segmentation.web.application import SAMPLE, create_app
from segmentation.web.settings import Settings
from segmentation.web.store import StoreError, StoreFullError, open_store
from segmentation.web.store.series import SeriesStore
from tests.support.older_store import FIRST_VERSION
from tests.support.small_disk import SmallDisk


def event(number, size=0):
    """An event of about that many bytes."""
    return {"id": f"event-{number}", "type": "stroke.erase", "image": "a" * 64, "strokes": ["x" * 47] * (size // 50)}


@pytest.fixture
def small_disk():
    disk = SmallDisk(megabytes=48)
    yield disk
    disk.unmount()


@pytest.fixture(params=["sqlite", "postgresql"])
def crowded(request):
    """A store and the small disk on which its database lies."""
    if request.param == "sqlite":
        disk = SmallDisk(megabytes=48)
        store = open_store(Settings(data_folder=disk.folder))
    else:
        postgres, migrated = request.getfixturevalue("postgres"), request.getfixturevalue("migrated")
        disk = SmallDisk(megabytes=48, owner=postgres.uid)
        postgres.execute(f"CREATE TABLESPACE small LOCATION '{disk.folder}'")
        postgres.execute(f"CREATE DATABASE crowded TEMPLATE {migrated} TABLESPACE small")
        store = open_store(Settings(database_url=postgres.url("crowded")))
    yield store, disk
    store.close()
    if request.param == "postgresql":
        postgres.execute("DROP DATABASE crowded WITH (FORCE)")
        postgres.execute("DROP TABLESPACE small")
    disk.unmount()


def limited(store_settings, **limits):
    store = open_store(store_settings.model_copy(update=limits))
    return contextlib.closing(store)


def append_until_full(store, session, size):
    """Append events until there is no room; returns the number of events that were acknowledged."""
    number = len(store.events(session))
    while number < 2_000:
        try:
            store.append(session, [event(number, size)])
        except StoreFullError:
            return number
        number += 1
    raise AssertionError("there is room without end")


def test_a_session_that_is_full_says_so_and_others_are_not_concerned(store_settings):
    with limited(store_settings, session_bytes=100_000) as store:
        full, other = store.create_session(), store.create_session()
        series = SeriesStore(store)
        series_id = series.begin(full, bytes(60_000))
        with pytest.raises(StoreFullError, match="This session is full"):
            store.put_image(full, "b" * 64, "b.png", bytes(36_000))
        store.append(full, [event(0, 36_000)])
        with pytest.raises(StoreFullError, match="This session is full"):
            store.append(full, [event(1, 10), event(2, 5_000)])
        assert [e.number for e in store.events(full)] == [1]
        store.put_image(other, "a" * 64, "a.png", bytes(60_000))
        series.delete(full, series_id)
        store.append(full, [event(1, 10), event(2, 5_000)])
        assert [e.number for e in store.events(full)] == [1, 2, 3]


def test_what_all_sessions_may_hold_leaves_the_last_room_to_strokes(store_settings):
    with limited(store_settings, quota_bytes=100_000) as store:
        sessions = [store.create_session() for _ in range(3)]
        for session in sessions[:2]:
            store.put_image(session, "a" * 64, "a.png", bytes(40_000))
        with pytest.raises(StoreFullError, match="room on this server is used up"):
            store.put_image(sessions[2], "a" * 64, "a.png", bytes(16_000))
        with pytest.raises(StoreFullError, match="room on this server is used up"):
            store.duplicate_session(sessions[0], name="")
        store.append(sessions[2], [event(0, 19_000)])
        with pytest.raises(StoreFullError, match="room on this server is used up"):
            store.append(sessions[2], [event(1, 2_000)])
        store.delete_session(sessions[0])
        store.append(sessions[2], [event(1, 2_000)])
        store.put_image(sessions[2], "a" * 64, "a.png", bytes(16_000))
        assert [e.number for e in store.events(sessions[2])] == [1, 2]


def test_a_full_disk_is_a_sentence_and_what_was_written_before_is_whole(crowded):
    store, small_disk = crowded
    session = store.create_session([event(0)])
    store.put_image(session, "a" * 64, "a.png", b"pixels")
    small_disk.fill()
    written = append_until_full(store, session, 4_000)
    with pytest.raises(StoreFullError):
        store.put_image(session, "b" * 64, "b.png", bytes(2**20))
    assert [e.number for e in store.events(session)] == list(range(1, written + 1))
    assert store.image(session, "a" * 64) == ("a.png", b"pixels")
    small_disk.make_room()
    store.append(session, [event(written)])
    store.put_image(session, "b" * 64, "b.png", bytes(2**20))
    assert [e.number for e in store.events(session)] == list(range(1, written + 2))
    assert store.image(session, "b" * 64) == ("b.png", bytes(2**20))


def test_a_disk_that_is_full_when_an_older_store_is_taken_over_leaves_it_as_it_was(small_disk):
    with contextlib.closing(sqlite3.connect(small_disk.folder / "squiggle.sqlite3")) as connection:
        connection.executescript(FIRST_VERSION)
        connection.execute("INSERT INTO sessions VALUES ('first', 100)")
        connection.execute("INSERT INTO images VALUES ('first', ?, 'a.png', ?)", ("a" * 64, bytes(6 * 2**20)))
        connection.commit()
    small_disk.fill()
    with pytest.raises(Exception, match="disk is full"):
        open_store(Settings(data_folder=small_disk.folder))
    small_disk.make_room()
    store = open_store(Settings(data_folder=small_disk.folder))
    assert store.image("first", "a" * 64) == ("a.png", bytes(6 * 2**20))
    store.close()


def test_a_first_start_on_a_full_disk_leaves_no_empty_file_that_is_taken_for_a_damaged_one(small_disk):
    small_disk.fill()
    with pytest.raises(StoreError, match="disk is full"):
        open_store(Settings(data_folder=small_disk.folder))
    assert [path.name for path in small_disk.folder.iterdir()] == ["filler"]
    small_disk.make_room()
    with contextlib.closing(open_store(Settings(data_folder=small_disk.folder))) as store:
        store.create_session()


def test_files_leave_the_room_that_the_log_needs_to_go_into_the_database(small_disk):
    with contextlib.closing(open_store(Settings(data_folder=small_disk.folder))) as store:
        session = store.create_session()
        for number in range(20):
            with contextlib.suppress(StoreFullError):
                store.put_image(session, f"{number:064x}", "x", os.urandom(4_000_000))
        assert 1 < len(store.images(session)) < 20
        with contextlib.closing(sqlite3.connect(small_disk.folder / "squiggle.sqlite3")) as connection:
            busy, logged, moved = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert (busy, logged) == (0, moved)
        assert shutil.disk_usage(small_disk.folder).free > 4_000_000


def test_a_full_object_store_is_a_sentence(small_disk, tmp_path):
    store = open_store(Settings(data_folder=tmp_path / "data", objects=f"file://{small_disk.folder}"))
    session = store.create_session()
    small_disk.fill()
    with pytest.raises(StoreFullError, match="disk of the server is full"):
        store.put_image(session, "a" * 64, "a.png", bytes(2**20))
    assert store.images(session) == []
    small_disk.make_room()
    store.put_image(session, "a" * 64, "a.png", bytes(2**20))
    store.close()


def test_the_page_is_told_with_a_sentence_and_acknowledges_nothing(store_settings):
    app = create_app(store_settings.model_copy(update={"session_bytes": len(SAMPLE.content) + 200_000}))
    client, store = app.server.test_client(), app.server.extensions["workbench"].store
    session = client.post("/sessions").json["session"]
    known = append_until_full(store, session, 9_000)
    body = {"after": known, "events": [event("new", 9_000)], "segment": None, "window": "w"}
    refused = client.post(f"/s/{session}/converse", json=body)
    assert refused.status_code == 507
    assert "This session is full" in refused.json["error"]
    assert len(store.events(session)) == known
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((40, 60), np.uint8)).save(buffer, "PNG")
    refused = client.post(f"/s/{session}/images?name=a.png", data=buffer.getvalue())
    assert refused.status_code == 507
    assert "This session is full" in refused.json["error"]
    store.close()


@pytest.mark.slow
def test_on_a_full_disk_the_server_starts_again_and_sessions_can_be_deleted(small_disk):
    settings = Settings(data_folder=small_disk.folder)
    app = create_app(settings)
    client, store = app.server.test_client(), app.server.extensions["workbench"].store
    kept, large = (client.post("/sessions").json["session"] for _ in range(2))
    store.put_image(large, "b" * 64, "large.png", os.urandom(12_000_000))
    store.close()
    small_disk.fill()
    app = create_app(settings)
    client, store = app.server.test_client(), app.server.extensions["workbench"].store
    assert client.get("/ready").status_code == 200
    assert client.get(f"/s/{kept}/file").status_code == 200
    refused = client.post("/sessions")
    assert refused.status_code == 507
    assert "disk of the server is full" in refused.json["error"]
    for _ in range(100):  # nobody takes the room that deleting needs
        assert client.put(f"/s/{kept}/name", json={"name": "x" * 100}).status_code == 507
    assert client.delete(f"/s/{large}").status_code == 200
    assert client.put(f"/s/{kept}/name", json={"name": "there is room again"}).status_code == 200
    assert client.post("/sessions").status_code == 200
    store.close()
    store = open_store(settings)
    assert [one.name for one in store.summaries([kept, large])] == ["there is room again"]
    store.close()
