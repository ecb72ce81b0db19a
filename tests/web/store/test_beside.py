"""Large files beside SQLite's database: safe from kills and full disks, and gone with their session."""

import io
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import sqlalchemy as sql

from segmentation.web.settings import Settings
from segmentation.web.store import StoreFullError, back_up, open_store, restore, tables
from segmentation.web.store.beside import DESCRIPTORS, LARGE_BYTES, STRAY_SECONDS
from segmentation.web.store.blobs import TableBlobs
from segmentation.web.store.files import OWNERLESS_SECONDS
from tests.support.small_disk import SmallDisk

ROOT = Path(__file__).resolve().parents[3]
LARGE = b"large" * (LARGE_BYTES // 5 + 1)
HASHES = ["a" * 64, "b" * 64]


@pytest.fixture
def settings(tmp_path):
    """They name a folder for SQLite."""
    return Settings(data_folder=tmp_path / "data")


@pytest.fixture
def beside(settings):
    """A store in it."""
    store = open_store(settings)
    yield store
    store.close()


@pytest.fixture
def small_disk():
    """A disk of 48 MB."""
    disk = SmallDisk(megabytes=48)
    yield disk
    disk.unmount()


def files_in(settings):
    return sorted(path.name for path in (settings.data_folder / "files").glob("*"))


def database_bytes(settings):
    return sum(path.stat().st_size for path in settings.data_folder.glob("squiggle.sqlite3*"))


def test_only_what_is_large_is_a_file_and_it_goes_with_the_last_session_that_has_it(beside, settings):
    session = beside.create_session()
    beside.put_image(session, HASHES[0], "small.png", b"pixels")
    assert files_in(settings) == []
    beside.put_image(session, HASHES[1], "large.tif", io.BytesIO(LARGE))
    assert len(files_in(settings)) == 1
    assert database_bytes(settings) < LARGE_BYTES / 4
    assert [summary.size for summary in beside.summaries([session])] == [len(LARGE) + 6]
    copy = beside.duplicate_session(session, name="")
    beside.delete_session(session)
    assert len(files_in(settings)) == 1
    assert beside.image(copy, HASHES[1]) == ("large.tif", LARGE)
    with beside.opened_image(copy, HASHES[1]) as file:
        beside.delete_session(copy)
        assert file.read() == LARGE
    assert files_in(settings) == []


linked = pytest.mark.skipif(not os.path.isdir(DESCRIPTORS), reason="a file without a name never gets one")


def came_in(blobs, content):
    file = blobs.incoming(len(content))
    file.write(content)
    return file


@linked
def test_what_came_in_is_not_copied_but_gets_a_name(beside, settings):
    session = beside.create_session()
    with came_in(beside.files.blobs, LARGE) as file:
        assert files_in(settings) == []
        beside.put_image(session, HASHES[0], "large.tif", file)
        with beside.opened_image(session, HASHES[0]) as kept:
            assert os.path.sameopenfile(kept.fileno(), file.fileno())
    assert beside.image(session, HASHES[0]) == ("large.tif", LARGE)
    with came_in(beside.files.blobs, LARGE):
        pass
    assert len(files_in(settings)) == 1
    beside.delete_session(session)
    assert files_in(settings) == []


@linked
def test_a_file_of_somebody_is_copied_since_they_may_change_it(beside, settings, tmp_path):
    session = beside.create_session()
    theirs = settings.data_folder / "theirs.tif"
    theirs.write_bytes(LARGE)
    with open(theirs, "rb") as file:
        beside.put_image(session, HASHES[0], "large.tif", file)
    theirs.write_bytes(b"changed")
    assert beside.image(session, HASHES[0]) == ("large.tif", LARGE)


@linked
def test_what_is_small_or_leaves_no_room_for_others_comes_in_elsewhere(beside, monkeypatch):
    blobs = beside.files.blobs
    assert blobs.incoming(LARGE_BYTES - 1) is None
    free = shutil.disk_usage(beside.database.folder).free
    assert blobs.incoming(free) is None
    monkeypatch.setattr(os, "open", refuse)
    assert blobs.incoming(LARGE_BYTES) is None


@linked
def test_those_that_come_in_at_once_do_not_count_on_the_same_room(small_disk):
    store = open_store(Settings(data_folder=small_disk.folder))
    with store.files.blobs.incoming(LARGE_BYTES):
        assert store.files.blobs.incoming(LARGE_BYTES) is None
    store.files.blobs.incoming(LARGE_BYTES).close()
    store.close()


def refuse(*_given, **_named):
    raise PermissionError


def test_where_a_file_can_have_one_name_only_a_copied_session_has_its_own(beside, settings, monkeypatch):
    monkeypatch.setattr(os, "link", refuse)
    session = beside.create_session()
    beside.put_image(session, HASHES[0], "large.tif", LARGE)
    copy = beside.duplicate_session(session, name="")
    assert len(files_in(settings)) == 2
    assert beside.image(copy, HASHES[0]) == ("large.tif", LARGE)


def test_large_files_in_the_table_of_an_older_store_are_read_copied_and_deleted(beside, settings):
    session = beside.create_session()
    beside.files.blobs, now = TableBlobs(beside.database), beside.files.blobs
    beside.put_image(session, HASHES[0], "large.tif", LARGE)
    beside.files.blobs = now
    assert beside.opened_image(session, HASHES[0]) is None
    copy = beside.duplicate_session(session, name="")
    beside.delete_session(session)
    assert beside.image(copy, HASHES[0]) == ("large.tif", LARGE)
    assert files_in(settings) == []


KILLED_AS_IT_WRITES = """
import io, os, signal, sys
from pathlib import Path
from segmentation.web.settings import Settings
from segmentation.web.store import open_store

class Content(io.BytesIO):
    def read(self, size=-1):
        if self.tell() > len(self.getvalue()) / 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().read(size)

store = open_store(Settings(data_folder=Path(sys.argv[1])))
store.put_image(sys.argv[2], "a" * 64, "large.tif", Content(bytes(int(sys.argv[3]))), "0" * 64)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_of_a_process_that_is_killed_as_it_writes_nothing_is_seen_and_its_file_is_swept_away(
    beside, settings, monkeypatch
):
    session = beside.create_session()
    script = [sys.executable, "-c", textwrap.dedent(KILLED_AS_IT_WRITES)]
    run = subprocess.run([*script, str(settings.data_folder), session, str(len(LARGE))], cwd=ROOT, check=False)
    assert run.returncode == -signal.SIGKILL
    (left,) = files_in(settings)
    assert left.endswith(".part")
    assert beside.images(session) == []
    beside.put_image(session, HASHES[0], "large.tif", LARGE)
    later = time.time() + OWNERLESS_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: later)
    beside.files.remove_ownerless()
    assert len(files_in(settings)) == 1
    assert beside.image(session, HASHES[0]) == ("large.tif", LARGE)


KILLED_AS_IT_DELETES = """
import os, signal, sys
from pathlib import Path
from segmentation.web.settings import Settings
from segmentation.web.store import open_store
from segmentation.web.store.beside import BesideTableBlobs

before, delete = sys.argv[3] == "before", BesideTableBlobs.delete

def delete_and_die(self, key):
    if not before:
        delete(self, key)
    os.kill(os.getpid(), signal.SIGKILL)

BesideTableBlobs.delete = delete_and_die
open_store(Settings(data_folder=Path(sys.argv[1]))).delete_session(sys.argv[2])
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
@pytest.mark.parametrize("when", ["before", "after"])
def test_what_a_process_leaves_that_is_killed_as_it_deletes_is_swept_away(beside, settings, when):
    session, other = beside.create_session(), beside.create_session()
    for one in (session, other):
        beside.put_image(one, HASHES[0], "large.tif", LARGE)
    script = [sys.executable, "-c", KILLED_AS_IT_DELETES, str(settings.data_folder), session, when]
    assert subprocess.run(script, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    assert not beside.has_session(session)
    assert len(files_in(settings)) == 2 - (when == "after")
    beside.files.remove_ownerless()
    assert len(files_in(settings)) == 1
    assert beside.image(other, HASHES[0]) == ("large.tif", LARGE)
    with beside.database.reading() as connection:
        assert connection.execute(sql.select(sql.func.count()).select_from(tables.blobs)).scalar() == 1


def a_day_later(monkeypatch):
    later = time.time() + STRAY_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: later)


def test_files_that_nothing_leads_to_are_swept_away_a_day_later_and_others_never(beside, settings, monkeypatch):
    session = beside.create_session()
    beside.put_image(session, HASHES[0], "large.tif", LARGE)
    on_its_way = beside.files.put(session, "image", LARGE)
    kept = files_in(settings)
    folder = settings.data_folder / "files"
    (named,) = (name for name in kept if name != on_its_way.replace("/", "."))
    for name in (f"{named}.part", "gone.image.a-1", "gone.image.a-1.part", "not ours.txt"):
        (folder / name).write_bytes(b"stray")
    (folder / f"{on_its_way.replace('/', '.')}.part").write_bytes(b"on its way")
    beside.files.remove_ownerless()
    assert len(files_in(settings)) == len(kept) + 5
    monkeypatch.setattr("segmentation.web.store.beside.STRAY_SECONDS", -1)  # later what is on its way would be overdue
    beside.files.remove_ownerless()
    assert files_in(settings) == sorted([*kept, f"{on_its_way.replace('/', '.')}.part", "not ours.txt"])
    assert beside.image(session, HASHES[0]) == ("large.tif", LARGE)


def test_beside_a_database_that_knows_no_file_all_files_stay(beside, settings, monkeypatch):
    (settings.data_folder / "files").mkdir()
    stray = settings.data_folder / "files" / "of.another.database-1"
    stray.write_bytes(b"pixels")
    for _ in range(2):
        os.utime(stray, (0, 0))
        beside.files.remove_ownerless()
        assert stray.exists()
        a_day_later(monkeypatch)


def restored(settings, older):
    """A store in which an older copy of the database took the place of what was there."""
    for left in settings.data_folder.glob("squiggle.sqlite3*"):
        left.unlink()
    shutil.copy(older, settings.data_folder / "squiggle.sqlite3")
    return open_store(settings)


def test_files_that_an_older_copy_of_the_database_does_not_know_stay_for_a_day(settings, tmp_path, monkeypatch):
    copies = []
    store = open_store(settings)
    for name in ("older", "newer"):
        session = store.create_session()
        store.put_image(session, HASHES[0], f"{name}.tif", LARGE)
        store.close()
        copies.append(shutil.copy(settings.data_folder / "squiggle.sqlite3", tmp_path / name))
        store = open_store(settings)
    store.close()
    for path in (settings.data_folder / "files").iterdir():
        os.utime(path, (0, 0))
    for copy in copies * 2:  # what is known again meanwhile has its whole day once more
        store = restored(settings, copy)
        store.files.remove_ownerless()
        store.close()
        a_day_later(monkeypatch)
    store = restored(settings, copies[1])
    assert store.image(session, HASHES[0]) == ("newer.tif", LARGE)
    store.close()
    store = restored(settings, copies[0])
    store.files.remove_ownerless()
    (settings.data_folder / "files-strays.json").write_text("{half of")
    for left in (2, 1):
        a_day_later(monkeypatch)
        store.files.remove_ownerless()
        assert len(files_in(settings)) == left
    store.close()


@pytest.mark.slow
def test_a_full_disk_is_a_sentence_leaves_no_half_of_a_file_and_room_for_strokes(small_disk):
    settings = Settings(data_folder=small_disk.folder)
    store = open_store(settings)
    session = store.create_session()
    with pytest.raises(StoreFullError):
        store.put_image(session, HASHES[0], "large.tif", os.urandom(64 * 2**20))
    assert files_in(settings) == []
    store.append(session, [{"id": "a", "type": "note"}])
    store.close()


@pytest.mark.slow
def test_a_backup_has_large_files_and_a_restore_gives_them_back(beside, settings, tmp_path):
    session = beside.create_session()
    beside.put_image(session, HASHES[0], "large.tif", LARGE)
    beside.put_image(session, HASHES[1], "small.png", b"pixels")
    assert back_up(settings, tmp_path / "all.zip") == {"sessions": 1, "files": 2, "missing": 0}
    restore(Settings(data_folder=tmp_path / "again"), tmp_path / "all.zip")
    again = open_store(Settings(data_folder=tmp_path / "again"))
    assert again.image(session, HASHES[0]) == ("large.tif", LARGE)
    assert again.image(session, HASHES[1]) == ("small.png", b"pixels")
    again.delete_session(session)
    again.close()
