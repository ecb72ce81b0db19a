"""What the page asks the server for, asked directly."""

import base64
import io
import json
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

import segmentation as seg
from segmentation.__main__ import main
from segmentation.features.cache import FeatureCache
from segmentation.io.display import display_pixels, encode_jpeg, encode_png
from segmentation.io.image import image_from_pixels
from segmentation.strokes.document import strokes_from_json
from segmentation.web.application import SAMPLE
from segmentation.web.pages.layout.downloads import DOWNLOADS
from segmentation.web.routes import images
from segmentation.web.session import journals
from segmentation.web.session.training import Trainer
from tests.support.asking import converse, stroke_event, stroke_of, tile_request, unpacked
from tests.support.images import HALVES

pytestmark = pytest.mark.slow


def test_a_new_session_has_the_sample_and_two_classes(client, session):
    (journal,) = converse(client, session)
    (start,) = journal["events"]
    assert start["number"] == 1
    assert start["body"]["image"]["hash"] == SAMPLE.image.hash
    assert [c["name"] for c in start["body"]["classes"]] == list(SAMPLE.classes)


def test_events_are_acknowledged_kept_once_and_told_to_other_windows(client, session):
    event = stroke_event("a", SAMPLE.image.hash, 1, "M1,1L9,9")
    converse(client, session, [event], after=1)
    converse(client, session, [event], after=1)
    (journal,) = converse(client, session, after=1, window="other")
    assert [e["number"] for e in journal["events"]] == [2]
    assert journal["events"][0]["body"]["stroke"]["id"] == "a"


def test_an_event_that_makes_no_sense_is_refused_and_the_others_are_kept(client, session):
    good = stroke_event("a", SAMPLE.image.hash, 1, "M1,1L9,9")
    bad = stroke_event("b", SAMPLE.image.hash, 1, "M1,1Lalert(1)")
    (journal,) = converse(client, session, [bad, good], after=1)
    assert [e["body"]["id"] for e in journal["events"]] == ["event-a"]
    assert [refusal["id"] for refusal in journal["refused"]] == ["event-b"]


@pytest.mark.slow
def test_the_segmentation_comes_tile_by_tile_and_equals_the_librarys(client, session, halves):
    messages = converse(client, session, segment=tile_request(*HALVES.shape))
    segmentation = np.zeros(HALVES.shape, np.uint8)
    for message in messages:
        if message["kind"] == "tile":
            rows, columns = slice(*message["rows"]), slice(*message["columns"])
            segmentation[rows, columns] = unpacked(message)
    strokes = json.loads(client.get(f"/s/{session}/download/strokes.json").data)["strokes"]
    labels = seg.rasterise(strokes, HALVES.shape)
    expected = seg.PixelClassifier().fit(HALVES, labels).predict(HALVES)
    assert (segmentation == expected).all()
    done = messages[-1]
    assert done["kind"] == "done"
    assert done["pixels"] == {"1": int((expected == 1).sum()), "2": int((expected == 2).sum())}
    labelled = next(message for message in messages if message["kind"] == "labelled")
    assert labelled["pixels"] == {"1": int((labels == 1).sum()), "2": int((labels == 2).sum())}


def test_a_draft_of_all_comes_before_the_tiles_of_an_image_that_is_not_held_as_bits(
    client, session, halves, monkeypatch
):
    monkeypatch.setattr("segmentation.live.draft.DRAFT_PIXELS", 600)
    client.application.extensions["workbench"].live.cache = FeatureCache(0)
    first = converse(client, session, segment=tile_request(*HALVES.shape))
    assert "draft" not in [message["kind"] for message in first]
    stroke = stroke_event("c", halves["hash"], 1, "M70,5L90,30")
    messages = converse(client, session, [stroke], segment=tile_request(*HALVES.shape), window="other")
    kinds = [message["kind"] for message in messages if message["kind"] in ("draft", "tile", "done")]
    assert kinds == ["draft", *["tile"] * (kinds.count("tile")), "done"]
    draft = next(message for message in messages if message["kind"] == "draft")
    assert (draft["step"], draft["first"]) == (7, 3)
    ids = zlib.decompress(base64.b64decode(draft["ids"]))
    tiles = {message["index"]: message for message in messages if message["kind"] == "tile"}
    assert sorted(tile["index"] for tile in draft["tiles"]) == sorted(tiles)
    for place in draft["tiles"]:
        tile = tiles[place["index"]]
        assert (place["rows"], place["columns"]) == (tile["rows"], tile["columns"])
        sample = unpacked(tile)[3::7, 3::7]
        assert ids[: sample.size] == sample.tobytes()
        ids = ids[sample.size :]
    assert ids == b""
    again = converse(client, session, segment=tile_request(*HALVES.shape), window="other")
    assert "draft" not in [message["kind"] for message in again]


