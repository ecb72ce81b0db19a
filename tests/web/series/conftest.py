"""A page with a series."""

import pytest

from segmentation.web.application import create_app
from segmentation.web.settings import Settings
from tests.support.series import Series


@pytest.fixture
def settings(tmp_path):
    return Settings(data_folder=tmp_path / "data", max_upload_bytes=5_000_000, series_images=8, series_bytes=8_000_000)


@pytest.fixture
def client(settings):
    app = create_app(settings)
    yield app.server.test_client()
    app.server.extensions["workbench"].store.close()


@pytest.fixture
def bench(client):
    return client.application.extensions["workbench"]


@pytest.fixture
def series(client):
    return Series(client)
