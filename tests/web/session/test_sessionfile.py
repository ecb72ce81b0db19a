"""A session as a file: what comes back is what was exported, and nothing else comes in."""

import io
import json
import tracemalloc
import zipfile

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image

from tests.support.asking import converse, stroke_event
from tests.support.images import HALVES


@pytest.fixture
def exported(client, session, halves):
    """A session with a name, two images and strokes on both, as a file."""
    turned = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(HALVES[:, ::-1])).save(turned, "PNG")
    facts = client.post(f"/s/{session}/images?name=turned.png", data=turned.getvalue()).json
    events = [
        {"id": "open-turned", "type": "image.open", "image": facts, "instead": halves["hash"]},
        stroke_event("c", facts["hash"], 1, "M520,5L560,30"),
        {"id": "undo", "type": "undo", "event": "event-c"},
        {"id": "redo", "type": "redo", "event": "event-c"},
        {"id": "class", "type": "class.add", "class": {"id": 7, "name": "Rim", "colour": "#123456"}},
        {"id": "name", "type": "session.rename", "name": "Colon, June"},
    ]
    (journal,) = converse(client, session, events)
    assert journal["refused"] == []
    answer = client.get(f"/s/{session}/file")
    assert "Colon%2C%20June.squiggle-session" in answer.headers["Content-Disposition"]
    return answer.data


def import_file(client, content):
    with client.post("/sessions/import", data=content) as answer:  # whoever does not leave holds a place
        assert answer.status_code == 200
        return json.loads(answer.text.splitlines()[-1])


def journal_of(client, session):
    return [event["body"] for event in converse(client, session)[0]["events"]]


def sessions_in_the_store(client):
    database = client.application.extensions["workbench"].store.database
    with database.reading() as connection:
        return connection.exec_driver_sql("SELECT COUNT(*) FROM sessions").scalar()


