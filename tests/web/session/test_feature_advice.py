"""Which features matter, what leaving some out costs, and whether images drift, as the page is told."""

import base64
import zlib

import numpy as np
import pytest

from segmentation.web.http.connection import HAS_GONE
from segmentation.web.routes.errors import HAS_LEFT
from tests.support.asking import Someone, converse

RANDOM = np.random.default_rng(0)
TRUTH = np.zeros((60, 90), bool)
TRUTH[:, 45:] = True
PIXELS = np.where(TRUTH, 140, 80)[..., None] + RANDOM.integers(-15, 15, (60, 90, 3))
PIXELS = PIXELS.astype(np.uint8)
DARKER = (PIXELS * 0.45).astype(np.uint8)


@pytest.fixture
def someone(client):
    return Someone(client)


def asks(someone, what, image_hash="", **query):
    more = "".join(f"&{name}={value}" for name, value in query.items())
    return someone.client.get(f"/s/{someone.session}/{what}?image={image_hash}{more}").json


def drawn(someone, pixels=PIXELS, strokes=2, name=""):
    image_hash = someone.open_image(pixels)
    for number in range(strokes):
        left = 6 + 12 * number
        someone.draws(f"{name}a{number}", image_hash, 1, f"M{left},5L{left + 4},50")
        someone.draws(f"{name}b{number}", image_hash, 2, f"M{85 - left},5L{80 - left},50")
    return image_hash


def test_importance_by_kind_sigma_and_channel(someone):
    image_hash = drawn(someone)
    told = asks(someone, "importance", image_hash)
    assert [one["kind"] for one in told["kinds"]] == ["intensity", "edges", "texture", "differences", "colour"]
    assert told["sigmas"] == ["0.5", "1", "2", "4", "8", "16"]
    total = sum(sum(one["shares"]) for one in told["kinds"])
    assert total == pytest.approx(1, abs=0.01)
    assert sum(told["channels"]) == pytest.approx(1, abs=0.01)
    assert len(told["channels"]) == 3
    assert len(told["features"]) == 162
    assert not told["fixed"]


def test_leaving_out_says_score_time_and_settings(someone):
    image_hash = drawn(someone, strokes=3)
    told = asks(someone, "leaving-out", image_hash, part="kind:texture")
    assert told["without"] - told["mean_iou"] == pytest.approx(told["change"])
    assert told["time"] > 0
    assert told["features"]["texture"] is False
    assert asks(someone, "leaving-out", image_hash, part="sigma:16")["features"]["sigma_max"] == 8
    assert asks(someone, "leaving-out", image_hash, part="sigma:0.5")["features"]["sigma_min"] == 1
    assert asks(someone, "leaving-out", image_hash, part="channel:2")["features"]["channels"] == [0, 2]
    for part in ("sigma:4", "channel:9", "kind:nothing", "", "kind:sigmas"):
        assert "cannot be left out" in asks(someone, "leaving-out", image_hash, part=part)["error"]


def test_too_few_strokes_are_said(someone):
    image_hash = someone.open_image(PIXELS)
    assert "Draw a squiggle" in asks(someone, "importance", image_hash)["error"]
    assert "Draw a squiggle" in asks(someone, "drift", image_hash)["error"]
    drawn(someone, strokes=1)
    assert "Draw a second stroke" in asks(someone, "leaving-out", image_hash, part="kind:edges")["error"]


def test_one_image_alone_tells_no_drift(someone):
    first = drawn(someone)
    someone.removes_the_sample()
    assert "One image alone" in asks(someone, "drift", first)["error"]


def test_an_image_in_another_light_speaks_for_standardised_images(someone):
    first = drawn(someone)
    someone.open_image(DARKER)
    told = asks(someone, "drift", first)
    assert told["standardise"]
    assert not told["now"]
    assert "without strokes" in told["sentence"]
    assert "speaks for it" in told["sentence"]


def test_strokes_on_a_second_image_tell_it(someone):
    drawn(someone, name="one")
    second = drawn(someone, DARKER, name="other")
    told = asks(someone, "drift", second)
    assert told["standardise"]
    assert "mean IoU of 1.00 when each image is taken relative to itself" in told["sentence"]


def test_a_feature_is_a_layer_of_the_segmentation(someone):
    image_hash = drawn(someone)
    tiles = {"image": image_hash, "view": [0, 60, 0, 90], "known": {}}
    for name, seen in (("feature:channel 1, intensity, sigma 1", True), ("feature:none of these", False)):
        told = converse(someone.client, someone.session, segment=tiles | {"layer": name})
        (tile,) = [one for one in told if one["kind"] == "tile"]
        assert tile["layer"] == name
        values = unpacked_layer(tile)
        if seen:
            assert values[:, :40].max() < values[:, 50:].min()
        assert (values == 255).all() == (not seen)


def unpacked_layer(tile):
    return np.frombuffer(zlib.decompress(base64.b64decode(tile["values"])), np.uint8).reshape(60, 90)


def test_layers_with_endless_names_are_refused(someone):
    drawn(someone)
    body = {"after": 0, "events": [], "window": "w"}
    tiles = {"image": None, "view": [0, 60, 0, 90], "known": {}, "layer": "feature:" + "x" * 500}
    assert someone.client.post(f"/s/{someone.session}/converse", json=body | {"segment": tiles}).status_code == 422


def test_what_nobody_waits_for_any_more_is_computed_no_further(someone):
    first = drawn(someone, strokes=2)
    second = drawn(someone, DARKER, name="dark")
    scheduler = someone.client.application.extensions["workbench"].scheduler
    for what in (f"leaving-out?part=kind:texture&image={first}", f"drift?image={second}", "part?row=5&column=5"):
        for turns in (0, 1):
            asked = iter([False] * turns)
            gone = {HAS_GONE: lambda asked=asked: next(asked, True)}
            assert someone.client.get(f"/s/{someone.session}/{what}", environ_overrides=gone).status_code == HAS_LEFT
        with scheduler.turn("another"):  # nobody holds one
            pass
