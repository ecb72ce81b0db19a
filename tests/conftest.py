"""The same examples in every run, so that the gate says the same of the same code; servers for who needs them."""

import itertools
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.kernels import keep_kernels, wait_for_kernels

keep_kernels()
settings.register_profile("gate", derandomize=True, database=None, deadline=None)
settings.load_profile("gate")

ROOMS = Path(__file__).parent
SERVERS = {"chromium", "postgres", "own_postgres", "object_store", "client", "store"}
"""Fixtures that start what `make check` does without: browsers, servers, and whatever has a database."""

TOGETHER = {
    **dict.fromkeys(["web/test_hosting.py", "house/test_wheel.py", "docs/test_readme.py"], "checkout"),
}
"""Files whose tests must not run side by side: one sees to it that nothing is written where others build."""


def pytest_make_parametrize_id(val):
    """Files are named by their length: some hold the moment of their making, which processes would not agree on."""
    return f"{len(val)} bytes" if isinstance(val, bytes) else None


@pytest.hookimpl(tryfirst=True)  # before the plug-in that runs tests side by side looks for its groups
def pytest_collection_modifyitems(items):
    """Mark what needs servers, and let each file's tests run in one process where tests run side by side."""
    for item in items:
        place = item.path.relative_to(ROOMS).as_posix()
        in_browser = place.startswith("browser/")
        on_postgres = "postgresql" in item.name
        if in_browser or on_postgres or SERVERS.intersection(item.fixturenames):
            item.add_marker(pytest.mark.slow)
        item.add_marker(pytest.mark.xdist_group(TOGETHER.get(place, place)))


@pytest.fixture
def kernels():
    """For tests that tell from what is cached, or comes as a draft, that kernels have computed it."""
    wait_for_kernels()


@pytest.fixture(scope="session")
def postgres():
    """A running server; imported and started only for tests that ask for it."""
    from tests.support.postgres import Postgres

    server = Postgres()
    server.start()
    yield server
    server.stop()
    server.remove()


@pytest.fixture(scope="session")
def migrated(postgres):
    """The name of a database with our tables, which others are copied from."""
    from segmentation.web.settings import Settings
    from segmentation.web.store import migrate

    postgres.execute("CREATE DATABASE migrated")
    migrate(Settings(database_url=postgres.url("migrated")))
    return "migrated"


database_names = (f"test{number}" for number in itertools.count())


@pytest.fixture
def postgres_url(postgres, migrated):
    """The URL of a database of one's own, with our tables in it."""
    name = next(database_names)
    postgres.execute(f"CREATE DATABASE {name} TEMPLATE {migrated}")
    yield postgres.url(name)
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def object_store():
    """A running store that speaks S3."""
    from tests.support.objectstore import ObjectStore

    store = ObjectStore()
    yield store
    store.stop()


@pytest.fixture
def bucket(object_store, monkeypatch):
    """The URL of an empty bucket, which the environment says how to reach."""
    for name, value in object_store.environment.items():
        monkeypatch.setenv(name, value)
    return object_store.new_bucket()
