"""A report says what was found and how, loads nothing, runs nothing, and is the same each time."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import tifffile

import segmentation as seg
from segmentation.__main__ import main
from segmentation.io.pixel_size import PixelSize
from segmentation.model.modelfile import load_model
from segmentation.objects import labelling
from segmentation.report.figures import histogram, scale_bar, short
from segmentation.report.methods import methods_paragraph
from segmentation.report.report import image_found, size_in_words
from segmentation.report.settings import features_in_words, forest_in_words
from segmentation.series.run import apply_series
from tests.support.classifiers import trained
from tests.support.images import textured


class Page(HTMLParser):
    """What a document loads, and its text."""

    def __init__(self, document):
        super().__init__()
        self.addresses, self.tags, self.text, self.open = [], [], [], []
        self.feed(document)
        assert not self.open, "every element is closed"

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href", "data", "action")]
        if tag not in ("meta", "img", "rect", "path", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in ("rect", "path"):
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """A folder with a classifier, two images in ImageJ's manner, one of which has a strange name, and a report."""
    folder = tmp_path_factory.mktemp("series")
    classifier = trained(textured()).with_clean_up([{"kind": "drop_small", "size": 5, "classes": [1]}])
    classes = [seg.LabelClass(1, "<b>void</b>", "#e69f00"), seg.LabelClass(2, "grain", "#0072b2")]
    classifier.save(folder / "cells.squiggle", classes)
    (folder / "images").mkdir()
    for number, name in enumerate(("a", "<script>alert(1)</script>")):
        tifffile.imwrite(
            folder / "images" / f"{name.replace('/', '_')}.tif",
            textured(90, 120, seed=number),
            imagej=True,
            resolution=(2, 2),
            metadata={"axes": "YX", "unit": "um"},
        )
    arguments = ["apply", f"{folder}/cells.squiggle", f"{folder}/images", "-o", f"{folder}/out", "--quiet"]
    assert main([*arguments, "--report", f"{folder}/report.html"]) == 0
    return folder


def test_it_shows_images_shares_objects_and_how_it_was_done(series):
    page = Page((series / "report.html").read_text(encoding="utf-8"))
    contents = load_model(series / "cells.squiggle")
    for path in (series / "images").iterdir():
        image = seg.read_image(path)
        segmentation = seg.load_classifier(series / "cells.squiggle").predict(image)
        assert path.name in page.words
        assert image.hash in page.words
        for class_id in (1, 2):
            table = seg.measure_objects(segmentation, class_id, spacing=0.5)
            pixels = np.count_nonzero(segmentation == class_id)
            assert f"{pixels:,}" in page.words
            assert f"{100 * pixels / segmentation.size:.2f} %" in page.words
            assert f"{short(np.median(table['area']))} µm²" in page.words
    assert "120 x 90 pixels of 0.5 µm" in page.words
    assert "10 µm" in page.words, "the scale bar"
    assert methods_paragraph(contents, PixelSize(0.5, 0.5)) in page.words
    assert features_in_words(contents, PixelSize(0.5, 0.5)) in page.words
    assert forest_in_words(contents.settings) in page.words
    assert not re.search(r"True|False|None|_", page.words.partition("How it was segmented")[2].partition("Versions")[0])
    assert "parts of “<b>void</b>” of fewer than 5 pixels" in page.words.lower()
    assert page.tags.count("img") == 4
    assert (series / "report.html").read_text(encoding="utf-8").count('aria-label="Histogram of areas"') == 4


def test_the_size_of_pixels_that_is_typed_is_that_of_the_report(series, tmp_path):
    arguments = ["apply", f"{series}/cells.squiggle", f"{series}/images", "-o", f"{tmp_path}/out", "--quiet"]
    for more in ([], ["--objects"]):
        assert main([*arguments, *more, "--pixel-size", "2mm", "--report", f"{tmp_path}/report.html"]) == 0
        words = Page((tmp_path / "report.html").read_text(encoding="utf-8")).words
        assert "120 x 90 pixels of 2 mm" in words
        assert " mm²" in words
        assert "µm" not in words


