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