def test_no_draft_comes_of_an_image_that_is_held_as_bits(client, session, halves, kernels, monkeypatch):
    monkeypatch.setattr("segmentation.live.draft.DRAFT_PIXELS", 600)
    for number in range(2):
        stroke = stroke_event(f"c{number}", halves["hash"], 1, f"M70,{5 + number}L90,30")
        messages = converse(client, session, [stroke], segment=tile_request(*HALVES.shape), window="other")
        kinds = {message["kind"] for message in messages}
        assert "tile" in kinds
        assert "draft" not in kinds


@pytest.mark.parametrize("layer", ["uncertainty", 2, 77])
def test_a_layer_comes_along_with_the_classes(client, session, halves, layer):
    asked = tile_request(*HALVES.shape)
    plain = {m["index"]: m for m in converse(client, session, segment=asked) if m["kind"] == "tile"}
    messages = converse(client, session, segment=asked | {"layer": layer})
    strokes = json.loads(client.get(f"/s/{session}/download/strokes.json").data)["strokes"]
    classifier = seg.PixelClassifier().fit(HALVES, seg.rasterise(strokes, HALVES.shape))
    probabilities = classifier.predict_proba(HALVES)
    shown = {"uncertainty": seg.uncertainty(probabilities), 2: probabilities[..., 1], 77: 0 * probabilities[..., 1]}
    for message in messages:
        if message["kind"] == "tile":
            rows, columns = slice(*message["rows"]), slice(*message["columns"])
            assert message["layer"] == str(layer)
            assert np.array_equal(unpacked(message), unpacked(plain[message["index"]]))
            assert message["crc"] != plain[message["index"]]["crc"]
            values = np.frombuffer(zlib.decompress(base64.b64decode(message["values"])), np.uint8)
            expected = shown[layer][rows, columns]
            assert np.allclose(values.reshape(expected.shape), 100 * expected, rtol=0, atol=0.51)
    assert messages[-1]["kind"] == "done"


@pytest.mark.parametrize("layer", ["confidence", 0, 256, True, 1.5, [1]])
def test_a_layer_that_there_is_not_is_refused(client, session, layer):
    body = {"after": 0, "events": [], "segment": tile_request(5, 5) | {"layer": layer}, "window": "w"}
    response = client.post(f"/s/{session}/converse", json=body)
    assert response.status_code == 422
    assert "layer that the server does not know" in response.json["error"]


def test_tiles_that_the_window_has_are_not_sent_again(client, session, halves):
    messages = converse(client, session, segment=tile_request(*HALVES.shape))
    known = {str(m["index"]): m["crc"] for m in messages if m["kind"] == "tile"}
    again = converse(client, session, segment=tile_request(*HALVES.shape, known=known))
    assert [m for m in again if "ids" in m] == []
    assert again[-1]["kind"] == "done"


def test_a_newer_request_of_a_window_makes_the_older_one_stop(client, session, halves):
    url = f"/s/{session}/converse"
    body = {"after": 0, "events": [], "segment": tile_request(*HALVES.shape), "window": "w"}
    older = client.post(url, json=body, buffered=False)
    lines = older.iter_encoded()
    assert json.loads(next(lines))["kind"] == "journal"
    converse(client, session, window="w")
    rest = [json.loads(line) for line in lines]
    assert all(message["kind"] not in ("tile", "done") for message in rest)


