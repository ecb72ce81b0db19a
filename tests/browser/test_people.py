"""Several people in one session: each undoes their own work."""

import pytest

INK, GROUND = [(60, 60), (110, 80)], [(300, 60), (350, 80)]


@pytest.fixture
def ann_and_bob(people, server):
    """Two people with a browser each, in the same session."""
    ann = people(server.url)
    return ann, people(ann.page.url)


def test_undo_takes_back_ones_own_stroke_and_not_a_colleagues(ann_and_bob):
    ann, bob = ann_and_bob
    ann.draw_and_wait(*INK)
    bob.wait_for(lambda: bob.stroke_counts() == [1, 0], "Ann's stroke")
    bob.press("2")
    bob.draw_and_wait(*GROUND)
    ann.wait_for(lambda: ann.stroke_counts() == [1, 1], "Bob's stroke")
    ann.press("Control+z")
    for person in (ann, bob):
        person.wait_for(lambda person=person: person.stroke_counts() == [0, 1], "Ann's is undone")
    assert ann.page.is_disabled("#undo")
    ann.press("Control+z")
    bob.press("Control+z")
    for person in (ann, bob):
        person.wait_for(lambda person=person: person.stroke_counts() == [0, 0], "Bob's is undone")
    ann.press("Control+y")
    bob.wait_for(lambda: bob.stroke_counts() == [1, 0], "Ann's is redone")
    assert not bob.page.is_disabled("#redo")


def test_to_undo_a_class_that_a_colleague_has_drawn_in_is_asked_first(ann_and_bob):
    ann, bob = ann_and_bob
    ann.click("#add-class")
    ann.press("Enter")
    bob.wait_for(lambda: len(bob.class_names()) == 3, "the new class")
    bob.press("3")
    bob.draw_and_wait(*INK)
    ann.wait_for(lambda: ann.stroke_counts() == [0, 0, 1], "Bob's stroke")
    ann.page.locator("#stage").hover()
    ann.press("Control+z")
    ann.wait_for(lambda: "1 stroke of somebody" in ann.message, "the question")
    assert ann.stroke_counts() == [0, 0, 1]
    ann.page.get_by_role("button", name="Do it all the same").click()
    for person in (ann, bob):
        person.wait_for(lambda person=person: person.stroke_counts() == [0, 0], "the class is gone")
    ann.press("Control+y")
    bob.wait_for(lambda: bob.stroke_counts() == [0, 0, 1], "all is back")


def call_oneself(person, name):
    person.click("#me")
    person.page.fill("#my-name", name)
    person.press("Enter")
    assert not person.page.is_visible("#my-name")


def others(person):
    return [chip.get_attribute("title") for chip in person.page.locator("#others .person").all()]


def test_people_see_who_is_here_where_they_look_and_whose_stroke_is_whose(ann_and_bob):
    ann, bob = ann_and_bob
    ann.wait_for(lambda: others(ann) == ["Somebody looks at colon_glands.png"], "somebody is here")
    assert ann.page.inner_text("#me") == "Your name?"
    call_oneself(ann, "Ann")
    bob.wait_for(lambda: others(bob) == ["Ann looks at colon_glands.png"], "Ann is here")
    bob.zoom((100, 100), 8)
    ann.wait_for(
        lambda: (box := ann.page.locator(".their-view").bounding_box()) and box["width"] < 300, "where Bob looks"
    )
    bob.wait_until_view_rests()
    top, _bottom, left, _right = bob.within("({ session }) => session.viewport.visible")
    [corner] = ann.on_screen([(left - 0.5, top - 0.5)])

    def is_framed():
        frame = ann.page.locator(".their-view").bounding_box()
        return (frame["x"], frame["y"]) == pytest.approx(corner, abs=1)

    ann.wait_for(is_framed, "the frame is where Bob looks")
    ann.draw_and_wait(*INK)
    bob.wait_for(lambda: bob.stroke_counts() == [1, 0], "Ann's stroke")
    bob.press("0", "h")
    bob.wait_until_view_rests()
    bob.page.mouse.move(*bob.on_screen([INK[0]])[0])
    bob.wait_for(lambda: bob.page.inner_text("#position").endswith("drawn by Ann"), "whose stroke it is")
    bob.page.mouse.move(*bob.on_screen([(200, 200)])[0])
    bob.wait_for(lambda: "drawn" not in bob.page.inner_text("#position"), "nobody's")


def test_people_meet_through_different_servers(people, two_servers):
    ann = people(two_servers.url)
    bob = people(ann.page.url)
    for person in (ann, bob):
        person.wait_for(lambda person=person: len(others(person)) == 1, "the other one")


def test_nobody_is_asked_for_a_name_when_alone(person):
    person.wait_until_page_asks_again()
    person.wait_until_page_asks_again()
    assert person.page.inner_text("#me") == ""
    assert others(person) == []
    call_oneself(person, "Ann")
    assert person.page.inner_text("#me") == "A"
    person.page.reload()
    person.wait_until_ready()
    assert "You are Ann" in person.page.get_attribute("#me", "title")


