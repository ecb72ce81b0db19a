"""From the settings to the database that they name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sql
from sqlalchemy.exc import DBAPIError

from segmentation.web.settings import Settings
from segmentation.web.store.backup import restore_backup, write_backup
from segmentation.web.store.beside import blobs_of
from segmentation.web.store.database import SCHEMA, Database, postgresql_url, sqlite_url
from segmentation.web.store.errors import SchemaError, StoreAwayError, StoreError
from segmentation.web.store.records import Limits
from segmentation.web.store.sessions import Store


def open_store(settings: Settings) -> Store:
    """The store that the settings name; SQLite's tables are brought up to date.

    Raises:
        StoreError: with a sentence, if it cannot be used.
        ValueError: with a sentence, if a setting names something that cannot be.
    """
    limits = Limits(settings.quota_bytes, settings.session_bytes, settings.keep_seconds, settings.user_bytes)
    with _naming_the_place_that_fails(settings):
        return Store(_store_url(settings), objects=settings.objects, limits=limits)


def migrate(settings: Settings) -> str:
    """Bring the tables of the store that the settings name up to date; returns their number.

    Raises:
        StoreError: with a sentence, if the database cannot be used.
        ValueError: with a sentence, if the settings name none.
    """
    with _naming_the_place_that_fails(settings):
        database = Database(_store_url(settings))
        try:
            database.migrate()
        finally:
            database.close()
    return SCHEMA


def back_up(settings: Settings, path: Path) -> dict[str, int]:
    """Write all of the store that the settings name to a new file; see :func:`write_backup`.

    Raises:
        BackupError: with a sentence, if the file cannot be written.
        StoreError: with a sentence, if the store cannot be used.
        ValueError: with a sentence, if a setting names something that cannot be.
    """
    store = open_store(settings)
    try:
        return write_backup(store.database, store.files.blobs, path)
    finally:
        store.close()


def restore(settings: Settings, path: Path) -> dict[str, int]:
    """Let the store that the settings name, which is empty, hold what a backup does; see :func:`restore_backup`.

    Raises:
        BackupError: with a sentence, if the file is no backup, or the store not empty.
        StoreError: with a sentence, if the store cannot be used.
        ValueError: with a sentence, if a setting names something that cannot be.
    """
    with _naming_the_place_that_fails(settings):
        database = Database(_store_url(settings))
        try:
            return restore_backup(database, blobs_of(database, settings.objects), path)
        finally:
            database.close()


def _store_url(settings: Settings) -> sql.URL:
    """The database that the settings name.

    Raises:
        OSError: if the data folder cannot be made.
        ValueError: with a sentence, if there is no such database.
    """
    return postgresql_url(settings.database_url) if settings.database_url else sqlite_url(settings.data_folder)


@contextmanager
def _naming_the_place_that_fails(settings: Settings) -> Iterator[None]:
    """Turns what keeps a store from being opened into a sentence that names the folder or database."""
    try:
        yield
    except SchemaError:
        raise
    except (OSError, StoreError, DBAPIError) as problem:
        error = problem.__cause__ or problem
        place = "the database" if settings.database_url else f"the data folder {settings.data_folder}"
        if settings.objects and isinstance(problem, StoreAwayError) and not isinstance(error, DBAPIError):
            place = "the object store"
        reason = " ".join(str(getattr(error, "orig", error)).split())
        raise StoreError(f"{place} cannot be used ({reason}).") from problem
