"""A backup of a store that is in use, restored into another one, of the same kind or not."""

import io
import json
import os
import subprocess
import sys
import threading
import time
import zipfile

import pytest
import sqlalchemy as sql

from segmentation.web.settings import Settings
from segmentation.web.store import BackupError, StoreAwayError, StoreError, back_up, migrate, open_store, restore
from segmentation.web.store.backup import ROW_BYTES_AT_ONCE, _some_rows, write_backup
from segmentation.web.store.blobs import ObjectBlobs, TableBlobs
from segmentation.web.store.database import SCHEMA, Database, sqlite_url
from tests.support.small_disk import SmallDisk

pytestmark = pytest.mark.slow

HASH = "a" * 64
CONTENT = bytes(range(256)) * 40_000
"""More than one part."""


def event(number, **fields):
    return {"id": f"e{number}", "type": "stroke.add", "text": "ä\x00", **fields}


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request, tmp_path):
    """Settings of a store without sessions, other than the one that is backed up."""
    settings = Settings(data_folder=tmp_path / "restored")
    if request.param == "sqlite":
        yield settings
    else:
        postgres = request.getfixturevalue("postgres")
        postgres.execute("CREATE DATABASE restored")
        yield replace_url(settings, postgres.url("restored"))
        postgres.execute("DROP DATABASE restored WITH (FORCE)")


def replace_url(settings, url):
    return settings.model_copy(update={"database_url": url})


