"""Files in an object store: opened, found again, and a sentence while the store is away."""

import numpy as np
import pytest
from PIL import Image

from tests.browser.conftest import Server
from tests.support.person import PATIENCE_SECONDS


@pytest.fixture
def server(tmp_path, bucket):
    server = Server(tmp_path / "data", SQUIGGLE_OBJECTS=bucket)
    server.start()
    server.wait_until_warm()
    yield server
    server.stop()


def halves(path):
    pixels = np.full((120, 160), 60, np.uint8)
    pixels[:, 80:] = 200
    Image.fromarray(pixels).save(path)
    return path


def refused_image(response):
    return response.status == 503 and response.request.method == "POST" and "/images?" in response.url


def is_open(person, name):
    return lambda: person.page.inner_text("#image-name") == name


def test_a_store_that_is_away_is_told_and_waited_for(people, server, object_store, tmp_path):
    person = people(server.url, expect_offline=True)
    person.upload(halves(tmp_path / "before.png"))
    person.wait_for(is_open(person, "before.png"), "the image")
    person.wait_until_view_rests()
    person.draw_and_wait((20, 60), (40, 80))
    person.press("2")
    object_store.stop()
    try:
        person.draw_and_wait((120, 60), (140, 80))
        person.wait_for_segmentation()
        shares = person.shares()
        server.kill()
        server.start()
        person.page.reload()
        person.wait_for_status("The store of the images does not answer")
        assert person.stroke_counts() == [1, 1]
    finally:
        object_store.start()
    person.wait_for_segmentation()
    assert person.shares() == shares
    assert all("503" in error for error in person.errors)
    person.errors.clear()


def test_an_image_that_is_sent_meanwhile_is_opened_when_it_is_back(people, server, object_store, tmp_path):
    person = people(server.url, expect_offline=True)
    object_store.stop()
    try:
        with person.page.expect_response(refused_image, timeout=PATIENCE_SECONDS * 1000):
            person.upload(halves(tmp_path / "meanwhile.png"))
        assert "Opening meanwhile.png" in person.status
    finally:
        object_store.start()
    person.wait_for(is_open(person, "meanwhile.png"), "the image")
    assert all("503" in error for error in person.errors)
    person.errors.clear()
