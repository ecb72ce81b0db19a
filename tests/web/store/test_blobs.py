"""The files of sessions, in the database and in object stores."""

import errno
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sql

from segmentation.web.settings import Settings
from segmentation.web.store import StoreAwayError, StoreFullError, UnknownImageError, beside, blobs, open_store, tables
from segmentation.web.store.blobs import PART_BYTES, ObjectBlobs, UnknownBlobError
from segmentation.web.store.classifiers import Classifiers
from segmentation.web.store.files import OWNERLESS_SECONDS
from segmentation.web.store.series import SeriesStore

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(params=["table", "beside", "file", "memory", pytest.param("s3", marks=pytest.mark.slow)])
def objects(request, tmp_path, monkeypatch):
    """What SQUIGGLE_OBJECTS names; nothing where files lie in the database, or large ones beside it."""
    if request.param == "beside":
        monkeypatch.setattr(beside, "LARGE_BYTES", 1)
    if request.param == "s3":
        yield request.getfixturevalue("bucket")
    elif request.param == "memory":
        yield f"memory://squiggle-{tmp_path.name}"
        from fsspec.implementations.memory import MemoryFileSystem

        MemoryFileSystem.store.clear()
    else:
        yield f"file://{tmp_path / 'objects'}" if request.param == "file" else ""


@pytest.fixture
def filing(store_settings, objects):
    """A store whose files lie in each of the places."""
    store = open_store(store_settings.model_copy(update={"objects": objects}))
    yield store
    store.close()


def keys_in(store):
    with store.database.reading() as connection:
        return sorted(connection.execute(sql.select(tables.blobs.c.key)).scalars())


@pytest.mark.parametrize("size", [0, 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES + 5])
def test_bytes_come_back_as_they_were_and_can_be_copied_and_deleted(filing, size):
    kept = filing.files.blobs
    content = bytes(range(256)) * (size // 256) + bytes(size % 256)
    kept.put("session/image/a", b"before")
    kept.put("session/image/a", content)
    assert kept.get("session/image/a") == content
    kept.copy("session/image/a", "other/image/b")
    kept.delete("session/image/a")
    kept.delete("session/image/a")
    assert kept.get("other/image/b") == content
    for ask in (kept.get, lambda key: kept.copy(key, "third/image/c")):
        with pytest.raises(UnknownBlobError):
            ask("session/image/a")


def test_images_live_and_go_with_their_session_wherever_they_lie(filing):
    session = filing.create_session()
    filing.put_image(session, "a" * 64, "../../etc/passwd", b"pixels")
    filing.put_image(session, "b" * 64, "b.png", b"others")
    (first, _) = keys = keys_in(filing)
    assert all(key.startswith(f"{session}/image/") and "passwd" not in key for key in keys)
    copy = filing.duplicate_session(session, name="")
    assert filing.image(session, "a" * 64) == ("../../etc/passwd", b"pixels")
    filing.delete_session(session)
    assert filing.image(copy, "b" * 64) == ("b.png", b"others")
    assert len(keys_in(filing)) == 2
    with pytest.raises(UnknownBlobError):
        filing.files.content(first)


def test_an_image_that_is_sent_by_many_at_once_is_kept_once(filing):
    session = filing.create_session()
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: filing.put_image(session, "a" * 64, "a.png", b"pixels"), range(12)))
    assert len(keys_in(filing)) == 1, "the others are gone at once"
    assert filing.image(session, "a" * 64) == ("a.png", b"pixels")
    assert [image.size for image in filing.images(session)] == [6]
    assert [summary.size for summary in filing.summaries([session])] == [6]


def test_a_classifier_and_an_image_of_a_series_that_are_sent_by_many_at_once_are_kept_once(filing):
    session, series = filing.create_session(), SeriesStore(filing)
    series_id = series.begin(session, b"classifier")
    classifiers = Classifiers(filing)
    limits = {"max_images": 9, "max_bytes": 10**6}
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: classifiers.put(session, "a" * 64, "a.squiggle", b"trees"), range(12)))
        added = set(pool.map(lambda _: series.add(session, series_id, "a.png", b"pixels", **limits), range(12)))
    assert added == {1}
    assert len(keys_in(filing)) == 3


def test_a_copy_that_fails_half_way_leaves_nothing(filing, monkeypatch):
    session = filing.create_session()
    for one in "abc":
        filing.put_image(session, one * 64, f"{one}.png", b"pixels")
    before, copy = keys_in(filing), filing.files.blobs.copy

    def copy_two(key, to):
        if len(keys_in(filing)) == len(before) + 2:
            raise StoreFullError
        copy(key, to)

    monkeypatch.setattr(filing.files.blobs, "copy", copy_two)
    with pytest.raises(StoreFullError):
        filing.duplicate_session(session, name="")
    assert keys_in(filing) == before