def members(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(content):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return target.getvalue()


def changed(exported, member, old, new):
    content = members(exported)
    assert old in content[member]
    content[member] = content[member].replace(old, new)
    return packed(content)


def test_a_session_comes_back_as_it_was(client, session, halves, exported):
    other = client.application.test_client()
    brought = import_file(other, exported)["session"]
    assert brought != session
    assert journal_of(other, brought) == journal_of(client, session)
    for name in ("segmentation.tif", "strokes.json", "classifier.squiggle"):
        assert (
            other.get(f"/s/{brought}/download/{name}?image={halves['hash']}").data
            == client.get(f"/s/{session}/download/{name}?image={halves['hash']}").data
        )
    (entry,) = other.get("/sessions/list").json
    assert (entry["name"], entry["images"], entry["strokes"]) == ("Colon, June", 2, 3)
    assert members(other.get(f"/s/{brought}/file").data) == members(exported)


def test_an_opened_classifier_travels_along(client, session, halves):
    file = client.get(f"/s/{session}/download/classifier.squiggle").data
    fields = client.post(f"/s/{session}/classifiers?name=halves.squiggle", data=file).json
    converse(client, session, [{"id": "open-classifier", "type": "classifier.open", **fields}])
    before = client.get(f"/s/{session}/download/segmentation.tif").data
    exported = client.get(f"/s/{session}/file").data
    client.delete(f"/s/{session}")
    brought = import_file(client, exported)["session"]
    assert client.get(f"/s/{brought}/download/segmentation.tif").data == before
    assert members(exported)["classifiers/0001"] == file
    left_out = members(exported)
    left_out["session.json"] = left_out["session.json"].replace(b"classifiers/0001", b"classifiers/0002")
    assert "not described" in import_file(client, packed(left_out))["error"]


def test_images_are_known_by_what_is_in_them_whatever_the_journal_says(client, exported):
    lie = changed(exported, "journal.jsonl", b'"rows":40', b'"rows":40000000')
    brought = import_file(client, lie)["session"]
    assert {event["image"]["rows"] for event in journal_of(client, brought) if event["type"] == "image.open"} == {40}


@pytest.mark.parametrize(
    ("member", "old", "new", "sentence"),
    [
        ("session.json", b'"squiggle session"', b'"other session"', "not a session file"),
        ("session.json", b'"version": 1', b'"version": 2', "another version"),
        ("session.json", b'"images/0001"', b'"../../etc/passwd"', "not described"),
        ("session.json", b'"Colon, June"', b"[]", "one line of text"),
        ("session.json", b'"halves.png"', b"3", "not described"),
        ("journal.jsonl", b'"session.start"', b'"session.end"', "does not begin"),
        ("journal.jsonl", b'"type":"stroke.add"', b'"type":"stroke.run"', "does not know"),
        ("journal.jsonl", b"M520,5L560,30", b"M520,5Lalert(1)", "makes no sense"),
        ("journal.jsonl", b'"width":5', b'"width":NaN', "not valid JSON"),
        ("journal.jsonl", b'"Rim"', b'"two\\nlines"', "makes no sense"),
    ],
)
def test_what_is_not_in_order_is_refused_with_a_sentence_and_leaves_nothing(
    client, exported, member, old, new, sentence
):
    before = sessions_in_the_store(client)
    assert sentence in import_file(client, changed(exported, member, old, new))["error"]
    assert sessions_in_the_store(client) == before


def test_an_image_that_is_another_one_or_none_is_refused(client, exported):
    before = sessions_in_the_store(client)
    content = members(exported)
    other = io.BytesIO()
    tifffile.imwrite(other, HALVES + 1)
    for image, sentence in (
        (other.getvalue(), "not the one"),
        (b"<svg/>", "cannot be opened"),
        (b"", "cannot be opened"),
    ):
        assert sentence in import_file(client, packed({**content, "images/0002": image}))["error"]
    del content["images/0002"]
    assert "lacks images/0002" in import_file(client, packed(content))["error"]
    assert sessions_in_the_store(client) == before


def test_archives_that_unpack_to_too_much_or_hold_what_does_not_belong_there_are_refused(client, exported):
    content = members(exported)
    bomb = packed({**content, "journal.jsonl": bytes(63 * 2**20)})
    assert "error" in import_file(client, bomb)
    assert "does not belong" in import_file(client, packed({**content, "images/0001.py": b"print()"}))["error"]
    assert "unpacks to" in import_file(client, packed({**content, "session.json": b" " * 2**21}))["error"]
    for nothing in (b"", b"PK", exported[:-1], exported[:1000]):
        assert "not a whole" in import_file(client, nothing)["error"]


@pytest.mark.parametrize(
    "lines",
    [b"{}\n" * 20_000_000, b"[" + b"{}," * 10_000_000 + b"{}]\n", b'{"type":"x"}\r' * 10**6],
    ids=["lines", "one line", "returns"],
)
def test_a_journal_of_very_many_values_is_refused_before_it_is_parsed(client, exported, lines):
    file = packed({**members(exported), "journal.jsonl": lines})
    before = sessions_in_the_store(client)
    tracemalloc.start()
    try:
        assert "Its journal" in import_file(client, file)["error"]
        assert tracemalloc.get_traced_memory()[1] < 4 * len(lines)
    finally:
        tracemalloc.stop()
    assert sessions_in_the_store(client) == before


def test_a_file_that_is_too_large_is_refused_before_it_is_read(client, exported):
    workbench = client.application.extensions["workbench"]
    object.__setattr__(workbench.settings, "session_bytes", 1000)
    answer = client.post("/sessions/import", data=exported)
    assert answer.status_code == 413
    assert "at most" in answer.json["error"]


def test_a_browser_that_goes_away_half_way_leaves_nothing_behind(client, exported):
    before = sessions_in_the_store(client)
    workbench = client.application.extensions["workbench"]
    messages = workbench.session_files.read(io.BytesIO(exported))
    assert next(messages) == {"done": 0, "of": 3}
    assert sessions_in_the_store(client) == before + 1
    messages.close()
    assert sessions_in_the_store(client) == before


def test_a_file_is_written_part_by_part(client, session, exported):
    parts = list(client.application.extensions["workbench"].session_files.write(session))
    assert len(parts) == 5
    assert members(b"".join(parts)) == members(exported)


@pytest.mark.slow
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_happened_to_a_file_it_is_read_or_refused_with_a_sentence(client, exported, data):
    content = members(exported)
    member = data.draw(st.sampled_from(sorted(content)))
    damaged = bytearray(content[member])
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    answer = import_file(client, packed({**content, member: bytes(damaged)}))
    assert answer.keys() in ({"session"}, {"error"})
    assert answer.get("error", "A.").endswith(".")
