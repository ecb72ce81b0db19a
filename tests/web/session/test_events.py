"""The journal's events and the state that they add up to."""

import pytest

from segmentation.features.spec import FeatureSpec
from segmentation.forest.settings import ForestSettings
from segmentation.strokes.classes import REGION
from segmentation.web.session.events import check_event
from segmentation.web.session.journal_fold import count, fold
from tests.support.events import IMAGE, OTHER_IMAGE, START, image

OUTLINE = {"id": "s", "class_id": REGION, "kind": "rectangle", "x0": 1, "y0": 2, "x1": 3, "y1": 4}
FACTS = {"hash": "c" * 64, "name": "c", "channels": 3, "trees": 3, "class_ids": [1], "images": [], "strokes": 0}
OPENED = {"id": "a", "type": "classifier.open", "classifier": FACTS | {"pixels": 0}, "classes": [], "strokes": {}}


def add(event_id, class_id=1, image_hash=IMAGE):
    stroke = {"id": f"s-{event_id}", "class_id": class_id, "kind": "path", "path": "M1,2L3,4", "width": 5}
    return {"id": event_id, "type": "stroke.add", "image": image_hash, "stroke": stroke}


def stroke_ids(*events):
    return [stroke.id for stroke in fold([START, *events]).strokes]


def test_a_session_starts_with_its_image_classes_and_settings():
    chosen = {"features": FeatureSpec().to_json(), "forest": ForestSettings().to_json()}
    state = fold([START | chosen])
    assert state.image["name"] == "cells.png"
    assert [c.name for c in state.classes.values()] == ["Void", "Matrix"]
    assert state.features == FeatureSpec()
    assert state.forest == ForestSettings()


def test_a_session_of_before_keeps_the_settings_of_its_time():
    before = FeatureSpec(differences=False, colour=False)
    assert fold([START]).features == before
    first = {
        "max_samples": 0.2,
        "balance": 1.0,
        "fine_trees": 0.0,
        "range_steps": 8,
        "image_ranges": False,
        "range_margin": 0.0,
    }
    forest = ForestSettings(n_estimators=100, **first)
    assert fold([START]).forest == forest
    kinds = {name: value for name, value in before.to_json().items() if name not in ("differences", "colour")}
    change = {"id": "f", "type": "settings.change", "features": kinds | {"edges": False}}
    assert fold([START, change]).features == FeatureSpec(edges=False, differences=False, colour=False)
    assert check_event(change)["features"]["colour"] is False


def test_strokes_keep_the_order_of_drawing_and_an_erased_one_returns_to_its_place():
    erase = {"id": "e", "type": "stroke.erase", "image": IMAGE, "strokes": ["s-b"]}
    assert stroke_ids(add("a"), add("b"), add("c"), erase) == ["s-a", "s-c"]
    assert stroke_ids(add("a"), add("b"), add("c"), erase, {"id": "u", "type": "undo", "event": "e"}) == [
        "s-a",
        "s-b",
        "s-c",
    ]


def test_undo_and_redo_name_the_event_that_they_concern():
    undo = {"id": "u", "type": "undo", "event": "a"}
    redo = {"id": "r", "type": "redo", "event": "a"}
    assert stroke_ids(add("a"), add("b"), undo) == ["s-b"]
    assert stroke_ids(add("a"), add("b"), undo, redo) == ["s-a", "s-b"]


def test_removing_a_class_takes_its_strokes_along_and_undo_brings_all_back():
    remove = {"id": "x", "type": "class.remove", "class_id": 2}
    state = fold([START, add("a", 1), add("b", 2), remove])
    assert list(state.classes) == [1]
    assert [stroke.id for stroke in state.strokes] == ["s-a"]
    state = fold([START, add("a", 1), add("b", 2), remove, {"id": "u", "type": "undo", "event": "x"}])
    assert list(state.classes) == [1, 2]
    assert [stroke.id for stroke in state.strokes] == ["s-a", "s-b"]


def test_strokes_belong_to_their_image():
    reopen = {"id": "o", "type": "image.open", "image": image(OTHER_IMAGE)}
    back = {"id": "p", "type": "image.open", "image": image()}
    assert stroke_ids(add("a"), reopen) == []
    assert stroke_ids(add("a"), reopen, add("b", image_hash=OTHER_IMAGE)) == ["s-b"]
    assert stroke_ids(add("a"), reopen, back) == ["s-a"]


