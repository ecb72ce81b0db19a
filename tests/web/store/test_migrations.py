"""The tables of the store, from nothing and from older versions."""

import contextlib
import json
import os
import sqlite3
import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from segmentation.web.settings import Settings
from segmentation.web.store import SchemaError, StoreError, migrate, open_store
from segmentation.web.store.database import SCHEMA
from segmentation.web.store.tables import metadata
from tests.support.older_store import FIRST_VERSION


@pytest.fixture
def first_version(tmp_path):
    """A folder with a store as the first versions made it: two sessions, three events, two images."""
    with contextlib.closing(sqlite3.connect(tmp_path / "squiggle.sqlite3")) as connection:
        connection.executescript("PRAGMA journal_mode=WAL;" + FIRST_VERSION)
        connection.executemany("INSERT INTO sessions VALUES (?, ?)", [("first", 100.0), ("second", 200.0)])
        events = [
            ("first", 1, {"id": "start", "type": "session.start"}),
            ("first", 2, {"id": "a", "type": "stroke.add"}),
            ("second", 1, {"id": "start", "type": "session.start"}),
        ]
        for session, number, body in events:
            row = (session, number, body["id"], json.dumps(body, separators=(",", ":")))
            connection.execute("INSERT INTO events VALUES (?, ?, ?, ?)", row)
        for session, content in (("first", b"pixels" * 1000), ("second", b"")):
            row = (session, "a" * 64, f"{session}.png", content)
            connection.execute("INSERT INTO images VALUES (?, ?, ?, ?)", row)
        connection.commit()
    return tmp_path


def run(command, settings):
    environment = os.environ | {"SQUIGGLE_DATA": str(settings.data_folder), "DATABASE_URL": settings.database_url}
    return subprocess.run(
        [sys.executable, "-m", "segmentation.web", *command], env=environment, capture_output=True, text=True
    )


def test_the_migrations_make_the_tables_that_the_code_uses(store):
    with store.database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_store_of_the_first_versions_is_taken_over_with_everything_in_it(first_version):
    store = open_store(Settings(data_folder=first_version))
    assert [(e.number, e.body["id"]) for e in store.events("first")] == [(1, "start"), (2, "a")]
    assert store.image("first", "a" * 64) == ("first.png", b"pixels" * 1000)
    assert store.image("second", "a" * 64) == ("second.png", b"")
    first, second = store.summaries(["first", "second"])
    assert (first.created, first.images, first.strokes_drawn) == (100.0, 1, 1)
    assert (second.created, second.images, second.strokes_drawn) == (200.0, 1, 0)
    store.append("first", [{"id": "b", "type": "stroke.add"}])
    assert [e.number for e in store.events("first", after=1)] == [2, 3]
    with store.database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    store.close()


def test_a_migration_that_fails_leaves_the_older_store_as_it_was(first_version):
    with contextlib.closing(sqlite3.connect(first_version / "squiggle.sqlite3")) as connection:
        connection.execute("UPDATE events SET body = 'no JSON' WHERE event_id = 'a'")
        connection.commit()
    with pytest.raises(StoreError, match=r"cannot be used .*malformed JSON"):
        open_store(Settings(data_folder=first_version))
    with contextlib.closing(sqlite3.connect(first_version / "squiggle.sqlite3")) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert tables == {"sessions", "events", "images"}
        assert connection.execute("SELECT COUNT(*) FROM images").fetchone() == (2,)


OPEN = """
import sys
from pathlib import Path
from segmentation.web.settings import Settings
from segmentation.web.store import open_store
sys.stdin.readline()
print(len(open_store(Settings(data_folder=Path(sys.argv[1]))).events("first")))
"""


@pytest.mark.slow
def test_processes_that_start_at_once_take_an_older_store_over_once(first_version):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, str(first_version)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(6)
    ]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate()[0] for process in processes] == ["2\n"] * 6


def test_a_database_without_tables_is_named_in_a_sentence_and_mended_by_migrate(postgres):
    postgres.execute("CREATE DATABASE unmigrated")
    settings = Settings(database_url=postgres.url("unmigrated"))
    with pytest.raises(SchemaError, match=r"no tables: run `python -m segmentation.web migrate`"):
        open_store(settings)
    for _ in range(2):
        migrated = run(["migrate"], settings)
        assert migrated.returncode == 0, migrated.stderr
        assert SCHEMA in migrated.stdout
    open_store(settings).close()
    postgres.execute("DROP DATABASE unmigrated WITH (FORCE)")


@pytest.mark.slow
def test_migrate_brings_an_older_store_in_a_folder_up_to_date(first_version):
    assert run(["migrate"], Settings(data_folder=first_version)).returncode == 0
    with contextlib.closing(sqlite3.connect(first_version / "squiggle.sqlite3")) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (SCHEMA,)


def test_the_tables_of_a_newer_version_are_left_alone(store, store_settings):
    with store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaError, match="newer Squiggle"):
        open_store(store_settings)
    with pytest.raises(SchemaError, match="newer Squiggle"):
        migrate(store_settings)


def test_older_tables_of_postgresql_are_named_in_a_sentence(postgres_url):
    settings = Settings(database_url=postgres_url)
    store = open_store(settings)
    with store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    store.close()
    with pytest.raises(SchemaError, match=r"older Squiggle \(number 0000.*migrate"):
        open_store(settings)


def test_a_file_that_is_no_database_and_a_folder_that_cannot_be_are_sentences(tmp_path):
    (tmp_path / "squiggle.sqlite3").write_bytes(b"something else entirely" * 100)
    with pytest.raises(StoreError, match=r"cannot be used .*not a database"):
        open_store(Settings(data_folder=tmp_path))
    with pytest.raises(StoreError, match="cannot be used"):
        open_store(Settings(data_folder=tmp_path / "squiggle.sqlite3" / "below"))


@pytest.mark.parametrize("url", ["mysql://u:secret@h/d", "squiggle.sqlite3", "postgres://u:secret@h:port/d"])
def test_a_database_url_that_names_no_postgresql_is_a_sentence_without_the_password(url):
    with pytest.raises(ValueError, match="DATABASE_URL") as refused:
        open_store(Settings(database_url=url))
    assert "secret" not in str(refused.value)


def test_migrate_says_in_a_sentence_what_is_wrong(tmp_path):
    (tmp_path / "squiggle.sqlite3").write_bytes(b"something else entirely" * 100)
    failed = run(["migrate"], Settings(data_folder=tmp_path))
    assert failed.returncode != 0
    assert "The store was not brought up to date: the data folder" in failed.stderr
    assert "Traceback" not in failed.stderr
