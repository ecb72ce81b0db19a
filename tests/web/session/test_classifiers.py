"""Classifier files that are opened in a session, and what becomes of them there."""

import io
import zipfile
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
import tifffile

import segmentation as seg
from segmentation.web.application import create_app
from segmentation.web.settings import Settings
from tests.support.asking import Someone, converse, stroke_of
from tests.support.classifiers import CLASSES, SPEC, made, strokes_on
from tests.support.images import scene


@pytest.fixture
def client(tmp_path):
    app = create_app(Settings(data_folder=tmp_path, max_upload_bytes=5_000_000))
    yield app.server.test_client()
    app.server.extensions["workbench"].store.close()


@pytest.fixture
def someone(client):
    return Someone(client)


THEIRS = seg.image_from_pixels(scene(0))
MINE = scene(1)


def test_an_opened_classifier_segments_the_current_image_with_exactly_its_forest(someone):
    content = made(THEIRS)
    mine = someone.open_image(MINE)
    someone.draws("a", mine, 1, "M5,5L20,20")
    facts, _ = someone.opens(content)
    assert facts["classifier"] == {
        "hash": sha256(content).hexdigest(),
        "name": "theirs.squiggle",
        "channels": 1,
        "trees": 9,
        "class_ids": [2, 7],
        "images": [{"hash": THEIRS.hash, "rows": 60, "columns": 90}],
        "strokes": 0,
        "pixels": 0,
    }
    heard = someone.asks()
    assert heard["learnt"]["as_it_came"]
    assert "cannot learn on" in heard["learnt"]["text"]
    expected = seg.load_classifier(content).predict(MINE)
    assert (someone.segmentation() == expected).all()
    assert heard["done"]["pixels"] == {str(c): int((expected == c).sum()) for c in (2, 7)}
    home = seg.load_model(someone.downloads("classifier.squiggle").data)
    assert home.classes == CLASSES
    assert (seg.PixelClassifier.from_contents(home).predict(MINE) == expected).all()
    zipped = zipfile.ZipFile(io.BytesIO(someone.downloads("all.zip").data)).namelist()
    assert not {"labels.tif", "strokes.json"} & {*zipped}, "nothing is drawn here any more"


def test_undo_brings_back_what_was_there_before(someone):
    mine = someone.open_image(MINE)
    someone.draws("a", mine, 1, "M5,5L20,20")
    someone.draws("b", mine, 2, "M60,5L80,20")
    before = someone.segmentation()
    _, event = someone.opens(made(THEIRS))
    assert set(np.unique(someone.segmentation())) == {2, 7}
    someone.does(type="undo", event=event)
    assert (someone.segmentation() == before).all()
    assert someone.asks()["learnt"]["text"] == ""


def test_names_and_colours_change_without_touching_the_forest(someone):
    content = made(THEIRS)
    someone.open_image(MINE)
    someone.opens(content)
    someone.does(type="class.change", class_id=2, name="Void")
    assert someone.asks()["learnt"]["as_it_came"]
    home = seg.load_model(someone.downloads("classifier.squiggle").data)
    assert home.classes[0].name == "Void"


def test_without_strokes_and_pixels_drawing_in_two_classes_starts_afresh(someone):
    content = made(THEIRS)
    mine = someone.open_image(MINE)
    someone.opens(content)
    someone.draws("a", mine, 2, "M5,5L20,20")
    heard = someone.asks()
    assert heard["learnt"]["as_it_came"]
    assert (someone.segmentation() == seg.load_classifier(content).predict(MINE)).all()
    someone.draws("b", mine, 7, "M60,5L80,20")
    heard = someone.asks()
    assert not heard["learnt"]["as_it_came"]
    assert "have replaced it" in heard["learnt"]["text"]
    strokes = [stroke_of("a", 2, "M5,5L20,20"), stroke_of("b", 7, "M60,5L80,20")]
    fresh = seg.PixelClassifier(SPEC, n_estimators=9).fit(MINE, seg.rasterise(strokes, MINE.shape))
    assert (someone.segmentation() == fresh.predict(MINE)).all()


