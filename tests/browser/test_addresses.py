"""An image at an address: typed, opened, drawn on and segmented; what is wrong with one is said at the field."""

import pytest

from tests.support.elsewhere import Elsewhere
from tests.support.images import textured
from tests.support.page import in_hand, wait_for_image
from tests.support.pyramids import write_pyramid
from tests.support.server import Server

DARK, BRIGHT = [(40, 40), (120, 60), (200, 90)], [(300, 300), (360, 330), (420, 350)]


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    folder = tmp_path_factory.mktemp("elsewhere")
    write_pyramid(folder / "public" / "cells.zarr", textured(400, 500), chunks=128)
    server = Elsewhere(folder)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def address_server(elsewhere, tmp_path_factory):
    """A server whose operator allows addresses."""
    server = Server(tmp_path_factory.mktemp("data"), SQUIGGLE_REMOTE=f"{elsewhere.url}/public")
    server.start()
    server.wait_until_warm()
    yield server
    server.stop()


def says(person):
    return person.page.inner_text("#address-problem")


def test_an_address_is_typed_opened_drawn_on_and_segmented_once_it_answers(people, address_server, elsewhere):
    person = people(address_server.url)
    person.click("#open-address")
    person.page.keyboard.type(f"{elsewhere.url}/secret.zarr")
    person.press("Enter")
    person.wait_for(lambda: "does not open images from there" in says(person), "the sentence")
    person.wait_for_status("What was there before is still here.")
    person.page.fill("#address-text", "")
    person.page.keyboard.type(f"{elsewhere.url}/public/cells.zarr")
    assert says(person) == ""
    elsewhere.away.append("/cells.zarr/0/c/")
    person.press("Enter")
    person.wait_for(lambda: not person.page.is_visible("#address"), "the image")
    wait_for_image(person, "cells.zarr")
    person.draw(*DARK)
    person.press("2")
    person.draw(*BRIGHT)
    person.wait_for_status("The server at the address fails (it answers 503). Try again in a moment.")
    elsewhere.away.clear()
    person.wait_for_segmentation()
    assert len([share for share in person.shares() if share > 10]) == 2
    assert not any("secret" in path for path in elsewhere.asked)
    assert all("503" in error for error in person.errors)
    person.errors.clear()


def test_where_no_addresses_are_allowed_there_is_no_field(people, server):
    person = people(server.url)
    assert in_hand(person)
    assert person.page.locator("#open-address, #address, #address-entry").count() == 0
