"""A database file that is deleted, replaced, cut off or damaged: said, and never passed over as a new one."""

import os
import shutil

import pytest

from segmentation.web.application import create_app
from segmentation.web.settings import Settings
from segmentation.web.store import StoreError, open_store
from tests.support.asking import stroke_event

pytestmark = pytest.mark.slow

NAME = "squiggle.sqlite3"


def cut(path, size):
    with path.open("r+b") as file:
        file.truncate(size)


def delete(folder):
    (folder / NAME).unlink()


def delete_log(folder):
    (folder / f"{NAME}-wal").unlink()


def delete_all(folder):
    for path in folder.glob(f"{NAME}*"):
        path.unlink()


def replace(folder):
    shutil.copy(folder / NAME, folder / "other")
    os.replace(folder / "other", folder / NAME)


def cut_to_nothing(folder):
    cut(folder / NAME, 0)


def cut_to_its_beginning(folder):
    cut(folder / NAME, 4096)


def overwrite(folder):
    (folder / NAME).write_bytes(b"x" * (folder / NAME).stat().st_size)


@pytest.fixture
def server(tmp_path):
    """An application in use, whose store lies in its file, not beside it."""
    app = create_app(Settings(data_folder=tmp_path))
    client = app.server.test_client()
    client.post("/sessions")
    store = app.server.extensions["workbench"].store
    store.database.close()
    yield client, tmp_path
    store.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage", [delete, delete_log, delete_all, replace, cut_to_nothing, cut_to_its_beginning, overwrite]
)
def test_what_happens_to_the_file_while_the_server_runs_is_said(server, damage):
    client, folder = server
    session = client.post("/sessions").json["session"]
    assert client.get("/ready").status_code == 200
    damage(folder)
    ready = client.get("/ready")
    assert ready.status_code == 503
    assert "removed or damaged" in ready.json["reason"]
    for response in (
        client.post("/sessions"),
        client.post(
            f"/s/{session}/converse",
            json={"after": 0, "events": [stroke_event("a", "a" * 64, 1, "M1,1L9,9")], "segment": None, "window": "w"},
        ),
    ):
        assert response.status_code == 503
        assert "may be lost" in response.json["error"]
        assert "safe" not in response.json["error"]
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize("damage", [cut_to_nothing, cut_to_its_beginning, overwrite])
def test_a_file_that_was_damaged_before_the_start_is_not_taken_for_a_new_one(tmp_path, damage):
    store = open_store(Settings(data_folder=tmp_path))
    store.create_session()
    store.close()
    damage(tmp_path)
    left = (tmp_path / NAME).read_bytes()
    with pytest.raises(StoreError, match=str(tmp_path)):
        open_store(Settings(data_folder=tmp_path))
    assert (tmp_path / NAME).read_bytes() == left


def test_a_file_that_grows_and_shrinks_is_whole(tmp_path):
    stores = [open_store(Settings(data_folder=tmp_path)) for _ in range(2)]
    session = stores[0].create_session()
    for number in range(60):
        store = stores[number % 2]
        store.put_image(session, f"{number:064x}", "x", os.urandom(200_000))
        store.check()
    stores[0].delete_session(session)
    stores[1].database.shrink()
    for store in stores:
        store.check()
        store.close()
