import pytest

from segmentation.strokes.classes import LabelClass, classes_from_json, classes_to_json


def test_classes_survive_json():
    classes = (LabelClass(1, "void", "#E69F00"), LabelClass(255, "基質", "#56b4e9"))
    assert classes[0].colour == "#e69f00"
    assert classes_from_json(classes_to_json(classes)) == classes


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"id": 0, "name": "a", "colour": "#000000"}, "class id"),
        ({"id": 256, "name": "a", "colour": "#000000"}, "class id"),
        ({"id": True, "name": "a", "colour": "#000000"}, "class id"),
        ({"id": 1, "name": "", "colour": "#000000"}, "name of a class"),
        ({"id": 1, "name": "a" * 61, "colour": "#000000"}, "name of a class"),
        ({"id": 1, "name": "a\n", "colour": "#000000"}, "name of a class"),
        ({"id": 1, "name": "a", "colour": "red"}, "colour of a class"),
        ({"id": 1, "name": "a", "colour": "#00000g"}, "colour of a class"),
        ({"id": 1, "name": "a", "colour": "#000000\n"}, "colour of a class"),
        ({"id": 1, "name": "a", "colour": None}, "colour of a class"),
        ({"id": 1, "name": "a"}, "lacks 'colour'"),
        ({"id": 1, "name": "a", "colour": "#000000", "x": 1}, "unknown key"),
        ("void", "JSON object"),
    ],
)
def test_impossible_classes_are_refused(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        LabelClass.from_json(values)


def test_two_classes_cannot_share_an_id():
    twice = [LabelClass(1, "a", "#000000").to_json(), LabelClass(1, "b", "#ffffff").to_json()]
    with pytest.raises(ValueError, match="same id"):
        classes_from_json(twice)
