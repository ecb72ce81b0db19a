"""Images that are read part by part: opened, seen, learnt from and segmented where somebody looks."""

import io
import json
import time
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image

import segmentation as seg
from segmentation.io.addresses import Places
from segmentation.io.limits import ImageError, PassingError
from segmentation.model.modelfile import load_model, save_model
from segmentation.series.run import apply_series
from segmentation.web.decoding import reading
from segmentation.web.decoding.client import Decoder
from segmentation.web.session.samples_in_time import SamplesInTime
from segmentation.web.store.files import LARGE
from tests.support.asking import converse, stroke_event, unpacked
from tests.support.images import textured
from tests.support.pyramids import write_pyramid, zipped

pytestmark = pytest.mark.slow

SHAPE = 1100, 1300
VIEW = [0, 300, 0, 700]
PATHS = {1: "M40,40L200,90", 2: "M300,700L420,760"}


@pytest.fixture(scope="module")
def pixels():
    return textured(*SHAPE)


def opened(client, session, content, name="cells.ozx"):
    facts = client.post(f"/s/{session}/images?name={name}", data=content).json
    if "hash" in facts:
        converse(client, session, [{"id": f"open-{name[0]}", "type": "image.open", "image": facts}])
    return facts


@pytest.fixture
def facts(client, session, pixels, tmp_path):
    return opened(client, session, zipped(write_pyramid(tmp_path / "a.zarr", pixels, chunks=256)))


def strokes(facts):
    return [stroke_event(f"s{one}", facts["hash"], one, path) for one, path in PATHS.items()]


def asked(facts, view=VIEW, **others):
    return {"image": facts["hash"], "view": view, "known": {}, **others}


def test_the_facts_name_the_levels(client, session, facts):
    assert (facts["rows"], facts["columns"], facts["dtype"]) == (*SHAPE, "uint8")
    assert facts["levels"] == [[1100, 1300], [550, 650], [275, 325]]
    assert facts["hash"].endswith(LARGE)


def test_images_that_look_alike_from_afar_are_not_taken_for_each_other(client, session, facts, pixels, tmp_path):
    finer = pixels.copy()
    finer[101::4, 53::4] ^= 255  # which no coarser level has
    other = opened(client, session, zipped(write_pyramid(tmp_path / "b.zarr", finer, chunks=256)))
    seen = [
        client.get(f"/s/{session}/images/{one['hash']}/values?rows=100,104&columns=50,54").data
        for one in (facts, other, facts)
    ]
    assert [np.array_equal(np.frombuffer(one, "<f8").reshape(4, 4), pixels[100:104, 50:54]) for one in seen] == [
        True,
        False,
        True,
    ]


@pytest.fixture
def alike(client, session, pixels, tmp_path):
    """Two images that differ only in pixels that the hash of a pyramid does not look at."""
    other = pixels.copy()
    other[101::4, 53::4] ^= 255
    files = [zipped(write_pyramid(tmp_path / f"{n}.zarr", one, chunks=256)) for n, one in enumerate((pixels, other))]
    assert len({Decoder().read_coarsest(one).metadata["pyramid"]["hash"] for one in files}) == 1
    return [opened(client, session, one, f"{n}.ozx") for n, one in enumerate(files)]


def test_strokes_on_images_that_look_alike_from_afar_stay_apart_in_files(client, session, alike, tmp_path):
    converse(client, session, [stroke_event(f"s{n}", one["hash"], n, PATHS[n]) for n, one in enumerate(alike, 1)])
    home = client.get(f"/s/{session}/download/classifier.squiggle?image={alike[0]['hash']}&along=strokes").data
    (tmp_path / "a.squiggle").write_bytes(home)
    by_image = load_model(tmp_path / "a.squiggle").strokes_by_image()
    assert [[one.id for one in by_image[facts["hash"]]] for facts in alike] == [["s1"], ["s2"]]
    came = client.post(f"/s/{session}/classifiers?name=theirs.squiggle", data=home).json
    assert {*came["strokes"]} == {one["hash"] for one in alike}


