"""Stacks in a session: opened as one file or made of images, addressed plane by plane, segmented as a whole."""

import base64
import io
import json
from contextlib import contextmanager

import numpy as np
import pytest
import tifffile
from PIL import Image

import segmentation as seg
from segmentation.__main__ import main
from segmentation.io.image import Image as LibraryImage
from segmentation.model.modelfile import load_model
from segmentation.strokes.classes import REGION
from segmentation.strokes.document import strokes_from_json
from segmentation.web.application import create_app
from segmentation.web.http.connection import HAS_GONE
from segmentation.web.session import stack_results, stacks
from segmentation.web.session.scheduler import Scheduler
from segmentation.web.session.stacks import plane_key, planes_of
from segmentation.web.settings import Settings
from tests.support.asking import converse, stroke_event


def planes(count=6, seed=0):
    """Noise that is dark at the left and bright at the right, the brighter the later."""
    noise = np.random.default_rng(seed).integers(0, 40, (count, 60, 80))
    noise[..., 40:] += 120
    return (noise + 3 * np.arange(count)[:, None, None]).astype(np.uint8)


def stack_file(pixels, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **{"photometric": "minisblack", "metadata": None} | options)
    return file.getvalue()


def opened(client, session, content, name="s.tif"):
    facts = client.post(f"/s/{session}/images?name={name}", data=content).json
    (journal,) = converse(client, session, [{"id": f"open-{name[:-4]}", "type": "image.open", "image": facts}])
    assert journal["refused"] == []
    return facts


def view(client, session, image_hash, of=""):
    query = f"rows=0,60&columns=0,80&step=1{of}"
    response = client.get(f"/s/{session}/images/{image_hash}/view?{query}")
    shown = response.json if response.is_json else np.array(Image.open(io.BytesIO(response.data)))
    return response, shown


@pytest.fixture
def stack(client, session):
    """An opened stack of z and t, with a stroke on each side of different planes."""
    pixels = planes()
    facts = opened(client, session, stack_file(pixels.reshape(2, 3, 60, 80), imagej=True, metadata={"axes": "TZYX"}))
    converse(
        client,
        session,
        [
            stroke_event("a", plane_key(facts["hash"], 2), 1, "M5,5L30,50"),
            stroke_event("b", plane_key(facts["hash"], 5), 2, "M45,5L70,50"),
        ],
    )
    return facts, pixels


def test_what_names_no_plane_names_no_image(client, session, stack):
    facts, _ = stack
    pages = ["00000007", "ffffffff", "-0000001", "+0000001", "0x000001", "0000_001", "0000000A", "zzzzzzzz"]
    for image_hash in [facts["hash"][:-8] + page for page in pages] + ["x", "00000001"]:
        for what in ("about", "thumbnail", "view?rows=0,9&columns=0,9&step=1", "values?rows=0,9&columns=0,9"):
            answer = client.get(f"/s/{session}/images/{image_hash}/{what}")
            assert (answer.status_code, answer.json) == (404, {"error": "This session has no such image."})


def state(client, session):
    return client.application.extensions["workbench"].journals.state(session)


def test_each_plane_is_an_image_and_values_are_the_files(client, session, stack):
    facts, pixels = stack
    assert (facts["pages"], facts["axes"]) == (6, [["z", 3], ["t", 2]])
    folded = state(client, session)
    assert folded.stacks[facts["hash"]]["planes"] == [plane_key(facts["hash"], page) for page in range(1, 7)]
    assert folded.image["page"] == 2  # amid its depth, at its first time
    for page in (6, 1, 4):
        values = client.get(f"/s/{session}/images/{plane_key(facts['hash'], page)}/values?rows=0,60&columns=0,80").data
        assert (np.frombuffer(values, "<f8").reshape(60, 80) == pixels[page - 1]).all()
    assert client.get(f"/s/{session}/images/{plane_key('e' * 64, 1)}/about").status_code == 404


