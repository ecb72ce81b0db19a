"""What is kept of journals is bounded in bytes, and nothing is kept of sessions that do not exist."""

from types import SimpleNamespace

import pytest

from segmentation.web.session import journals
from segmentation.web.session.stacks import page_in_file, planes_of
from segmentation.web.store import UnknownSessionError
from tests.support.asking import converse


def erasing(number, bytes_of_ids):
    return {"id": f"e{number}", "type": "stroke.erase", "image": "a" * 64, "strokes": ["x" * bytes_of_ids]}


@pytest.fixture
def workbench(client):
    return client.application.extensions["workbench"]


def test_events_of_many_bytes_leave_no_more_than_the_budget(client, workbench):
    cache = workbench.journals._sessions
    for number in range(8):
        session = client.post("/sessions").json["session"]
        (journal,) = converse(client, session, [erasing(number, 8_000_000)])
        assert journal["refused"] == []
        assert workbench.journals.state(session).strokes == ()
        assert cache.used <= journals.JOURNAL_CACHE_BYTES
    assert cache.used > 2 * 8_000_000


def test_a_session_that_is_larger_than_the_budget_is_read_each_time(client, session, workbench, monkeypatch):
    monkeypatch.setattr(workbench.journals._sessions, "budget", 100_000)
    for number in range(3):
        converse(client, session, [erasing(number, 60_000)])
    assert len(converse(client, session)[0]["events"]) == 4
    assert workbench.journals._sessions.used <= 100_000


def test_names_that_somebody_invents_take_no_place(workbench, session):
    workbench.journals.state(session)
    used = workbench.journals._sessions.used
    for number in range(1_000):
        with pytest.raises(UnknownSessionError):
            workbench.journals.state(f"invented-{number}")
    assert workbench.journals._sessions.used == used


def test_a_classifier_of_many_planes_is_opened_beside_a_long_stack_with_one_look_at_each_plane(client, monkeypatch):
    planes = 400
    bench = client.application.extensions["workbench"].journals
    stack = {"hash": "a" * 56 + "0" * 8, "name": "s.tif", "rows": 1, "columns": 1, "channels": 1, "dtype": "uint8"}
    images = {one["hash"]: one for one in planes_of(stack | {"pages": planes})}
    hashes = {plane: f"pixels of {plane}" for plane in images}
    state = SimpleNamespace(images=images)
    read = SimpleNamespace(pixel_hash=lambda _session, plane: hashes[plane])
    looked = []
    monkeypatch.setattr(bench, "state", lambda _session: state)
    monkeypatch.setattr(bench, "_images", read)
    monkeypatch.setattr(journals, "page_in_file", lambda facts: looked.append(facts) or page_in_file(facts))
    training = {"images": [{"hash": hashes[plane], "page": facts["page"]} for plane, facts in images.items()]}
    contents = SimpleNamespace(strokes_by_image=lambda: dict.fromkeys(hashes.values()), training=training)
    file = SimpleNamespace(contents=contents, event=dict)
    assert bench.opening("any", file) == {pixels: plane for plane, pixels in hashes.items()}
    assert len(looked) == planes
