"""Features that look at several planes, in a session: the bytes of the library and of the command line."""

import base64
import io
import json
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile

import segmentation as seg
from segmentation.__main__ import main
from segmentation.features.pieces import feature_rows
from segmentation.io.slab import kept_smoothing
from segmentation.io.volumes import with_slab
from segmentation.model.classifier import load_classifier
from segmentation.strokes.document import strokes_from_json
from segmentation.web.session import depth
from segmentation.web.session.at_work import ImagesAtWork
from segmentation.web.session.conversation import BUSY
from segmentation.web.session.grid_features import GridFeatures
from segmentation.web.session.stacks import plane_key
from tests.support.asking import converse, stroke_event, tile_request, unpacked
from tests.support.files import png, tiff

SMALL = {"sigma_min": 0.5, "sigma_max": 2.0}
SEEN = {
    "3-D": SMALL | {"dimensions": 3, "plane_distance": 2.0},
    "planes around": SMALL | {"planes_around": 1},
}
FEW_TREES = {"forest": seg.ForestSettings(n_estimators=10).to_json()}


def planes(count):
    """Noise that is dark at the left and bright at the right, the brighter the later."""
    noise = np.random.default_rng(0).integers(0, 40, (count, 60, 80))
    noise[..., 40:] += 120
    return (noise + 3 * np.arange(count)[:, None, None]).astype(np.uint8)


def opened(client, session, content):
    facts = client.post(f"/s/{session}/images?name=s.tif", data=content).json
    (journal,) = converse(client, session, [{"id": "open-s", "type": "image.open", "image": facts}])
    assert journal["refused"] == []
    return facts


def segmented(client, session, image_hash):
    """The class ids of all planes of the stack of an image, ``(planes, rows, columns)``."""
    answer = client.get(f"/s/{session}/download/planes?image={image_hash}")
    file = base64.b64decode("".join(json.loads(line).get("part", "") for line in answer.data.splitlines()))
    return tifffile.imread(io.BytesIO(file))


def changes(client, session, **settings):
    features = seg.FeatureSpec(**settings).to_json()
    event = {"id": f"settings-{len(settings)}", "type": "settings.change", "features": features, **FEW_TREES}
    (journal,) = converse(client, session, [event])
    assert journal["refused"] == []


@pytest.fixture(params=SEEN)
def stack(request, client, session):
    """A stack of five planes with strokes on two of them, that is looked at in depth."""
    pixels = planes(5)
    content = tiff(pixels, photometric="minisblack")
    facts = opened(client, session, content)
    events = [
        stroke_event("a", plane_key(facts["hash"], 2), 1, "M5,5L30,50"),
        stroke_event("b", plane_key(facts["hash"], 4), 2, "M45,5L70,50"),
    ]
    converse(client, session, events)
    changes(client, session, **SEEN[request.param])
    return facts, pixels, content


def of_the_library(client, session, pixels):
    """What the library learns of the strokes of a session on a volume, and finds in it."""
    document = json.loads(client.get(f"/s/{session}/download/strokes.json").data)
    labels = np.zeros(pixels.shape, np.uint8)
    hashes = [seg.image_from_pixels(plane).hash for plane in pixels]
    for drawing in strokes_from_json(document).drawings:
        labels[hashes.index(drawing.image_hash)] = seg.rasterise(drawing.strokes, pixels.shape[1:])
    spec = seg.FeatureSpec.from_json(document["settings"]["features"])
    return seg.PixelClassifier(spec, **document["settings"]["forest"]).fit(pixels, labels).predict(pixels)


def on_screen(client, session, image_hash):
    tiles = tile_request(60, 80) | {"image": image_hash}
    messages = converse(client, session, segment=tiles)
    (tile,) = [message for message in messages if message["kind"] == "tile"]
    return unpacked(tile)