def test_the_sample_leaves_for_an_image_of_ones_own_unless_it_is_drawn_on():
    own = {"id": "o", "type": "image.open", "image": image(OTHER_IMAGE), "instead": IMAGE}
    assert list(fold([START, own]).images) == [OTHER_IMAGE]
    assert list(fold([START, add("a"), own]).images) == [IMAGE, OTHER_IMAGE]
    late = fold([START, own, add("a")])
    assert list(late.images) == [IMAGE, OTHER_IMAGE]
    assert [stroke.id for stroke in late.drawn[IMAGE]] == ["s-a"]
    assert list(fold([START, own, add("a"), {"id": "u", "type": "undo", "event": "a"}]).images) == [OTHER_IMAGE]
    back = {"id": "p", "type": "image.open", "image": image()}
    assert list(fold([START, own, back]).images) == [IMAGE, OTHER_IMAGE]
    with pytest.raises(ValueError, match="hash"):
        check_event(own | {"instead": "sample"})


LEAVE = {"id": "l", "type": "sample.leave", "image": IMAGE}
OWN = {"id": "o", "type": "image.open", "image": image(OTHER_IMAGE)}


def test_the_sample_leaves_with_its_strokes_and_the_names_that_suit_it_and_undo_brings_all_back():
    state = fold([START, add("a"), OWN, LEAVE])
    assert list(state.images) == [OTHER_IMAGE]
    assert not state.drawn
    assert [one.name for one in state.classes.values()] == ["Class 1", "Class 2"]
    assert [one.colour for one in state.classes.values()] == [one["colour"] for one in START["classes"]]
    back = fold([START, add("a"), OWN, LEAVE, add("b"), {"id": "u", "type": "undo", "event": "l"}])
    assert list(back.images) == [IMAGE, OTHER_IMAGE]
    assert [stroke.id for stroke in back.drawn[IMAGE]] == ["s-a", "s-b"]
    assert [one.name for one in back.classes.values()] == ["Void", "Matrix"]
    assert check_event(LEAVE) == LEAVE
    with pytest.raises(ValueError, match="hash"):
        check_event(LEAVE | {"image": "sample"})


def test_the_sample_does_not_leave_alone_and_takes_no_name_that_somebody_gave():
    assert list(fold([START, LEAVE]).images) == [IMAGE]
    assert [one.name for one in fold([START, LEAVE]).classes.values()] == ["Void", "Matrix"]
    typed = {"id": "n", "type": "class.change", "class_id": 1, "name": "Void"}
    painted = {"id": "p", "type": "class.change", "class_id": 2, "colour": "#123456"}
    added = {"id": "c", "type": "class.add", "class": {"id": 3, "name": "Rim", "colour": "#777777"}}
    state = fold([START, typed, painted, added, OWN, LEAVE])
    assert [one.name for one in state.classes.values()] == ["Void", "Class 2", "Rim"]
    assert state.classes[2].colour == "#123456"


def test_a_session_has_a_name():
    rename = {"id": "n", "type": "session.rename", "name": "Colon, June"}
    assert fold([START]).name == ""
    assert fold([START, check_event(rename)]).name == "Colon, June"
    for name in (None, 3, "x" * 101, "two\nlines"):
        with pytest.raises(ValueError, match="one line"):
            check_event(rename | {"name": name})


def test_a_class_is_renamed_recoloured_and_hidden():
    events = [
        {"id": "n", "type": "class.change", "class_id": 1, "name": "Pore"},
        {"id": "c", "type": "class.change", "class_id": 1, "colour": "#cc79a7"},
        {"id": "h", "type": "class.hide", "class_id": 1, "hidden": True},
    ]
    state = fold([START, *events])
    assert (state.classes[1].name, state.classes[1].colour) == ("Pore", "#cc79a7")
    assert state.hidden == {1}


def test_a_stroke_is_read_only_once():
    parsed = {}
    first = fold([START, add("a")], parsed=parsed).strokes[0]
    again = fold([START, add("a"), add("b")], parsed=parsed).strokes[0]
    assert again is first