@pytest.mark.parametrize(
    ("paths", "sentence"),
    [((), "in each of two classes"), (((1, "M1,1L9,9"),), "only “Gland” has strokes")],
)
def test_what_is_missing_is_said(client, session, paths, sentence):
    events = [stroke_event(f"s{c}", SAMPLE.image.hash, c, path) for c, path in paths]
    messages = converse(client, session, events, segment=tile_request(512, 512))
    assert messages[-1]["kind"] == "cannot"
    assert sentence in messages[-1]["reason"]


def test_every_file_can_be_downloaded(client, session, halves):
    for name, _, _ in DOWNLOADS:
        response = client.get(f"/s/{session}/download/{name}")
        if name == "region.tif":
            assert (response.status_code, "Only here" in response.json["error"]) == (422, True)
            continue
        assert response.status_code == 200, name
        assert name in response.headers["Content-Disposition"]
    labels = tifffile.imread(io.BytesIO(client.get(f"/s/{session}/download/labels.tif").data))
    assert set(np.unique(labels)) == {0, 1, 2}


def test_downloading_without_strokes_says_why(client, session):
    response = client.get(f"/s/{session}/download/segmentation.png")
    assert response.status_code == 422
    assert "Draw a squiggle" in response.json["error"]
    assert client.get(f"/s/{session}/download/passwords.txt").status_code == 404


def test_an_image_is_shown_whole_in_part_and_coarser(client, session, halves):
    base = f"/s/{session}/images/{halves['hash']}/view"
    whole = Image.open(io.BytesIO(client.get(f"{base}?rows=0,40&columns=0,600&step=1").data))
    assert whole.size == (600, 40)
    part = Image.open(io.BytesIO(client.get(f"{base}?rows=10,20&columns=100,150&step=2").data))
    assert part.size == (25, 5)
    for query in ("rows=0,41&columns=0,600&step=1", "rows=5,5&columns=0,9&step=1", "rows=0,9&columns=0,9&step=0", ""):
        assert client.get(f"{base}?{query}").status_code == 422


@pytest.mark.parametrize("step", [1, 3])
@pytest.mark.parametrize("lossless_pixels", [10**6, 0])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_is_grey_travels_in_one_channel_and_is_decoded_to_the_same_colours(
    client, session, monkeypatch, dtype, lossless_pixels, step
):
    monkeypatch.setattr(images, "LOSSLESS_PIXELS", lossless_pixels)
    pixels = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (40, 60), endpoint=True).astype(dtype)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    facts = client.post(f"/s/{session}/images?name=grey.png", data=file.getvalue()).json
    answer = client.get(f"/s/{session}/images/{facts['hash']}/view?rows=3,33&columns=0,60&step={step}")
    coloured = display_pixels(image_from_pixels(pixels), rows=slice(3, 33), columns=slice(0, 60), step=step)
    expected = (encode_png if lossless_pixels else encode_jpeg)(coloured)
    shown, before = Image.open(io.BytesIO(answer.data)), Image.open(io.BytesIO(expected))
    assert (shown.mode, shown.format) == ("L", before.format)
    np.testing.assert_array_equal(np.array(shown.convert("RGB")), np.array(before))
    assert len(answer.data) < len(expected)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), ""),
        (b"hello", ""),
    ],
)
def test_what_is_no_image_is_refused_with_a_sentence(client, session, content, sentence):
    response = client.post(f"/s/{session}/images?name=x.png", data=content)
    assert sentence in response.json["error"]
    assert "hash" not in response.json


def test_images_too_large_are_refused_before_they_are_read(client, session):
    assert client.post(f"/s/{session}/images?name=x.png", data=bytes(6_000_000)).status_code == 413
    buffer = io.BytesIO()
    Image.new("L", (2000, 2000)).save(buffer, "PNG")
    response = client.post(f"/s/{session}/images?name=x.png", data=buffer.getvalue())
    assert "megapixel" in response.json["error"]


