"""A classifier of volumes over files, arrays and a cluster: the bytes of the volume as a whole, whatever the blocks."""

import json

import numpy as np
import pytest
import tifffile
import zarr

import segmentation as seg
from segmentation.__main__ import main
from segmentation.io import zarr_images
from segmentation.series import tasks
from segmentation.series.run import apply_series

pytestmark = pytest.mark.slow

PLANES = 7
SMALL = ["--trees", "5", "--sigma-max", "2"]
SEEN = {
    "3-D": ["--dimensions", "3"],
    "anisotropic": ["--dimensions", "3", "--spacing", "2.5"],
    "planes around": ["--planes-around", "1"],
}


def volume(seed=0):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 90, (PLANES, 60, 75)).astype(np.uint8)
    for z in range(PLANES):
        pixels[z, :, 20 + 4 * z :] += 70
    return pixels


def labels():
    drawn = np.zeros((PLANES, 60, 75), np.uint8)
    drawn[2, 5:30, 3:9], drawn[2, 5:30, 65:72], drawn[5, 30:50, 3:9] = 1, 2, 1
    return drawn


@pytest.fixture(scope="module", params=SEEN)
def desk(request, tmp_path_factory):
    """A folder with a stack, a classifier that was trained on it, and what Python finds in another stack."""
    folder = tmp_path_factory.mktemp("desk")
    tifffile.imwrite(folder / "stack.tif", volume(), photometric="minisblack")
    tifffile.imwrite(folder / "labels.tif", labels(), photometric="minisblack")
    typed = ["train", f"{folder}/stack.tif", "--labels", f"{folder}/labels.tif", "-o", f"{folder}/model.squiggle"]
    assert main([*typed, *SMALL, *SEEN[request.param]]) == 0
    tifffile.imwrite(folder / "other.tif", volume(1), photometric="minisblack")
    expected = seg.load_classifier(folder / "model.squiggle").predict(volume(1))
    return folder, expected


def stored(path, pixels, **options):
    array = zarr.create_array(
        path, shape=pixels.shape, chunks=(2,) * (pixels.ndim - 2) + (32, 32), dtype=np.uint8, **options
    )
    array[:] = pixels
    return path


def test_typing_and_python_learn_the_same(desk):
    folder, _ = desk
    loaded = seg.load_classifier(folder / "model.squiggle")
    again = seg.PixelClassifier(loaded.spec, n_estimators=5).fit(volume(), labels())
    again.save(folder / "python.squiggle")
    typed, python = (seg.load_classifier(folder / name) for name in ("model.squiggle", "python.squiggle"))
    assert np.array_equal(typed.predict(volume(1)), python.predict(volume(1)))
    assert [image["hash"] for image in typed.training_["images"]] == [
        image["hash"] for image in python.training_["images"]
    ]


def test_stacks_of_a_file_are_segmented_as_the_volume_is(desk, tmp_path):
    folder, expected = desk
    report = apply_series(folder / "model.squiggle", [folder / "other.tif"], tmp_path, overlay=True)
    assert not report.failed
    assert np.array_equal(tifffile.imread(tmp_path / "other.tif"), expected)


@pytest.mark.parametrize("desk", ["3-D"], indirect=True)
def test_processes_give_the_same_bytes(desk, tmp_path):
    folder, expected = desk
    apply_series(folder / "model.squiggle", [folder / "other.tif", folder / "stack.tif"], tmp_path, workers=2)
    assert np.array_equal(tifffile.imread(tmp_path / "other.tif"), expected)


@pytest.mark.parametrize("together", [1, 3, 16])
def test_blocks_of_an_array_do_not_show(desk, tmp_path, monkeypatch, together):
    folder, expected = desk
    monkeypatch.setattr(zarr_images, "VOLUME_BLOCK_SIDE", 32)
    monkeypatch.setattr(tasks, "PLANES", together)
    path = stored(tmp_path / "other.zarr", volume(1), dimension_names=("z", "y", "x"))
    report = apply_series(folder / "model.squiggle", path, tmp_path / "out", probabilities=True)
    assert not report.failed
    assert np.array_equal(zarr.open_array(tmp_path / "out/other.zarr")[:], expected)
    records = json.loads((tmp_path / "out/.squiggle/other.json").read_text())["pages"]
    for page, plane in zip(records, expected, strict=True):
        assert page["pixels"] == {str(one): int((plane == one).sum()) for one in (1, 2)}