def test_one_that_can_only_be_replaced_stays_until_somebody_lets_the_strokes_replace_it(someone):
    content = made(THEIRS)
    expected = seg.load_classifier(content).predict(MINE)
    mine = someone.open_image(MINE)
    someone.opens(content, keep=True)
    heard = someone.asks()
    assert heard["learnt"]["choice"] == "anew"
    assert "only replace it" in heard["learnt"]["text"]
    someone.draws("a", mine, 7, "M5,5L20,20")
    someone.draws("b", mine, 2, "M60,5L80,20")
    assert someone.asks()["learnt"]["as_it_came"]
    assert (someone.segmentation() == expected).all()
    anew = someone.does(type="classifier.keep", keep=False)
    heard = someone.asks()
    assert heard["learnt"]["choice"] == "keep"
    assert heard["learnt"]["images"] == [mine]
    assert "have replaced it" in heard["learnt"]["text"]
    assert (someone.segmentation() != expected).any()
    someone.does(type="undo", event=anew)
    assert (someone.segmentation() == expected).all()


def test_one_whose_strokes_lie_elsewhere_stays_until_their_image_is_there(someone):
    mine = someone.open_image(MINE)
    someone.opens(made(THEIRS, strokes=True), keep=True)
    someone.draws("a", mine, 2, "M5,5L20,20")
    someone.draws("b", mine, 7, "M60,5L80,20")
    heard = someone.asks()["learnt"]
    assert heard["as_it_came"]
    assert "Until then it stays as it came" in heard["text"]
    someone.open_image(THEIRS.pixels)
    heard = someone.asks(mine)["learnt"]
    assert (heard["as_it_came"], heard["choice"]) == (False, "")
    assert set(heard["images"]) == {mine, THEIRS.hash}


def test_one_that_learns_on_is_corrected_whether_it_is_kept_or_not(someone):
    mine = someone.open_image(MINE)
    someone.opens(made(THEIRS, pixels=True), keep=True)
    assert someone.asks()["learnt"]["choice"] == ""
    someone.draws("a", mine, 2, "M50,5L70,20")
    assert "learnt together" in someone.asks()["learnt"]["text"]


def test_new_strokes_are_trained_on_together_with_the_pixels_that_came_along(someone):
    content = made(THEIRS, pixels=True)
    mine = someone.open_image(MINE)
    someone.opens(content)
    assert "training pixels" in someone.asks()["learnt"]["text"]
    someone.draws("a", mine, 2, "M50,5L70,20")
    assert "learnt together" in someone.asks()["learnt"]["text"]
    labels = seg.rasterise([stroke_of("a", 2, "M50,5L70,20")], MINE.shape)
    expected = seg.PixelClassifier(SPEC, n_estimators=9).fit(MINE, labels, earlier=seg.load_classifier(content))
    assert (someone.segmentation() == expected.predict(MINE)).all()
    home = seg.load_model(someone.downloads("classifier.squiggle", "along=pixels,strokes").data)
    assert home.pixels.features.tobytes() == expected.pixels_.features.tobytes()
    assert [stroke.id for stroke in home.strokes_by_image()[mine]] == ["a"]
    assert [image["hash"] for image in home.training["images"]] == [THEIRS.hash, mine]
    someone.does(type="settings.change", features=seg.FeatureSpec().to_json())
    assert "hold its own features only" in someone.asks()["cannot"]["reason"]
    someone.does(type="classifier.close")
    assert "So far only" in someone.asks()["cannot"]["reason"]


def test_a_class_that_was_removed_is_not_trained_on(someone):
    third = seg.Stroke("t3", 9, "path", [[5, 55], [80, 55]], 5)
    labels = seg.rasterise([*strokes_on(THEIRS), third], THEIRS.shape)
    classifier = seg.PixelClassifier(SPEC, n_estimators=9).fit(THEIRS, labels)
    file = io.BytesIO()
    classes = (*CLASSES, seg.LabelClass(9, "Rim", "#778899"))
    seg.save_model(file, classifier.contents(classes, pixels=classifier.pixels_))
    someone.open_image(MINE)
    someone.opens(file.getvalue())
    assert set(np.unique(someone.segmentation())) <= {2, 7, 9}
    someone.does(type="class.remove", class_id=9)
    assert "learnt together" in someone.asks()["learnt"]["text"]
    assert set(np.unique(someone.segmentation())) == {2, 7}