def test_nothing_in_it_is_loaded_from_elsewhere_or_run(series):
    document = (series / "report.html").read_text(encoding="utf-8")
    page = Page(document)
    assert page.addresses
    assert all(address.startswith("data:image/jpeg;base64,") for address in page.addresses)
    assert not {"script", "iframe", "link", "object", "b"} & set(page.tags)
    assert not re.search(r"url\(|@import|https?://", document)


def test_legends_and_scale_bars_are_drawn_since_backgrounds_are_not_printed(series):
    document = (series / "report.html").read_text(encoding="utf-8")
    body = document[document.index("<body>") :]
    assert "background" not in body
    for colour in ("#e69f00", "#0072b2"):
        swatch = f'aria-hidden="true"><rect width="12" height="12" fill="{colour}"/>'
        assert body.count(swatch) == 2 * 3, "in the table of all, the legend and the table of each image"
    assert len(re.findall(r'<svg class="bar" style="width: [0-9.]+%"><text [^>]*>10 µm</text>', body)) == 2 * 2
    assert "@page" in document


def test_what_failed_is_named_with_the_reason(series, tmp_path):
    (tmp_path / "letter.tif").write_bytes(b"Dear colleague")
    images = [str(one) for one in (series / "images").iterdir()]
    arguments = ["apply", f"{series}/cells.squiggle", *images, f"{tmp_path}/letter.tif", "-o", f"{tmp_path}/out"]
    assert main([*arguments, "--quiet", "--report", f"{tmp_path}/report.html"]) == 1
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "What could not be segmented File Why letter.tif" in page.words


def test_the_same_again_is_the_same_also_of_what_was_finished_before(series, tmp_path):
    first = (series / "report.html").read_text(encoding="utf-8")
    report = apply_series(series / "cells.squiggle", series / "images", series / "out", report=tmp_path / "again.html")
    assert len(report.finished_before) == 2
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == first
    assert "finished before" not in first


def test_images_of_a_stack_have_a_section_each_and_what_could_not_be_counted_says_so(series, tmp_path, monkeypatch):
    monkeypatch.setattr(labelling, "MOST_OBJECTS", 0)
    monkeypatch.setattr(labelling, "FEW_OBJECTS", 0)
    tifffile.imwrite(
        tmp_path / "stack.tif", np.stack([textured(seed=one) for one in range(3)]), photometric="minisblack"
    )
    apply_series(series / "cells.squiggle", tmp_path / "stack.tif", tmp_path / "out", report=tmp_path / "report.html")
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert [f"stack.tif, plane z {one}" in page.words for one in (1, 2, 3)] == [True] * 3
    assert "no size filter leaves some" in page.words
    assert "Histogram" not in (tmp_path / "report.html").read_text(encoding="utf-8")
    monkeypatch.setattr(labelling, "MOST_OBJECTS", 1)
    monkeypatch.setattr(labelling, "FEW_OBJECTS", 1)
    tifffile.imwrite(tmp_path / "one.tif", textured())
    apply_series(series / "cells.squiggle", tmp_path / "one.tif", tmp_path / "1", report=tmp_path / "one.html")
    assert re.search(r"Drop those below [\d,]+ pixels .*that leaves", Page((tmp_path / "one.html").read_text()).words)