def test_an_older_classifier_finds_its_image_by_the_hash_of_its_pyramid(client, session, facts, pixels, tmp_path):
    converse(client, session, strokes(facts))
    url = f"/s/{session}/download/classifier.squiggle?image={facts['hash']}&along=strokes"
    contents, file = load_model(client.get(url).data), io.BytesIO()
    known = client.application.extensions["workbench"].images.large.pyramid(session, facts["hash"]).origin
    images = [one | {"hash": known} for one in contents.training["images"]]
    save_model(file, replace(contents, training=contents.training | {"images": images}))
    open_it = partial(client.post, f"/s/{session}/classifiers?name=older.squiggle", data=file.getvalue())
    came = open_it().json
    assert [*came["strokes"]] == [facts["hash"]]
    messages = converse(client, session, [{"id": "c", "type": "classifier.open", **came}], segment=asked(facts))
    assert [one["as_it_came"] for one in messages if one["kind"] == "learnt"] == [True]
    assert [*load_model(client.get(url).data).strokes_by_image()] == [known]
    converse(client, session, [stroke_event("s3", facts["hash"], 1, "M40,600L200,620")])
    assert [len(one) for one in load_model(client.get(url).data).strokes_by_image().values()] == [3]

    pixels = pixels.copy()
    pixels[101::4, 53::4] ^= 255
    opened(client, session, zipped(write_pyramid(tmp_path / "b.zarr", pixels, chunks=256)), "b.ozx")
    assert [*open_it().json["strokes"]] == [known], "it could be either of the two"


def test_parts_are_seen_from_the_level_that_is_fine_enough(client, session, facts, pixels):
    url = f"/s/{session}/images/{facts['hash']}"
    whole = client.get(f"{url}/view?rows=0,1100&columns=0,1300&step=4")
    assert Image.open(io.BytesIO(whole.data)).size == (325, 275)
    assert client.get(f"{url}/thumbnail").status_code == 200
    levels = client.get(f"{url}/levels?rows=100,120&columns=50,90&step=1&channels=0").data
    assert np.array_equal(np.frombuffer(levels, np.uint8).reshape(20, 40), pixels[100:120, 50:90])
    values = client.get(f"{url}/values?rows=1000,1002&columns=1200,1203").data
    assert np.array_equal(np.frombuffer(values, "<f8").reshape(2, 3), pixels[1000:1002, 1200:1203])
    assert client.get(f"{url}/about").json["pixel_size"]["x"] == 0.5


def test_what_lies_beside_each_other_is_decoded_together_and_once(client, session, pixels, tmp_path, monkeypatch):
    monkeypatch.setattr(SamplesInTime, "begin", lambda self, pyramid: None)
    monkeypatch.setattr(SamplesInTime, "of", lambda self, pyramid, anew: None)
    facts = opened(client, session, zipped(write_pyramid(tmp_path / "a.zarr", pixels, chunks=256)))
    read, windows = Decoder.read_part, []

    def counted(self, content, *, window, **named):
        windows.append(window.bounds)
        return read(self, content, window=window, **named)

    monkeypatch.setattr(Decoder, "read_part", counted)
    url = f"/s/{session}/images/{facts['hash']}"
    for _ in range(2):
        levels = client.get(f"{url}/levels?rows=0,1100&columns=0,1300&step=1&channels=0").data
        assert np.array_equal(np.frombuffer(levels, np.uint8).reshape(SHAPE), pixels)
    assert windows == [(0, 1023, 0, 1299), (1024, 1099, 0, 1299)]


@pytest.mark.parametrize("learned", [False, True])
def test_tiles_on_screen_are_those_of_the_library(client, session, facts, pixels, learned):
    spec, forest = seg.FeatureSpec(learned=learned), seg.ForestSettings()
    chosen = {"id": "chosen", "type": "settings.change", "features": spec.to_json(), "forest": forest.to_json()}
    messages = converse(client, session, [chosen, *strokes(facts)], segment=asked(facts))
    lines = {1: [(40, 40), (200, 90)], 2: [(300, 700), (420, 760)]}
    drawn = [seg.Stroke(f"s{one}", one, "path", points, 5) for one, points in lines.items()]
    image = seg.image_from_pixels(pixels)
    expected = seg.PixelClassifier(spec).fit(image, seg.rasterise(drawn, SHAPE)).predict(image)
    tiles = [one for one in messages if one["kind"] == "tile"]
    assert len(tiles) == 6
    for one in tiles:
        rows, columns = (slice(*one[side]) for side in ("rows", "columns"))
        assert np.array_equal(unpacked(one), expected[rows, columns])
    done = messages[-1]
    assert done["kind"] == "done"
    assert sum(done["pixels"].values()) == sum(unpacked(one).size for one in tiles)
    assert "on screen" in done["remark"]
    assert done["note"] == ""


