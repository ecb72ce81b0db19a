"""The store on each of its databases; the server, and a session in it."""

import io

import pytest
from PIL import Image

from segmentation.web.application import create_app
from segmentation.web.settings import Settings
from segmentation.web.store import Store
from tests.support.asking import HALVES, converse, stroke_event

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


@pytest.fixture
def client(tmp_path):
    """Asks a server with a store of its own."""
    app = create_app(Settings(data_folder=tmp_path, max_pixels=1_000_000, max_upload_bytes=5_000_000))
    yield app.server.test_client()
    app.server.extensions["workbench"].store.close()


@pytest.fixture
def session(client):
    """A new session's id."""
    return client.post("/sessions").json["session"]


@pytest.fixture
def halves(client, session):
    """A session on an image of two halves, with a stroke in each."""
    buffer = io.BytesIO()
    Image.fromarray(HALVES).save(buffer, "PNG")
    facts = client.post(f"/s/{session}/images?name=halves.png", data=buffer.getvalue()).json
    events = [
        {"id": "open", "type": "image.open", "image": facts},
        stroke_event("a", facts["hash"], 1, "M20,5L60,30"),
        stroke_event("b", facts["hash"], 2, "M520,5L560,30"),
    ]
    converse(client, session, events)
    return facts
