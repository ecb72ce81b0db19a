"""Files that come back to a session: what they become, what is asked, and what is refused."""

import base64
import io
import json
from collections import Counter
from urllib.parse import quote

import numpy as np
import pytest
import tifffile
from PIL import Image

import segmentation as seg
from segmentation.strokes.classes import REGION, LabelClass
from segmentation.strokes.document import strokes_to_json
from segmentation.web.application import create_app
from segmentation.web.session.stacks import plane_key
from segmentation.web.settings import Settings
from tests.support.asking import Someone, stroke_of
from tests.support.files import png
from tests.support.images import scene

pytestmark = pytest.mark.slow

SHAPE = (60, 90)


@pytest.fixture
def someone(tmp_path):
    app = create_app(Settings(data_folder=tmp_path, max_upload_bytes=5_000_000))
    yield Bringing(app.server.test_client())
    app.server.extensions["workbench"].store.close()


class Bringing(Someone):
    def asks_to_bring(self, content, name="labels.png", **answers):
        query = f"name={quote(name)}&answers={quote(json.dumps(answers))}"
        return self.client.post(f"/s/{self.session}/brought?{query}", data=content).json

    def brings(self, content, name="labels.png", **answers):
        answer = self.asks_to_bring(content, name, **answers)
        assert "event" in answer, answer
        return self.does(type="strokes.add", **answer["event"])

    def state(self):
        return self.client.application.extensions["workbench"].journals.state(self.session)

    def labels(self, image_hash=None):
        query = f"image={image_hash}" if image_hash else ""
        return tifffile.imread(io.BytesIO(self.downloads("labels.tif", query).data))


@pytest.fixture
def mine(someone):
    return someone.open_image(scene(0))


def blobs(values, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.zeros(SHAPE, np.uint8)
    for value in values:
        row, column = rng.integers(0, 40), rng.integers(0, 70)
        labels[row : row + 15, column : column + 18] = value
    labels[rng.random(SHAPE) < 0.05] = 0
    return labels


def tiff(pixels):
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, photometric="minisblack")
    return file.getvalue()


def open_stack(someone, pixels):
    """Open a stack; what it and its planes are known by."""
    facts = someone.client.post(f"/s/{someone.session}/images?name=cells.tif", data=tiff(pixels)).json
    someone.does(type="image.open", image=facts)
    return facts["hash"], [plane_key(facts["hash"], page) for page in range(1, len(pixels) + 1)]


def indexed(labels):
    image = Image.fromarray(labels)
    image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("write", [png, tiff, indexed, lambda labels: tiff(labels.astype(np.uint16))])
def test_a_label_image_becomes_the_very_same_labels_and_one_undo_takes_it_back(someone, mine, write):
    expected = blobs([1, 2])
    content = write(expected)
    question = someone.asks_to_bring(content)["question"]
    (place,) = question["places"]
    assert (place["chosen"], question["values"]) == (mine, [])
    event = someone.brings(content, images={"0": mine})
    assert np.array_equal(someone.labels(mine), expected)
    image = seg.image_from_pixels(scene(0))
    found = seg.PixelClassifier().fit(image, expected).predict(image)
    assert np.array_equal(
        tifffile.imread(io.BytesIO(someone.downloads("segmentation.tif", f"image={mine}").data)), found
    )
    someone.does(type="undo", event=event)
    assert not someone.labels(mine).any()


def test_labels_of_a_stack_lie_each_on_its_plane_and_one_undo_takes_them_back(someone):
    stack, planes = open_stack(someone, np.random.default_rng(0).integers(0, 99, (3, *SHAPE)).astype(np.uint8))
    expected = [blobs([1, 2], seed=1), np.zeros(SHAPE, np.uint8), blobs([7], seed=2)]
    content = tiff(np.stack(expected))
    beside = f"{SHAPE[0]}x{SHAPE[1]},{SHAPE[0]}x{SHAPE[1]}x3"
    known = someone.client.post(f"/s/{someone.session}/images?name=mask.tif&beside={beside}", data=content)
    assert known.json == {"labels": True}
    question = someone.asks_to_bring(content, "mask.tif", current=planes[1])["question"]
    (place,) = question["places"]
    assert ([one["hash"] for one in place["images"]], place["chosen"], question["planes"]) == ([stack], stack, 3)
    counts = np.bincount(np.stack(expected).ravel())
    assert [(one["value"], one["pixels"]) for one in question["values"]] == [
        (str(value), counts[value]) for value in (0, 1, 2, 7)
    ]
    values = {"0": 0, "1": 2, "2": 1, "7": "new"}
    event = someone.brings(content, "mask.tif", images={"0": stack}, values=values, last_class_id=2)
    for plane, labels in zip(planes, expected, strict=True):
        assert np.array_equal(someone.labels(plane), np.array([0, 2, 1, 0, 0, 0, 0, 3], np.uint8)[labels])
    someone.does(type="undo", event=event)
    assert not any(someone.labels(plane).any() for plane in planes)

    two = someone.asks_to_bring(tiff(np.stack(expected[:2])), images={"0": stack})
    assert "no stack of as many planes" in two["error"]
    one = someone.asks_to_bring(png(expected[0]))["question"]["places"][0]
    assert [place["hash"] for place in one["images"]] == planes