def test_an_opened_classifier_takes_channels_by_their_names(client, session, pixels, tmp_path):
    stacked, names = np.dstack([pixels, 255 - pixels]), ["extra", "GFP", "DAPI"]
    learnt, labels = seg.image_from_pixels(stacked, {"channel_names": names[:0:-1]}), np.zeros(SHAPE, np.uint8)
    labels[40:60, 40:200], labels[300:320, 40:200] = 1, 2
    classifier, file = (
        seg.PixelClassifier(seg.FeatureSpec(sigma_max=2), n_estimators=5).fit(learnt, labels),
        io.BytesIO(),
    )
    classifier.save(file)
    many = np.dstack([pixels, *np.moveaxis(stacked[..., ::-1], 2, 0)])
    facts = opened(client, session, zipped(write_pyramid(tmp_path / "b.zarr", many, chunks=256, names=names)))
    came = client.post(f"/s/{session}/classifiers?name=theirs.squiggle", data=file.getvalue()).json
    messages = converse(client, session, [{"id": "c", "type": "classifier.open", **came}], segment=asked(facts))
    (told,) = [one for one in messages if one["kind"] == "learnt"]
    assert told["notes"] == [
        "Its channels are taken by their names: “DAPI” (number 3), “GFP” (number 2); 1 other channel is not looked at."
    ]
    expected = classifier.predict(learnt)
    for one in (one for one in messages if one["kind"] == "tile"):
        rows, columns = (slice(*one[side]) for side in ("rows", "columns"))
        assert np.array_equal(unpacked(one), expected[rows, columns])


def test_zoomed_out_the_middle_is_segmented_and_the_rest_is_told_of(client, session, facts, monkeypatch):
    monkeypatch.setattr("segmentation.web.session.large_segmentation.MOST_TILES", 4)
    messages = converse(client, session, strokes(facts), segment=asked(facts, [0, 1100, 0, 1300]))
    assert sum(one["kind"] == "tile" for one in messages) == 4
    assert "zoom in for the rest" in messages[-1]["remark"]


def test_what_needs_the_whole_says_what_does_it(client, session, facts):
    converse(client, session, strokes(facts))
    correction = {"id": "c", "type": "correction.add", "image": facts["hash"], "stroke": strokes(facts)[0]["stroke"]}
    told = converse(client, session, [correction])[0]
    assert "not corrected on the page" in str(told["refused"])
    alike = {"id": "m", "type": "stack.make", "name": "s", "images": [facts["hash"], "a" * 64], "axis": "z"}
    assert "not made a stack" in str(converse(client, session, [alike])[0]["refused"])
    answer = client.get(f"/s/{session}/download/segmentation.tif?image={facts['hash']}")
    assert answer.status_code >= 400
    assert "squiggle apply" in answer.get_data(as_text=True)


def test_the_classifier_and_the_strokes_go_home_and_are_those_of_the_file(client, session, facts, pixels, tmp_path):
    converse(client, session, strokes(facts))
    url = f"/s/{session}/download"
    home = client.get(f"{url}/classifier.squiggle?image={facts['hash']}&along=strokes,pixels")
    assert home.status_code == 200
    (tmp_path / "a.squiggle").write_bytes(home.data)
    contents = load_model(tmp_path / "a.squiggle")
    path = write_pyramid(tmp_path / "b.zarr", pixels, chunks=256)
    assert len(contents.strokes) == 2
    apply_series(seg.load_classifier(tmp_path / "a.squiggle"), path, tmp_path / "out")
    whole = zarr.open(tmp_path / "out/b.zarr", mode="r")
    messages = converse(client, session, [], segment=asked(facts))
    for one in (one for one in messages if one["kind"] == "tile"):
        rows, columns = (slice(*one[side]) for side in ("rows", "columns"))
        assert np.array_equal(unpacked(one), (whole if isinstance(whole, zarr.Array) else whole["0"])[rows, columns])
    drawn = client.get(f"{url}/strokes.json?image={facts['hash']}").json
    assert len(drawn["strokes"]) == 2


def test_the_file_of_a_session_brings_it_back(client, session, facts):
    converse(client, session, strokes(facts))
    exported = client.get(f"/s/{session}/file").data
    with client.post("/sessions/import", data=exported) as answer:
        brought = json.loads(answer.text.splitlines()[-1])["session"]
    client.application.extensions["workbench"].store.delete_session(session)
    messages = converse(client, brought, [], segment=asked(facts))
    assert messages[-1]["kind"] == "done"
    assert sum(one["kind"] == "tile" for one in messages) == 6


