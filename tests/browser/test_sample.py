"""The sample is there to try things out: it teaches nothing about images of one's own, and leaves when these come."""

import io

import numpy as np
import pytest
import tifffile

import segmentation as seg
from tests.support.page import draw_two, drops, halves, in_hand, names, wait_for_image

DARK, BRIGHT = [(10, 20), (25, 35)], [(70, 20), (85, 35)]


def learnt_from(person):
    return person.page.inner_text("#learnt-from")


@pytest.fixture
def own(tmp_path):
    return [halves(tmp_path, f"s{n}.png", noise=n) for n in (1, 2)]


@pytest.mark.parametrize("how", ["chosen", "dropped"])
def test_ones_own_images_are_learnt_from_alone_and_one_undo_brings_the_sample_back(person, own, how):
    draw_two(person)
    assert learnt_from(person) == "Learnt from “colon_glands.png”."
    if how == "chosen":
        person.upload(own)
    else:
        drops(person, "#stage", *own)
    person.wait_for(lambda: names(person) == ["s1.png", "s2.png"], "the images, and no sample")
    wait_for_image(person, "s1.png")
    assert person.class_names() == ["Class 1", "Class 2"]
    assert "Undo brings both back" in person.message
    assert person.stroke_counts() == [0, 0]
    assert learnt_from(person) == ""
    person.press("1")
    person.draw_and_wait(*DARK)
    person.wait_for_status("only “Class 1” has strokes")
    person.press("2")
    person.draw_and_wait(*BRIGHT)
    person.wait_for_segmentation()
    assert learnt_from(person) == "Learnt from “s1.png”."
    image = seg.read_image(own[0])
    labels = tifffile.imread(io.BytesIO(person.download("labels.tif")))
    found = tifffile.imread(io.BytesIO(person.download("segmentation.tif")))
    assert np.array_equal(found, seg.PixelClassifier().fit(image, labels).predict(image))
    person.press("Control+z", "Control+z", "Control+z")
    wait_for_image(person, "colon_glands.png")
    assert person.class_names() == ["Gland", "Other tissue"]
    assert person.stroke_counts() == [1, 1]
    assert names(person) == ["colon_glands.png", "s1.png", "s2.png"]
    person.wait_for_segmentation()
    person.press("Control+y")
    wait_for_image(person, "s2.png")
    assert person.class_names() == ["Class 1", "Class 2"]


def test_what_a_person_named_keeps_its_name_and_all_that_teach_are_named(person, own):
    name = person.page.locator(".class-name").first
    name.fill("Nucleus")
    name.press("Enter")
    person.wait_until_saved()
    person.upload(own)
    wait_for_image(person, "s1.png")
    assert person.class_names() == ["Nucleus", "Class 2"]
    person.wait_for(lambda: len(names(person)) == 2, "the images")
    assert not person.page.locator("#message.visible").count()
    person.press("1")
    person.draw_and_wait(*DARK)
    person.press(".")
    wait_for_image(person, "s2.png")
    person.press("2")
    person.draw_and_wait(*BRIGHT)
    person.wait_for_segmentation()
    assert learnt_from(person) == "Learnt from 2 images."
    assert person.page.locator("#learnt-from").get_attribute("title") == "s1.png\ns2.png"
    person.page.reload()
    person.wait_until_ready()
    assert in_hand(person) == "s2.png"
    person.wait_for(lambda: learnt_from(person) == "Learnt from 2 images.", "the same after a reload")


def test_with_an_opened_classifier_the_sample_leaves_too(person, own, tmp_path):
    image = seg.read_image(own[0])
    labels = np.zeros(image.shape, np.uint8)
    labels[10:30, 10:30], labels[10:30, 70:90] = 1, 2
    classes = [seg.LabelClass(1, "Pore", "#112233"), seg.LabelClass(2, "Grain", "#445566")]
    seg.PixelClassifier(n_estimators=20).fit(image, labels).save(tmp_path / "theirs.squiggle", classes)
    draw_two(person)
    drops(person, "#stage", own[1], tmp_path / "theirs.squiggle")
    wait_for_image(person, "s2.png")
    person.wait_for(lambda: person.class_names() == ["Pore", "Grain"], "the classes of the classifier")
    person.wait_for_segmentation()
    assert not person.page.is_visible("#strip")
    assert learnt_from(person) == "Learnt before: “theirs.squiggle”."