def test_what_was_on_its_way_when_its_process_was_killed_is_swept_away_later(filing, monkeypatch):
    session = filing.create_session()
    filing.put_image(session, "a" * 64, "a.png", b"pixels")
    lost = filing.files.put(session, "image", b"killed before a row named it")
    filing.files.remove_ownerless()
    assert filing.files.content(lost) == b"killed before a row named it"
    later = time.time() + OWNERLESS_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: later)
    filing.files.remove_ownerless()
    with pytest.raises(UnknownBlobError):
        filing.files.content(lost)
    assert len(keys_in(filing)) == 1
    assert filing.image(session, "a" * 64) == ("a.png", b"pixels")


def test_a_file_that_is_not_whole_is_not_given_out(tmp_path):
    store = open_store(Settings(data_folder=tmp_path, objects=f"file://{tmp_path / 'objects'}"))
    session = store.create_session()
    store.put_image(session, "a" * 64, "a.png", b"pixels")
    (key,) = keys_in(store)
    (tmp_path / "objects" / key).write_bytes(b"pix")
    with pytest.raises(UnknownImageError):
        store.image(session, "a" * 64)
    store.close()


class BrokenStore:
    """What an object store does when it is away."""

    protocol = "s3"

    def __init__(self, error):
        self.error = error

    def __getattr__(self, _name):
        def fail(*_arguments):
            raise self.error

        return fail


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConnectionError("refused"), StoreAwayError),
        (PermissionError("403"), StoreAwayError),
        (RuntimeError("what a vendor's library raises"), StoreAwayError),
        (OSError(errno.ENOSPC, "No space left on device"), StoreFullError),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), StoreFullError),
    ],
)
def test_an_object_store_that_fails_is_a_sentence_and_loses_nothing(tmp_path, monkeypatch, error, told):
    store = open_store(Settings(data_folder=tmp_path, objects="memory://failing"))
    session = store.create_session()
    store.put_image(session, "a" * 64, "a.png", b"pixels")
    with monkeypatch.context() as broken:
        broken.setattr(blobs.ObjectBlobs, "_reach", lambda _self: (BrokenStore(error), "root"))
        with pytest.raises(told):
            store.put_image(session, "b" * 64, "b.png", b"others")
        with pytest.raises(told):
            store.image(session, "a" * 64)
        with pytest.raises(told):
            store.duplicate_session(session, name="")
        other = store.create_session()
        store.delete_session(other)
    assert store.image(session, "a" * 64) == ("a.png", b"pixels")
    assert not store.has_image(session, "b" * 64)
    store.put_image(session, "b" * 64, "b.png", b"others")
    store.close()


def test_a_store_that_is_away_for_a_while_is_a_sentence_and_comes_back(tmp_path, object_store, bucket):
    store = open_store(Settings(data_folder=tmp_path, objects=bucket))
    session = store.create_session()
    store.put_image(session, "a" * 64, "a.png", b"pixels")
    object_store.stop()
    try:
        with pytest.raises(StoreAwayError, match="does not answer"):
            store.image(session, "a" * 64)
        with pytest.raises(StoreAwayError, match="does not answer"):
            store.put_image(session, "b" * 64, "b.png", b"others")
    finally:
        object_store.start()
    assert store.image(session, "a" * 64) == ("a.png", b"pixels")
    store.put_image(session, "b" * 64, "b.png", b"others")
    assert store.image(session, "b" * 64) == ("b.png", b"others")
    store.close()


def test_a_bucket_that_is_not_there_is_a_sentence(tmp_path, bucket):
    store = open_store(Settings(data_folder=tmp_path, objects=bucket.replace("bucket", "nobucket")))
    session = store.create_session()
    with pytest.raises(StoreAwayError, match="does not answer"):
        store.put_image(session, "a" * 64, "a.png", b"pixels")
    store.close()


def test_a_store_whose_package_is_missing_is_a_sentence_at_the_start(tmp_path):
    start = "import sys; sys.modules['s3fs'] = None; import app"
    environment = os.environ | {"SQUIGGLE_OBJECTS": "s3://bucket", "SQUIGGLE_DATA": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", start], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr.startswith("Squiggle does not start: SQUIGGLE_OBJECTS")
    assert "s3fs" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("url", ["/srv/objects", "squeak://bucket", "objects"])
def test_an_object_store_that_cannot_be_is_a_sentence(tmp_path, url):
    with pytest.raises(ValueError, match="SQUIGGLE_OBJECTS"):
        open_store(Settings(data_folder=tmp_path, objects=url))


@pytest.mark.parametrize("key", ["../beside", "a/../../beside", "/beside", "a//b", ".", ""])
def test_no_key_leads_out_of_an_object_store(key, tmp_path):
    (tmp_path / "beside").write_bytes(b"mine")
    store = ObjectBlobs(f"file://{tmp_path / 'objects'}")
    with pytest.raises(UnknownBlobError):
        store.put(key, b"theirs")
    with pytest.raises(UnknownBlobError):
        store.get(key)
    store.delete(key)
    assert (tmp_path / "beside").read_bytes() == b"mine"
