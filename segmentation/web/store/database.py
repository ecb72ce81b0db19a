"""Reaches the database: SQLite in a folder or PostgreSQL, its schema, and what it says when it cannot answer."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoFreeConnectionError
from sqlalchemy.pool import NullPool, QueuePool

from segmentation.web.store.errors import DiskFullError, SchemaError, StoreAwayError, StoreError, StoreLostError
from segmentation.web.store.reserve import Reserve
from segmentation.web.store.sqlite_file import SqliteFile, log_fits

MIGRATIONS = Path(__file__).parent / "migrations"
SCHEMA = max(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
"""The schema that this version needs: the number of the last migration."""

PATIENCE_SECONDS = 15
POSTGRESQL_POOL = {"pool_size": 2, "max_overflow": 4, "pool_timeout": PATIENCE_SECONDS, "pool_use_lifo": True}
POSTGRESQL_CONNECTION = {
    "connect_timeout": "5",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "application_name": "squiggle",
}
# Waiting for another's lock ends, and a process that hangs half-way does not keep its locks.
POSTGRESQL_PATIENCE = sql.select(
    sql.func.set_config("lock_timeout", f"{PATIENCE_SECONDS}s", True),
    sql.func.set_config("idle_in_transaction_session_timeout", "60s", True),
)
MIGRATION_LOCK = 0x5155_4947
# SQLSTATEs: the disk is full; read-only for now (a standby, a provider's limit).
POSTGRESQL_FULL = "53100"
POSTGRESQL_READ_ONLY = "25006"
NEARLY_FULL_BYTES = 2**20
COPIES = 2
"""Of what SQLite writes, while it is in its log and in its file."""

INCREMENTAL = 2
CHECKPOINT_PAGES = 1000
"""Of the log, after which they go into the file."""

VACUUM_PAGES = 250
"""Of one portion, after which what was written is in its place: a disk that is nearly full has room for no more."""

log = logging.getLogger(__name__)


def postgresql_url(text: str) -> sql.URL:
    """What ``DATABASE_URL`` names, for SQLAlchemy.

    Raises:
        ValueError: with a sentence, which does not repeat the password.
    """
    example = "postgresql://user:password@host/database"
    try:
        url = sql.make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError(f"DATABASE_URL cannot be read: it must look like {example}.") from None
    if url.drivername not in ("postgres", "postgresql", "postgresql+psycopg"):
        raise ValueError(f"DATABASE_URL begins with {url.drivername}: it must look like {example}.")
    missing = {name: value for name, value in POSTGRESQL_CONNECTION.items() if name not in url.query}
    return url.set(drivername="postgresql+psycopg").update_query_dict(missing)


def sqlite_url(folder: Path) -> sql.URL:
    """The database file in a folder, which is made where it is missing.

    Raises:
        OSError: if the folder cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return sql.URL.create("sqlite", database=str(folder / "squiggle.sqlite3"))