def test_a_sound_event_passes_with_its_known_fields_only():
    checked = check_event(add("a") | {"surprise": 1})
    assert "surprise" not in checked
    assert checked["stroke"]["path"] == "M1,2L3,4"
    settings = {"id": "f", "type": "settings.change", "features": FeatureSpec(sigma_max=4).to_json()}
    assert check_event(settings)["features"]["sigma_max"] == 4


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (None, "does not know"),
        ({"id": "a", "type": "session.start"}, "does not know"),
        ({"id": "a", "type": "os.remove"}, "does not know"),
        ({"id": "../a", "type": "undo", "event": "b"}, "proper id"),
        ({"id": "a", "type": "undo", "event": 3}, "not named"),
        ({"id": "a", "type": "stroke.add", "image": "x", "stroke": {}}, "hash"),
        ({"id": "a", "type": "stroke.add", "image": IMAGE, "stroke": []}, "stroke"),
        ({"id": "a", "type": "stroke.erase", "image": IMAGE, "strokes": "all"}, "ids"),
        ({"id": "a", "type": "class.add", "class": {"id": 0, "name": "x", "colour": "#000000"}}, "class id"),
        ({"id": "a", "type": "class.change", "class_id": 1, "colour": "red"}, "colour"),
        ({"id": "a", "type": "class.hide", "class_id": 1, "hidden": "yes"}, "hidden"),
        ({"id": "a", "type": "settings.change", "features": {"sigma_min": 9, "sigma_max": 3}}, "above the largest"),
        ({"id": "a", "type": "settings.change", "features": {"sigma_min": 10**400}}, "smallest sigma"),
        ({"id": "a", "type": "settings.change", "forest": {"n_estimators": 10**9}}, "trees"),
        ({"id": "a", "type": "image.open", "image": {"hash": IMAGE, "name": "x" * 999}}, "name"),
        ({"id": "a", "type": "image.open", "image": "x"}, "not described"),
        ({"id": "a", "type": "image.open", "image": image() | {"rows": True}}, "whole pixels"),
        ({"id": "a", "type": "image.open", "image": image() | {"dtype": 8}}, "type of number"),
        ({"id": "a", "type": "stack.make", "name": "s", "axis": "z", "images": [IMAGE, IMAGE]}, "one plane"),
        ({"id": "a", "type": "stack.make", "name": "s", "axis": "y", "images": [IMAGE]}, "in z or in t"),
        ({"id": "a", "type": "correction.add", "image": IMAGE, "stroke": OUTLINE}, "where the image is worked on"),
        ({"id": "a", "type": "strokes.add", "name": "x" * 256}, "name of the file"),
        ({"id": "a", "type": "strokes.add", "name": "x", "classes": [], "strokes": []}, "by their images"),
        ({"id": "a", "type": "settings.change", "forest": 9}, "not understood"),
        ({"id": "a", "type": "classifier.open", "classifier": {"name": 1}}, "not described"),
        (OPENED | {"features": 5}, "must be a JSON object"),
        (OPENED | {"forest": 5}, "must be a JSON object"),
    ],
)
def test_an_event_that_makes_no_sense_is_refused_with_a_sentence(event, sentence):
    with pytest.raises(ValueError, match=sentence):
        check_event(event)


def test_there_may_be_a_class_for_each_id():
    listed = [{"id": i, "name": str(i), "colour": "#123456"} for i in range(1, 256)]
    checked = check_event({"id": "all", "type": "class.import", "classes": listed})
    state = fold([START, checked])
    assert list(state.classes) == list(state.order) == list(range(1, 256))
    for wrong in ([*listed, listed[0]], [listed[0] | {"id": 256}], [listed[0] | {"id": 0}], "all"):
        with pytest.raises(ValueError, match=r"\.$"):
            check_event({"id": "x", "type": "class.import", "classes": wrong})


def test_merged_classes_share_their_strokes_also_those_that_come_later_and_undo_parts_them():
    merge = {"id": "m", "type": "class.merge", "from": 2, "into": 1}
    events = [START, add("a", 1), add("b", 2), merge, add("late", 2)]
    state = fold(events)
    assert list(state.classes) == [1]
    assert [(stroke.id, stroke.class_id) for stroke in state.strokes] == [("s-a", 1), ("s-b", 1), ("s-late", 1)]
    parted = fold([*events, {"id": "u", "type": "undo", "event": "m"}])
    assert [stroke.class_id for stroke in parted.strokes] == [1, 2, 2]
    for nothing in ({"from": 1, "into": 1}, {"from": 3, "into": 1}, {"from": 1, "into": 3}):
        assert list(fold([START, merge | nothing]).classes) == [1, 2]


def test_merging_goes_on_and_on():
    third = {"id": "c", "type": "class.add", "class": {"id": 3, "name": "Rim", "colour": "#123456"}}
    merges = [
        {"id": "m", "type": "class.merge", "from": 2, "into": 1},
        {"id": "n", "type": "class.merge", "from": 1, "into": 3},
    ]
    state = fold([START, third, add("a", 1), add("b", 2), *merges])
    assert [stroke.class_id for stroke in state.strokes] == [3, 3]
    assert fold([START, third, add("b", 2), *merges, {"id": "x", "type": "class.remove", "class_id": 3}]).strokes == ()


def test_the_order_of_the_classes_is_that_of_the_list_alone():
    order = {"id": "o", "type": "class.order", "class_ids": [2, 9, 1]}
    state = fold([START, order])
    assert state.order == (2, 1)
    assert list(state.classes) == [1, 2]
    more = {"id": "c", "type": "class.add", "class": {"id": 3, "name": "Rim", "colour": "#123456"}}
    assert fold([START, order, more]).order == (2, 1, 3)
    assert fold([START, order, {"id": "u", "type": "undo", "event": "o"}]).order == (1, 2)


