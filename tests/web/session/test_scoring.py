"""Scores come after the segmentation, are those of the library, and never keep anybody waiting."""

import csv
import io
import json
import threading
from urllib.parse import quote

import numpy as np
import pytest

import segmentation as seg
from segmentation.assessment.held_out import hold_out
from segmentation.io.limits import PassingError
from segmentation.strokes.classes import REGION
from segmentation.web.session import scoring
from segmentation.web.session.scheduler import Scheduler
from tests.support.asking import Someone, converse
from tests.support.files import png

PIXELS = np.random.default_rng(0).integers(0, 90, (60, 90, 3)).astype(np.uint8)
PIXELS[:, 45:] += 60
STROKES = [
    ("a", 1, "M5,5L15,15"),
    ("b", 2, "M60,5L70,15"),
    ("c", 1, "M5,30L15,45"),
    ("d", 2, "M60,30L70,45"),
    ("e", 1, "M25,30L35,50"),
]


@pytest.fixture
def someone(client):
    return Someone(client)


def scores_of(someone, image_hash, **asked):
    tiles = {"image": image_hash, "view": [0, 60, 0, 90], "known": {}, "scores": asked}
    messages = converse(someone.client, someone.session, segment=tiles)
    kinds = [message["kind"] for message in messages]
    assert kinds.index("done") < kinds.index("scores") or "done" not in kinds
    return [message for message in messages if message["kind"] == "scores"][-1]


def drawn(someone, count):
    image_hash = someone.open_image(PIXELS)
    for stroke in STROKES[:count]:
        someone.draws(stroke[0], image_hash, *stroke[1:])
    return image_hash


def test_the_scores_of_the_page_are_those_of_python(someone):
    image_hash = drawn(someone, 5)
    told = scores_of(someone, image_hash)["scores"]
    document = json.loads(someone.downloads("strokes.json").data)
    classifier = seg.PixelClassifier(
        seg.FeatureSpec.from_json(document["settings"]["features"]), **document["settings"]["forest"]
    )
    assert told == seg.cross_validate(PIXELS, document["strokes"], classifier).to_json()
    assert len(told["curve"]) == 2


def test_how_sure_shares_are_is_what_python_says(someone):
    image_hash = drawn(someone, 5)
    tiles = {"image": image_hash, "view": [0, 60, 0, 90], "known": {}, "scores": {}}
    told = converse(someone.client, someone.session, segment=tiles)[-1]
    document = json.loads(someone.downloads("strokes.json").data)
    settings = document["settings"]
    classifier = seg.PixelClassifier(seg.FeatureSpec.from_json(settings["features"]), **settings["forest"])
    classifier.fit(PIXELS, seg.rasterise(document["strokes"], PIXELS.shape[:2]))
    found = seg.share_intervals(PIXELS, classifier, PIXELS, document["strokes"])
    assert (told["kind"], set(told["margins"])) == ("margins", {str(one.id) for one in found})
    rows = {row["class_id"]: row for row in csv.DictReader(io.StringIO(someone.downloads("shares.csv").data.decode()))}
    for one in found:
        margin = told["margins"][str(one.id)]
        assert (one.low, one.high) == (max(0, one.share - margin), min(1, one.share + margin))
        ends = [float(rows[str(one.id)][name]) for name in ("percent_low", "percent_high")]
        assert ends == pytest.approx([100 * one.low, 100 * one.high], abs=1e-4)
    report = someone.downloads("report.html").data.decode()
    assert "95 % interval" in report
    assert f"mean IoU {seg.cross_validate(PIXELS, document['strokes'], classifier).mean_iou:.2f}" in report
    assert "over 5 strokes, each of which was held out" in report


def test_only_here_shares_are_as_sure_on_the_page_as_in_its_table(someone):
    image_hash = drawn(someone, 5)
    here = {"id": "here", "class_id": REGION, "kind": "rectangle", "x0": 0, "y0": 0, "x1": 60, "y1": 40}
    someone.does(type="stroke.add", image=image_hash, stroke=here)
    tiles = {"image": image_hash, "view": [0, 60, 0, 90], "known": {}, "scores": {}}
    told = converse(someone.client, someone.session, segment=tiles)[-1]
    assert told["kind"] == "margins"
    for row in csv.DictReader(io.StringIO(someone.downloads("shares.csv").data.decode())):
        share, margin = float(row["percent"]), 100 * told["margins"][row["class_id"]]
        ends = [float(row[name]) for name in ("percent_low", "percent_high")]
        assert ends == pytest.approx([max(0, share - margin), min(100, share + margin)], abs=2e-4)