class Crowd:
    """People who draw, open images, and delete sessions, until they are told to stop."""

    def __init__(self, store, people=3):
        self.store = store
        self.stop = threading.Event()
        self.acknowledged = {}
        self.problems = []
        self.threads = [threading.Thread(target=self.work, args=(one,)) for one in range(people)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        assert self.problems == []

    def work(self, person):
        try:
            session, number = self.store.create_session([event("first")]), 0
            while not self.stop.is_set():
                number += 1
                self.store.append(session, [event(number)])
                self.store.put_image(session, f"{number:064x}", "a.png", b"%d" % number * 1000)
                self.acknowledged[session] = number
                time.sleep(0.005)
                if number % 7 == 0:
                    gone = self.store.create_session([event("first")])
                    self.store.put_image(gone, HASH, "b.png", CONTENT[:100_000])
                    self.store.delete_session(gone)
        except Exception as problem:
            self.problems.append(problem)


def test_a_backup_under_load_has_all_that_was_acknowledged_and_no_halves(store, store_settings, empty, tmp_path):
    own = store.create_session([event(1), event(2)], name="Mine")
    store.put_image(own, HASH, "cells.png", CONTENT)
    key = store.key("sessions")
    with Crowd(store) as crowd:
        while len(crowd.acknowledged) < 3:
            assert not crowd.problems
            time.sleep(0.01)
        before = dict(crowd.acknowledged)
        told = back_up(store_settings, tmp_path / "all.zip")
    assert restore(empty, tmp_path / "all.zip") == told
    assert told["missing"] == 0
    restored = open_store(empty)
    assert restored.key("sessions") == key
    assert restored.image(own, HASH) == ("cells.png", CONTENT)
    assert [one.body for one in restored.events(own)] == [event(1), event(2)]
    for session, number in before.items():
        found = restored.events(session)
        assert [one.number for one in found] == list(range(1, len(found) + 1))
        assert len(found) > number
        (summary,) = restored.summaries([session])
        assert (summary.number, summary.strokes_drawn) == (len(found), len(found))
        for one in restored.images(session):
            assert len(restored.image(session, one.hash)[1]) == one.size
    restored.append(own, [event(3)])
    restored.delete_session(own)
    restored.close()
    with pytest.raises(BackupError, match="holds sessions"):
        restore(empty, tmp_path / "all.zip")


def test_files_of_an_object_store_go_along(store_settings, empty, tmp_path):
    first = store_settings.model_copy(update={"objects": f"file://{tmp_path / 'first'}"})
    store = open_store(first)
    session = store.create_session([event(1)])
    store.put_image(session, HASH, "cells.png", CONTENT)
    store.close()
    assert back_up(first, tmp_path / "all.zip") == {"sessions": 1, "files": 1, "missing": 0}
    second = empty.model_copy(update={"objects": f"file://{tmp_path / 'second'}"})
    restore(second, tmp_path / "all.zip")
    store = open_store(second)
    assert store.image(session, HASH) == ("cells.png", CONTENT)
    store.close()


@pytest.mark.parametrize("schema", [f"{number:04}" for number in range(1, int(SCHEMA) + 1)])
def test_a_store_and_a_backup_of_every_version_are_brought_up_to_date(schema, empty, tmp_path):
    settings = Settings(data_folder=tmp_path / "old")
    database = Database(sqlite_url(settings.data_folder))
    with database.changing_tables() as (connection, upgrade):
        upgrade(schema)
        old = sql.MetaData()
        old.reflect(connection)
        for name, rows in rows_of_a_session(b"pixels" * 1000).items():
            for row in rows:
                connection.execute(old.tables[name].insert().values(row))
    database._checked = True  # as when that version wrote it
    write_backup(database, TableBlobs(database), tmp_path / "all.zip")
    database.close()
    restore(empty, tmp_path / "all.zip")
    for place in (settings, empty):
        store = open_store(place)
        assert [one.body for one in store.events("mine")] == [event(1)]
        assert store.image("mine", HASH) == ("a.png", b"pixels" * 1000)
        store.append("mine", [event(2)])
        assert store.key("sessions")
        store.close()


def rows_of_a_session(content):
    times = {"created": 1.0, "used": 1.0}
    counts = {"number": 1, "strokes_drawn": 1, "journal_bytes": 9}
    return {
        "sessions": [{"id": "mine", "name": "Mine"} | times | counts],
        "events": [{"session_id": "mine", "number": 1, "event_id": "e1", "body": json.dumps(event(1))}],
        "blobs": [{"key": "mine/image/a", "session_id": "mine", "size": len(content), "since": 1.0}],
        "contents": [{"key": "mine/image/a", "part": 0, "content": content}],
        "images": [{"session_id": "mine", "hash": HASH, "name": "a.png", "added": 1.0, "key": "mine/image/a"}],
    }


@pytest.fixture
def backup(tmp_path):
    settings = Settings(data_folder=tmp_path / "data")
    store = open_store(settings)
    session = store.create_session([event(1)])
    store.put_image(session, HASH, "cells.png", b"pixels" * 1000)
    store.close()
    back_up(settings, tmp_path / "all.zip")
    return tmp_path / "all.zip"


def changed(archive, **contents):
    """The same with other members; None leaves one out."""
    other = archive.with_name("changed.zip")
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(other, "w") as new:
        for name in old.namelist():
            content = contents.get(name.rpartition("/")[2].partition(".")[0], old.read(name))
            if content is not None:
                new.writestr(name, content)
    return other


def about(**fields):
    return json.dumps({"format": "squiggle backup", "version": 1, "schema": "0001", "sessions": 0} | fields)


@pytest.mark.parametrize(
    "contents",
    [
        {"backup": "{}"},
        {"backup": None},
        {"backup": about(format="zip")},
        {"backup": about(schema="../x")},
        {"events": b"no JSON\n"},
        {"events": b'{"session_id": "nobody"}\n'},
        {"events": b'{"unknown": 1}\n'},
        {"sessions": None},
        {"sessions": b"[" * 100_000 + b"\n"},
        {"sessions": b"1\n"},
        {"sessions": b"{}"},
        {"backup": "[1]"},
    ],
)
def test_what_is_no_backup_restores_nothing(backup, contents, tmp_path):
    settings = Settings(data_folder=tmp_path / "restored")
    migrate(settings)
    with pytest.raises(BackupError, match="nothing was restored"):
        restore(settings, changed(backup, **contents))
    restore(settings, backup)
    open_store(settings).close()


@pytest.mark.parametrize("key", ["../beside", "/tmp/beside", "mine/../../beside", "mine/image/../a", ""])
def test_a_key_that_leads_elsewhere_restores_nothing(backup, key, tmp_path):
    """Neither is a file written there, nor would one be removed with its session."""
    (tmp_path / "beside").write_bytes(b"mine")
    settings = Settings(data_folder=tmp_path / "restored", objects=f"file://{tmp_path / 'objects'}")
    other = tmp_path / "lying.zip"
    with zipfile.ZipFile(backup) as old, zipfile.ZipFile(other, "w") as new:
        was = json.loads(old.read("tables/blobs.jsonl"))["key"]
        for name in old.namelist():
            new.writestr(name.replace(was, key), old.read(name).replace(was.encode(), key.encode()))
    with pytest.raises(BackupError, match="nothing was restored"):
        restore(settings, other)
    assert (tmp_path / "beside").read_bytes() == b"mine"


def test_a_file_that_unfolds_restores_nothing(backup, tmp_path):
    other = tmp_path / "bomb.zip"
    with zipfile.ZipFile(backup) as old, zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    with pytest.raises(BackupError, match="nothing was restored"):
        restore(Settings(data_folder=tmp_path / "restored"), other)


def test_a_backup_that_was_cut_off_restores_nothing(backup, tmp_path):
    settings = Settings(data_folder=tmp_path / "restored")
    content = backup.read_bytes()
    for size in (0, 100, len(content) // 2, len(content) - 1):
        backup.write_bytes(content[:size])
        with pytest.raises(BackupError, match="nothing was restored"):
            restore(settings, backup)
    backup.write_bytes(content[:2000] + b"\x00\x01" + content[2002:])
    with pytest.raises(BackupError, match="nothing was restored"):
        restore(settings, backup)
    store = open_store(settings)
    assert store.summaries(["a"]) == []
    store.close()


@pytest.mark.parametrize("megabytes", [128, 5])
def test_tables_that_unfold_to_more_than_the_disk_holds_restore_nothing(backup, megabytes):
    disk = SmallDisk(8)
    try:
        other = backup.with_name("bomb.zip")
        with zipfile.ZipFile(backup) as old, zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as new:
            for name in old.namelist():
                new.writestr(name, bytes(megabytes * 2**20) if name == "tables/events.jsonl" else old.read(name))
        assert other.stat().st_size < 2**20
        settings = Settings(data_folder=disk.folder / "restored")
        with pytest.raises(
            BackupError, match=rf"unfolds to {megabytes} MB, .*, and the disk of the store has room for"
        ):
            restore(settings, other)
        restore(settings, backup)
    finally:
        disk.unmount()


def test_rows_are_read_a_few_at_a_time_however_long_they_are():
    row = json.dumps({"body": "x" * 2**20}).encode() + b"\n"
    read = [len(rows) for rows in _some_rows(io.BytesIO(row * 50))]
    assert sum(read) == 50
    assert max(read) <= ROW_BYTES_AT_ONCE // 2**20 + 1
    with pytest.raises(ValueError, match="values"):
        list(_some_rows(io.BytesIO(b"[" + b"{}," * 1000 + b"1]\n")))


def test_a_restore_that_fails_leaves_no_files_in_the_object_store(tmp_path, monkeypatch):
    store = open_store(Settings(data_folder=tmp_path / "data"))
    session = store.create_session([event(1)])
    for number in range(6):
        store.put_image(session, f"{number:064x}", "a.png", b"%d" % number)
    with store.database.reading() as connection:
        there = connection.execute(sql.text("SELECT key FROM blobs")).scalars().first()
    store.close()
    back_up(Settings(data_folder=tmp_path / "data"), tmp_path / "all.zip")
    settings = Settings(data_folder=tmp_path / "restored", objects=f"file://{tmp_path / 'objects'}")
    ObjectBlobs(settings.objects).put(there, b"outlived its database")
    put, calls = ObjectBlobs.put, []

    def put_some(self, key, content):
        calls.append(key)
        if len(calls) > 4:
            raise StoreAwayError
        put(self, key, content)

    monkeypatch.setattr(ObjectBlobs, "put", put_some)
    with pytest.raises(StoreError, match="the object store cannot be used"):
        restore(settings, tmp_path / "all.zip")
    left = [path for path in (tmp_path / "objects").rglob("*") if path.is_file()]
    assert left == [tmp_path / "objects" / there]
    monkeypatch.undo()
    assert restore(settings, tmp_path / "all.zip")["files"] == 6


@pytest.mark.skipif(os.name == "nt", reason="files have no such modes there")
def test_nobody_else_reads_a_backup_even_while_it_is_written(tmp_path, monkeypatch):
    settings, modes = Settings(data_folder=tmp_path / "data"), []
    open_store(settings).close()
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: (modes.append(os.fstat(file).st_mode & 0o777), fsync(file)))
    before = os.umask(0)
    try:
        back_up(settings, tmp_path / "all.zip")
    finally:
        os.umask(before)
    assert [*modes, (tmp_path / "all.zip").stat().st_mode & 0o777] == [0o600, 0o600]


def test_nothing_is_written_over_and_what_is_newer_is_named(backup, tmp_path):
    with pytest.raises(BackupError, match="is there already"):
        back_up(Settings(data_folder=tmp_path / "data"), backup)
    newer = changed(backup, backup=about(schema="9999"))
    with pytest.raises(BackupError, match="newer Squiggle"):
        restore(Settings(data_folder=tmp_path / "restored"), newer)


def test_the_commands_say_what_they_did_and_what_is_wrong(backup, tmp_path):
    def run(*command, data):
        environment = os.environ | {"SQUIGGLE_DATA": str(tmp_path / data), "DATABASE_URL": ""}
        arguments = [sys.executable, "-m", "segmentation.web", *map(str, command)]
        return subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)

    made = run("backup", tmp_path / "second.zip", data="data")
    assert made.stdout == f"{tmp_path / 'second.zip'} has 1 session and 1 file.\n", made.stderr
    assert run("restore", tmp_path / "second.zip", data="new").returncode == 0
    again = run("restore", tmp_path / "second.zip", data="new")
    assert again.returncode != 0
    assert again.stderr.startswith("The backup was not restored: The store holds sessions")
    for failed in (
        run("restore", tmp_path / "none.zip", data="x"),
        run("backup", tmp_path / "no" / "a.zip", data="data"),
    ):
        assert failed.returncode != 0
        assert "Traceback" not in failed.stderr
        assert failed.stderr.count("\n") == 1