def test_no_strokes_are_held_out(client, session, facts):
    told = converse(client, session, [], segment=asked(facts, scores={}))[-1]
    assert told["reason"] == "Draw a squiggle in each of two classes."
    messages = converse(client, session, strokes(facts), segment=asked(facts, scores={}))
    assert "no strokes are held out" in messages[-1]["note"]


def test_features_that_look_at_several_planes_say_what_to_choose_instead(client, session, facts):
    for looks in ({"dimensions": 3}, {"planes_around": 1}):
        features = seg.FeatureSpec(**looks).to_json()
        forest = seg.ForestSettings(n_estimators=10).to_json()
        event = {"id": "-".join(looks), "type": "settings.change", "features": features, "forest": forest}
        told = converse(client, session, [*strokes(facts), event], segment=asked(facts))[-1]
        assert (told["kind"], "Each plane by itself" in told["reason"]) == ("cannot", True)


def test_a_damaged_part_is_told_of_and_the_rest_is_there(client, session, pixels, tmp_path):
    path = write_pyramid(tmp_path / "a.zarr", pixels, chunks=256)
    (path / "0/c/4/4").write_bytes(b"damaged")
    facts = opened(client, session, zipped(path))
    messages = converse(client, session, strokes(facts), segment=asked(facts, [0, 1100, 0, 1300]))
    assert messages[-1]["kind"] == "done"
    assert "cannot be read" in messages[-1]["note"]
    assert sum(messages[-1]["pixels"].values()) > 0

    there = stroke_event("there", facts["hash"], 2, "M1200,1060L1260,1080")
    messages = converse(client, session, [there], segment=asked(facts))
    (learnt,) = (one for one in messages if one["kind"] == "learnt")
    assert messages[-1]["kind"] == "done"
    assert "What is drawn in 1 part of “cells.ozx” is not learnt from." in str(learnt["notes"])
    assert client.get(f"/s/{session}/download/classifier.squiggle?image={facts['hash']}").status_code == 200
    gone = {"id": "gone", "type": "stroke.erase", "image": facts["hash"], "strokes": ["s2"]}
    told = converse(client, session, [gone], segment=asked(facts))[-1]
    assert told["kind"] == "cannot"
    assert "of “cells.ozx” is not learnt from" in told["reason"]
    assert "only one has labelled pixels" in told["reason"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (zipped(None, **{"notes.txt": "nothing"}), "without an OME-Zarr"),
        (zipped(None, **{"zarr.json": "{"}), "cannot be opened"),
        (b"PK\x03\x04 damaged", "damaged or incomplete"),
    ],
)
def test_a_zip_that_holds_no_image_is_refused_with_a_sentence(client, session, content, sentence):
    answer = client.post(f"/s/{session}/images?name=a.ozx", data=content)
    assert sentence in answer.json["error"]


def test_an_image_without_coarse_levels_is_known_and_not_read_whole(tmp_path, pixels):
    tifffile.imwrite(tmp_path / "a.tif", pixels, tile=(256, 128), metadata=None)
    found = reading.read_part(tmp_path / "a.tif", "a.tif", reading.Part(most_pixels=10**6), Places(), time.monotonic())
    assert (found.shape, found.pixels.dtype) == ((1, 1), np.uint8)
    about = found.metadata["pyramid"]
    assert (about["whole"], about["levels"], about["piece"]) == (False, [[*SHAPE, 1.0]], [256, 128])


@pytest.mark.parametrize(("layout", "size"), [({"rowsperstrip": 4000}, 24), ({"tile": (4000, 4000)}, 16), ({}, 0)])
def test_pieces_that_do_not_fit_its_memory_are_refused_before_the_image_is_kept(tmp_path, layout, size):
    how = {"compression": "zlib"} | layout if layout else {"rowsperstrip": 4000}
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4000, 6000), np.uint8), metadata=None, **how)
    decoder = Decoder(60 * 10**6)
    with (tmp_path / "a.tif").open("rb") as file:
        if not size:
            assert decoder.read_coarsest(file, name="a.tif").metadata["pyramid"]["whole"] is False
            return
        with pytest.raises(
            ImageError, match=f"pieces of {size} MB, and this server has room for pieces of 12 MB"
        ) as told:
            decoder.read_coarsest(file, name="a.tif")
    assert not isinstance(told.value, PassingError)
