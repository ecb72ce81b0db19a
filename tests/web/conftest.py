"""The store on each of its databases."""

import pytest

from segmentation.web.settings import Settings
from segmentation.web.store import Store

DATABASES = ("sqlite", "postgresql")


@pytest.fixture(params=DATABASES)
def store_settings(request, tmp_path):
    """Settings that name a new store; the test runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return Settings(data_folder=tmp_path / "data")
    return Settings(data_folder=tmp_path / "data", database_url=request.getfixturevalue("postgres_url"))


@pytest.fixture
def store(store_settings):
    """A new store; the test runs on SQLite and on PostgreSQL."""
    store = Store.of(store_settings)
    yield store
    store.close()
