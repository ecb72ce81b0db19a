"""What is refused before anything of a request is read."""

import pytest

from segmentation.web.application import create_app
from segmentation.web.security import hardening
from segmentation.web.settings import Settings


@pytest.fixture
def client(tmp_path, monkeypatch):
    """Asks a server that lets two sessions be begun."""
    monkeypatch.setattr(hardening, "STARTS_AT_ONCE", 2)
    monkeypatch.setattr(hardening, "STARTS_PER_SECOND", 1e-9)
    app = create_app(Settings(data_folder=tmp_path))
    yield app.server.test_client(use_cookies=False)
    app.server.extensions["workbench"].store.close()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("HEAD", "/"),
        ("POST", "/sessions"),
        ("POST", "/sessions/import"),
        ("POST", "/s/{}/duplicate"),
    ],
)
def test_every_way_to_begin_a_session_is_counted(client, method, path):
    session = client.post("/sessions").json["session"]
    path = path.format(session)
    assert client.open(path, method=method).status_code < 400
    assert client.open(path, method=method).status_code == 429
    assert client.get(f"/s/{session}/file").status_code == 200