def test_planes_on_screen_and_the_stack_are_those_of_the_library(client, session, stack):
    facts, pixels, _ = stack
    expected = of_the_library(client, session, pixels)
    for page in (1, 3, 5):
        assert np.array_equal(on_screen(client, session, plane_key(facts["hash"], page)), expected[page - 1])
    assert np.array_equal(segmented(client, session, plane_key(facts["hash"], 1)), expected)
    one = client.get(f"/s/{session}/download/segmentation.tif?image={plane_key(facts['hash'], 2)}").data
    assert np.array_equal(tifffile.imread(io.BytesIO(one)), expected[1])


@pytest.mark.parametrize("seen", SEEN.values(), ids=SEEN)
def test_equal_planes_among_others_are_not_taken_for_each_other(client, session, seen):
    pixels = planes(5)
    pixels[4] = pixels[0]
    pixels[3] = pixels[3, :, ::-1]
    facts = opened(client, session, tiff(pixels, photometric="minisblack"))
    first, second, last = (plane_key(facts["hash"], page) for page in (1, 2, 5))
    converse(client, session, [stroke_event("a", second, 1, "M5,5L30,50"), stroke_event("b", second, 2, "M45,5L70,50")])
    changes(client, session, **seen)
    expected = of_the_library(client, session, pixels)
    assert not np.array_equal(expected[0], expected[4])
    assert np.array_equal(on_screen(client, session, first), expected[0])
    assert np.array_equal(on_screen(client, session, last), expected[4])
    assert np.array_equal(segmented(client, session, first), expected)


def test_features_that_are_kept_of_a_plane_are_those_among_the_planes_around_it():
    images = [seg.image_from_pixels(plane) for plane in planes(3)]
    classifier = SimpleNamespace(spec_=seg.FeatureSpec(sigma_max=2, planes_around=1))
    grid, kept = SimpleNamespace(places=np.arange(0, 4800, 60)), GridFeatures()
    seen = [with_slab(around, 1, 0, kept_smoothing(0)) for around in (images, [images[1], images[1], images[0]])]
    found = [kept.rows(nullcontext, one, classifier, grid) for one in seen]
    for one, rows in zip(seen, found, strict=True):
        assert np.array_equal(rows, feature_rows(one, classifier.spec_, grid.places))
    assert not np.array_equal(*found)


def test_a_further_stroke_looks_at_the_same_planes(client, session, stack):
    facts, pixels, _ = stack
    current = plane_key(facts["hash"], 3)
    on_screen(client, session, current)
    converse(client, session, [stroke_event("c", current, 2, "M50,10L60,40")])
    assert np.array_equal(on_screen(client, session, current), of_the_library(client, session, pixels)[2])