def test_volumes_at_several_times_do_not_see_each_other(desk, tmp_path, monkeypatch):
    folder, expected = desk
    monkeypatch.setattr(zarr_images, "VOLUME_BLOCK_SIDE", 64)
    both = np.stack([volume(1), volume(2)])
    path = stored(tmp_path / "times.zarr", both, dimension_names=("t", "z", "y", "x"))
    apply_series(folder / "model.squiggle", path, tmp_path / "out")
    found = zarr.open_array(tmp_path / "out/times.zarr")[:]
    assert np.array_equal(found[0], expected)
    axes = {"axes": "TZYX"}
    tifffile.imwrite(tmp_path / "times.ome.tif", both, photometric="minisblack", metadata=axes)
    apply_series(folder / "model.squiggle", tmp_path / "times.ome.tif", tmp_path / "out")
    assert np.array_equal(tifffile.imread(tmp_path / "out/times.ome.tif").reshape(found.shape), found)


def test_a_cluster_gives_the_same_bytes(desk, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    folder, expected = desk
    monkeypatch.setattr(zarr_images, "VOLUME_BLOCK_SIDE", 32)
    monkeypatch.setattr(tasks, "PLANES", 3)
    path = stored(tmp_path / "zarred.zarr", volume(1), dimension_names=("z", "y", "x"))
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0") as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        report = apply_series(folder / "model.squiggle", [path, folder / "other.tif"], tmp_path / "out", client=client)
    assert not report.failed
    assert np.array_equal(zarr.open_array(tmp_path / "out/zarred.zarr")[:], expected)
    assert np.array_equal(tifffile.imread(tmp_path / "out/other.tif"), expected)


def test_what_is_no_volume_is_told(desk, tmp_path):
    folder, _ = desk
    tifffile.imwrite(tmp_path / "one.tif", volume()[0], photometric="minisblack")
    tifffile.imwrite(tmp_path / "film.ome.tif", volume(), photometric="minisblack", metadata={"axes": "TYX"})
    with tifffile.TiffWriter(tmp_path / "sizes.tif") as writer:
        writer.write(volume()[0], photometric="minisblack")
        writer.write(volume()[0, :30], photometric="minisblack")
    flat = stored(tmp_path / "flat.zarr", volume()[0], dimension_names=("y", "x"))
    names = ("one.tif", "film.ome.tif", "sizes.tif")
    report = apply_series(folder / "model.squiggle", [*(tmp_path / name for name in names), flat], tmp_path / "out")
    told = {path.split("/")[-1]: why for path, why in report.failed.items()}
    assert "this is a single image" in told["one.tif"]
    assert "no planes along z" in told["film.ome.tif"]
    assert "no planes along z" in told["sizes.tif"]
    assert "this array has none" in told["flat.zarr"]


def test_volumes_are_held_against_masks_and_described(desk, capsys):
    folder, expected = desk
    tifffile.imwrite(folder / "masks.tif", expected, photometric="minisblack")
    assert main(["evaluate", f"{folder}/model.squiggle", f"{folder}/other.tif", f"{folder}/masks.tif", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["mean_iou"] == 1
    assert main(["info", f"{folder}/model.squiggle"]) == 0
    told = capsys.readouterr().out
    assert "in 3 dimensions, of planes that lie" in told or "of each plane and of 1 plane above and below" in told
    assert main(["export", f"{folder}/model.squiggle", "--onnx", f"{folder}/model.onnx"]) == 0


def test_the_distance_of_planes_is_that_of_the_image(tmp_path):
    described = {"spacing": 2.0, "unit": "um", "axes": "ZYX"}
    tifffile.imwrite(tmp_path / "stack.tif", volume(), imagej=True, resolution=(2.0, 2.0), metadata=described)
    tifffile.imwrite(tmp_path / "labels.tif", labels(), photometric="minisblack")
    typed = ["train", f"{tmp_path}/stack.tif", "--labels", f"{tmp_path}/labels.tif", "-o", f"{tmp_path}/model"]
    assert main([*typed, *SMALL, "--dimensions", "3"]) == 0
    assert seg.load_classifier(tmp_path / "model").spec.plane_distance == 4
    assert main([*typed, *SMALL, "--dimensions", "3", "--spacing", "1um"]) == 0
    assert seg.load_classifier(tmp_path / "model").spec.plane_distance == 2