def test_a_class_that_corrections_alone_show_leaves_the_votes_to_say_how_sure_shares_are(someone):
    image_hash = drawn(someone, 1)
    someone.draws("more", image_hash, 1, STROKES[2][2])
    someone.does(type="correction.learn", learn=True)
    correction = {"id": "other", "class_id": 2, "kind": "path", "path": STROKES[1][2], "width": 5}
    someone.does(type="correction.add", image=image_hash, stroke=correction)
    tiles = {"image": image_hash, "view": [0, 60, 0, 90], "known": {}, "scores": {}}
    told = converse(someone.client, someone.session, segment=tiles)[-1]
    assert (told["kind"], set(told["margins"])) == ("margins", {"1", "2"})
    assert "percent_low" in someone.downloads("shares.csv").data.decode()
    assert "95 % interval" in someone.downloads("report.html").data.decode()
    assert someone.downloads("all.zip").status_code == 200


def test_what_is_missing_is_said(someone):
    image_hash = drawn(someone, 2)
    assert scores_of(someone, image_hash) == {
        "kind": "scores",
        "scores": None,
        "note": "Draw a second stroke of a class: only strokes that were not learnt from tell how good it is.",
    }
    someone.draws(*("c", image_hash, *STROKES[2][1:]))
    told = scores_of(someone, image_hash)
    assert "has one stroke: with a second one there is a score of it." in told["note"]


def test_what_does_not_come_just_now_is_not_told_as_all_that_is_known(someone, monkeypatch):
    image_hash, calls = drawn(someone, 5), []
    for fails, known in ((0, 0), (1, 1)):

        def does_not_come(*given, at=fails, **named):
            calls.append(given)
            if len(calls) > at:
                raise PassingError("Others are read: try again.")
            return hold_out(*given, **named)

        calls.clear()
        with monkeypatch.context() as patched:
            patched.setattr(scoring, "hold_out", does_not_come)
            told = scores_of(someone, image_hash)
        assert told["note"] == "Others are read: try again."
        assert len((told["scores"] or {"curve": []})["curve"]) == known
    told = scores_of(someone, image_hash)
    assert len(told["scores"]["curve"]) == 2
    assert "again" not in told["note"]


def test_who_does_not_ask_is_not_told(someone):
    drawn(someone, 4)
    assert "scores" not in someone.asks()


def test_the_newest_stroke_is_pointed_at_if_it_makes_others_worse(someone):
    image_hash = drawn(someone, 4)
    someone.draws("f", image_hash, 2, "M60,52L85,52")
    someone.draws("wrong", image_hash, 1, "M50,20L88,20L50,24L88,25")
    assert scores_of(someone, image_hash, newest=[image_hash, "wrong"])["scores"]["fall"]["stroke"] == "wrong"
    assert scores_of(someone, image_hash, newest=[image_hash, "f"])["scores"]["fall"] is None
    assert scores_of(someone, image_hash, newest=None)["scores"]["fall"] is None


def test_an_opened_classifier_that_is_as_it_came_has_no_scores(someone):
    drawn(someone, 4)
    content = someone.downloads("classifier.squiggle").data
    other = Someone(someone.client)
    image_hash = other.open_image(PIXELS[::-1])
    other.opens(content)
    assert scores_of(other, image_hash)["note"] == "The opened classifier is at work as it came."


def test_strokes_on_top_of_training_pixels_that_came_along_are_scored(someone):
    drawn(someone, 4)
    other = Someone(someone.client)
    image_hash = other.open_image(PIXELS[::-1])
    other.opens(someone.downloads("classifier.squiggle").data)
    for name, class_id, path in STROKES[:4]:
        other.draws(f"{name}2", image_hash, class_id, path)
    assert scores_of(other, image_hash)["scores"]["mean_iou"] > 0.5


@pytest.mark.parametrize("asked", [[], {"newest": "a"}, {"newest": ["a"]}, {"newest": [1, 2]}])
def test_senseless_requests_are_refused(someone, asked):
    tiles = {"image": None, "view": [0, 60, 0, 90], "known": {}, "scores": asked}
    body = {"after": 0, "events": [], "segment": tiles, "window": "w"}
    assert someone.client.post(f"/s/{someone.session}/converse", json=body).status_code == 422


