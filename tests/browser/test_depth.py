"""Depth, as a person meets it: a choice for stacks, with planes segmented by what lies around them."""

import json

import numpy as np
import tifffile

import segmentation as seg
from segmentation.io.volumes import in_slabs
from segmentation.strokes.document import strokes_from_json
from tests.support.page import in_hand

DARK, BRIGHT = [(10, 20), (25, 35)], [(70, 20), (85, 35)]


def of_the_library(document, path):
    """What the library learns of the page's strokes on a volume, and finds in it."""
    spec = seg.FeatureSpec.from_json(document["settings"]["features"])
    planes = list(in_slabs(seg.read_stack(path), spec.depth_halo))
    drawn = {one.image_hash: one.strokes for one in strokes_from_json(document).drawings}
    learnt = [plane for plane in planes if plane.hash in drawn]
    labels = [seg.rasterise(drawn[plane.hash], plane.shape) for plane in learnt]
    classifier = seg.PixelClassifier(spec, **document["settings"]["forest"]).fit(learnt, labels)
    return np.stack([classifier.predict(plane) for plane in planes])


def features(person):
    return person.within("({ session }) => session.state.features")


def test_a_stack_is_learnt_in_depth(person, tmp_path):
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 30, (5, 60, 100)) + 120 * (np.arange(100) > 50)
    described = {"axes": "ZYX", "spacing": 2.0, "unit": "um"}
    tifffile.imwrite(tmp_path / "deep.tif", pixels.astype(np.uint8), imagej=True, resolution=(2, 2), metadata=described)
    person.click("#tab-learn")
    assert not person.page.is_visible("#feature-depth")

    person.upload(tmp_path / "deep.tif")
    person.wait_for(lambda: in_hand(person) == "deep.tif", "deep.tif")
    person.wait_for(lambda: person.page.is_visible("#feature-depth"), "depth can be chosen")
    person.draw_and_wait(*DARK)
    person.press("2")
    person.draw_and_wait(*BRIGHT)
    person.wait_for_segmentation()

    for depth, seen in (("around", {"planes_around": 1}), ("volume", {"dimensions": 3, "plane_distance": 4})):
        person.tab("learn")  # results show themselves, and downloads are among these
        person.wait_for(lambda: "0.5" in person.page.inner_text("#pixel-size"), "the size of a pixel")
        person.page.select_option("#feature-depth", depth)
        person.wait_for(lambda seen=seen: seen.items() <= features(person).items(), f"{seen}")
        person.wait_for_segmentation()
        assert person.page.is_visible("#plane-distance") == (depth == "volume")
        person.wait_until_saved()
        with person.page.expect_download() as waiting:
            person.click("#segment-planes")
        waiting.value.save_as(tmp_path / "all.tif")
        expected = of_the_library(json.loads(person.download("strokes.json")), tmp_path / "deep.tif")
        assert np.array_equal(tifffile.imread(tmp_path / "all.tif").reshape(expected.shape), expected)

    person.tab("learn")
    person.page.fill("#plane-distance", "2")
    person.page.press("#plane-distance", "Enter")
    person.wait_for(lambda: features(person).get("plane_distance") == 2, "another distance")
    person.page.locator("#feature-learned input").check()
    person.wait_for(lambda: "Depth is “Each plane by itself” again" in person.message, "what is switched off")
    person.wait_for(lambda: person.page.input_value("#feature-depth") == "flat", "no depth")
    person.page.select_option("#feature-depth", "volume")
    person.wait_for(lambda: "Learned texture is off now" in person.message, "the same the other way")
    person.wait_for(lambda: not person.page.locator("#feature-learned input").is_checked(), "no learned texture")
    person.page.select_option("#feature-depth", "flat")
    person.wait_for(lambda: "dimensions" not in features(person), "each plane by itself")
    assert not person.page.is_visible("#plane-distance")
