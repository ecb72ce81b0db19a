"""Zarr arrays: every layout gives what the whole image gives, block by block, also after an interruption."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from segmentation._shared.bounded_cache import BoundedCache
from segmentation._shared.tiling import TileGrid, Window
from segmentation.features.cache import FeatureCache
from segmentation.io import sampling, standardise, zarr_images
from segmentation.io.image import image_from_pixels
from segmentation.io.pyramid import window_with_halo
from segmentation.io.zarr_pyramid import open_pyramid
from segmentation.live.pyramids import PyramidSegmenter
from segmentation.live.segmenter import LiveSegmenter
from segmentation.model.pyramid_facts import pyramid_facts
from segmentation.series.run import apply_series
from tests.support import ROOT
from tests.support.classifiers import trained
from tests.support.files import files_in
from tests.support.images import textured
from tests.support.pyramids import write_pyramid

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(zarr_images, "BLOCK_SIDE", 32)


@pytest.fixture(scope="module")
def grey():
    return trained(textured())


@pytest.fixture(scope="module")
def colour():
    return trained(coloured(40, 50))


def coloured(rows, columns):
    return np.dstack([textured(rows, columns, seed) for seed in range(3)])


def stored(path, pixels, chunks=16, zarr_format=3, **options):
    array = zarr.create_array(
        path, shape=pixels.shape, chunks=tuple(min(chunks, length) for length in pixels.shape), dtype=pixels.dtype,
        zarr_format=zarr_format, **options,
    )  # fmt: skip
    array[:] = pixels
    return path


def ome(path, pixels, names, zarr_format=3):
    axes = [{"name": name, "type": "channel" if name == "c" else "space", "unit": "micrometer"} for name in names]
    scale = [{"type": "scale", "scale": [0.5] * len(names)}]
    multiscale = {"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": scale}]}
    attributes = {"ome": {"version": "0.5", "multiscales": [multiscale]}}
    if zarr_format == 2:
        attributes = {"multiscales": [multiscale | {"version": "0.4"}]}
    zarr.create_group(path, zarr_format=zarr_format, attributes=attributes)
    stored(path, pixels, zarr_format=zarr_format, name="0")
    return path


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("shape", [(70, 90), (32, 64), (5, 7), (1, 33)])
def test_blocks_give_what_the_whole_gives(shape, zarr_format, grey, tmp_path):
    pixels = textured(*shape)
    stored(tmp_path / "image.zarr", pixels, zarr_format=zarr_format)
    report = apply_series(grey, tmp_path / "image.zarr", tmp_path / "out", probabilities=True, table=True)
    assert not report.failed
    labels = zarr.open(tmp_path / "out/image.zarr", mode="r")
    assert labels.dtype == np.uint8
    assert labels.metadata.zarr_format == zarr_format
    assert np.array_equal(labels[:], grey.predict(pixels))
    probabilities = zarr.open(tmp_path / "out/image.probabilities.zarr", mode="r")[:]
    assert np.array_equal(np.moveaxis(probabilities, 0, -1), grey.predict_proba(pixels))
    assert [entry["name"] for entry in labels.attrs["classes"]] == ["Class 1", "Class 2"]
    rows = (tmp_path / "out/shares.csv").read_text().splitlines()[1:]
    assert sum(int(row.split(",")[4]) for row in rows) == pixels.size


@pytest.mark.parametrize("shape", [(150, 230), (7, 130)])
def test_blocks_have_the_learned_texture_of_the_whole(shape, tmp_path):
    pixels = textured(*shape)
    classifier = trained(textured(120, 130), learned=True)
    apply_series(classifier, stored(tmp_path / "image.zarr", pixels), tmp_path / "out")
    assert np.array_equal(zarr.open(tmp_path / "out/image.zarr", mode="r")[:], classifier.predict(pixels))


def test_a_large_array_is_standardised_by_its_sample_as_on_the_page_and_whole(tmp_path, monkeypatch):
    pixels = np.linspace(0, 9, 96 * 130).reshape(96, 130).astype(np.float32) * textured(96, 130)
    classifier = trained(pixels, standardise=True)
    of_all = classifier.predict(pixels)
    monkeypatch.setattr(sampling, "LARGE_PIXELS", 4000)
    monkeypatch.setattr(sampling, "SAMPLED_SIDE", 8)
    apply_series(classifier, stored(tmp_path / "image.zarr", pixels), tmp_path / "out")
    monkeypatch.setattr(standardise, "_kept", BoundedCache(0))  # what was standardised by all of it
    found = zarr.open(tmp_path / "out/image.zarr", mode="r")[:]
    assert not np.array_equal(found, of_all)
    assert np.array_equal(found, classifier.predict(pixels))
    pyramid = open_pyramid(tmp_path / "image.zarr")
    segmenter = PyramidSegmenter(LiveSegmenter(FeatureCache(10**8)), pyramid, pyramid_facts)
    for tile, one in segmenter.tiles(classifier, TileGrid(pixels.shape).order()):
        assert np.array_equal(one.ids, found[tile.rows, tile.columns])


def test_channels_of_an_ome_zarr_are_taken_by_their_names_as_on_the_page(tmp_path):
    pixels = np.dstack([coloured(40, 70), textured(40, 70, 3)])
    learnt = image_from_pixels(pixels[..., :3], {"channel_names": ["a", "b", "c"]})
    classifier = trained(learnt)
    path = write_pyramid(tmp_path / "image.zarr", pixels[..., [2, 3, 0, 1]], chunks=16, names=["c", "d", "a", "b"])
    report = apply_series(classifier, path, tmp_path / "out")
    (notes,) = report.notes.values()
    assert "“a” (number 3), “b” (number 4), “c” (number 1); 1 other channel is not looked at" in notes[0]
    found = zarr.open(tmp_path / "out/image.zarr", mode="r")["0"][:]
    assert np.array_equal(found, classifier.predict(learnt))
    segmenter = PyramidSegmenter(LiveSegmenter(FeatureCache(10**8)), open_pyramid(path), pyramid_facts)
    for tile, one in segmenter.tiles(classifier, TileGrid(found.shape).order()):
        assert np.array_equal(one.ids, found[tile.rows, tile.columns])


@pytest.mark.parametrize("bright", [False, True])
def test_channels_that_are_not_looked_at_do_not_say_how_values_are_taken(bright, tmp_path):
    taken = np.dstack([textured(40, 600, seed) for seed in range(2)])
    classifier = trained(image_from_pixels(taken, {"channel_names": ["a", "b"]}))
    pixels = np.dstack([taken, textured(40, 600, 2)]).astype(np.uint16)
    pixels[..., 2] *= 200
    pixels[:, 300:, 0] *= 200 if bright else 1
    whole = image_from_pixels(pixels, {"channel_names": ["a", "b", "c"]})
    path = write_pyramid(tmp_path / "image.zarr", pixels, chunks=16, names=["a", "b", "c"])
    apply_series(classifier, path, tmp_path / "out")
    found = zarr.open(tmp_path / "out/image.zarr", mode="r")["0"][:]
    assert np.array_equal(found, classifier.predict(whole))
    segmenter = PyramidSegmenter(LiveSegmenter(FeatureCache(10**8)), open_pyramid(path), pyramid_facts)
    for tile, one in segmenter.tiles(classifier, TileGrid(found.shape).order()):
        assert np.array_equal(one.ids, found[tile.rows, tile.columns])


def test_no_part_is_taken_in_another_type_than_the_others(grey, tmp_path, monkeypatch):
    """A sample tells the type, in which what holds other values beyond it is taken too; so on the page."""
    monkeypatch.setattr(sampling, "LARGE_PIXELS", 4000)
    monkeypatch.setattr(sampling, "SAMPLED_SIDE", 8)
    pixels = textured(96, 130, dtype=np.uint16)
    pixels[:2, :2] = 4000
    report = apply_series(grey, stored(tmp_path / "image.zarr", pixels), tmp_path / "out")
    assert "taken as uint8" in " ".join(report.notes[str(tmp_path / "image.zarr")])
    found = zarr.open(tmp_path / "out/image.zarr", mode="r")[:]
    assert np.array_equal(found, grey.predict(np.minimum(pixels, 255).astype(np.uint8)))
    pyramid = open_pyramid(tmp_path / "image.zarr")
    segmenter = PyramidSegmenter(LiveSegmenter(FeatureCache(10**8)), pyramid, pyramid_facts)
    for tile, one in segmenter.tiles(grey, TileGrid(pixels.shape).order()):
        assert np.array_equal(one.ids, found[tile.rows, tile.columns])


@pytest.mark.parametrize("order", ["yxc", "cyx"])
def test_channels_are_found_first_or_last(order, colour, tmp_path):
    pixels = coloured(40, 50)
    stored(tmp_path / "image.zarr", pixels if order == "yxc" else np.moveaxis(pixels, -1, 0))
    apply_series(colour, tmp_path / "image.zarr", tmp_path / "out")
    assert np.array_equal(zarr.open(tmp_path / "out/image.zarr", mode="r")[:], colour.predict(pixels))


def test_a_third_axis_is_a_stack_for_grey_images(grey, tmp_path):
    pixels = np.stack([textured(40, 50, seed) for seed in range(3)])
    stored(tmp_path / "stack.zarr", pixels)
    report = apply_series(grey, tmp_path / "stack.zarr", tmp_path / "out", table=True)
    assert not report.failed
    expected = np.stack([grey.predict(page) for page in pixels])
    assert np.array_equal(zarr.open(tmp_path / "out/stack.zarr", mode="r")[:], expected)
    assert (tmp_path / "out/shares.csv").read_text().count("stack.zarr,3,") == 2


def test_axes_can_be_named_by_the_array_or_by_the_person(colour, tmp_path):
    pixels = coloured(40, 50)
    stored(tmp_path / "named.zarr", pixels.transpose(1, 2, 0), dimension_names=("x", "channel", "y"))
    stored(tmp_path / "plain.zarr", pixels.transpose(1, 2, 0))
    for name, axes in (("named", None), ("plain", "xcy")):
        report = apply_series(colour, tmp_path / f"{name}.zarr", tmp_path / "out", axes=axes)
        assert not report.failed
        assert np.array_equal(zarr.open(tmp_path / f"out/{name}.zarr", mode="r")[:], colour.predict(pixels))


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_an_ome_image_becomes_an_ome_label_image(zarr_format, colour, tmp_path):
    pixels = np.stack([np.moveaxis(coloured(40, 50), -1, 0)] * 2)[None]
    path = ome(tmp_path / "image.ome.zarr", pixels.transpose(0, 2, 1, 3, 4), "tczyx", zarr_format)
    report = apply_series(colour, path, tmp_path / "out")
    assert not report.failed
    group = zarr.open_group(tmp_path / "out/image.zarr", mode="r")
    expected = colour.predict(coloured(40, 50))
    assert np.array_equal(group["0"][:], np.stack([expected] * 2)[None])
    metadata = group.attrs.asdict().get("ome", group.attrs.asdict())
    assert [axis["name"] for axis in metadata["multiscales"][0]["axes"]] == ["t", "z", "y", "x"]
    transformation = metadata["multiscales"][0]["datasets"][0]["coordinateTransformations"][0]
    assert transformation == {"type": "scale", "scale": [0.5] * 4}
    assert metadata["image-label"]["properties"][0] == {"label-value": 1, "class": "Class 1"}


@pytest.mark.parametrize(
    ("pixels", "options", "problem"),
    [
        (np.zeros((20, 30), np.int64), {}, "64-bit integers"),
        (np.zeros((20, 30), np.complex64), {}, "plain numbers"),
        (np.zeros(20, np.uint8), {}, "axes"),
        (np.zeros((4, 4, 20, 30), np.uint8), {}, "--axes"),
        (np.zeros((20, 30), np.uint8), {"dimension_names": ("a", "b")}, "--axes"),
        (np.zeros((20, 30, 4), np.uint8), {"dimension_names": ("y", "x", "c")}, "4"),
    ],
)
def test_what_is_no_image_is_told(pixels, options, problem, grey, tmp_path):
    stored(tmp_path / "image.zarr", pixels, **options)
    report = apply_series(grey, tmp_path / "image.zarr", tmp_path / "out")
    assert problem in report.failed[str(tmp_path / "image.zarr")]
    assert files_in(tmp_path / "out") == {}


def test_what_strangers_store_gets_a_sentence(grey, tmp_path):
    (tmp_path / "garbage.zarr").mkdir()
    (tmp_path / "garbage.zarr/zarr.json").write_text("{")
    zarr.create_group(tmp_path / "group.zarr", attributes={"multiscales": [{"datasets": [{"path": "../../etc"}]}]})
    pickled = stored(tmp_path / "pickled.zarr", textured(), zarr_format=2, filters=None)
    metadata = json.loads((pickled / ".zarray").read_text())
    (pickled / ".zarray").write_text(json.dumps(metadata | {"filters": [{"id": "pickle"}]}))
    broken = stored(tmp_path / "broken.zarr", textured())
    (broken / "c/1/1").write_bytes(b"nonsense")
    report = apply_series(grey, tmp_path, tmp_path / "out")
    reasons = {Path(path).stem: why for path, why in report.failed.items()}
    assert set(reasons) == {"garbage", "group", "pickled", "broken"}
    assert "not an OME-Zarr image" in reasons["group"]
    assert "cannot be read" in reasons["broken"]
    assert files_in(tmp_path / "out") == {}


def test_pictures_of_arrays_are_refused(grey, tmp_path):
    stored(tmp_path / "image.zarr", textured())
    report = apply_series(grey, tmp_path / "image.zarr", tmp_path / "out", overlay=True)
    assert "no PNG" in report.failed[str(tmp_path / "image.zarr")]


def test_only_the_window_and_its_halo_are_read(tmp_path):
    stored(tmp_path / "image.zarr", textured(100, 120))
    images = zarr_images.open_images(tmp_path / "image.zarr")
    window = Window(slice(32, 64), slice(96, 120))
    around = window_with_halo(window, 10, images.shape)
    assert (around.rows, around.columns) == (slice(22, 74), slice(86, 120))
    assert np.array_equal(images.read((), around).pixels, textured(100, 120)[22:74, 86:120])


def test_finished_arrays_and_blocks_are_not_made_again(grey, tmp_path, monkeypatch):
    stored(tmp_path / "image.zarr", textured(70, 90))
    apply_series(grey, tmp_path / "image.zarr", tmp_path / "whole")
    written = []
    write = zarr_images.ZarrResults.write

    def write_four(self, place, window, values):
        if len(written) == 4:
            raise KeyboardInterrupt
        written.append(window)
        write(self, place, window, values)

    monkeypatch.setattr(zarr_images.ZarrResults, "write", write_four)
    with pytest.raises(KeyboardInterrupt):
        apply_series(grey, tmp_path / "image.zarr", tmp_path / "out")
    assert files_in(tmp_path / "out") == {}
    monkeypatch.setattr(zarr_images.ZarrResults, "write", lambda *given: (written.append(given[2]), write(*given)))
    apply_series(grey, tmp_path / "image.zarr", tmp_path / "out")
    assert len(written) == 3 * 3
    assert len({window.bounds for window in written}) == 3 * 3
    assert files_in(tmp_path / "out") == files_in(tmp_path / "whole")
    assert apply_series(grey, tmp_path / "image.zarr", tmp_path / "out").finished_before
    assert len(written) == 3 * 3


def test_what_was_begun_with_another_classifier_is_begun_anew(grey, tmp_path, monkeypatch):
    stored(tmp_path / "image.zarr", textured(70, 90))
    write = zarr_images.ZarrResults.write
    calls = []

    def write_two(*given):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        write(*given)

    monkeypatch.setattr(zarr_images.ZarrResults, "write", write_two)
    with pytest.raises(KeyboardInterrupt):
        apply_series(grey, tmp_path / "image.zarr", tmp_path / "out")
    monkeypatch.undo()
    monkeypatch.setattr(zarr_images, "BLOCK_SIDE", 32)
    other = trained(textured(seed=7))
    apply_series(other, tmp_path / "image.zarr", tmp_path / "out")
    assert np.array_equal(zarr.open(tmp_path / "out/image.zarr", mode="r")[:], other.predict(textured(70, 90)))


def test_what_an_earlier_version_began_without_levels_is_begun_anew(grey, tmp_path, monkeypatch):
    path = ome(tmp_path / "image.zarr", textured(70, 90), "yx")
    monkeypatch.setattr(zarr_images.ZarrResults, "write", lambda *given: [][0])
    assert apply_series(grey, path, tmp_path / "out").failed
    monkeypatch.undo()
    monkeypatch.setattr(zarr_images, "BLOCK_SIDE", 32)
    (begun,) = (tmp_path / "out").rglob("*.begun")
    key = json.loads(begun.read_text())
    begun.write_text(json.dumps({name: value for name, value in key.items() if name != "arrays"}))
    (unfinished,) = (tmp_path / "out").rglob("*.unfinished")
    zarr.open_group(unfinished, mode="r+").attrs["levels"] = "none"
    apply_series(grey, path, tmp_path / "out")
    group = zarr.open_group(tmp_path / "out/image.zarr", mode="r")
    assert "levels" not in group.attrs
    assert np.array_equal(group["0"][:], grey.predict(textured(70, 90)))


def test_values_are_taken_and_told_as_those_of_an_image_file(grey, tmp_path, monkeypatch):
    monkeypatch.setattr(zarr_images, "BLOCK_SIDE", 32)
    image = textured(70, 90)
    planes = [image.astype(np.uint16), image.astype(np.uint16) * 64, np.zeros_like(image, np.uint16)]
    zarr.save(tmp_path / "stack.zarr", np.stack(planes))
    report = apply_series(grey, tmp_path / "stack.zarr", tmp_path / "out", axes="zyx")
    for plane, pixels in enumerate(planes):
        tifffile.imwrite(tmp_path / f"{plane}.tif", pixels)
    alone = [apply_series(grey, tmp_path / f"{plane}.tif", tmp_path / "alone") for plane in range(3)]
    found = zarr.open(tmp_path / "out/stack.zarr", mode="r")
    for plane in range(3):
        assert np.array_equal(found[plane], tifffile.imread(tmp_path / f"alone/{plane}.tif"))
    assert np.array_equal(found[0], grey.predict(image))
    (told,) = report.notes.values()
    expected = [note for one in alone for notes in one.notes.values() for note in notes]
    assert list(told) == list(dict.fromkeys(expected))
    assert "is taken as uint8" in told[0]
    assert any("another scale" in note for note in told)


@pytest.mark.slow
def test_a_zarr_write_that_was_killed_is_continued_to_equal_bytes(grey, tmp_path, monkeypatch):
    monkeypatch.setattr(zarr_images, "BLOCK_SIDE", 64)
    stored(tmp_path / "image.zarr", textured(640, 640), chunks=64)
    grey.save(tmp_path / "model.squiggle")
    script = (
        "import sys; from segmentation.io import zarr_images; from segmentation.series.run import apply_series; "
        "from tests.support.standing_still import stand_still; zarr_images.BLOCK_SIDE = 64; "
        "apply_series(*sys.argv[1:], on_event=lambda event: stand_still(event, 0.5))"
    )
    arguments = [tmp_path / "model.squiggle", tmp_path / "image.zarr", tmp_path / "out"]
    apply_series(*arguments[:2], tmp_path / "undisturbed")
    with subprocess.Popen([sys.executable, "-c", script, *arguments], cwd=ROOT, stdin=subprocess.PIPE) as process:
        while len(list((tmp_path / "out").glob(".squiggle/image.zarr.unfinished/c/*/*"))) < 10:
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    assert files_in(tmp_path / "out") == {}
    assert not apply_series(*arguments).failed
    assert files_in(tmp_path / "out") == files_in(tmp_path / "undisturbed")


@pytest.mark.slow
def test_workers_share_the_blocks_of_an_array(grey, tmp_path, monkeypatch):
    monkeypatch.setattr(zarr_images, "BLOCK_SIDE", 2048)
    stored(tmp_path / "image.zarr", np.tile(textured(10, 10), (1, 410)), chunks=1024)
    alone = apply_series(grey, tmp_path / "image.zarr", tmp_path / "alone")
    shared = apply_series(grey, tmp_path / "image.zarr", tmp_path / "shared", workers=2)
    assert not alone.failed
    assert not shared.failed
    assert files_in(tmp_path / "alone") == files_in(tmp_path / "shared")


def test_the_library_does_not_load_zarr_or_dask_unless_asked(tmp_path):
    code = "import sys, segmentation, segmentation.series.run; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"zarr", "dask", "distributed"}