def test_all_planes_are_shown_in_one_range(client, session):
    pixels = np.stack([np.full((60, 80), value, np.uint16) for value in (100, 200, 300)])
    facts = opened(client, session, stack_file(pixels))
    shades = [view(client, session, plane_key(facts["hash"], page))[1][0, 0] for page in (1, 2, 3)]
    assert shades == sorted(set(shades))


def test_another_server_reads_planes_out_of_the_store(client, session, stack, tmp_path):
    facts, pixels = stack
    other = create_app(Settings(data_folder=tmp_path)).server
    values = (
        other.test_client().get(f"/s/{session}/images/{plane_key(facts['hash'], 3)}/values?rows=0,60&columns=0,80").data
    )
    other.extensions["workbench"].store.close()
    assert (np.frombuffer(values, "<f8").reshape(60, 80) == pixels[2]).all()


def of_the_library(document, pixels, content):
    """What the library learns of a strokes file and segments."""
    read = list(seg.read_stack(content))
    drawn = {drawing.image_hash: drawing for drawing in strokes_from_json(document).drawings}
    learnt = [image for image in read if image.hash in drawn]
    labels = [seg.rasterise(drawn[image.hash].strokes, image.shape) for image in learnt]
    settings = document["settings"]
    spec = seg.FeatureSpec.from_json(settings["features"])
    classifier = seg.PixelClassifier(spec, **settings["forest"]).fit(learnt, labels)
    return np.stack([classifier.predict(image) for image in read])


def stack_tiff(client, session, image_hash):
    """What the page gives of all planes of the stack of an image."""
    answer = client.get(f"/s/{session}/download/planes?image={image_hash}")
    return base64.b64decode("".join(json.loads(line).get("part", "") for line in answer.data.splitlines()))


def segmented(client, session, image_hash):
    """The class ids of all planes of the stack of an image, ``(planes, rows, columns)``."""
    found = tifffile.imread(io.BytesIO(stack_tiff(client, session, image_hash)))
    return found.reshape(-1, *found.shape[-2:])


def test_strokes_on_planes_make_one_classifier_that_segments_the_stack(client, session, stack):
    facts, pixels = stack
    current = plane_key(facts["hash"], 1)
    document = json.loads(client.get(f"/s/{session}/download/strokes.json").data)
    drawn = [document["image"], *(one["image"] for one in document["others"])]
    assert [one["page"] for one in drawn] == [2, 5]
    assert [one["hash"] for one in drawn] == [LibraryImage(pixels[page]).hash for page in (1, 4)]

    answer = client.get(f"/s/{session}/download/planes?image={current}")
    lines = [json.loads(line) for line in answer.data.splitlines()]
    assert [line["done"] for line in lines if "done" in line] == list(range(7))
    assert lines[-1] == {"notes": []}
    expected = of_the_library(document, pixels, stack_file(pixels))
    assert (segmented(client, session, current) == expected).all()
    single = tifffile.imread(io.BytesIO(client.get(f"/s/{session}/download/segmentation.tif?image={current}").data))
    assert (single == expected[0]).all()
    query = f"image={plane_key(facts['hash'], 5)}"
    table = client.get(f"/s/{session}/download/objects.csv?{query}").text.splitlines()
    assert {row.split(",")[1] for row in table[1:]} == {"5"}
    assert "s.tif, plane z 2, t 2<" in client.get(f"/s/{session}/download/report.html?{query}").text


