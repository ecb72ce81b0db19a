"""What the page says of values that a classifier did not learn from, and of results that are one class."""

import numpy as np
import pytest

import segmentation as seg
from segmentation.web.application import create_app
from segmentation.web.settings import Settings
from tests.support.asking import Someone
from tests.support.classifiers import made
from tests.support.images import scene

THEIRS = scene(0).astype(np.uint8)


@pytest.fixture
def someone(tmp_path):
    app = create_app(Settings(data_folder=tmp_path, max_upload_bytes=5_000_000))
    yield Someone(app.server.test_client())
    app.server.extensions["workbench"].store.close()


def notes(someone, pixels):
    mine = someone.open_image(pixels)
    someone.opens(made(seg.image_from_pixels(THEIRS)))
    return someone.asks(mine)["learnt"]["notes"]


def test_an_image_of_the_same_kind_is_worth_no_word(someone):
    assert notes(someone, THEIRS) == []


def test_equal_numbers_in_another_type_are_told(someone):
    (note,) = notes(someone, THEIRS.astype(np.uint16))
    assert "is taken as uint8" in note
    assert someone.asks()["learnt"]["calm"] == [note]


def test_another_scale_and_a_result_of_one_class_are_told(someone):
    (note,) = notes(someone, THEIRS.astype(np.uint16) * 16)
    assert "are on another scale" in note
    someone.open_image(np.full((60, 90), 0, np.uint8))
    done = someone.asks()["done"]
    assert done["note"].startswith("The result is all one class, ")
    assert sum(1 for count in done["pixels"].values() if count) == 1


@pytest.mark.slow
def test_strokes_on_another_image_are_told_of_too(someone):
    theirs = someone.open_image(THEIRS)
    someone.draws("a", theirs, 1, "M5,5L20,20")
    someone.draws("b", theirs, 2, "M60,5L80,20")
    mine = someone.open_image(THEIRS.astype(np.uint16) * 16)
    (note,) = someone.asks(mine)["learnt"]["notes"]
    assert "learnt from uint8 images" in note
    someone.draws("c", mine, 2, "M60,5L80,20")
    assert someone.asks(mine)["learnt"]["notes"] == []