def test_images_come_in_their_order_and_strokes_stay_with_theirs():
    other = {"id": "o", "type": "image.open", "image": image(OTHER_IMAGE)}
    state = fold([START, add("a"), other, add("b", image_hash=OTHER_IMAGE), add("c")])
    assert list(state.images) == [IMAGE, OTHER_IMAGE]
    assert {one: [stroke.id for stroke in strokes] for one, strokes in state.drawn.items()} == {
        IMAGE: ["s-a", "s-c"],
        OTHER_IMAGE: ["s-b"],
    }
    assert state.image["hash"] == OTHER_IMAGE
    assert [stroke.id for stroke in state.with_image(IMAGE).strokes] == ["s-a", "s-c"]
    with pytest.raises(ValueError, match="not in the session any more"):
        state.with_image("c" * 64)


def test_removing_an_image_takes_its_strokes_along_until_it_is_undone_and_one_image_always_stays():
    other = {"id": "o", "type": "image.open", "image": image(OTHER_IMAGE)}
    remove = {"id": "r", "type": "image.remove", "image": OTHER_IMAGE}
    events = [START, add("a"), other, add("b", image_hash=OTHER_IMAGE), remove]
    state = fold(events)
    assert list(state.images) == list(state.drawn) == [IMAGE]
    assert state.image["hash"] == IMAGE
    assert list(fold([*events, {"id": "r2", "type": "image.remove", "image": IMAGE}]).images) == [IMAGE]
    assert list(fold([*events, {"id": "u", "type": "undo", "event": "r"}]).drawn) == [IMAGE, OTHER_IMAGE]
    with pytest.raises(ValueError, match="hash"):
        check_event({"id": "x", "type": "image.remove", "image": 3})


def test_an_event_keeps_who_did_it_and_when():
    author = {"id": "ann-1", "name": "Ann "}
    checked = check_event(add("a") | {"author": author, "time": 1_800_000_000})
    assert (checked["author"], checked["time"]) == ({"id": "ann-1", "name": "Ann"}, 1_800_000_000)
    assert fold([START, checked]) == fold([START, add("a")])


@pytest.mark.parametrize(("name", "kept"), [("A" * 41, "A" * 40), ("A\n\tB", "A B"), ("\x00", "")])
def test_a_name_is_made_to_fit(name, kept):
    event = add("a") | {"author": {"id": "ann", "name": name}}
    assert check_event(event)["author"]["name"] == kept


@pytest.mark.parametrize(
    "wrong",
    [
        {"author": "ann"},
        {"author": {"name": "Ann"}},
        {"author": {"id": "", "name": "Ann"}},
        {"author": {"id": "a" * 65, "name": "Ann"}},
        {"author": {"id": "a b", "name": "Ann"}},
        {"author": {"id": "ann", "name": None}},
        {"time": -1},
        {"time": "now"},
        {"time": 1e300},
    ],
)
def test_who_and_when_are_bounded(wrong):
    with pytest.raises(ValueError, match=r"\.$"):
        check_event(add("a") | wrong)


@pytest.mark.parametrize(("name", "fitting"), [("A" * 41, "A" * 40), (" A\n\tB\u202e ", "A B"), ("\u200b", "")])
def test_a_name_is_made_to_fit_and_keeps_nobody_from_working(name, fitting):
    checked = check_event(add("a") | {"author": {"id": "ann", "name": name}})
    assert checked["author"] == {"id": "ann", "name": fitting}


def test_files_with_the_same_pixels_keep_their_names():
    def opened(number, name):
        return {"id": f"o{number}", "type": "image.open", "image": image() | {"name": name}}

    state = fold([START, opened(1, "cells.png"), opened(2, "copy.tif"), opened(3, "copy.tif")])
    assert list(state.images) == [IMAGE]
    assert (state.image["name"], state.image["names"]) == ("cells.png", ["cells.png", "copy.tif"])
    assert "names" not in fold([START, opened(1, "cells.png")]).image
    many = fold([START, *(opened(number, f"{number}.png") for number in range(100))])
    assert len(many.image["names"]) == 20


def test_counting_is_what_the_state_has():
    events = [START, add("a"), add("b"), {"id": "u", "type": "undo", "event": "a"}]
    state = fold(events)
    assert count(events) == (tuple(state.images), len(state.strokes)) == ((IMAGE,), 1)
    merged = [*events, {"id": "m", "type": "class.merge", "from": 1, "into": 2}]
    assert count(merged) == ((IMAGE,), 1)


def test_what_cannot_be_shown_is_no_part_of_the_name_of_an_image():
    image = {
        "hash": "a" * 64,
        "name": "a\0b\x1b\ufffe.tif\ud800",
        "rows": 4,
        "columns": 4,
        "channels": 1,
        "dtype": "uint8",
    }
    assert check_event({"id": "o", "type": "image.open", "image": image})["image"]["name"] == "ab.tif"
