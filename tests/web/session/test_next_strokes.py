"""Where a further stroke helps most, as the page is told."""

import numpy as np
import pytest

from tests.support.asking import Someone

PIXELS = np.random.default_rng(0).integers(0, 40, (60, 90, 3)).astype(np.uint8)
PIXELS[:, 30:60] += 80
PIXELS[:, 60:] += 160


@pytest.fixture
def someone(client):
    return Someone(client)


def places(someone, image_hash=""):
    return someone.client.get(f"/s/{someone.session}/next-strokes?image={image_hash}").json


def test_places_on_all_images_of_the_session(someone):
    first = someone.open_image(PIXELS)
    second = someone.open_image(PIXELS[::-1])
    someone.removes_the_sample()
    someone.draws("a", first, 1, "M5,5L15,50")
    someone.draws("b", first, 2, "M75,5L80,50")
    told = places(someone, first)["places"]
    assert {one["image"] for one in told} == {first, second}
    assert 30 <= told[0]["column"] < 60
    assert places(someone, second)["places"] == told


def test_no_place_lies_where_there_is_no_data(someone):
    opaque = np.full((60, 90), 255, np.uint8)
    opaque[:, 30:60] = 0
    image_hash = someone.open_image(np.dstack([PIXELS, opaque]))
    someone.removes_the_sample()
    someone.draws("a", image_hash, 1, "M5,5L15,50")
    someone.draws("b", image_hash, 2, "M75,5L80,50")
    told = places(someone, image_hash)["places"]
    assert told
    assert not any(30 <= one["column"] < 60 for one in told)


def test_before_anything_is_segmented_it_says_what_is_missing(someone):
    image_hash = someone.open_image(PIXELS)
    assert "Draw a squiggle in each of two classes" in places(someone, image_hash)["error"]
