"""A log that goes only in part into its database file, cut short by a kill or a full disk: nothing is lost by that."""

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from segmentation.web.application import create_app
from segmentation.web.settings import Settings
from segmentation.web.store import StoreError, StoreFullError, back_up, open_store, sqlite_file
from segmentation.web.store.errors import StoreLostError
from tests.support.asking import stroke_event
from tests.support.small_disk import SmallDisk

ROOT = Path(__file__).resolve().parents[3]
NAME = "squiggle.sqlite3"
LOG_HEADER, FRAME_HEADER, PAGE = 32, 24, 4096
IMAGE = random.Random(0).randbytes(150_000)
LARGE = IMAGE * 20


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """What is cut is not looked at for a second."""
    monkeypatch.setattr(sqlite_file, "LOOK_AGAIN_SECONDS", 0.001)


def event(number):
    return {"id": f"event-{number}", "type": "stroke.erase", "image": "a" * 64, "strokes": ["x" * 47] * 40}


def log_pages(log):
    """The last content of each page of a log, of which every frame counts."""
    content = log.read_bytes()[LOG_HEADER:]
    frames = [content[at : at + FRAME_HEADER + PAGE] for at in range(0, len(content), FRAME_HEADER + PAGE)]
    return {int.from_bytes(frame[:4], "big"): frame[FRAME_HEADER:] for frame in frames}


def move(folder, count):
    """Write the first pages of the log to the file, as SQLite does; returns how many are left."""
    pages = sorted(log_pages(folder / f"{NAME}-wal").items())
    with (folder / NAME).open("r+b") as file:
        for page, content in pages[:count]:
            file.seek((page - 1) * PAGE)
            file.write(content)
    return len(pages[count:])


def is_ahead(folder):
    """Whether the file says that it has more pages than it has."""
    with (folder / NAME).open("rb") as file:
        return int.from_bytes(file.read(32)[28:], "big") * PAGE > (folder / NAME).stat().st_size