def test_one_session_cannot_reach_anothers_image(client, session, halves):
    other = client.post("/sessions").json["session"]
    url = f"/s/{other}/images/{halves['hash']}/view?rows=0,9&columns=0,9&step=1"
    assert client.get(url).status_code == 404
    assert client.get(f"/s/{session}/images/{halves['hash']}/view?rows=0,9&columns=0,9&step=1").status_code == 200
    opened = {"id": "o", "type": "image.open", "image": halves}
    messages = converse(client, other, [opened])
    assert "no such image" in messages[0]["refused"][0]["reason"]


def test_the_facts_of_an_opened_image_are_its_own_whatever_the_browser_says(client, session, halves):
    lie = {**halves, "rows": 10**9, "columns": 10**9, "channels": 3, "dtype": "float32", "name": "other name.png"}
    (journal,) = converse(client, session, [{"id": "again", "type": "image.open", "image": lie}])
    told = journal["events"][-1]["body"]["image"]
    assert told == {key: halves[key] for key in told} | {"name": "other name.png"}


def test_a_thumbnail_is_small_and_belongs_to_the_session(client, session, halves):
    url = f"/s/{session}/images/{halves['hash']}/thumbnail"
    for _ in range(2):
        thumbnail = Image.open(io.BytesIO(client.get(url).data))
        assert max(thumbnail.size) <= 192
    other = client.post("/sessions").json["session"]
    assert client.get(f"/s/{other}/images/{halves['hash']}/thumbnail").status_code == 404


def test_what_another_window_writes_ends_a_segmentation_that_is_under_way(client, session, halves, monkeypatch):
    monkeypatch.setattr(journals, "UPDATE_CHECK_SECONDS", 0)
    body = {"after": 0, "events": [], "segment": tile_request(*HALVES.shape), "window": "w"}
    lines = client.post(f"/s/{session}/converse", json=body, buffered=False).iter_encoded()
    assert json.loads(next(lines))["kind"] == "journal"
    converse(client, session, [stroke_event("c", halves["hash"], 1, "M70,5L90,30")], window="other")
    assert all(json.loads(line)["kind"] not in ("tile", "done") for line in lines)


def test_a_request_for_an_image_that_another_window_removed_ends_with_the_updates(client, session, halves):
    converse(client, session, [{"id": "gone", "type": "image.remove", "image": halves["hash"]}])
    (journal,) = converse(client, session, after=4, segment=tile_request(*HALVES.shape) | {"image": halves["hash"]})
    assert [event["body"]["id"] for event in journal["events"]] == ["gone"]


def test_a_session_that_is_deleted_in_the_middle_of_an_answer_is_gone(client, session, halves, monkeypatch):
    train = Trainer.train

    def deleted_meanwhile(*given):
        assert client.delete(f"/s/{session}").status_code == 200
        return train(*given)

    monkeypatch.setattr(Trainer, "train", deleted_meanwhile)
    last = converse(client, session, segment=tile_request(*HALVES.shape))[-1]
    assert last["kind"] == "gone"
    assert "no session behind this link" in last["reason"]


def test_an_unknown_session_is_a_sentence(client):
    (message,) = converse(client, "nobody")
    assert message["kind"] == "gone"
    assert "no session" in message["reason"]
    assert client.get("/s/nobody/download/strokes.json").status_code == 404


class Unread(io.BytesIO):
    """A body that nobody may read."""

    def read(self, *_size):
        raise AssertionError("the body was read")

    readline = readinto = read


