"""What the page says of values that a classifier did not learn from, beside the shares and in a series."""

import numpy as np
import tifffile

import segmentation as seg
from tests.support.page import is_finished, sends, wait_for_image


def test_values_taken_in_another_type_and_results_of_one_class_are_told(person, tmp_path):
    pixels = np.random.default_rng(0).integers(60, 90, (60, 100)).astype(np.uint8)
    pixels[:, 50:] += 100
    labels = np.zeros(pixels.shape, np.uint8)
    labels[10:20, 10:30], labels[10:20, 60:90] = 1, 2
    classifier = seg.PixelClassifier(seg.FeatureSpec(sigma_max=4), n_estimators=20).fit(pixels, labels)
    classifier.save(tmp_path / "bytes.squiggle")
    tifffile.imwrite(tmp_path / "same.tif", pixels.astype(np.uint16))
    tifffile.imwrite(tmp_path / "dark.tif", np.full((60, 100), 70, np.uint8))
    person.upload(tmp_path / "same.tif")
    wait_for_image(person, "same.tif")
    with person.page.expect_file_chooser() as chooser:
        person.click("#open-classifier")
    chooser.value.set_files(tmp_path / "bytes.squiggle")
    person.wait_for_segmentation()
    said = person.page.inner_text("#result-remark")
    assert said == "This uint16 image is taken as uint8, which the classifier learnt from: the numbers are the same."
    person.upload(tmp_path / "dark.tif")
    wait_for_image(person, "dark.tif")
    one_class = "The result is all one class, Class 1, of 2 that are known."
    person.wait_for(lambda: person.page.inner_text("#result-notes") == one_class, "the sentence")
    person.press(",")
    person.wait_for(lambda: person.page.inner_text("#result-remark") == said, "that of the other image")
    sends(person, tmp_path / "same.tif", tmp_path / "dark.tif")
    person.wait_for(lambda: is_finished(person, 2), "the series is finished")
    person.wait_for(lambda: person.page.locator(".series-notes li").count() == 2, "a line for each")
    told = person.page.locator(".series-notes li").all_inner_texts()
    assert sorted(told) == [f"dark.tif {one_class}", f"same.tif {said}"]