def test_the_page_s_segmentation_of_a_stack_comes_back_as_labels_of_its_planes(someone):
    stack, planes = open_stack(someone, np.stack([scene(number) for number in range(3)]))
    someone.draws("a", planes[0], 1, "M5,5L20,20")
    someone.draws("b", planes[2], 2, "M60,5L80,20")
    lines = someone.client.get(f"/s/{someone.session}/download/planes?image={planes[0]}").data.splitlines()
    parts = [base64.b64decode(line["part"]) for line in map(json.loads, lines) if "part" in line]
    content = b"".join(parts)
    someone.does(type="stroke.erase", image=planes[0], strokes=["a"])
    someone.does(type="stroke.erase", image=planes[2], strokes=["b"])
    someone.brings(content, "s.tif", images={"0": stack})
    found = np.stack([someone.labels(plane) for plane in planes])
    assert np.array_equal(found, tifffile.imread(io.BytesIO(content)))


def test_a_mask_says_where_to_work_and_goes_home_as_one(someone, mine):
    region = someone.downloads("region.tif", f"image={mine}")
    assert "Nothing of this image is outlined" in region.json["error"]
    inside = blobs([255]) > 0
    mask = png(inside.astype(np.uint8) * 255)
    values = someone.asks_to_bring(mask, "cells_roi.png")["question"]["values"]
    assert [one["chosen"] for one in values] == [0, REGION]
    someone.brings(mask, "cells_roi.png", images={"0": mine}, values={"0": 0, "255": REGION})
    content = someone.downloads("region.tif", f"image={mine}").data
    assert np.array_equal(tifffile.imread(io.BytesIO(content)), inside * np.uint8(255))
    assert np.array_equal(np.array(Image.open(io.BytesIO(content)).convert("L")), inside * np.uint8(255))

    other = Bringing(someone.client)
    there = other.open_image(scene(0))
    (_, white) = other.asks_to_bring(content, "region.tif")["question"]["values"]
    other.brings(content, "region.tif", images={"0": there}, values={"0": 0, white["value"]: white["chosen"]})
    assert other.downloads("region.tif", f"image={there}").data == content


def test_what_was_drawn_before_lies_above(someone, mine):
    someone.draws("a", mine, 2, "M5,30L80,30")
    someone.brings(png(np.full(SHAPE, 1, np.uint8)), images={"0": mine})
    drawn = seg.rasterise([stroke_of("a", 2, "M5,30L80,30")], SHAPE)
    assert np.array_equal(someone.labels(mine), np.where(drawn, 2, 1))


def test_what_the_page_gives_away_comes_back(someone, mine):
    someone.draws("a", mine, 1, "M5,5L20,20")
    someone.draws("b", mine, 2, "M60,5L80,20")
    files = {name: someone.downloads(name, f"image={mine}").data for name in ("strokes.json", "labels.tif")}
    expected = someone.labels(mine)
    for name, content in files.items():
        other = Bringing(someone.client)
        there = other.open_image(scene(0))
        assert there == mine
        other.brings(content, name, images={"0": mine})
        assert np.array_equal(other.labels(mine), expected)
        drawn = other.state().drawn[mine]
        assert name == "labels.tif" or [one.id for one in drawn] == ["a", "b"]
    someone.brings(files["strokes.json"], "strokes.json")
    assert len(someone.state().drawn[mine]) == 2


def test_strokes_of_another_image_are_asked_for_by_size_and_classes_found_by_name(someone, mine):
    strokes = [seg.Stroke("s", 7, "path", [[5, 5], [20, 20]], 5)]
    classes = [seg.LabelClass(7, "other TISSUE", "#123456"), seg.LabelClass(9, "unused", "#000000")]
    document = strokes_to_json(strokes, classes, "f" * 64, SHAPE)
    (place,) = someone.asks_to_bring(json.dumps(document), "strokes.json")["question"]["places"]
    assert [one["hash"] for one in place["images"]] == [mine]
    someone.brings(json.dumps(document), "strokes.json", images={place["key"]: mine})
    state = someone.state()
    assert [stroke.class_id for stroke in state.drawn[mine]] == [2]
    assert [one.name for one in state.classes.values()] == ["Gland", "Other tissue"]
    document["image"] |= {"rows": 61}
    assert "no image of that size" in someone.asks_to_bring(json.dumps(document), "strokes.json")["error"]


def test_black_and_white_is_asked_for(someone, mine):
    mask = blobs([255])
    values = someone.asks_to_bring(png(mask))["question"]["values"]
    assert [(one["value"], one["chosen"]) for one in values] == [("0", 0), ("255", 1)]
    assert values[1]["pixels"] == np.count_nonzero(mask)
    someone.brings(png(mask), images={"0": mine}, values={"0": 2, "255": "new"}, last_class_id=4)
    assert np.array_equal(someone.labels(mine), np.where(mask, 5, 2))
    assert someone.state().classes[5].name == "Class 5"