def test_spare_time_begins_when_nobody_computes_and_keeps_nobody_waiting():
    scheduler, order, gate = Scheduler(1), [], threading.Event()

    def spare():
        with scheduler.spare_time(lambda: False):
            order.append("spare")
            gate.wait()

    with scheduler.turn("s"):
        waiting = threading.Thread(target=spare)
        waiting.start()
        order.append("turn")
    while "spare" not in order:
        threading.Event().wait(0.001)
    with scheduler.turn("s", ahead=True):
        order.append("another turn")
    gate.set()
    waiting.join()
    assert order == ["turn", "spare", "another turn"]


def test_one_task_at_a_time_in_spare_time():
    scheduler, inside = Scheduler(2), []

    def spare():
        with scheduler.spare_time(lambda: False):
            inside.append(1)
            assert len(inside) == 1
            inside.pop()

    tasks = [threading.Thread(target=spare) for _ in range(20)]
    for task in tasks:
        task.start()
    for task in tasks:
        task.join()
    assert inside == []


def test_what_is_stale_does_not_wait_for_spare_time():
    scheduler = Scheduler(1)
    with scheduler.turn("s"), scheduler.spare_time(lambda: True):
        pass
    with scheduler.spare_time(lambda: False):
        pass


def against_mask(someone, image_hash, mask, values=None, name="mask.png"):
    answers = {"images": {"0": image_hash}} | ({} if values is None else {"values": values})
    query = f"name={name}&answers={quote(json.dumps(answers))}"
    return someone.client.post(f"/s/{someone.session}/mask-scores?{query}", data=png(mask))


def test_a_mask_is_held_against_the_segmentation(someone):
    image_hash = drawn(someone, 4)
    mask = np.full((60, 90), 255, np.uint8)
    mask[:, 45:] = 40
    mask[:3] = 7
    told = against_mask(someone, image_hash, mask, {"255": 1, "40": 2, "7": 0}).json
    truth = np.select([mask == 255, mask == 40], [1, 2]).astype(np.uint8)
    assert told["scores"] == seg.score(someone.segmentation(), truth, [1, 2]).to_json()
    assert told["scores"]["pixels"] == 57 * 90
    assert (told["image"], told["corrected"]) == ("mine.png", False)


def test_a_mask_scores_the_classifier_and_not_what_was_corrected_by_hand(someone):
    image_hash = drawn(someone, 4)
    mask = np.repeat([1, 2], 45).astype(np.uint8)[None].repeat(60, axis=0)
    before = against_mask(someone, image_hash, mask).json
    wrong = {"id": "c", "class_id": 2, "kind": "rectangle", "x0": 0, "y0": 0, "x1": 30, "y1": 59}
    someone.does(type="correction.add", image=image_hash, stroke=wrong)
    assert (someone.segmentation()[:, :30] == 2).all()
    assert against_mask(someone, image_hash, mask).json == before | {"corrected": True}


@pytest.mark.parametrize(
    ("mask", "values", "sentence"),
    [
        (np.ones((5, 5), np.uint8), None, "The mask has 5 x 5 pixels, but the image has 60 x 90."),
        (np.full((60, 90), 9, np.uint8), None, "no class is named for it"),
        (np.full((60, 90), 9, np.uint8), {"9": "new"}, "A class that is not in the session cannot be found"),
        (np.zeros((60, 90), np.uint8), None, "The mask knows the class of no pixel"),
        (PIXELS, None, "It has colours"),
    ],
)
def test_a_mask_that_does_not_fit_is_refused_in_a_sentence(someone, mask, values, sentence):
    image_hash = drawn(someone, 4)
    refused = against_mask(someone, image_hash, mask, values)
    assert sentence in refused.json["error"]


def test_a_mask_counts_where_the_image_holds_data(someone):
    opaque = np.full((60, 90), 255, np.uint8)
    opaque[:10] = 0
    image_hash = someone.open_image(np.dstack([PIXELS, opaque]))
    someone.draws("left", image_hash, 1, "M5,15L30,50")
    someone.draws("right", image_hash, 2, "M60,15L80,50")
    told = against_mask(someone, image_hash, np.repeat([1, 2], 45).astype(np.uint8)[None].repeat(60, axis=0)).json
    assert told["scores"]["pixels"] == 50 * 90


def test_without_a_segmentation_a_mask_scores_nothing(someone):
    image_hash = drawn(someone, 1)
    assert "now draw one for" in against_mask(someone, image_hash, np.ones((60, 90), np.uint8)).json["error"]
