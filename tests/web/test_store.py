"""What must not be lost: the store, also when its process is killed."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from segmentation.web.store import Store, UnknownImageError, UnknownSessionError


def event(number, **fields):
    return {"id": f"event-{number}", "type": "undo", **fields}


def test_events_come_back_in_order_and_numbered_without_gaps(store):
    session = store.create_session([event(0)])
    store.append(session, [event(1), event(2)])
    store.append(session, [event(3)])
    assert [(e.number, e.body["id"]) for e in store.events(session)] == [
        (1, "event-0"),
        (2, "event-1"),
        (3, "event-2"),
        (4, "event-3"),
    ]
    assert [e.number for e in store.events(session, after=2)] == [3, 4]


def test_an_event_that_is_sent_twice_is_kept_once(store):
    session = store.create_session()
    store.append(session, [event(1), event(1)])
    store.append(session, [event(1), event(2)])
    assert [e.body["id"] for e in store.events(session)] == ["event-1", "event-2"]


def test_sessions_are_unguessable_and_apart(store):
    first, second = store.create_session([event(1)]), store.create_session()
    assert first != second
    assert len(first) >= 22
    assert store.events(second) == []
    store.put_image(first, "a" * 64, "a.png", b"pixels")
    assert not store.has_image(second, "a" * 64)
    with pytest.raises(UnknownImageError):
        store.image(second, "a" * 64)


def test_an_unknown_session_is_refused(store):
    with pytest.raises(UnknownSessionError):
        store.append("nobody", [event(1)])
    with pytest.raises(UnknownSessionError):
        store.events("nobody")
    assert not store.has_session("nobody")


def test_images_are_kept_by_their_hash(store):
    session = store.create_session()
    store.put_image(session, "a" * 64, "first.png", b"pixels")
    store.put_image(session, "a" * 64, "again.png", b"pixels")
    assert store.image(session, "a" * 64) == ("first.png", b"pixels")


def test_many_threads_may_write_to_one_session(store):
    session = store.create_session()

    def write(thread):
        for number in range(20):
            store.append(session, [event(f"{thread}-{number}")])

    threads = [threading.Thread(target=write, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    events = store.events(session)
    assert [e.number for e in events] == list(range(1, 161))
    for i in range(8):
        own = [e.body["id"] for e in events if e.body["id"].startswith(f"event-{i}-")]
        assert own == [f"event-{i}-{number}" for number in range(20)]


WRITER = """
from segmentation.web.settings import settings_from_environment
from segmentation.web.store import Store
store = Store.of(settings_from_environment())
session = store.create_session()
print(session, flush=True)
for number in range(100000):
    store.append(session, [{"id": str(number), "type": "undo"}])
    print(number, flush=True)
"""


def test_what_was_acknowledged_survives_a_kill(store_settings):
    environment = os.environ | {
        "SQUIGGLE_DATA": str(store_settings.data_folder),
        "DATABASE_URL": store_settings.database_url,
    }
    writer = subprocess.Popen([sys.executable, "-c", WRITER], stdout=subprocess.PIPE, text=True, env=environment)
    session = writer.stdout.readline().strip()
    acknowledged = [writer.stdout.readline().strip() for _ in range(50)]
    os.kill(writer.pid, signal.SIGKILL)
    rest, _ = writer.communicate()
    acknowledged += rest.split("\n")[:-1]
    store = Store.of(store_settings)
    kept = [e.body["id"] for e in store.events(session)]
    assert kept[: len(acknowledged)] == acknowledged
    assert len(kept) <= len(acknowledged) + 1
    store.close()