def test_numbers_of_objects_are_one_class(someone, mine):
    objects = np.zeros(SHAPE, np.uint16)
    for number in range(40):
        objects[number + 2, 5:60] = 100 * number
    values = someone.asks_to_bring(tiff(objects))["question"]["values"]
    assert [one["value"] for one in values] == ["0", "*"]
    someone.brings(tiff(objects), images={"0": mine}, values={"0": 0, "*": 2})
    assert np.array_equal(someone.labels(mine), np.where(objects, 2, 0))


def test_a_class_that_nobody_named_gives_its_place(someone, mine):
    someone.does(type="sample.leave", image=next(iter(someone.state().images)))
    square = [[[2, 3], [20, 3], [20, 30], [2, 30], [2, 3]], [[5, 6], [9, 6], [9, 9], [5, 9], [5, 6]]]
    geometry = {"type": "Polygon", "coordinates": square}
    tumor = {"classification": {"name": "Tumor", "color": [200, 0, 0]}}
    beside = {"type": "Point", "coordinates": [1000, 3]}
    document = [
        {"type": "Feature", "geometry": geometry, "properties": tumor},
        {"type": "Feature", "geometry": beside, "properties": tumor},
    ]
    answer = someone.asks_to_bring(json.dumps(document), "cells.geojson")
    assert "1 object of 2 lie beside “mine.png”" in answer["notes"][0]
    someone.does(type="strokes.add", **answer["event"])
    expected = np.zeros(SHAPE, np.uint8)
    expected[3:30, 2:20], expected[6:9, 5:9] = 1, 0
    assert np.array_equal(someone.labels(mine), expected)
    called = [(one.name, one.colour) for one in someone.state().classes.values()]
    assert called == [("Tumor", "#c80000"), ("Class 2", "#0072b2")]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"Dear colleague", "can be brought in"),
        (b'{"type": "Topology"}', "neither strokes of Squiggle nor GeoJSON"),
        (b'{"a": ', "not valid JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"format": "squiggle-strokes", "version": 9}', "another version"),
        (b'{"type": "FeatureCollection", "features": []}', "no polygon, line or point"),
        (png(np.zeros((61, 90), np.uint8)), "no image of that size: open its image first"),
        (png(np.zeros((60, 90, 3), np.uint8)), "holds the number of a class at each pixel"),
        (tiff(np.full(SHAPE, 0.5, np.float32)), "no whole numbers"),
        (tiff(np.full(SHAPE, -1, np.int16)), "negative values"),
        (tiff(np.zeros((3, *SHAPE), np.uint8)), "no stack of as many planes"),
    ],
)
def test_what_cannot_be_brought_is_refused_in_a_sentence_and_changes_nothing(someone, mine, content, sentence):
    before = someone.state()
    assert sentence in someone.asks_to_bring(content, "a.json", images={"0": mine})["error"]
    assert someone.state() == before


def test_answers_that_make_no_sense_are_refused(someone, mine):
    for answers in ("[]", '{"images": 3}', '{"values": {"1": "old"}}', '{"last_class_id": 999}', "{" * 9, "x" * 9_000):
        reply = someone.client.post(f"/s/{someone.session}/brought?answers={quote(answers)}", data=b"{}")
        assert reply.status_code == 422
        assert reply.json["error"].endswith(".")
    assert "no class is named" in someone.asks_to_bring(png(blobs([7])), images={"0": mine})["error"]


def drawn_elsewhere(images, shape=SHAPE, page=None):
    """A strokes file with a stroke on each of some images that nobody has."""
    document = strokes_to_json([], [LabelClass(1, "one", "#ff0000")], "f" * 64, SHAPE)
    of_image = {"rows": shape[0], "columns": shape[1]} | ({} if page is None else {"page": page})
    others = [
        {"image": {"hash": f"{n:064x}", **of_image}, "strokes": [stroke_of(f"s{n}", 1, "M5,20L30,40")]}
        for n in range(1, images + 1)
    ]
    return json.dumps(document | {"others": others}).encode()


def test_images_that_nobody_has_cost_each_image_of_the_session_to_be_read_once(someone, monkeypatch):
    reads = Counter()
    images = someone.client.application.extensions["workbench"].images
    get = images.get

    def counting(session_id, image_hash):
        reads[image_hash] += 1
        return get(session_id, image_hash)

    monkeypatch.setattr(images, "get", counting)
    mine = [someone.open_image(scene(seed)) for seed in range(3)]
    reads.clear()
    for content in (drawn_elsewhere(90), drawn_elsewhere(80)):
        assert len(someone.asks_to_bring(content, "strokes.json")["question"]["places"]) in (80, 90)
    assert all(reads[one] <= 1 for one in mine), reads


def test_more_images_than_can_be_asked_about_are_refused_in_a_sentence(someone, mine):
    answer = someone.asks_to_bring(drawn_elsewhere(10_000), "strokes.json")
    assert "It holds strokes on 10,000 images that are not in this session, and at most 100" in answer["error"]
    answer = someone.asks_to_bring(drawn_elsewhere(10_000, (61, 90)), "strokes.json")
    assert (
        answer["error"]
        == "10,000 strokes lie on 10,000 images of sizes that this session has none of: open these first."
    )
