"""A page with a series, and with a large image."""

import pytest

from segmentation.io import halving
from segmentation.web.application import create_app
from segmentation.web.series import whole_images
from segmentation.web.settings import Settings
from tests.support.images import textured
from tests.support.pyramids import write_pyramid, zipped
from tests.support.series import Series
from tests.support.wholes import SHAPE, Whole


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


@pytest.fixture
def small_blocks(monkeypatch):
    """Of large images are blocks, and coarsest levels, of few pixels."""
    monkeypatch.setattr(whole_images, "BLOCK_SIDE", 100)
    monkeypatch.setattr(halving, "COARSEST_SIDE", 250)


@pytest.fixture(scope="module")
def pixels():
    return textured(*SHAPE)


@pytest.fixture
def ozx(pixels, tmp_path):
    """A large image, which is ``cells.ozx`` too."""
    content = zipped(write_pyramid(tmp_path / "cells.zarr", pixels, chunks=128))
    (tmp_path / "cells.ozx").write_bytes(content)
    return content


@pytest.fixture
def whole(client, ozx):
    """A session on it."""
    return Whole(client, ozx, "cells.ozx")