class Database:
    """Connections to one database, whose tables are those of this version.

    SQLite's are brought up to date at once. PostgreSQL's are looked at when it first answers, which may be later;
    ``python -m segmentation.web migrate`` changes them.
    """

    def __init__(self, url: sql.URL) -> None:
        self._url = url
        self._engine = _engine(url)
        self._reader = self._engine.execution_options(
            **({"begin": "DEFERRED"} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"})
        )
        self._checked = False
        path = Path(url.database) if self.is_sqlite and url.database else None
        self._reserve = Reserve(path.parent) if path else None
        self._file = SqliteFile(path) if path else None

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of SQLite's."""
        return self._engine.dialect.name == "sqlite"

    @property
    def folder(self) -> Path | None:
        """The folder of SQLite's file; None of PostgreSQL."""
        return Path(self._url.database).parent if self._url.database and self._file else None

    def free_bytes(self) -> int | None:
        """Bytes that the disk of SQLite's file has left; None where PostgreSQL keeps that to itself."""
        return shutil.disk_usage(self.folder).free if self.folder else None

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()
        if self._file:
            self._file.close()

    @contextmanager
    def reading(self) -> Iterator[sql.Connection]:
        """A connection for reading.

        Raises:
            StoreAwayError: if the database does not answer, or has other tables than this version needs.
        """
        self.check_schema()
        self.check_file()
        with self._sentences(), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[sql.Connection]:
        """A connection for reading that sees one moment of the database, whatever is written meanwhile.

        Raises:
            StoreAwayError: if the database does not answer, or has other tables than this version needs.
        """
        self.check_schema()
        self.check_file()
        engine = self._reader if self.is_sqlite else self._engine.execution_options(isolation_level="REPEATABLE READ")
        with self._sentences(), engine.connect() as connection:
            yield connection

    @contextmanager
    def adding(self, more: int = 0) -> Iterator[sql.Connection]:
        """As :meth:`writing`, for what makes the database grow: it leaves room for deleting.

        Args:
            more: bytes that are added, if they are many: SQLite writes them twice, into its log and into its file.

        Raises:
            StoreAwayError: if the database does not answer, or has other tables than this version needs.
            DiskFullError: if the disk is full.
        """
        if self._reserve and not self._reserve.hold(COPIES * more):
            raise DiskFullError
        with self.writing() as connection:
            yield connection

    @contextmanager
    def deleting(self) -> Iterator[None]:
        """Let what is deleted in the ``with`` block make room on a full disk, where there may be none to delete."""
        if self._reserve:
            self._reserve.release_if_needed()
        yield
        if self._reserve and not self._reserve.hold():
            with suppress(StoreError):
                self.shrink()
            self._reserve.hold()

    @contextmanager
    def writing(self) -> Iterator[sql.Connection]:
        """A transaction, which is on the disk once the block is left and has left no trace if it raises.

        Raises:
            StoreAwayError: if the database does not answer, or has other tables than this version needs.
            DiskFullError: if the disk is full.
        """
        self.check_schema()
        self.check_file()
        with self._sentences(), self._engine.begin() as connection:
            if not self.is_sqlite:
                connection.execute(POSTGRESQL_PATIENCE)
            yield connection

    def check_file(self) -> None:
        """Make sure that SQLite's file is there and whole; of PostgreSQL's files PostgreSQL speaks itself.

        Raises:
            StoreLostError: with a sentence, if it is not.
        """
        if self._file:
            self._file.check(is_open=isinstance(self._engine.pool, QueuePool) and self._engine.pool.checkedin() > 0)

    def check_schema(self) -> None:
        """Look once whether the tables are those of this version.

        Raises:
            SchemaError: with a sentence that says what to do, if they are not.
            StoreAwayError: if the database does not answer.
        """
        if self._checked:
            return
        self.check_file()
        found = self._schema_on_a_disk_that_may_be_full()
        if found != SCHEMA and self.is_sqlite:
            self.migrate()
        elif found != SCHEMA:
            _refuse_newer(found)
            state = (
                f"tables of an older Squiggle (number {found}, this version needs {SCHEMA})" if found else "no tables"
            )
            raise SchemaError(f"The database has {state}: run `python -m segmentation.web migrate` once.")
        self._checked = True

    def migrate(self) -> None:
        """Bring the tables up to date, all or nothing; of several processes that try at once, one does it.

        Raises:
            SchemaError: if they are those of a newer version.
            StoreAwayError: if the database does not answer.
            DiskFullError: if the disk is full.
        """
        _refuse_newer(self._schema())
        with self.changing_tables() as (_, upgrade):
            upgrade("head")

    @contextmanager
    def changing_tables(self) -> Iterator[tuple[sql.Connection, Callable[[str], None]]]:
        """A transaction in which tables may be changed, all or nothing, and what upgrades them to a schema's number.

        Raises:
            StoreAwayError: if the database does not answer.
            DiskFullError: if the disk is full.
        """
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", "segmentation.web.store:migrations")
        engine = _engine(self._url, for_migration=True)
        with self._sentences(), self._made(), engine.begin() as connection:
            if not self.is_sqlite:
                connection.execute(sql.select(sql.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
            config.attributes["connection"] = connection
            yield connection, lambda schema: command.upgrade(config, schema)

    def shrink(self) -> None:
        """Let SQLite's file shrink to what is in it; PostgreSQL sees to that itself."""
        if not self.is_sqlite:
            return
        with self._sentences(), closing(self._engine.raw_connection()) as connection:
            driver: Any = connection.driver_connection
            driver.execute("PRAGMA wal_autocheckpoint=0")
            while (free := driver.execute("PRAGMA freelist_count").fetchone()[0]) > 0:
                # Only a script runs it to its end; in portions, between which others can write.
                driver.executescript(f"PRAGMA incremental_vacuum({VACUUM_PAGES})")
                if log_fits(driver, Path(self._url.database or "")):
                    driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                if driver.execute("PRAGMA freelist_count").fetchone()[0] >= free:
                    return

    def _schema_on_a_disk_that_may_be_full(self) -> str:
        if not self._reserve:
            return self._schema()
        try:
            return self._schema()
        except DiskFullError:
            self._reserve.release_if_needed()
            return self._schema()
        finally:
            self._reserve.hold()

    def _schema(self) -> str:
        with self._sentences(), self._made(), self._reader.connect() as connection:
            if not sql.inspect(connection).has_table("alembic_version"):
                return ""
            return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() or ""

    @contextmanager
    def _made(self) -> Iterator[None]:
        if self._file:
            self._file.make((f"auto_vacuum={INCREMENTAL}", "journal_mode=WAL"))
        yield

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        """Turns what a database driver raises into sentences; programming errors stay what they are."""
        try:
            yield
        except NoFreeConnectionError as error:
            raise StoreAwayError from error
        except (DBAPIError, sqlite3.Error) as error:
            problem = error.orig if isinstance(error, DBAPIError) else error
            if self._is_full(problem):
                raise DiskFullError from error
            if getattr(problem, "sqlite_errorname", "") in ("SQLITE_NOTADB", "SQLITE_CORRUPT"):
                log.error("the database is damaged: %s", problem)
                raise StoreLostError from error
            if isinstance(error, sqlite3.Error) or _is_away(error, problem):
                log.warning("the database does not answer: %s", " ".join(str(problem).split()))
                raise StoreAwayError from error
            raise

    def _is_full(self, problem: BaseException | None) -> bool:
        if getattr(problem, "sqlstate", None) == POSTGRESQL_FULL:
            return True
        sqlite_name = getattr(problem, "sqlite_errorname", "")
        if sqlite_name.startswith("SQLITE_IOERR") and self._url.database:
            # Where SQLite cannot lengthen its shared memory or shorten a file, it does not say why.
            return shutil.disk_usage(Path(self._url.database).parent).free < NEARLY_FULL_BYTES
        return sqlite_name == "SQLITE_FULL"


def _refuse_newer(found: str) -> None:
    if found > SCHEMA:
        raise SchemaError(
            f"The database was made by a newer Squiggle (its tables are number {found}, this version knows {SCHEMA}): "
            "start that version, or restore an older copy."
        )


def _is_away(error: DBAPIError, problem: BaseException | None) -> bool:
    if getattr(problem, "sqlite_errorname", "") == "SQLITE_ERROR":
        return False
    return (
        error.connection_invalidated
        or isinstance(error, OperationalError | InterfaceError)
        or getattr(problem, "sqlstate", None) == POSTGRESQL_READ_ONLY
    )


def _engine(url: sql.URL, *, for_migration: bool = False) -> sql.Engine:
    options: dict[str, Any] = {"poolclass": NullPool} if for_migration else {}
    if url.get_backend_name() == "sqlite":
        engine = sql.create_engine(url, **options)
        _prepare_sqlite(engine, foreign_keys=not for_migration)
    else:
        options |= {} if for_migration else POSTGRESQL_POOL
        # A pooler between us and the server may give each transaction another connection: prepare nothing.
        engine = sql.create_engine(url, pool_pre_ping=True, connect_args={"prepare_threshold": None}, **options)
    _refuse_connections_of_the_parent(engine)
    return engine


def _prepare_sqlite(engine: sql.Engine, *, foreign_keys: bool) -> None:
    """Writers queue from their first statement on, readers do not wait for them, each commit is synced to the disk."""
    pragmas = (
        f"busy_timeout={PATIENCE_SECONDS * 1000}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "secure_delete=FAST",  # a full disk has no room for the zeros that some builds write over what is deleted
        f"foreign_keys={'ON' if foreign_keys else 'OFF'}",
    )

    @sql.event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        if connection.execute("PRAGMA auto_vacuum").fetchone()[0] != INCREMENTAL:  # to say it again writes to the disk
            connection.execute(f"PRAGMA auto_vacuum={INCREMENTAL}")
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    @sql.event.listens_for(engine, "begin")
    def on_begin(connection: sql.Connection) -> None:
        kind = connection.get_execution_options().get("begin", "IMMEDIATE")
        if kind == "IMMEDIATE":
            driver: Any = connection.connection.driver_connection
            pages = CHECKPOINT_PAGES if log_fits(driver, Path(engine.url.database or "")) else 0
            driver.execute(f"PRAGMA wal_autocheckpoint={pages}")
        connection.exec_driver_sql(f"BEGIN {kind}")


def _refuse_connections_of_the_parent(engine: sql.Engine) -> None:
    """A process that was forked must not speak over connections that its parent opened."""

    @sql.event.listens_for(engine, "connect")
    def on_connect(_connection: Any, record: Any) -> None:
        record.info["pid"] = os.getpid()

    @sql.event.listens_for(engine, "checkout")
    def on_checkout(_connection: Any, record: Any, proxy: Any) -> None:
        if record.info["pid"] != os.getpid():
            record.dbapi_connection = proxy.dbapi_connection = None
            raise DisconnectionError("this connection belongs to the parent process")
