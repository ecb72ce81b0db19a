"""Classifier files that go home and come back: what travels along, and what a person sees of it."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

import segmentation as seg
from tests.support.page import draw_two, opens, segmentation

CLASSES = (seg.LabelClass(1, "Pore", "#112233"), seg.LabelClass(4, "Grain", "#445566"))


def halves(seed):
    pixels = np.random.default_rng(seed).integers(1000, 1400, (120, 160)).astype(np.uint16)
    pixels[:, 80:] += 2000
    return pixels


@pytest.fixture
def colleagues(tmp_path):
    """A classifier of somebody else's, trained on another image, and with its training pixels."""
    image = seg.image_from_pixels(halves(1))
    labels = np.zeros(image.shape, np.uint8)
    labels[10:20, 10:60], labels[10:20, 100:150] = 1, 4
    classifier = seg.PixelClassifier(seg.FeatureSpec(sigma_max=4), n_estimators=20).fit(image, labels)
    path = tmp_path / "colleague.squiggle"
    seg.save_model(path, classifier.contents(CLASSES, pixels=classifier.pixels_))
    return path


def looks_at(person, tmp_path):
    tifffile.imwrite(tmp_path / "mine.tif", halves(0))
    person.upload(tmp_path / "mine.tif")
    person.wait_for(lambda: person.page.inner_text("#image-name") == "mine.tif", "the image")
    person.wait_until_view_rests()


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_a_colleagues_classifier_is_at_work_at_once_and_goes_on_learning(people, server, size, colleagues, tmp_path):
    person = people(server.url, size)
    looks_at(person, tmp_path)
    opens(person, colleagues)
    person.wait_for(lambda: "at work as it came" in person.page.inner_text("#opened-text"), "the card")
    person.wait_for_segmentation()
    assert person.page.inner_text("#opened-name") == "colleague.squiggle"
    facts = person.page.inner_text("#opened-facts")
    assert facts == "20 trees · 2 classes · 1 channel · trained on an image of 160 × 120"
    assert person.class_names() == ["Pore", "Grain"]
    assert (segmentation(person) == seg.load_classifier(colleagues).predict(halves(0))).all()

    person.tab("classes")
    person.draw_and_wait((70, 60), (70, 100))
    person.wait_for(lambda: "learnt together" in person.page.inner_text("#opened-text"), "learning on")
    person.wait_for_segmentation()
    person.tab("home")
    person.page.get_by_label("with strokes").check()
    home = seg.load_model(person.download("classifier.squiggle"))
    assert home.pixels is not None
    assert len(home.strokes) == 1
    further = seg.PixelClassifier.from_contents(home)
    assert (segmentation(person) == further.predict(halves(0))).all()

    person.click("#undo")
    person.wait_for(lambda: "at work as it came" in person.page.inner_text("#opened-text"), "as it came")
    person.click("#undo")
    person.wait_for(lambda: not person.page.is_visible("#opened"), "no card")
    person.tab("classes")
    assert person.class_names() == ["Class 1", "Class 2"]


def test_what_is_taken_home_can_be_corrected_and_what_cannot_be_stays_until_it_is_let_go(person, tmp_path):
    draw_two(person)
    home = person.download("classifier.squiggle")
    assert seg.load_model(home).pixels is not None
    (tmp_path / "bare.squiggle").write_bytes(b"")
    with person.page.expect_download() as download:
        person.page.get_by_label("with training pixels").uncheck()
        person.click('[data-file="classifier.squiggle"]')
    bare = seg.load_model(Path(download.value.path()))
    assert bare.pixels is None
    seg.save_model(tmp_path / "bare.squiggle", bare)
    opens(person, tmp_path / "bare.squiggle")
    person.wait_for(lambda: "cannot correct it, only replace it" in person.page.inner_text("#opened-text"), "the card")
    assert "your strokes cannot correct it" in person.message
    person.wait_for_segmentation()
    good = segmentation(person)
    person.tab("classes")
    person.press("1")
    person.draw_and_wait((20, 480), (40, 480))
    person.press("2")
    person.draw_and_wait((20, 440), (40, 440))
    person.wait_for_segmentation()
    assert (segmentation(person) == good).all()
    person.page.get_by_label("with training pixels").check()
    assert seg.load_model(person.download("classifier.squiggle")).pixels is None
    person.wait_for(lambda: "none travel along" in person.page.inner_text("#download-problem"), "the sentence")
    person.tab("classes")
    assert person.page.inner_text("#opened-choice") == "Learn anew from my strokes"
    person.click("#opened-choice")
    person.wait_for(lambda: person.page.inner_text("#opened-choice") == "Keep using it", "the way back")
    person.wait_for_segmentation()
    assert "have replaced it" in person.page.inner_text("#opened-text")
    assert (segmentation(person) != good).any()
    person.press("Control+z")
    person.wait_for(lambda: person.page.inner_text("#opened-choice") == "Learn anew from my strokes", "kept again")
    person.wait_for_segmentation()
    assert (segmentation(person) == good).all()


def test_a_file_that_is_dropped_is_opened_and_let_go(person, colleagues):
    data = list(Path(colleagues).read_bytes())
    person.page.evaluate(
        """(data) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(data)], "dropped.squiggle"));
          document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, cancelable: true }));
        }""",
        data,
    )
    person.wait_for(lambda: person.page.is_visible("#opened"), "the card")
    person.wait_for_status("with 1 channel, but this one has 3 channels")
    person.click("#close-classifier")
    person.wait_for_status("Draw a squiggle in each of two classes")
    assert person.class_names() == ["Pore", "Grain"]


def test_what_is_no_classifier_changes_nothing(person, tmp_path):
    (tmp_path / "letter.squiggle").write_bytes(b"Dear colleague")
    opens(person, tmp_path / "letter.squiggle")
    person.wait_for(lambda: "was not opened" in person.message, "the sentence")
    assert "It is not a zip archive" in person.message or "it is not a zip archive" in person.message
    assert not person.page.is_visible("#opened")
    assert person.class_names() == ["Gland", "Other tissue"]


def test_an_opened_classifier_keeps_settings_that_the_page_has_no_control_for(person, tmp_path):
    image = seg.read_image(Path("assets/sample/colon_glands.png"))
    labels = np.zeros(image.shape, np.uint8)
    labels[60:75, 250:270], labels[250:275, 60:90] = 1, 2
    spec = seg.FeatureSpec(sigma_max=4, channels=(1,))
    seg.PixelClassifier(spec, max_samples=0.123456789, n_estimators=10).fit(image, labels).save(tmp_path / "a.squiggle")
    opens(person, tmp_path / "a.squiggle")
    person.wait_for(lambda: person.page.input_value("#sigma-max") == "4", "its settings")
    person.wait_for_segmentation()
    person.wait_until_page_asks_again()  # what the controls say on their own counts after a moment
    assert "at work as it came" in person.page.inner_text("#opened-text")
    contents = seg.load_model(person.download("classifier.squiggle"))
    assert (contents.spec, contents.settings.max_samples) == (spec, 0.123456789)