def test_the_size_that_was_typed_and_the_axes_are_in_the_stack_as_from_the_command_line(client, session, tmp_path):
    content = stack_file(planes())
    facts = opened(client, session, content)
    keys = [plane_key(facts["hash"], page) for page in (2, 5)]
    strokes = [stroke_event("a", keys[0], 1, "M5,5L30,50"), stroke_event("b", keys[1], 2, "M45,5L70,50")]
    size = {"x": 0.5, "y": 0.4, "z": 2.0, "unit": "µm"}
    converse(client, session, [*strokes, {"id": "m", "type": "image.measure", "image": keys[0], "pixel_size": size}])
    made = stack_tiff(client, session, keys[0])
    with tifffile.TiffFile(io.BytesIO(made)) as tiff:
        assert tiff.series[0].axes == "ZYX"
        assert tiff.imagej_metadata["spacing"] == 2
    (tmp_path / "s.tif").write_bytes(content)
    (tmp_path / "c.squiggle").write_bytes(client.get(f"/s/{session}/download/classifier.squiggle").data)
    apply = ["apply", str(tmp_path / "c.squiggle"), str(tmp_path / "s.tif"), "--pixel-size", "0.5x0.4x2um"]
    assert main([*apply, "-o", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "s.tif").read_bytes() == made


def test_outlines_and_corrections_count_on_their_planes(client, session, stack):
    facts, pixels = stack
    here = {"id": "here", "class_id": REGION, "kind": "rectangle", "x0": 10, "y0": 10, "x1": 60, "y1": 50}
    painted = {"id": "fix", "class_id": 2, "kind": "rectangle", "x0": 5, "y0": 5, "x1": 20, "y1": 20}
    plain = segmented(client, session, plane_key(facts["hash"], 1))
    outlined, corrected = (plane_key(facts["hash"], page) for page in (3, 4))
    events = [
        {"id": "outlines", "type": "stroke.add", "image": outlined, "stroke": here},
        {"id": "corrects", "type": "correction.add", "image": corrected, "stroke": painted},
    ]
    converse(client, session, events)
    plain[2][seg.rasterise([here | {"class_id": 1}], pixels[2].shape) == 0] = 0
    plain[3][seg.rasterise([painted], pixels[3].shape) == 2] = 2
    np.testing.assert_array_equal(segmented(client, session, outlined), plain)


def test_a_stack_whose_person_has_gone_is_segmented_no_further(client, session, stack):
    facts, _ = stack
    asked = iter([False, False])
    query = f"download/planes?image={plane_key(facts['hash'], 1)}"
    answer = client.get(f"/s/{session}/{query}", environ_overrides={HAS_GONE: lambda: next(asked, True)})
    lines = [json.loads(line) for line in answer.data.splitlines()]
    assert 1 <= len(lines) < 6
    assert all(line.keys() == {"done", "of"} for line in lines)
    assert len(segmented(client, session, plane_key(facts["hash"], 1))) == 6


def test_corrections_of_planes_are_painted_in_turns(client, session, stack, monkeypatch):
    facts, _ = stack
    plane = plane_key(facts["hash"], 2)
    correction = stroke_event("c", plane, 1, "M1,1L9,9") | {"type": "correction.add"}
    assert converse(client, session, [correction])[0]["refused"] == []
    inside, painted = [], []
    whole_turn, rasterise = Scheduler.whole_turn, stack_results.rasterise

    @contextmanager
    def noted(*given, **named):
        with whole_turn(*given, **named):
            inside.append(True)
            yield
            inside.pop()

    def watched(*given):
        painted.append(bool(inside))
        return rasterise(*given)

    monkeypatch.setattr(Scheduler, "whole_turn", noted)
    monkeypatch.setattr(stack_results, "rasterise", watched)
    assert b"error" not in client.get(f"/s/{session}/download/planes?image={plane}").data
    assert painted == [True]


def test_a_stack_that_is_open_is_not_opened_anew_under_each_name(monkeypatch):
    made = []
    monkeypatch.setattr(stacks, "planes_of", lambda stack: made.append(stack) or planes_of(stack))
    facts = {"hash": "a" * 56 + "0" * 8, "rows": 9, "columns": 9, "channels": 1, "dtype": "uint8", "pages": 5000}
    facts |= {"axes": [["z", 5000]]}
    images, opened_stacks = {}, {}
    shown = [stacks.open_stack(images, opened_stacks, facts | {"name": f"{n}.tif"}) for n in range(100)]
    assert len(made) == 1
    assert shown == [shown[0]] * 100
    assert len(images) == 5000
    del images[shown[0]["hash"]]
    assert stacks.open_stack(images, opened_stacks, facts | {"name": "again.tif"})["name"] == "again.tif"


def test_strokes_find_their_planes_again(client, session, stack):
    facts, _ = stack
    document = client.get(f"/s/{session}/download/strokes.json").data
    brought = client.post(f"/s/{session}/brought?name=strokes.json", data=document).json
    assert set(brought["event"]["strokes"]) == {plane_key(facts["hash"], page) for page in (2, 5)}


def test_a_classifier_file_names_the_planes_by_their_pixels(client, session, stack, tmp_path):
    _, pixels = stack
    path = tmp_path / "c.squiggle"
    path.write_bytes(client.get(f"/s/{session}/download/classifier.squiggle?along=strokes").data)
    classifier = seg.load_classifier(path)
    hashes = {LibraryImage(pixels[page]).hash for page in (1, 4)}
    assert {image["hash"] for image in classifier.training_["images"]} == hashes
    assert set(load_model(path.read_bytes()).strokes_by_image()) == hashes


def test_strokes_of_a_classifier_lie_on_the_planes_of_the_stack_again(client, session, stack):
    facts, pixels = stack
    drawn = state(client, session).drawn
    content = client.get(f"/s/{session}/download/classifier.squiggle?along=strokes").data
    again = client.post("/sessions").json["session"]
    opened(client, again, stack_file(pixels.reshape(2, 3, 60, 80), imagej=True, metadata={"axes": "TZYX"}))
    answer = client.post(f"/s/{again}/classifiers?name=c.squiggle", data=content).json
    assert set(answer["strokes"]) == {plane_key(facts["hash"], page) for page in (2, 5)}
    converse(client, again, [{"id": "opened", "type": "classifier.open", **answer}])
    assert state(client, again).drawn == drawn
    bench = client.application.extensions["workbench"]
    trained = bench.downloads.segmented(again, plane_key(facts["hash"], 1))[0].trained
    assert trained.unchanged
    assert "together with its strokes." in trained.text
    kept = load_model(client.get(f"/s/{again}/download/classifier.squiggle?along=strokes").data)
    assert kept.strokes_by_image() == load_model(content).strokes_by_image()

    packed = client.get(f"/s/{again}/file").data
    third = json.loads(client.post("/sessions/import?name=x", data=packed).data.splitlines()[-1])["session"]
    assert state(client, third).drawn == drawn


def test_the_command_line_learns_the_same_from_the_stack_and_its_strokes(client, session, stack, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.tif").write_bytes(stack_file(stack[1]))
    for name in ("strokes.json", "classifier.squiggle"):
        (tmp_path / name).write_bytes(client.get(f"/s/{session}/download/{name}").data)
    assert main(["train", "s.tif", "--strokes", "strokes.json", "-o", "typed.squiggle"]) == 0
    assert (tmp_path / "typed.squiggle").read_bytes() == (tmp_path / "classifier.squiggle").read_bytes()


def test_a_session_file_holds_the_stack_once(client, session, stack):
    content = client.get(f"/s/{session}/file").data
    lines = client.post("/sessions/import", data=content).data.splitlines()
    again = json.loads(lines[-1])["session"]
    assert state(client, again).drawn == state(client, session).drawn
    assert len(client.application.extensions["workbench"].store.images(again)) == 2  # the sample and the stack


def test_planes_that_are_unlike_the_first_or_damaged_are_told(client, session):
    pixels = planes(3)
    content = bytearray(stack_file(pixels, compression="zlib"))
    with tifffile.TiffFile(io.BytesIO(bytes(content))) as tiff:
        place = tiff.pages[1].dataoffsets[0]
    content[place : place + 40] = b"\xff" * 40
    facts = opened(client, session, bytes(content))
    response, told = view(client, session, plane_key(facts["hash"], 2))
    assert response.status_code == 422
    assert "cannot be used" in told["error"]

    mixed = io.BytesIO()
    with tifffile.TiffWriter(mixed) as writer:
        writer.write(pixels[0], metadata=None)
        writer.write(pixels[1].astype(np.uint16), metadata=None)
    facts = opened(client, session, mixed.getvalue(), "mixed.tif")
    response, told = view(client, session, plane_key(facts["hash"], 2))
    assert response.status_code == 422
    assert "uint16, unlike the first" in told["error"]
    tiles = {"image": plane_key(facts["hash"], 2), "view": [0, 60, 0, 80], "known": {}}
    answer = converse(client, session, segment=tiles)
    assert any("unlike the first" in str(message) for message in answer)


def test_images_of_several_sizes_are_no_stack(client, session):
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(planes(1)[0], metadata=None)
        writer.write(planes(1)[0, ::2, ::2], metadata=None)
    facts = opened(client, session, file.getvalue())
    assert "pages" not in facts
    assert facts["notes"] == ["This is the first of 2 images in the file."]


def test_images_are_made_a_stack(client, session):
    content = [stack_file(one) for one in planes(3)]
    hashes = [opened(client, session, one, f"s{n}.tif")["hash"] for n, one in enumerate(content)]
    event = {"id": "made", "type": "stack.make", "name": "s1 – s3", "images": hashes, "axis": "t"}
    converse(client, session, [event, stroke_event("a", hashes[0], 1, "M5,5L30,50")])
    converse(client, session, [stroke_event("b", hashes[2], 2, "M45,5L70,50")])
    answer = client.get(f"/s/{session}/download/planes?image={hashes[1]}")
    assert json.loads(answer.data.splitlines()[0]) == {"done": 0, "of": 3}
    converse(client, session, [{"id": "undone", "type": "undo", "event": "made"}])
    assert not state(client, session).stacks
    assert "not a plane of a stack" in client.get(f"/s/{session}/download/planes?image={hashes[1]}").json["error"]


def test_images_that_were_made_a_stack_are_shown_in_one_range(client, session):
    content = [stack_file(np.full((60, 80), value, np.uint16)) for value in (100, 200, 300)]
    hashes = [opened(client, session, one, f"s{n}.tif")["hash"] for n, one in enumerate(content)]
    assert [view(client, session, one)[1].max() for one in hashes] == [128] * 3
    event = {"id": "made", "type": "stack.make", "name": "s1 – s3", "images": hashes, "axis": "t"}
    converse(client, session, [event])
    assert [state(client, session).images[one]["shown_with"] for one in hashes] == [hashes] * 3
    query = f"with={','.join(hashes)}"
    shown = [view(client, session, one, f"&{query}")[1].max() for one in hashes]
    assert shown[0] < 10 < shown[1] < 245 < shown[2]
    told = [client.get(f"/s/{session}/images/{one}/about?{query}").json["channels"][0] for one in hashes]
    assert told[0] == told[2]
    assert (told[0]["smallest"], told[0]["largest"]) == (100, 300)
    assert view(client, session, hashes[0], f"&with={'f' * 64}")[0].status_code == 404
    assert view(client, session, hashes[0], f"&{query},{query[5:]}")[0].status_code == 422


def test_stacks_that_are_too_large_are_refused_in_words(client, session, monkeypatch):
    monkeypatch.setattr("segmentation.web.session.stacks.MAX_PLANES", 3)
    answer = client.post(f"/s/{session}/images?name=s.tif", data=stack_file(planes(4))).json
    assert "4 planes" in answer["error"]
    monkeypatch.undo()
    monkeypatch.setattr("segmentation.web.session.stacks.MAX_STACK_PIXELS", 10_000)
    answer = client.post(f"/s/{session}/images?name=s.tif", data=stack_file(planes(4))).json
    assert "gigapixels" in answer["error"]


def test_only_a_stack_may_be_larger_than_an_image(tmp_path):
    app = create_app(Settings(data_folder=tmp_path, max_upload_bytes=20_000, max_stack_bytes=100_000)).server
    client = app.test_client()
    session = client.post("/sessions").json["session"]
    assert opened(client, session, stack_file(planes(8)))["pages"] == 8
    answer = client.post(f"/s/{session}/images?name=s.tif", data=stack_file(np.concatenate(planes(8))))
    assert "more only of a stack: a file whose images are all alike" in answer.json["error"]
    for too_large in (b"\x89PNG" + bytes(40_000), b"II*\0" + bytes(120_000), bytes(120_000)):
        assert client.post(f"/s/{session}/images?name=s.tif", data=too_large).status_code == 413
    app.extensions["workbench"].store.close()
