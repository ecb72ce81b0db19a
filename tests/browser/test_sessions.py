"""Sessions as a person meets them: the start page, names, copies, files, links, the end."""

import pytest

from tests.support.page import GLAND, draw_two, halves, in_hand, names


def listed(person):
    return person.page.locator(".session-name").all_inner_texts()


def choose(person, entry):
    """Choose something from the session's menu."""
    person.click("#session-menu-button")
    person.click(f"#{entry}")


def to_all_sessions(person):
    person.wait_until_saved()
    choose(person, "all-sessions")
    person.page.wait_for_selector(".session")


def wait_for_another_session(person, link):
    person.page.wait_for_url(lambda url: "/s/" in url and url != link)
    person.wait_until_ready()


def name_it(person, name):
    person.page.fill("#session-name", name)
    person.press("Enter")
    person.wait_until_saved()
    person.wait_for(lambda: person.page.title().startswith(name), "the name")


@pytest.mark.parametrize("size", ["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_whoever_comes_back_finds_her_sessions_and_goes_on(people, server, size, scheme):
    person = people(server.url, size, color_scheme=scheme)
    draw_two(person)
    shares, link = person.shares(), person.page.url
    name_it(person, "Colon, June")
    person.page.goto(server.url)
    assert listed(person) == ["Colon, June"]
    assert "1 image · 2 strokes · used today" in person.page.inner_text(".session")
    width, content = person.page.evaluate("[innerWidth, document.documentElement.scrollWidth]")
    assert content <= width
    assert (person.screenshot()[20, 200].mean() < 90) == (scheme == "dark")
    person.page.locator(".session img").click()
    person.wait_until_ready()
    assert person.page.url == link
    assert person.page.title() == "Colon, June · Squiggle"
    person.wait_for_segmentation()
    assert person.shares() == shares


def test_the_name_is_seen_in_every_window_and_taken_back_by_escape(people, server):
    first = people(server.url)
    second = people(first.page.url)
    name_it(first, "Colon")
    second.wait_for(lambda: second.page.input_value("#session-name") == "Colon", "the name")
    second.click("#session-name")
    second.page.keyboard.type(" and more")
    second.press("Escape")
    assert second.page.input_value("#session-name") == "Colon"
    assert second.stroke_counts() == [0, 0]


def test_a_copy_goes_its_own_way_and_a_deleted_session_is_gone(person):
    person.draw_and_wait(*GLAND)
    name_it(person, "Colon")
    link = person.page.url
    choose(person, "duplicate-session")
    wait_for_another_session(person, link)
    assert person.page.input_value("#session-name") == "Copy of Colon"
    assert person.stroke_counts() == [1, 0]
    person.draw_and_wait((60, 250), (75, 262))
    to_all_sessions(person)
    assert listed(person) == ["Copy of Colon", "Colon"]

    row = person.page.locator(".session", has_text="Copy of Colon")
    row.locator("[title=Rename]").click()
    person.page.keyboard.type("Second try")
    person.press("Enter")
    person.wait_for(lambda: sorted(listed(person)) == ["Colon", "Second try"], "the new name")

    row = person.page.locator(".session", has_text="Second try")
    row.locator("[title^=Delete]").click()
    assert "for everybody who has its link" in person.page.inner_text("#question-text")
    person.click("#question-no")
    assert len(listed(person)) == 2
    row.locator("[title^=Delete]").click()
    person.click("#question-yes")
    person.wait_for(lambda: listed(person) == ["Colon"], "one session less")
    person.page.goto(link)
    person.wait_until_ready()
    assert person.stroke_counts() == [1, 0]


def test_a_session_is_taken_along_as_a_file_and_brought_back_elsewhere(people, server, tmp_path):
    person = people(server.url)
    person.upload([halves(tmp_path, "a.png"), halves(tmp_path, "b.png", turned=True)])
    person.wait_for(lambda: len(names(person)) == 2, "two thumbnails")
    person.wait_for(lambda: in_hand(person) == "a.png")
    person.wait_until_view_rests()
    person.draw_and_wait((10, 20), (25, 35))
    name_it(person, "Halves")
    with person.page.expect_download() as download:
        choose(person, "export-session")
    assert download.value.suggested_filename == "Halves.squiggle-session"
    download.value.save_as(tmp_path / "Halves.squiggle-session")

    elsewhere = people(server.url)
    elsewhere.draw_and_wait(*GLAND)
    to_all_sessions(elsewhere)
    (tmp_path / "broken.squiggle-session").write_bytes(b"PK")
    for file in ("broken", "Halves"):
        with elsewhere.page.expect_file_chooser() as chooser:
            elsewhere.click("#import-session")
        chooser.value.set_files(tmp_path / f"{file}.squiggle-session")
        if file == "broken":
            elsewhere.wait_for(lambda: elsewhere.page.locator("#message.visible").count() == 1)
            assert "“broken.squiggle-session” was not imported. That is not a whole session file." in elsewhere.message
    elsewhere.page.wait_for_url("**/s/*")
    elsewhere.wait_until_ready()
    assert elsewhere.page.url != person.page.url
    assert names(elsewhere) == ["a.png", "b.png"]
    assert elsewhere.page.input_value("#session-name") == "Halves"
    elsewhere.press("PageUp")
    elsewhere.wait_for(lambda: elsewhere.stroke_counts() == [1, 0], "the stroke")


def test_the_menu_is_worked_by_keys_and_the_link_says_what_it_means(person):
    person.page.focus("#session-menu-button")
    person.press("Enter", "ArrowUp")
    assert person.page.evaluate("document.activeElement.id") == "copy-link"
    person.press("Escape")
    assert not person.page.is_visible("#session-menu")
    choose(person, "copy-link")
    person.wait_for(lambda: "Whoever has this link" in person.page.inner_text("#link"), "the dialog with its links")
    person.wait_for(lambda: person.page.input_value("#link input") == person.page.url, "the link")
    person.click("#link-copy")
    person.wait_for(lambda: person.page.inner_text("#link-copy") == "Copied")
    person.click("#link-close")
    assert person.stroke_counts() == [0, 0]


def test_what_was_unsent_when_the_page_was_left_arrives_all_the_same(people, server):
    person = people(server.url, expect_offline=True)
    person.wait_until_saved()
    link = person.page.url
    person.page.evaluate("() => { window.fetch = () => new Promise(() => {}); }")
    person.draw_and_wait(*GLAND)
    person.page.goto(f"{server.url}/sessions")
    elsewhere = people(link)
    elsewhere.wait_for(lambda: elsewhere.stroke_counts() == [1, 0], "the stroke")


def test_who_leaves_a_session_deletes_it_for_nobody(people, server):
    ann = people(server.url)
    name_it(ann, "Shared")
    ann.draw_and_wait(*GLAND)
    ann.wait_until_saved()
    link = ann.page.url
    bob = people(link)
    bob.page.goto(f"{server.url}/sessions")
    bob.page.locator("[title^=Leave]").click()
    assert "nothing is deleted" in bob.page.inner_text("#question-text")
    bob.press("Enter")
    assert listed(bob) == ["Shared"]
    bob.page.locator("[title^=Leave]").click()
    bob.click("#question-yes")
    bob.wait_for(lambda: listed(bob) == [], "it has left the list")
    ann.page.goto(f"{server.url}/sessions")
    assert listed(ann) == ["Shared"]
    bob.page.goto(link)
    bob.wait_until_ready()
    assert bob.stroke_counts() == [1, 0]