def test_the_command_line_learns_the_same(client, session, stack, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.tif").write_bytes(stack[2])
    for name in ("strokes.json", "classifier.squiggle"):
        (tmp_path / name).write_bytes(client.get(f"/s/{session}/download/{name}").data)
    assert main(["train", "s.tif", "--strokes", "strokes.json", "-o", "typed.squiggle"]) == 0
    assert (tmp_path / "typed.squiggle").read_bytes() == (tmp_path / "classifier.squiggle").read_bytes()


def test_a_classifier_of_volumes_says_on_an_image_what_it_needs(client, session, stack, tmp_path):
    content = client.get(f"/s/{session}/download/classifier.squiggle").data
    other = client.post("/sessions").json["session"]
    facts = client.post(f"/s/{other}/images?name=one.png", data=png(planes(1)[0])).json
    answer = client.post(f"/s/{other}/classifiers?name=theirs.squiggle", data=content).json
    events = [
        {"id": "open", "type": "image.open", "image": facts},
        {"id": "theirs", "type": "classifier.open", **answer},
    ]
    tiles = tile_request(60, 80) | {"image": facts["hash"]}
    messages = converse(client, other, events, segment=tiles)
    (told,) = [message["reason"] for message in messages if message["kind"] == "cannot"]
    assert "“one.png” is no plane along z of a stack" in told
    assert load_classifier(content).spec.looks_around


def test_strokes_on_an_image_that_is_no_plane_say_why_nothing_is_learnt(client, session):
    facts = client.post(f"/s/{session}/images?name=one.png", data=png(planes(1)[0])).json
    events = [
        {"id": "open", "type": "image.open", "image": facts},
        stroke_event("a", facts["hash"], 1, "M5,5L30,50"),
        stroke_event("b", facts["hash"], 2, "M45,5L70,50"),
    ]
    converse(client, session, events)
    changes(client, session, **SEEN["3-D"])
    messages = converse(client, session, segment=tile_request(60, 80) | {"image": facts["hash"]})
    (told,) = [message["reason"] for message in messages if message["kind"] == "cannot"]
    assert "“one.png” is no plane along z of a stack" in told
    changes(client, session, sigma_max=2.0)
    assert on_screen(client, session, facts["hash"]).shape == (60, 80)


def test_strokes_on_an_image_that_is_no_plane_are_left_out_where_a_stack_is_learnt(client, session, stack):
    facts, pixels, _ = stack
    current = plane_key(facts["hash"], 3)
    expected = of_the_library(client, session, pixels)
    one = client.post(f"/s/{session}/images?name=one.png", data=png(planes(1)[0])).json
    strokes = [stroke_event("c", one["hash"], 1, "M45,5L70,50"), stroke_event("d", one["hash"], 2, "M5,5L30,50")]
    converse(client, session, [{"id": "open", "type": "image.open", "image": one}, *strokes])
    assert np.array_equal(on_screen(client, session, current), expected[2])
    places = client.get(f"/s/{session}/next-strokes?image={current}").json["places"]
    assert one["hash"] not in {place["image"] for place in places}


def test_more_planes_than_there_is_memory_for_are_refused_in_words(client, session, stack, monkeypatch):
    monkeypatch.setattr(depth, "MOST_SLAB_BYTES", 10_000)
    tiles = tile_request(60, 80) | {"image": plane_key(stack[0]["hash"], 3)}
    messages = converse(client, session, segment=tiles)
    (told,) = [message["reason"] for message in messages if message["kind"] == "cannot"]
    assert "which is too much for this server" in told


def test_settings_of_a_stranger_ask_for_no_more_planes_than_a_server_reads_at_once(client, session, monkeypatch):
    facts = opened(client, session, tiff(planes(9), photometric="minisblack"))
    hashes = [plane_key(facts["hash"], page) for page in (2, 8)]
    strokes = [stroke_event("a", hashes[0], 1, "M5,5L30,50"), stroke_event("b", hashes[1], 2, "M45,5L70,50")]
    converse(client, session, strokes)
    monkeypatch.setattr(depth, "MOST_PLANES", 7)
    changes(client, session, sigma_min=0.5, sigma_max=1.0, dimensions=3, plane_distance=0.01)
    read, images = [], client.application.extensions["workbench"].images
    read_plane = images._read_plane
    monkeypatch.setattr(images, "_read_plane", lambda *given: read.append(given[-1]) or read_plane(*given))
    tiles = tile_request(60, 80) | {"image": hashes[0]}
    (told,) = [one["reason"] for one in converse(client, session, segment=tiles) if one["kind"] == "cannot"]
    assert "look at 9 planes together, which is too much for this server" in told
    assert set(read) <= {1, 2, 8}, "those around are not read for that"


def test_the_planes_that_are_looked_at_together_count_as_images_at_work(client, session, stack, monkeypatch):
    workbench = client.application.extensions["workbench"]
    at_work = ImagesAtWork(4 * 60 * 80 * 2)
    monkeypatch.setattr(workbench.conversations, "_at_work", at_work)
    tiles = tile_request(60, 80) | {"image": plane_key(stack[0]["hash"], 3)}
    with at_work.holding({"hash": "another", "rows": 600, "columns": 80, "channels": 1, "dtype": "uint8"}):
        assert converse(client, session, segment=tiles)[-1] == BUSY
        changes(client, session, sigma_max=2.0)
        assert converse(client, session, segment=tiles)[-1]["kind"] == "done", "alone it is small"
