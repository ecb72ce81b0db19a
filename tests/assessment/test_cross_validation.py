"""Whole strokes are held out, and what is said of them is what forests say that have not learnt from them."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import segmentation as seg
from segmentation.__main__ import main
from segmentation.assessment.cross_validation import MAX_POINTS, curve_counts
from segmentation.assessment.held_out import MAX_FOLDS
from segmentation.assessment.strokes import DrawnImage, first_strokes, stroke_of_pixels
from segmentation.features.spec import FeatureSpec
from segmentation.io.image import image_from_pixels
from segmentation.model.fit import Training
from segmentation.strokes.classes import LabelClass
from segmentation.strokes.document import strokes_to_json

SHAPE = (60, 80)


def noisy_halves(seed=0, contrast=20):
    random = np.random.default_rng(seed)
    pixels = random.integers(20, 160, SHAPE)
    pixels[:30] += contrast
    return image_from_pixels(pixels.astype(np.uint8))


IMAGE = noisy_halves()


def line(id, class_id, row, column, length=12):
    return seg.Stroke(id, class_id, "path", [[column, row], [column + length, row]], 3.0)


def good_strokes(count):
    """Strokes in turn on the bright upper half, class 1, and the dark lower one, class 2."""
    rows = {1: (4, 12, 20), 2: (36, 44, 52)}
    return [
        line(f"{class_id}-{number}", class_id, rows[class_id][number % 3], 5 + 20 * (number // 3))
        for number in range(count)
        for class_id in (1, 2)
    ]


def classifier(**changes):
    return seg.PixelClassifier(FeatureSpec(sigma_max=2), n_estimators=12, **changes)


def held_out_by_hand(image, strokes, n_folds):
    """Confusion matrix from classifiers that are fitted as anybody would, one for each fold."""
    labels = seg.rasterise(strokes, image.shape)
    owner = np.full(image.shape, -1)
    for number, stroke in enumerate(strokes):
        owner[seg.rasterise([stroke], image.shape) > 0] = number
    turn = dict.fromkeys((1, 2), 0)
    confusion = np.zeros((2, 2), int)
    folds = []
    for stroke in strokes:
        folds.append(turn[stroke.class_id] % n_folds)
        turn[stroke.class_id] += 1
    for fold in range(n_folds):
        held = np.isin(owner, [number for number, one in enumerate(folds) if one == fold])
        found = classifier().fit(image, np.where(held, 0, labels)).predict(image)
        for true, taken in zip(labels[held], found[held], strict=True):
            confusion[true - 1, taken - 1] += 1
    return confusion


def test_the_confusion_is_that_of_classifiers_fitted_to_the_other_strokes():
    strokes = good_strokes(3)
    found = seg.cross_validate(IMAGE, strokes, classifier())
    assert np.array_equal(found.held_out.scores.confusion, held_out_by_hand(IMAGE, strokes, 3))
    assert found.held_out.scores.pixels == np.count_nonzero(seg.rasterise(strokes, SHAPE))
    assert 0.4 < found.mean_iou < 1


@pytest.mark.slow
def test_no_forest_sees_a_pixel_of_a_stroke_that_it_is_judged_by(monkeypatch):
    seen = []
    fit_part = Training.fit_part

    def noted(self, drawn):
        seen.append((self.drawn_pixels(), drawn))
        return fit_part(self, drawn)

    monkeypatch.setattr(Training, "fit_part", noted)
    strokes = good_strokes(12)
    seg.cross_validate(IMAGE, strokes, classifier())
    of_all_strokes = [part for everything, part in seen if len(everything.class_ids) == len(seen[0][0].class_ids)]
    assert len(of_all_strokes) == MAX_FOLDS
    every = {row.tobytes() for row in seen[0][0].features}
    left_out = [every - {row.tobytes() for row in part.features} for part in of_all_strokes]
    assert sum(map(len, left_out)) == len(every)
    assert set.union(*left_out) == every


def test_strokes_of_several_images_are_held_out_alike():
    images = [noisy_halves(1), noisy_halves(2)]
    strokes = [good_strokes(2), good_strokes(2)]
    found = seg.cross_validate(images, strokes, classifier())
    assert {image for image, _ in found.held_out.keys} == {image.hash for image in images}
    assert found.curve[-1].strokes == 8


def test_scores_depend_on_neither_threads_nor_engine():
    strokes = good_strokes(3)
    expected = seg.cross_validate(IMAGE, strokes, classifier(threads=1)).to_json()
    assert seg.cross_validate(IMAGE, strokes, classifier(threads=3)).to_json() == expected
    assert seg.cross_validate(IMAGE, strokes, classifier(engine="reference")).to_json() == expected


def test_class_weights_count():
    strokes = good_strokes(3)
    plain = seg.cross_validate(IMAGE, strokes, classifier()).held_out.scores.confusion
    weighed = seg.cross_validate(IMAGE, strokes, classifier(class_weights={1: 20.0})).held_out.scores.confusion
    assert weighed[:, 0].sum() > plain[:, 0].sum()


def test_the_curve_ends_with_what_is_said_now_and_begins_where_the_same_classes_are_scored():
    strokes = good_strokes(3)
    found = seg.cross_validate(IMAGE, strokes, classifier())
    assert [point.strokes for point in found.curve] == [4, 5, 6]
    for point in found.curve:
        then = seg.cross_validate(IMAGE, strokes[: point.strokes], classifier())
        assert (point.mean_iou, point.standard_error) == (then.mean_iou, then.standard_error)


@given(st.integers(1, 2000))
def test_a_curve_has_few_points_and_most_of_them_stay(strokes):
    counts = curve_counts(strokes)
    assert counts[0] == strokes
    assert len(counts) <= MAX_POINTS + 2
    assert list(counts) == sorted(set(counts), reverse=True)
    if strokes % MAX_POINTS:
        assert set(counts[2:]) <= set(curve_counts(strokes + 1)[1:])


def test_a_stroke_of_the_wrong_class_is_pointed_at():
    image, strokes = noisy_halves(contrast=90), good_strokes(6)
    assert seg.cross_validate(image, strokes, classifier()).fall is None
    found = seg.cross_validate(image, [*strokes, line("wrong", 1, 40, 3, length=70)], classifier())
    assert found.fall is not None
    assert found.fall.stroke == (image.hash, "wrong")
    assert found.fall.after < found.fall.before - 0.02


def test_a_class_with_one_stroke_is_learnt_from_and_has_no_score():
    strokes = [*good_strokes(2), line("third", 3, 30, 60)]
    found = seg.cross_validate(IMAGE, strokes, classifier())
    assert np.isnan(found.held_out.scores.iou[2])
    assert found.mean_iou == np.nanmean(found.held_out.scores.iou)
    assert found.note({1: "a", 2: "b", 3: "c"}) == "“c” has one stroke: with a second one there is a score of it."
    assert found.to_json()["classes"][2]["iou"] is None


@pytest.mark.parametrize(
    ("strokes", "sentence"),
    [
        ([], "Draw strokes of at least two classes"),
        (good_strokes(2)[::2], "Draw strokes of at least two classes"),
        (good_strokes(1), "Draw a second stroke of a class"),
    ],
)
def test_too_few_strokes_are_told_in_a_sentence(strokes, sentence):
    with pytest.raises(ValueError, match=sentence):
        seg.cross_validate(IMAGE, strokes, classifier())


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-3, 62), st.integers(-3, 82)), max_size=8))
def test_a_pixel_belongs_to_the_stroke_that_was_painted_over_it_last(drawn):
    strokes = [line(str(number), class_id, row, column) for number, (class_id, row, column) in enumerate(drawn)]
    owners = np.full(SHAPE, -1)
    for number, stroke in enumerate(strokes):
        owners[seg.rasterise([seg.Stroke("x", 1, "path", stroke.points, 3.0)], SHAPE) > 0] = number
    places = np.flatnonzero(seg.rasterise(strokes, SHAPE))
    assert np.array_equal(stroke_of_pixels(strokes, SHAPE, places), owners.ravel()[places])


def test_the_eraser_goes_with_the_stroke_before_it():
    strokes = (line("a", 1, 5, 5), line("erased", 0, 5, 5), line("b", 2, 9, 5))
    drawn = [DrawnImage(name, SHAPE, strokes, lambda: IMAGE) for name in ("one", "two")]
    assert [len(image.strokes) for image in first_strokes(drawn, 1)] == [2]
    assert [len(image.strokes) for image in first_strokes(drawn, 3)] == [3, 2]


@pytest.fixture
def files(tmp_path):
    from PIL import Image as PillowImage

    PillowImage.fromarray(IMAGE.pixels).save(tmp_path / "cells.png")
    classes = [LabelClass(1, "light", "#e69f00"), LabelClass(2, "dark", "#0072b2")]
    document = strokes_to_json(good_strokes(3), classes, IMAGE.hash, SHAPE)
    (tmp_path / "strokes.json").write_text(json.dumps(document))
    classifier().fit(IMAGE, seg.rasterise(good_strokes(3), SHAPE)).save(tmp_path / "cells.squiggle")
    return tmp_path


def test_the_command_line_gives_the_numbers_of_python(files, capsys):
    command = ["evaluate", f"{files}/cells.squiggle", "--strokes", f"{files}/strokes.json", f"{files}/cells.png"]
    assert main([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    expected = seg.cross_validate(IMAGE, good_strokes(3), seg.load_classifier(files / "cells.squiggle")).to_json()
    assert [entry.pop("name") for entry in told["classes"]] == ["light", "dark"]
    assert told.pop("note") == ""
    (shares,) = told.pop("shares")
    assert all(0 <= one["low"] <= one["high"] <= 1 for one in shares["classes"])
    assert told == expected
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert f"mean IoU {expected['mean_iou']:.4f} ± {expected['standard_error']:.4f}, from 6 strokes" in shown
    assert "1 light" in shown


def test_strokes_on_another_image_are_told_in_a_sentence(files, capsys):
    from PIL import Image as PillowImage

    PillowImage.fromarray(noisy_halves(5).pixels).save(files / "other.png")
    command = ["evaluate", f"{files}/cells.squiggle", "--strokes", f"{files}/strokes.json", f"{files}/other.png"]
    assert main(command) == 1
    assert capsys.readouterr().err == "squiggle: The strokes in strokes.json were drawn on another image.\n"


def test_typed_class_weights_count_on_the_command_line(files, capsys):
    command = ["evaluate", f"{files}/cells.squiggle", "--strokes", f"{files}/strokes.json", f"{files}/cells.png"]
    assert main([*command, "--class-weight", "2=0.02", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    weighed = seg.load_classifier(files / "cells.squiggle").weighed({2: 0.02})
    expected = seg.cross_validate(IMAGE, good_strokes(3), weighed).to_json()
    assert told["confusion"] == expected["confusion"]


def test_a_stroke_that_all_others_take_for_another_class_is_doubted():
    image, strokes = noisy_halves(contrast=90), good_strokes(6)
    assert seg.cross_validate(image, strokes, classifier()).to_json()["doubted"] == []
    wrong = line("wrong", 1, 40, 3, length=30)
    found = seg.cross_validate(image, [*strokes, wrong], classifier())
    assert found.held_out.doubted == {(image.hash, "wrong"): 2}
    assert found.to_json()["doubted"] == [{"image": image.hash, "stroke": "wrong", "class_id": 2}]


def test_no_stroke_is_doubted_while_its_class_has_few():
    image = noisy_halves(contrast=90)
    assert (
        seg.cross_validate(image, [*good_strokes(2), line("wrong", 1, 40, 3, length=30)], classifier()).held_out.doubted
        == {}
    )
