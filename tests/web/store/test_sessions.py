"""What must not be lost: the store, also when its process is killed."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sql

from segmentation.web.http.server import THREADS
from segmentation.web.store import NewImage, UnknownImageError, UnknownSessionError, open_store, tables

pytestmark = pytest.mark.slow

TABLES = (tables.sessions, tables.events, tables.images, tables.blobs, tables.contents)


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


def test_a_session_is_named_and_summed_up(store):
    session = store.create_session([event(0)], name="Colon, week 3")
    store.append(session, [event(1, type="stroke.add"), event(2, type="stroke.add"), event(3, type="stroke.erase")])
    store.put_image(session, "a" * 64, "a.png", b"x" * 1000)
    other = store.create_session()
    first, second = store.summaries([other, "nobody", session, "../x", session])
    assert (first.id, first.name, first.images, first.strokes_drawn, first.size) == (other, "", 0, 0, 0)
    assert (second.id, second.name, second.images, second.strokes_drawn) == (session, "Colon, week 3", 1, 2)
    assert second.size == 1000 + sum(len(json.dumps(e.body, separators=(",", ":"))) for e in store.events(session))
    assert second.created <= second.used <= time.time()
    store.rename_session(session, " Ileum\n\x00\ud800 " + "x" * 500)
    (renamed,) = store.summaries([session])
    assert renamed.name == ("Ileum" + " " + "x" * 500)[:200]
    with pytest.raises(UnknownSessionError):
        store.rename_session("nobody", "x")


def test_a_duplicate_has_all_events_and_images_and_goes_its_own_way(store):
    session = store.create_session([event(0)])
    store.append(session, [event(1, type="stroke.add")])
    for name, content in (("a", b"first"), ("b", b"second")):
        store.put_image(session, name * 64, f"{name}.png", content)
    copy = store.duplicate_session(session, name="Copy")
    assert store.events(copy) == store.events(session)
    assert [(i.hash, i.name) for i in store.images(copy)] == [(i.hash, i.name) for i in store.images(session)]
    store.append(copy, [event(2)])
    store.delete_session(session)
    assert store.image(copy, "a" * 64) == ("a.png", b"first")
    assert [e.number for e in store.events(copy)] == [1, 2, 3]
    with pytest.raises(UnknownSessionError):
        store.duplicate_session(session, name="x")


def test_a_deleted_session_leaves_nothing_behind(store):
    session, other = (store.create_session([event(0)]) for _ in range(2))
    for each in (session, other):
        store.put_image(each, "a" * 64, "a.png", b"pixels")
    store.delete_session(session)
    assert not store.has_session(session)
    for ask in (store.events, store.delete_session, lambda s: store.append(s, [event(1)])):
        with pytest.raises(UnknownSessionError):
            ask(session)
    with store.database.reading() as connection:
        left = {t.name: connection.execute(sql.select(sql.func.count()).select_from(t)).scalar() for t in TABLES}
    assert left == {"sessions": 1, "events": 1, "images": 1, "blobs": 1, "contents": 1}
    assert store.image(other, "a" * 64) == ("a.png", b"pixels")


def test_images_are_listed_in_the_order_in_which_they_came(store):
    session = store.create_session()
    for name in "ba":
        store.put_image(session, name * 64, f"{name}.png", name.encode() * 7)
    assert [(i.name, i.size) for i in store.images(session)] == [("b.png", 7), ("a.png", 7)]


@pytest.mark.slow
def test_a_session_is_imported_whole_or_not_at_all(store):
    images = [NewImage(name * 64, f"{name}.png", name.encode()) for name in "abc"]
    bodies = [event(number) for number in range(40_000)]
    session = store.create_session([*bodies, event(3)], name="Imported", images=images)
    assert [e.body["id"] for e in store.events(session)] == [body["id"] for body in bodies]
    assert [store.image(session, i.hash) for i in images] == [(i.name, i.content) for i in images]
    with pytest.raises(ValueError, match="not JSON"):
        store.create_session([event(1, value=float("nan"))], images=images)
    with store.database.reading() as connection:
        assert connection.execute(sql.select(sql.func.count()).select_from(tables.sessions)).scalar() == 1


@pytest.mark.parametrize("name", ["", "\x00", "x" * 33, "a/b", "ü", "' OR 1=1 --"])
def test_what_cannot_be_an_id_is_unknown(store, name):
    session = store.create_session()
    assert not store.has_session(name)
    assert not store.has_image(session, name)
    for ask in (store.events, store.images, store.delete_session, lambda s: store.append(s, [])):
        with pytest.raises(UnknownSessionError):
            ask(name)
    with pytest.raises(UnknownImageError):
        store.image(session, name)


def test_what_is_strange_in_an_event_comes_back_as_it_was(store):
    strange = event(1, name="\x00 \ud800 𝛼", numbers=[-0.0, 1e300, 2**70])
    session = store.create_session([strange])
    assert store.events(session)[0].body == strange


def test_a_process_that_was_forked_does_not_speak_over_its_parents_connections(store):
    session = store.create_session([event(0)])
    child = os.fork()
    if child == 0:
        try:
            store.append(session, [event(1)])
            os._exit(0)
        except BaseException:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    store.append(session, [event(2)])
    assert [e.body["id"] for e in store.events(session)] == ["event-0", "event-1", "event-2"]


WRITER = """
from segmentation.web.settings import settings_from_environment
from segmentation.web.store import open_store
store = open_store(settings_from_environment())
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
    store = open_store(store_settings)
    kept = [e.body["id"] for e in store.events(session)]
    assert kept[: len(acknowledged)] == acknowledged
    assert len(kept) <= len(acknowledged) + 1
    store.close()


def test_who_appends_is_told_what_is_new_without_asking_again(store):
    session = store.create_session()
    assert store.append(session, [event(1), event(2)]) == []
    told = store.append(session, [event(3), event(2)], after=2)
    assert told == store.events(session, after=2)
    assert [one.number for one in told] == [3]
    assert store.append(session, [event(4)], after=1) == store.events(session, after=1), "those of others too"
    assert store.append(session, [event(4)], after=1) == store.events(session, after=1)
    assert store.append(session, [event(4)], after=4) == []
    assert store.append(session, [event(5)], after=99) == []


def test_as_many_as_the_server_has_threads_are_answered_at_once(store):
    """There are far fewer connections to the database: who waits for one is served, not sent away."""
    session = store.create_session()
    store.put_image(session, "a" * 64, "a.png", b"pixels")

    def use(number):
        store.append(session, [{"id": f"{number}", "type": "undo"}])
        assert store.image(session, "a" * 64) == ("a.png", b"pixels")
        return store.events(session, after=0)

    with ThreadPoolExecutor(THREADS) as pool:
        seen = list(pool.map(use, range(2 * THREADS)))
    assert max(map(len, seen)) == 2 * THREADS