@pytest.mark.parametrize("stored", ["", '{"id": "not an id", "name": "\\ud83d"}'])
def test_whoever_is_called_something_odd_can_draw(people, server, stored):
    ann = people(server.url)
    ann.page.evaluate("(stored) => localStorage.setItem('squiggle:author', stored)", stored)
    ann.page.reload()
    call_oneself(ann, "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{MICROSCOPE}" * 9)
    ann.draw_and_wait(*INK)
    ann.wait_until_saved()
    assert ann.stroke_counts() == [1, 0]


# ---- the link that only lets look


def link_to_look(person):
    person.click("#session-menu-button")
    person.click("#copy-link")
    person.page.wait_for_selector("#link[open]")
    link = person.page.input_value("#looking-field input")
    person.click("#link-close")
    return link


def test_with_a_link_to_look_one_sees_all_takes_it_home_and_changes_nothing(people, server):
    ann = people(server.url)
    ann.draw_and_wait(*INK)
    ann.press("2")
    ann.draw_and_wait(*GROUND)
    ann.wait_for_segmentation()
    eve = people(link_to_look(ann))
    eve.wait_for_segmentation()
    assert eve.page.inner_text("#looking-note") == "You can look, not change"
    assert eve.shares() == ann.shares()
    assert eve.download("shares.csv") == ann.download("shares.csv")
    eve.press("d", "1")
    eve.draw(*INK)
    eve.press("Control+z", "2")
    eve.draw(*GROUND)
    for hidden in ("#tool-squiggle", "#undo", "#clear", "#add-class", "#open-image", ".class-row .remove"):
        assert not eve.page.locator(hidden).first.is_visible(), hidden
    assert eve.page.is_visible("#tool-pan")
    eve.wait_until_page_asks_again()
    assert eve.stroke_counts() == ann.stroke_counts() == [1, 1]
    ann.draw_and_wait((60, 200), (90, 220))
    eve.wait_for(lambda: eve.stroke_counts() == [1, 2], "what Ann draws is seen")
    session = ann.page.url.rsplit("/", 1)[1]
    assert session not in eve.page.content()
    ann.click("#session-menu-button")
    ann.click("#copy-link")
    ann.page.wait_for_selector("#link[open]")
    ann.click("#looking-back")
    ann.wait_for(lambda: ann.page.inner_text("#looking-back") == "Taken back", "the link is taken back")
    eve.wait_for(lambda: "New session" in eve.page.inner_text("#message"), "it leads nowhere for who has it")
    eve.page.goto(f"{server.url}/sessions")
    assert session not in eve.page.content()


def test_who_began_a_session_takes_the_link_to_work_in_it_back_and_goes_on_with_another(people, server):
    ann = people(server.url)
    ann.draw_and_wait(*INK)
    former = ann.page.url
    bob = people(former)
    bob.wait_for(lambda: bob.stroke_counts() == [1, 0], "Ann's stroke")
    bob.click("#session-menu-button")
    bob.click("#copy-link")
    bob.page.wait_for_selector("#link[open]")
    assert not bob.page.is_visible("#link-back")
    bob.click("#link-close")
    ann.click("#session-menu-button")
    ann.click("#copy-link")
    ann.page.wait_for_selector("#link[open]")
    ann.click("#link-back")
    assert ann.page.inner_text("#link-back") == "Yes, take back"
    ann.click("#link-back")
    bob.wait_for(lambda: "This link was taken back" in bob.page.inner_text("#message"), "it leads nowhere for Bob")
    ann.wait_for(lambda: ann.page.url != former, "the page goes on with another link")
    ann.wait_until_ready()
    ann.page.wait_for_selector("#link[open]")
    assert ann.page.input_value("#link-field input") == ann.page.url
    ann.click("#link-close")
    assert ann.stroke_counts() == [1, 0]
    ann.draw_and_wait((60, 200), (90, 220))
    ann.wait_until_saved()
    bob.page.reload()
    bob.wait_for(lambda: "This link was taken back" in bob.page.inner_text("#message"), "it is said to who comes later")
    carol = people(ann.page.url)
    carol.wait_for(lambda: carol.stroke_counts() == [2, 0], "whoever has the new link")


def test_on_a_phone_links_and_what_is_said_have_the_width_of_the_screen(people, server):
    ann = people(server.url)
    ann.page.set_viewport_size({"width": 390, "height": 844})
    ann.click("#session-menu-button")
    ann.click("#copy-link")
    ann.page.wait_for_selector("#link[open]")
    width = ann.page.locator("#link").bounding_box()["width"]
    fields = ann.page.locator(".link-row input")
    for field in fields.all():
        assert field.bounding_box()["width"] > 0.75 * width
        field.focus()
        ann.wait_for(lambda field=field: field.evaluate("field => field.scrollLeft") == 0, "its beginning is seen")
        assert field.evaluate("field => field.selectionEnd - field.selectionStart") > 20
    link = fields.nth(1).input_value()
    ann.click("#looking-back")
    ann.wait_for(lambda: ann.page.inner_text("#looking-back") == "Taken back", "the link is taken back")
    bob = people(ann.page.url)
    bob.page.set_viewport_size({"width": 390, "height": 844})
    bob.page.goto(link)
    bob.wait_for(lambda: "This link was taken back" in bob.page.inner_text("#message"), "it is said")
    assert bob.page.locator("#message.visible").bounding_box()["width"] > 300
