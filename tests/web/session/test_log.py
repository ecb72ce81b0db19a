"""Who did what in a session, as a table that a spreadsheet opens."""

import csv
import io

from segmentation.web.session.authors import MAX_TIME
from segmentation.web.session.log import log_csv
from tests.support.asking import converse, stroke_event
from tests.support.events import IMAGE, START


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_each_event_is_a_line_with_who_and_when():
    ann = {"author": {"id": "ann", "name": "=Ann"}, "time": 0}
    events = [
        START,
        stroke_event("a", IMAGE, 1, "M1,1L2,2") | ann,
        {"id": "u", "type": "undo", "event": "event-a"} | ann,
        {"id": "h", "type": "class.hide", "class_id": 2, "hidden": True},
    ]
    first, drawn, undone, hidden = rows_of(log_csv(events))
    assert first["what"] == "session.start"
    assert (first["image"], first["time"], first["name"]) == (IMAGE, "", "")
    assert drawn == {
        "number": "2",
        "time": "1970-01-01T00:00:00+00:00",
        "name": "'=Ann",
        "person": "ann",
        "what": "stroke.add",
        "image": IMAGE,
        "concerns": "a",
    }
    assert undone["concerns"] == "event-a"
    assert hidden["concerns"] == "class 2"


def test_the_last_time_that_an_event_may_have_is_written():
    (row,) = rows_of(log_csv([START | {"time": MAX_TIME}]))
    assert row["time"] == "9999-12-31T23:59:59+00:00"


def test_it_can_be_downloaded(client, session):
    author = {"author": {"id": "ann", "name": "Ann"}}
    converse(client, session, [stroke_event("a", IMAGE, 1, "M1,1L2,2") | author])
    answer = client.get(f"/s/{session}/download/log.csv")
    assert answer.mimetype == "text/csv"
    assert [one["name"] for one in rows_of(answer.text)] == ["", "Ann"]