def test_settings_are_told_in_words_scales_also_in_the_unit_and_channels_by_their_names(tmp_path):
    pixels = np.dstack([textured(), textured(seed=1)])
    named = seg.image_from_pixels(pixels, {"channel_names": ["DAPI", "GFP"]})
    spec = seg.FeatureSpec(sigma_min=1, sigma_max=4, colour=False, by_channel={1: ("edges",)}, standardise=True)
    labels = np.zeros(named.shape, np.uint8)
    labels[:4], labels[-4:] = 1, 2
    classifier = seg.PixelClassifier(spec, n_estimators=1000, max_depth=7, random_state=3).fit(named, labels)
    classifier.save(tmp_path / "two.squiggle")
    contents = load_model(tmp_path / "two.squiggle")
    assert features_in_words(contents, PixelSize(0.25, 0.25)) == (
        "intensity, edges, texture and differences; scales (sigma) of 1, 2 and 4 pixels (0.25, 0.5 and 1 µm); "
        "of all channels (DAPI and GFP); in GFP trees look at edges; "
        "each channel is taken relative to its mean and spread in the image"
    )
    for size in (None, PixelSize(1, 2), PixelSize(1, 1, "°")):
        assert "1, 2 and 4 pixels; of" in features_in_words(contents, size)
    assert forest_in_words(contents.settings) == (
        "extremely randomised trees; 1,000 trees of a depth of at most 7; each sees 5 % of the labelled pixels; "
        "balance of the classes 0 %; 50 % of the trees see fine features only; seed 3"
    )
    assert f"{np.count_nonzero(labels):,} labelled pixels" in methods_paragraph(contents)
    found = image_found(named, labels, contents, with_pictures=False)
    assert found.facts[1] == "2 channels (DAPI, GFP), uint8"
    assert size_in_words(2048, 1024, PixelSize(1, 1)) == "1,024 x 2,048 pixels of 1 µm"


@pytest.mark.parametrize(
    ("names", "channels", "told"),
    [
        (["A", "B", "C", "D"], None, "of all channels (A, B, C and D); learned texture of A, B and C alone; each"),
        (["A", "B", "C", "D"], (0, 2, 3), "of the channels A, C and D; each"),
        (["A", "B", "C"], None, "of all channels (A, B and C); each"),
        ([], None, "of all channels; learned texture of channel 1, channel 2 and channel 3 alone; each"),
    ],
)
def test_the_channels_that_learned_texture_sees_are_told_where_there_are_more(names, channels, told, tmp_path):
    image = seg.image_from_pixels(np.dstack([textured(seed=n) for n in range(len(names) or 4)]))
    image = replace(image, metadata=image.metadata | ({"channel_names": names} if names else {}))
    labels = np.zeros(image.shape, np.uint8)
    labels[:4], labels[-4:] = 1, 2
    spec = seg.FeatureSpec(sigma_max=1, learned=True, channels=channels)
    seg.PixelClassifier(spec, n_estimators=5).fit(image, labels).save(tmp_path / "learned.squiggle")
    assert told in features_in_words(load_model(tmp_path / "learned.squiggle"))


@pytest.mark.parametrize(
    ("columns", "size", "length"),
    [(1000, 0.325, "50 µm"), (120, 0.5, "10 µm"), (512, 1e-3, "0.1 µm"), (100, 1, "20 µm")],
)
def test_a_scale_bar_is_a_round_length_of_at_most_a_quarter(columns, size, length):
    width, told = scale_bar(columns, PixelSize(size, size))
    assert told == length
    assert 10 <= width <= 25
    assert width * columns * size / 100 == pytest.approx(float(length.split()[0]))


def test_without_a_size_of_pixels_there_is_no_scale_bar():
    assert scale_bar(100, None) is None
    assert scale_bar(100, PixelSize(1, 1, "°")) is None


def test_numbers_are_written_for_people():
    assert [short(value) for value in (0.000123, 3.14159, 999.96, 1337.4, 46920)] == [
        "0.000123", "3.142", "1000", "1,337", "46,920",
    ]  # fmt: skip


def test_a_histogram_counts_every_value():
    drawn = histogram(np.array([1.0, 1, 1, 9]), "#ff0000", "px")
    heights = [float(one) for one in re.findall(r'height="([\d.]+)"', drawn)]
    assert max(heights) == heights[0] == 100
    assert heights[-1] == pytest.approx(100 / 3, abs=0.1)
    assert histogram(np.array([]), "#ff0000", "px") == ""


def test_a_histogram_of_which_most_would_be_one_bar_has_an_axis_of_logarithms():
    areas = np.array([*np.tile(np.arange(1.0, 31), 3), 500, 100_000])
    drawn = histogram(areas, "#ff0000", "px²")
    heights = [float(one) for one in re.findall(r'height="([\d.]+)"', drawn)]
    assert "area, px² (logarithmic)" in drawn
    assert sum(one > 10 for one in heights) > 5
    assert "logarithmic" not in histogram(np.arange(1.0, 100), "#ff0000", "px²")
