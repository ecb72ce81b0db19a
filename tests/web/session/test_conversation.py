"""Which request of a browser window is its latest, and what is prepared for the next."""

import io

import numpy as np
import pytest
import tifffile

from segmentation.live import image_ranges
from segmentation.web.session.conversation import MAX_CLIENTS, LatestRequests
from segmentation.web.session.stacks import plane_key
from tests.support.asking import converse, stroke_event, tile_request


def test_a_newer_request_of_a_window_makes_the_one_before_stale():
    latest = LatestRequests()
    first, elsewhere = latest.begin("s", "w"), latest.begin("s", "v")
    assert not first()
    second = latest.begin("s", "w")
    assert first()
    assert not second()
    assert not elsewhere()


def test_a_crowd_of_windows_ends_nobodys_work():
    latest = LatestRequests()
    mine = latest.begin("s", "w")
    for number in range(MAX_CLIENTS):
        latest.begin("s", f"theirs {number}")
    assert not mine()
    latest.begin("s", "w")
    assert mine()


@pytest.mark.usefixtures("kernels")
def test_ranges_that_are_prepared_for_a_plane_are_those_that_its_first_strokes_need(client, session, monkeypatch):
    file, computed = io.BytesIO(), []
    tifffile.imwrite(file, np.random.default_rng(0).integers(0, 256, (3, 60, 80), np.uint8), photometric="minisblack")
    facts = client.post(f"/s/{session}/images?name=s.tif", data=file.getvalue()).json
    converse(client, session, [{"id": "open", "type": "image.open", "image": facts}])
    plane, feature_ranges = plane_key(facts["hash"], 2), image_ranges.feature_ranges

    def noted(image, *given, **named):
        computed.append(image.shape)
        return feature_ranges(image, *given, **named)

    monkeypatch.setattr(image_ranges, "feature_ranges", noted)
    wanted = tile_request(60, 80) | {"image": plane}
    assert converse(client, session, segment=wanted)[-1]["kind"] == "cannot"
    assert computed.count((60, 80)) == 1
    strokes = [stroke_event("a", plane, 1, "M5,5L30,50"), stroke_event("b", plane, 2, "M45,5L70,50")]
    assert "tile" in {message["kind"] for message in converse(client, session, strokes, segment=wanted)}
    assert computed.count((60, 80)) == 1
