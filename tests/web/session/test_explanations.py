"""Why a pixel has its class, as the page is told."""

import numpy as np
import pytest

from tests.support.asking import Someone

PIXELS = np.random.default_rng(0).integers(0, 40, (60, 90, 3)).astype(np.uint8)
PIXELS[:, 45:] += 160


@pytest.fixture
def someone(client):
    return Someone(client)


def why(someone, image_hash, row, column):
    query = f"image={image_hash}&row={row}&column={column}"
    return someone.client.get(f"/s/{someone.session}/explain?{query}")


def test_strokes_and_features_that_decided_are_told(someone):
    image_hash = someone.open_image(PIXELS)
    someone.draws("left", image_hash, 1, "M5,5L30,50")
    someone.draws("right", image_hash, 2, "M60,5L80,50")
    told = why(someone, image_hash, 30, 70).json
    assert told["class_id"] == 2
    assert told["strokes"][0]["id"] == "right"
    assert told["strokes"][0]["image"] == image_hash
    assert told["features"][0]["share"] > 0
    assert sum(told["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    query = f"image={image_hash}&row=30&column=70"
    assert someone.client.get(f"/s/{someone.session}/probabilities?{query}").json == told["probabilities"]
    query = f"image={image_hash}&row=30&column=90"
    refused = someone.client.get(f"/s/{someone.session}/probabilities?{query}").json
    assert refused["error"] == "That pixel lies beside the image."


def test_what_cannot_be_explained_is_said(someone):
    image_hash = someone.open_image(PIXELS)
    assert "Draw a squiggle" in why(someone, image_hash, 3, 3).json["error"]
    someone.draws("left", image_hash, 1, "M5,5L30,50")
    someone.draws("right", image_hash, 2, "M60,5L80,50")
    assert why(someone, image_hash, 60, 3).json["error"] == "That pixel lies beside the image."
    assert why(someone, image_hash, -1, 3).status_code == 422


def test_a_pixel_without_data_has_nothing_to_explain(someone):
    opaque = np.full((60, 90), 255, np.uint8)
    opaque[20:40] = 0
    image_hash = someone.open_image(np.dstack([PIXELS, opaque]))
    someone.draws("left", image_hash, 1, "M5,5L30,10")
    someone.draws("right", image_hash, 2, "M60,5L80,10")
    said = "That pixel is not segmented: it holds no data, or lies outside of what you outlined."
    assert why(someone, image_hash, 30, 70).json["error"] == said
    assert why(someone, image_hash, 50, 70).json["class_id"] == 2