def assert_all_is_there(folder, session, images, events, image=IMAGE):
    with contextlib.closing(open_store(Settings(data_folder=folder))) as store:
        store.check()
        assert [e.number for e in store.events(session)] == list(range(1, events + 1))
        assert [store.image(session, f"{number:064x}")[1] for number in range(images)] == [image] * images
        store.append(session, [event(events)])
        store.check()
    assert not is_ahead(folder)
    with contextlib.closing(sqlite3.connect(folder / NAME)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.fixture
def killed(tmp_path):
    """A folder as a kill leaves it, of which the log is not in the file yet, and its session of 8 images, 8 events."""
    with contextlib.closing(open_store(Settings(data_folder=tmp_path / "alive"))) as store:
        session = store.create_session()
        store.put_image(session, f"{0:064x}", "x", IMAGE)
        store.append(session, [event(0)])
        store.database.close()
        for number in range(1, 8):
            store.put_image(session, f"{number:064x}", "x", IMAGE)
            store.append(session, [event(number)])
        folder = tmp_path / "killed"
        folder.mkdir()
        for name in (NAME, f"{NAME}-wal"):
            shutil.copy(tmp_path / "alive" / name, folder)
    return folder, session


def copies_of(folder):
    """Copies of a folder, each under a name of its own."""
    number = 0
    while True:
        number += 1
        yield Path(shutil.copytree(folder, folder.with_name(f"copy-{number}")))


def test_a_kill_at_any_page_of_it_loses_nothing(killed):
    folder, session = killed
    ahead = 0
    for copy, count in zip(copies_of(folder), (0, 1, 2, 3, 20, 60, 100, 150, 200, 250, 10_000), strict=False):
        left = move(copy, count)
        ahead += is_ahead(copy)
        assert_all_is_there(copy, session, images=8, events=8)
    assert left == 0
    assert ahead > 6


def summed_in_big_endian_words(log):
    """A log as a machine of that order writes it."""

    def summed(content, sums):
        first, second = sums
        for at in range(0, len(content), 8):
            first = (first + int.from_bytes(content[at : at + 4], "big") + second) % 2**32
            second = (second + int.from_bytes(content[at + 4 : at + 8], "big") + first) % 2**32
        return first, second

    def written(sums):
        return b"".join(one.to_bytes(4, "big") for one in sums)

    header = log[:3] + b"\x83" + log[4:24]
    sums = summed(header, (0, 0))
    parts = [header, written(sums)]
    for at in range(LOG_HEADER, len(log), FRAME_HEADER + PAGE):
        frame = log[at : at + FRAME_HEADER + PAGE]
        sums = summed(frame[:8] + frame[FRAME_HEADER:], sums)
        parts += [frame[:16], written(sums), frame[FRAME_HEADER:]]
    return b"".join(parts)


def test_a_kill_on_a_machine_of_another_order_of_bytes_loses_nothing(killed):
    folder, session = killed
    move(folder, 1)
    log = folder / f"{NAME}-wal"
    log.write_bytes(summed_in_big_endian_words(log.read_bytes()))
    assert_all_is_there(folder, session, images=8, events=8)


def test_what_the_log_has_not_is_told_and_stays_as_it_is(killed):
    folder, _ = killed
    move(folder, 1)
    whole = (folder / f"{NAME}-wal").read_bytes()
    frame = FRAME_HEADER + PAGE
    damages = {
        "no log": None,
        "an empty log": b"",
        "half a header": whole[:20],
        "no frame": whole[:LOG_HEADER],
        "half of it": whole[: LOG_HEADER + frame * (len(whole) // frame // 2)],
        "another digit in a page": whole[:5_000] + bytes([whole[5_000] ^ 1]) + whole[5_001:],
        "another digit in its header": whole[:9] + bytes([whole[9] ^ 1]) + whole[10:],
        "of before it began anew": whole[:16] + bytes(8) + whole[24:],
        "pages of another size": whole[:10] + b"\x20" + whole[11:],
        "something else": b"x" * len(whole),
    }
    for copy, (damage, log) in zip(copies_of(folder), damages.items(), strict=False):
        if log is None:
            (copy / f"{NAME}-wal").unlink()
        else:
            (copy / f"{NAME}-wal").write_bytes(log)
        left = {path.name: path.read_bytes() for path in copy.iterdir()}
        with pytest.raises(StoreError, match="is cut off, or not a database"):
            open_store(Settings(data_folder=copy))
        assert {path.name: path.read_bytes() for path in copy.iterdir()} == left, damage


def test_a_file_that_is_cut_beside_the_log_of_what_came_later_is_told(killed):
    folder, _ = killed
    size = (folder / NAME).stat().st_size
    for copy, left in zip(copies_of(folder), (0, 100, PAGE, 2 * PAGE, size // 2, size - PAGE), strict=False):
        os.truncate(copy / NAME, left)
        with pytest.raises(StoreError, match="is cut off, or not a database"):
            open_store(Settings(data_folder=copy))


def test_a_file_of_which_the_log_has_every_page_is_whole(tmp_path):
    with contextlib.closing(open_store(Settings(data_folder=tmp_path / "alive"))) as store:
        session = store.create_session([event(0)])
        store.put_image(session, f"{0:064x}", "x", IMAGE)
        with contextlib.closing(sqlite3.connect(tmp_path / "alive" / NAME)) as connection:
            connection.execute("VACUUM")
        folder = Path(shutil.copytree(tmp_path / "alive", tmp_path / "killed"))
    assert move(folder, 10_000) == 0
    os.truncate(folder / NAME, PAGE)
    assert is_ahead(folder)
    assert_all_is_there(folder, session, images=1, events=1)


def test_a_file_that_is_cut_while_the_log_that_is_in_it_is_still_there_is_told(tmp_path):
    with contextlib.closing(open_store(Settings(data_folder=tmp_path))) as store:
        session = store.create_session()
        for number in range(3):
            store.put_image(session, f"{number:064x}", "x", IMAGE)
        with contextlib.closing(sqlite3.connect(tmp_path / NAME)) as connection:
            _, logged, moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        assert logged == moved, "SQLite looks into the file alone"
        store.check()
        os.truncate(tmp_path / NAME, (tmp_path / NAME).stat().st_size - 10 * PAGE)
        with pytest.raises(StoreLostError):
            store.check()


def test_while_somebody_reads_what_was_before_the_file_may_be_behind(tmp_path):
    stores = [open_store(Settings(data_folder=tmp_path)) for _ in range(2)]
    session = stores[0].create_session()
    stores[0].put_image(session, f"{0:064x}", "x", IMAGE)
    stores[0].database.close()
    with contextlib.closing(sqlite3.connect(tmp_path / NAME, isolation_level=None)) as connection:
        connection.execute("INSERT INTO contents VALUES ('last', 0, ?)", (IMAGE,))
        stores[1].check()
        with stores[1].database.snapshot() as reader:
            reader.exec_driver_sql("SELECT * FROM contents").fetchall()
            connection.execute("UPDATE contents SET content = ? WHERE key = 'last'", (IMAGE[::-1],))
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            assert is_ahead(tmp_path)
            for store in stores:
                store.check()
                store.append(session, [event(0)])
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            back_up(Settings(data_folder=tmp_path), tmp_path / "backup.zip")
        assert stores[0].image(session, f"{0:064x}")[1] == IMAGE
    for store in stores:
        store.check()
        store.close()


@pytest.fixture
def crowded():
    """A full disk, its store, and two sessions: the images of the second are in the log, with no room in the file."""
    disk = SmallDisk(megabytes=48)
    store = open_store(Settings(data_folder=disk.folder))
    sessions = [store.create_session() for _ in range(2)]
    with store.database.snapshot() as reader:
        reader.exec_driver_sql("SELECT * FROM contents").fetchall()
        for number in range(3):
            store.put_image(sessions[1], f"{number:064x}", "x", LARGE)
        disk.fill()
    with contextlib.closing(sqlite3.connect(disk.folder / NAME)) as connection, contextlib.suppress(sqlite3.Error):
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    with (disk.folder / "filler").open("r+b") as file:
        file.truncate(file.seek(0, os.SEEK_END) - 300_000)
    with contextlib.closing(sqlite3.connect(disk.folder / NAME)) as connection, contextlib.suppress(sqlite3.Error):
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    assert is_ahead(disk.folder)
    yield disk, store, sessions
    disk.unmount()


def drawn(client, session, name):
    stroke = stroke_event(name, "a" * 64, 1, "M1,1L9,9")
    asked = {"after": 0, "events": [stroke], "segment": None, "window": "w"}
    response = client.post(f"/s/{session}/converse", json=asked)
    return response.status_code, response.get_data(as_text=True)


def test_a_disk_that_is_full_in_the_middle_of_it_is_called_full_until_there_is_room(crowded):
    disk, store, (session, other) = crowded
    app = create_app(Settings(data_folder=disk.folder))
    client = app.server.test_client()
    for name in ("one", "another"):
        status, sentence = drawn(client, session, name)
        assert status == 507
        assert "disk of the server is full" in sentence
    assert client.get("/ready").status_code == 200
    assert [store.image(other, f"{number:064x}")[1] for number in range(3)] == [LARGE] * 3
    disk.make_room()
    assert drawn(client, session, "one")[0] == 200
    assert client.get("/ready").status_code == 200
    store.close()
    app.server.extensions["workbench"].store.close()
    assert_all_is_there(disk.folder, other, images=3, events=0, image=LARGE)


def test_a_server_starts_on_a_disk_that_was_full_in_the_middle_of_it_and_in_a_copy_of_that(crowded, tmp_path):
    disk, store, (session, other) = crowded
    store.close()
    for name in (NAME, f"{NAME}-wal"):
        shutil.copy(disk.folder / name, tmp_path)
    assert_all_is_there(tmp_path, other, images=3, events=0, image=LARGE)
    with contextlib.closing(open_store(Settings(data_folder=disk.folder))) as store:
        assert store.events(session) == []
        assert [store.image(other, f"{number:064x}")[1] for number in range(3)] == [LARGE] * 3
        with pytest.raises(StoreFullError):
            store.append(session, [event(0)])
        disk.make_room()
        store.append(session, [event(0)])
    assert_all_is_there(disk.folder, session, images=0, events=1)


def test_deleting_makes_room_on_a_disk_that_was_full_in_the_middle_of_it(crowded):
    disk, store, (session, other) = crowded
    with pytest.raises(StoreFullError):
        store.append(session, [event(0)])
    store.delete_session(other)
    store.append(session, [event(0)])
    store.put_image(session, f"{0:064x}", "x", IMAGE)
    store.close()
    assert_all_is_there(disk.folder, session, images=1, events=1)


FILLS = """
    import resource, sys
    from pathlib import Path
    from segmentation.web.settings import Settings
    from segmentation.web.store import open_store
    from tests.web.store.test_cut_short import IMAGE, event, is_ahead

    folder, limit = Path(sys.argv[1]), int(sys.argv[2])
    store = open_store(Settings(data_folder=folder))
    session = store.create_session()
    print(session, flush=True)
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    for number in range(400):
        store.put_image(session, f"{number:064x}", "x", IMAGE)
        store.append(session, [event(number)])
        print(number + 1, flush=True)
        if limit and is_ahead(folder):
            break
    sys.stdin.read()
"""


def filling(folder, limit=0):
    command = [sys.executable, "-c", textwrap.dedent(FILLS), str(folder), str(limit)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="a process is killed, and may write so much only")
@pytest.mark.parametrize("limit", [10_000_000, 0], ids=["the file may be so long only", "at any moment"])
def test_a_server_that_is_killed_while_the_log_goes_into_the_file_starts_again(tmp_path, limit):
    child = filling(tmp_path, limit)
    session = child.stdout.readline().strip()
    if limit:
        number = 0
        while not is_ahead(tmp_path):
            number = int(child.stdout.readline())
    else:
        while not is_ahead(tmp_path) and child.poll() is None:
            pass
    child.send_signal(signal.SIGKILL)
    number = ([0] + [int(line) for line in child.communicate()[0].split()] + ([number] if limit else []))[-1]
    with contextlib.closing(open_store(Settings(data_folder=tmp_path))) as store:
        assert len(store.events(session)) >= number > 0
        assert all(store.image(session, f"{one:064x}")[1] == IMAGE for one in range(number))
        store.check()