def test_strokes_that_came_along_are_put_on_their_image(someone):
    content = made(THEIRS, strokes=True)
    theirs = someone.open_image(THEIRS.pixels)
    assert theirs == THEIRS.hash
    someone.opens(content)
    assert (
        tifffile.imread(io.BytesIO(someone.downloads("labels.tif").data)) == seg.rasterise(strokes_on(THEIRS), (60, 90))
    ).all()
    assert someone.asks()["learnt"]["as_it_came"]
    home = someone.downloads("classifier.squiggle", "along=strokes").data
    assert seg.load_model(home).strokes_by_image() == {THEIRS.hash: strokes_on(THEIRS)}
    someone.draws("a", theirs, 2, "M50,5L70,20")
    labels = seg.rasterise([*strokes_on(THEIRS), seg.Stroke("a", 2, "path", [[50, 5], [70, 20]], 5)], (60, 90))
    expected = seg.PixelClassifier(SPEC, n_estimators=9).fit(THEIRS, labels)
    assert (someone.segmentation() == expected.predict(THEIRS)).all()
    assert "Its strokes and yours" in someone.asks()["learnt"]["text"]


def test_strokes_on_an_image_that_is_not_here_wait_for_it(someone):
    content = made(THEIRS, strokes=True)
    mine = someone.open_image(MINE)
    someone.opens(content)
    text = someone.asks()["learnt"]["text"]
    assert "not in this session (90 × 60 pixels" in text
    someone.draws("a", mine, 2, "M5,5L20,20")
    assert someone.asks()["learnt"]["as_it_came"]
    someone.open_image(THEIRS.pixels)
    heard = someone.asks(mine)
    assert not heard["learnt"]["as_it_came"]
    assert "not in this session" not in heard["learnt"]["text"]


def test_what_did_not_come_along_cannot_travel_on(someone):
    someone.open_image(MINE)
    someone.opens(made(THEIRS))
    for along, word in (("strokes", "without its strokes"), ("pixels", "without its training pixels")):
        answer = someone.downloads("classifier.squiggle", f"along={along}")
        assert answer.status_code == 422
        assert word in answer.json["error"]


def test_an_image_with_other_channels_gets_a_sentence(someone):
    someone.open_image(scene(2, channels=3))
    someone.opens(made(THEIRS))
    assert "with 1 channel, but this one has 3 channels" in someone.asks()["cannot"]["reason"]
    assert someone.downloads("segmentation.png").status_code == 422


def test_images_that_another_program_knows_otherwise_keep_no_classifier_out(someone):
    contents = seg.load_model(made(THEIRS))
    (image,) = contents.training["images"]
    file = io.BytesIO()
    seg.save_model(file, replace(contents, training={"images": [image | {"hash": "Z" * 64}]}))
    facts, _ = someone.opens(file.getvalue())
    assert facts["classifier"]["images"] == []


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), b"\x80\x04cos\nsystem\n", b"x" * 1000])
def test_what_is_no_classifier_is_refused_with_a_sentence(someone, content):
    answer = someone.client.post(f"/s/{someone.session}/classifiers?name=x.squiggle", data=content)
    assert answer.status_code == 200
    assert answer.json["error"].startswith("This classifier file cannot be opened")


def test_too_large_a_file_is_refused_before_it_is_read(someone):
    answer = someone.client.post(f"/s/{someone.session}/classifiers", data=bytes(5_000_001))
    assert answer.status_code == 413
    assert "at most 5 MB" in answer.json["error"]


def test_a_classifier_belongs_to_its_session(client, someone):
    facts, _ = someone.opens(made(THEIRS))
    other = Someone(client)
    event = {"id": "x", "type": "classifier.open", **facts}
    (journal,) = converse(client, other.session, [event])
    assert "no such classifier" in journal["refused"][0]["reason"]
    assert client.post("/s/nobody/classifiers", data=b"x").status_code == 404


def test_what_the_page_says_of_a_classifier_does_not_count(someone):
    answer = someone.client.post(f"/s/{someone.session}/classifiers?name=a.squiggle", data=made(THEIRS)).json
    someone.does(type="classifier.open", **answer | {"classes": [], "strokes": {"a" * 64: []}})
    (journal,) = converse(someone.client, someone.session)
    body = journal["events"][-1]["body"]
    assert [one["name"] for one in body["classes"]] == ["Pore", "Grain"]
    assert body["strokes"] == {}


def test_a_copy_of_a_session_has_its_opened_classifier(client, someone):
    store = client.application.extensions["workbench"].store
    someone.open_image(MINE)
    someone.opens(made(THEIRS))
    copy = Someone(client)
    copy.session = store.duplicate_session(someone.session, name="copy")
    assert (copy.segmentation() == someone.segmentation()).all()
    store.delete_session(someone.session)
    assert set(np.unique(copy.segmentation())) == {2, 7}