@pytest.mark.parametrize("length", [{"CONTENT_LENGTH": str(2**24)}, {"HTTP_TRANSFER_ENCODING": "chunked"}])
def test_a_long_body_for_a_session_that_there_is_not_is_not_read(client, length):
    response = client.post("/s/nobody/converse", environ_overrides={"wsgi.input": Unread(), **length})
    assert json.loads(response.data)["kind"] == "gone"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"after": 0, "events": [' + b"{}," * 1_000_000 + b'{}], "window": "w"}',
        b"{",
        b'{"after": -1, "events": [], "window": "w"}',
        b'{"after": 0, "events": {}, "window": "w"}',
        b'{"after": 0, "events": [], "window": 3}',
        b'{"after": 0, "events": [], "window": "w", "segment": {"view": [1, 2], "known": {}}}',
        b'{"after": 0, "events": [], "window": "w", "segment": {"view": [1, 2, 3, "x"], "known": {}}}',
        b'{"after": 0, "events": [], "window": "w", "segment": 7}',
    ],
)
def test_a_conversation_that_makes_no_sense_is_refused(client, session, body):
    response = client.post(f"/s/{session}/converse", data=body, content_type="application/json")
    assert response.status_code == 422
    assert response.json["error"].endswith("reload it.")


def test_undo_of_many_strokes_leaves_the_labels_of_the_rest(client, session, halves):
    events = [stroke_event(f"n{i}", halves["hash"], 1 + i % 2, f"M{10 * i},3L{10 * i + 9},33") for i in range(30)]
    events += [{"id": f"undo-{i}", "type": "undo", "event": f"event-n{i}"} for i in range(0, 30, 3)]
    converse(client, session, events[:20])
    client.get(f"/s/{session}/download/labels.tif")
    converse(client, session, events[20:])
    labels = tifffile.imread(io.BytesIO(client.get(f"/s/{session}/download/labels.tif").data))
    strokes = json.loads(client.get(f"/s/{session}/download/strokes.json").data)["strokes"]
    assert len(strokes) == 22
    assert (labels == seg.rasterise(strokes, HALVES.shape)).all()


def test_the_classifier_is_trained_on_the_strokes_on_all_images_of_as_many_channels(client, session, halves, tmp_path):
    turned = np.ascontiguousarray(HALVES[:, ::-1])
    colour = np.stack([HALVES] * 3, axis=-1)
    for name, pixels in (("turned", turned), ("colour", colour)):
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")
        facts = client.post(f"/s/{session}/images?name={name}.png", data=buffer.getvalue()).json
        converse(client, session, [{"id": f"open-{name}", "type": "image.open", "image": facts}])
        if name == "turned":
            there = facts["hash"]
            converse(client, session, [stroke_event("c", there, 1, "M520,5L560,30")])
    labels = [seg.rasterise([stroke_of("a", 1, "M20,5L60,30"), stroke_of("b", 2, "M520,5L560,30")], HALVES.shape)]
    labels.append(seg.rasterise([stroke_of("c", 1, "M520,5L560,30")], HALVES.shape))
    expected = seg.PixelClassifier().fit([HALVES, turned], labels)
    for image_hash, pixels in ((halves["hash"], HALVES), (there, turned)):
        found = client.get(f"/s/{session}/download/segmentation.tif?image={image_hash}").data
        assert (tifffile.imread(io.BytesIO(found)) == expected.predict(pixels)).all()
    document = strokes_from_json(client.get(f"/s/{session}/download/strokes.json").data)
    assert [(one.image_hash, one.name, len(one.strokes)) for one in document.drawings] == [
        (halves["hash"], "halves.png", 2),
        (there, "turned.png", 1),
    ]
    answer = client.get(f"/s/{session}/download/segmentation.tif")
    assert answer.status_code == 422
    assert answer.json["error"].startswith("Draw a squiggle")
    for name in ("strokes.json", "classifier.squiggle"):
        (tmp_path / name).write_bytes(client.get(f"/s/{session}/download/{name}?image={there}").data)
    for name, pixels in (("halves.png", HALVES), ("turned.png", turned)):
        Image.fromarray(pixels).save(tmp_path / name)
    typed = ["train", "turned.png", "halves.png", "--strokes", "strokes.json", "-o", "typed"]
    assert main([word if word.startswith("-") or word == "train" else f"{tmp_path}/{word}" for word in typed]) == 0
    assert (tmp_path / "typed").read_bytes() == (tmp_path / "classifier.squiggle").read_bytes()
    answer = client.get(f"/s/{session}/download/segmentation.tif?image={'0' * 64}")
    assert answer.status_code == 422
    assert "not in the session" in answer.json["error"]
