"""The disk of the server fills up while a person draws."""

import pytest

from tests.support.page import GLAND, THIRD, TISSUE
from tests.support.server import Server
from tests.support.small_disk import SmallDisk


@pytest.fixture
def small_disk():
    disk = SmallDisk(megabytes=24)
    yield disk
    disk.unmount()


@pytest.fixture
def crowded_server(small_disk):
    server = Server(small_disk.folder)
    server.start()
    yield server
    server.stop()


def test_a_full_disk_is_said_and_the_strokes_are_saved_once_there_is_room(people, crowded_server, small_disk):
    person = people(crowded_server.url, expect_offline=True)
    person.draw_and_wait(*GLAND)
    person.wait_until_saved()
    small_disk.fill()
    person.press("2")
    person.draw_and_wait(*TISSUE)
    person.wait_for(lambda: "Not saved. 1 change is kept here until there is room." in person.connection)
    person.wait_for(lambda: "disk of the server is full" in person.message, "the sentence")
    person.draw_and_wait(*THIRD)
    person.wait_for(lambda: "2 changes are kept here" in person.connection)
    person.page.reload()
    person.wait_until_ready()
    person.wait_for(lambda: person.stroke_counts() == [1, 2], "saved and unsaved strokes")
    person.wait_for(lambda: "2 changes are kept here" in person.connection)
    small_disk.make_room()
    person.wait_for_segmentation()
    assert not person.page.locator("#message.visible").count()
    assert person.stroke_counts() == [1, 2]
    assert all("507" in error for error in person.errors)
    person.errors.clear()


def test_who_comes_while_the_disk_is_full_reads_why_on_a_page_and_gets_in_once_there_is_room(
    people, crowded_server, small_disk
):
    person = people(crowded_server.url, expect_offline=True)
    person.context.clear_cookies()
    small_disk.fill()
    answer = person.page.goto(crowded_server.url)
    assert answer.status == 507
    assert answer.headers["content-type"].startswith("text/html")
    assert "disk of the server is full" in person.page.get_by_role("alert").inner_text()
    assert person.page.get_by_role("heading", name="Squiggle").is_visible()
    style = "getComputedStyle(document.querySelector('#header')).borderBottomStyle"
    assert person.page.evaluate(style) == "solid"
    small_disk.make_room()
    person.click("text=Try again")
    person.wait_until_ready()
    assert all("507" in error for error in person.errors)
    person.errors.clear()
