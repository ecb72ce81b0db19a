"""Which images a series has, whatever a disk holds, and that what a run wrote is never one of them."""

import errno
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

import segmentation as seg
from segmentation.__main__ import main
from segmentation.io.limits import PassingError
from segmentation.series import inputs
from segmentation.series.inputs import find_images, pixel_sizes
from segmentation.series.results import MAX_NAME_BYTES, ResultFolder, file_name
from segmentation.series.run import apply_series


def textured(rows=40, columns=50, seed=0):
    random = np.random.default_rng(seed)
    pixels = random.integers(100, 200, (rows, columns)).astype(np.uint8)
    pixels[: rows // 2] //= 2
    return pixels


def trained(seed=0):
    labels = np.zeros((40, 50), np.uint8)
    labels[5:10, 10:40], labels[30:35, 10:40] = 1, 2
    return seg.PixelClassifier(seg.FeatureSpec(sigma_max=2), n_estimators=5).fit(textured(seed=seed), labels)


@pytest.fixture(scope="module")
def classifier():
    return trained()


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """The working directory, with images in a folder of a folder."""
    (tmp_path / "days/one").mkdir(parents=True)
    for number in (1, 2, 10):
        tifffile.imwrite(tmp_path / f"days/one/slice{number}.tif", textured(seed=number))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(paths):
    return [path.name for path in paths]


# Order


def test_folders_and_globs_are_in_natural_order(tmp_path):
    for name in (
        "slice10.tif",
        "slice2.tif",
        "slice1.tif",
        "slice02.tif",
        "a/z9b10.tif",
        "a/z9b9.tif",
        "10/x.tif",
        "9/x.tif",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert names(find_images(tmp_path)) == ["slice1.tif", "slice02.tif", "slice2.tif", "slice10.tif"]
    assert names(find_images(tmp_path / "slice*")) == ["slice1.tif", "slice02.tif", "slice2.tif", "slice10.tif"]
    found = [str(path.relative_to(tmp_path)) for path in find_images(str(tmp_path / "**/?*.tif"))]
    assert found == [
        *("9/x.tif", "10/x.tif", "a/z9b9.tif", "a/z9b10.tif"),
        *("slice1.tif", "slice02.tif", "slice2.tif", "slice10.tif"),
    ]


# What a run wrote


EXTRAS = {"png": True, "overlay": True, "probabilities": True, "table": True}


def test_the_same_command_again_means_the_same_images(classifier, desk):
    for _ in range(3):
        report = apply_series(classifier, "**/*.tif", "out", **EXTRAS)
        assert names(map(Path, report.outputs)) == ["slice1.tif", "slice2.tif", "slice10.tif"]
        assert not report.failed
    assert len(report.finished_before) == 3
    assert len(list((desk / "out").glob("*.tif"))) == 6


def test_results_of_other_runs_are_no_images_either(classifier, desk):
    apply_series(classifier, "**/*.tif", "out", **EXTRAS)
    second = apply_series(trained(seed=5), "**/*.tif", "second")
    assert names(map(Path, second.outputs)) == ["slice1.tif", "slice2.tif", "slice10.tif"]
    shell = [*(desk / "days/one").iterdir(), *(desk / "out").glob("*.tif")]
    assert {path.parent.name for path in find_images(shell)} == {"one"}
    with pytest.raises(ValueError, match=r"out/slice1\.tif is the result of an earlier run"):
        find_images("out/slice1.tif")


def test_results_beside_their_images_are_no_images(classifier, tmp_path):
    PillowImage.fromarray(textured()).save(tmp_path / "a.png")
    for _ in range(2):
        assert names(map(Path, apply_series(classifier, tmp_path, tmp_path).outputs)) == ["a.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".squiggle", "a.png", "a.tif"]


def test_results_of_arrays_are_no_images(classifier, tmp_path):
    import zarr

    zarr.save(tmp_path / "in.zarr", textured())
    for _ in range(2):
        report = apply_series(classifier, str(tmp_path / "**/*"), tmp_path / "out", probabilities=True)
        assert names(map(Path, report.outputs)) == ["in.zarr"]


def test_results_stay_known_when_they_are_about_to_change(classifier, desk, monkeypatch):
    """A run that is killed before it wrote its record, after one whose results had other extras."""
    apply_series(classifier, "**/*.tif", "out", png=True)
    images = find_images("**/*.*")

    def killed(*_):
        raise OSError(5, "Killed")

    with monkeypatch.context() as patch:
        patch.setattr(ResultFolder, "finish", killed)
        assert len(apply_series(trained(seed=5), "**/*.tif", "out", overlay=True).failed) == 3
    assert find_images("**/*.*") == images
    apply_series(trained(seed=5), "**/*.tif", "out")
    assert find_images("**/*.*") == images
    assert (desk / "out/slice1.png").exists()


def test_without_its_records_a_folder_is_like_any_other(classifier, desk):
    apply_series(classifier, "days/**/*.tif", "out")
    shutil.rmtree("out/.squiggle")
    assert len(find_images("**/*.tif")) == 6


# Paths of every kind


def test_names_that_fill_a_disk_s_limit(classifier, tmp_path):
    stems = ["x" * 246, "é" * 123, "y" * (MAX_NAME_BYTES - 4), "y" * (MAX_NAME_BYTES - 5) + "z"]
    for stem in stems:
        tifffile.imwrite(tmp_path / f"{stem}.tif", textured())
    for _ in range(2):
        report = apply_series(classifier, tmp_path, tmp_path / "out", **EXTRAS)
        assert not report.failed
        assert len(report.outputs) == 4
    written = [path.name for path in (tmp_path / "out").iterdir()]
    assert {f"{stem}.tif" for stem in stems} < set(written)
    assert len(written) == 1 + 1 + 4 * 4
    assert len(report.finished_before) == 4


@pytest.mark.parametrize("ending", [".tif", ".probabilities.zarr"])
@pytest.mark.parametrize("letter", ["a", "é", "十", "\udce9"])
def test_cut_names_fit_and_differ(letter, ending):
    cut = {file_name(letter * number, ending) for number in (300, 301)}
    assert len(cut) == 2
    assert all(MAX_NAME_BYTES - 3 <= len(os.fsencode(name)) <= MAX_NAME_BYTES for name in cut)
    assert all(name.endswith(ending) for name in cut)
    assert file_name("short", ending) == f"short{ending}"


def hostile_folder(folder):
    """Images among all that a disk holds under the name of one."""
    tifffile.imwrite(folder / "good.tif", textured())
    tifffile.imwrite(folder / "caf\udce9.tif", textured(seed=1))  # bytes that are no UTF-8
    tifffile.imwrite(folder / "new\nline\x1b[31m.tif", textured(seed=2))
    (folder / "loop.tif").symlink_to("loop.tif")
    (folder / "gone.tif").symlink_to("nowhere")
    (folder / "folder.tif").mkdir()
    (folder / "empty.tif").touch()
    (folder / "again").symlink_to(folder)
    (folder / "also").symlink_to(folder)
    os.mkfifo(folder / "pipe.tif")


WORDS = {
    "loop.tif": "symbolic links",
    "gone.tif": "No such file",
    "folder.tif": "Is a directory",
    "empty.tif": "empty",
    "pipe.tif": "pipe or a device",
}


@pytest.mark.parametrize("pattern", ["", "*.tif", "**/*.tif"])
def test_every_path_ends_in_a_result_or_a_sentence(pattern, classifier, tmp_path, capsys):
    images = tmp_path / "images"
    images.mkdir()
    hostile_folder(images)
    classifier.save(tmp_path / "model")
    command = ["apply", str(tmp_path / "model"), os.path.join(images, pattern), "-o", str(tmp_path / "out"), "--csv"]
    for _ in range(2):
        assert main(command) == 1
        told = capsys.readouterr().err
        for name, words in WORDS.items():
            assert any(name in line and words in line for line in told.splitlines()), name
        assert len(told.splitlines()) == 1 + len(WORDS)
        assert "\x1b" not in told
        table = (tmp_path / "out/shares.csv").read_bytes().decode()
        assert table.splitlines()[1::2] == [
            line
            for line in table.splitlines()
            if line.startswith(("caf\\xe9.tif,1,1,", "good.tif,1,1,", "new\\nline\\x1b[31m.tif,1,1,"))
        ]
        assert len(table.splitlines()) == 1 + 3 * 2
    assert os.path.exists(os.fsencode(tmp_path) + b"/out/caf\xe9.tif")


@pytest.mark.slow
def test_names_that_are_no_utf8_pass_through_workers(classifier, tmp_path):
    for number in range(2):
        tifffile.imwrite(tmp_path / f"caf\udce9{number}.tif", textured(seed=number))
    report = apply_series(classifier, tmp_path, tmp_path / "out", workers=2, table=True)
    assert not report.failed
    assert len(report.outputs) == 2


def test_links_into_each_other_have_an_end(tmp_path):
    """Two loops in one folder: followed without a memory they lead to more than 10 ** 12 paths."""
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/image.tif").touch()
    for place in ("a/up", "a/b/up", "a/b/top"):
        (tmp_path / place).symlink_to(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/far.tif").touch()
    (tmp_path / "a/link").symlink_to(tmp_path / "elsewhere")
    found = find_images(str(tmp_path / "a/**/*.tif"))
    assert [path.name for path in found if path.name == "image.tif"] == ["image.tif"]
    assert sorted(path.name for path in found) == ["far.tif", "image.tif"]
    assert tmp_path / "a/b/image.tif" in found


def test_the_home_folder_in_quotes(classifier, desk, monkeypatch):
    monkeypatch.setenv("HOME", str(desk))
    assert names(find_images("~/days/*/*.tif")) == ["slice1.tif", "slice2.tif", "slice10.tif"]
    assert names(find_images("~/days/one/slice2.tif")) == ["slice2.tif"]
    classifier.save(desk / "model")
    assert main(["apply", "~/model", "~/days/**/*.tif", "-o", "~/out", "--quiet"]) == 0
    assert len(list((desk / "out").glob("*.tif"))) == 3
    assert not (desk / "~").exists()
    (desk / "~").mkdir()
    (desk / "~/mine.tif").touch()
    assert find_images("~") == [desk / "~/mine.tif"]


def test_a_folder_that_cannot_be_read_is_told(tmp_path, monkeypatch):
    def denied(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", denied)
    with pytest.raises(ValueError, match=r"cannot be read: Permission denied\."):
        find_images(tmp_path)


# A stack with an image that cannot be read


def broken_stack(path, broken):
    pages = np.stack([textured(seed=number) for number in range(4)])
    tifffile.imwrite(path, pages, photometric="minisblack", compression="zlib")
    data = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tiff:
        for page in broken:
            start = tiff.pages[page].dataoffsets[0]
            data[start : start + 8] = b"\xff" * 8
    path.write_bytes(data)
    return pages


@pytest.mark.slow
@pytest.mark.parametrize("broken", [(1,), (0, 1), (3,)])
@pytest.mark.parametrize("workers", [1, 2])
def test_the_other_images_of_a_stack_are_segmented(broken, workers, classifier, tmp_path, capsys):
    pages = broken_stack(tmp_path / "stack.tif", broken)
    tifffile.imwrite(tmp_path / "good.tif", textured())
    classifier.save(tmp_path / "model")
    command = ["apply", f"{tmp_path}/model", f"{tmp_path}/*.tif", "-o", f"{tmp_path}/out", "--csv", "--png"]
    command += ["--probabilities", "--workers", str(workers)]
    for _ in range(2):
        assert main(command) == 1
        told = capsys.readouterr().err
        assert f"stack.tif: Image {broken[0] + 1} of the 4 in the file cannot be used. The TIFF file is damaged" in told
        assert ("1 more image cannot be used either." in told) == (len(broken) > 1)
        found = tifffile.imread(tmp_path / "out/stack.tif")
        probabilities = tifffile.imread(tmp_path / "out/stack.probabilities.tif").reshape(4, 2, 40, 50)
        for number, page in enumerate(pages):
            if number in broken:
                assert not found[number].any()
                assert not probabilities[number].any()
            else:
                np.testing.assert_array_equal(found[number], classifier.predict(page))
        table = (tmp_path / "out/shares.csv").read_text().splitlines()
        listed = {int(line.split(",")[1]) for line in table if line.startswith("stack.tif")}
        assert listed == {number + 1 for number in range(4) if number not in broken}
        assert len(list((tmp_path / "out").glob("stack.000?.png"))) == 4 - len(broken)


def test_an_image_of_a_stack_that_does_not_fit_the_classifier(classifier, tmp_path):
    with tifffile.TiffWriter(tmp_path / "mixed.tif") as writer:
        writer.write(textured(), photometric="minisblack", metadata=None)
        writer.write(np.dstack([textured()] * 3), photometric="rgb", metadata=None)
    report = apply_series(classifier, tmp_path / "mixed.tif", tmp_path / "out")
    assert (
        "Image 2 of the 2 in the file cannot be used. The classifier was trained on"
        in report.failed[str(tmp_path / "mixed.tif")]
    )
    assert list(report.outputs) == list(report.failed)


def test_a_stack_of_which_no_image_can_be_read_has_no_result(classifier, tmp_path):
    broken_stack(tmp_path / "stack.tif", range(4))
    report = apply_series(classifier, tmp_path / "stack.tif", tmp_path / "out")
    assert "Image 1 of the 4" in report.failed[str(tmp_path / "stack.tif")]
    assert not report.outputs
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".squiggle"]


@pytest.mark.parametrize("problem", [OSError(errno.EIO, "Input/output error"), PassingError("There is no answer.")])
def test_how_large_pixels_are_is_not_told_without_an_image_that_does_not_come(problem, tmp_path, monkeypatch):
    def fail(path):
        raise problem

    PillowImage.new("L", (4, 3)).save(tmp_path / "cell.png")
    (tmp_path / "letter.png").write_bytes(b"Dear colleague")
    paths = [tmp_path / name for name in ("cell.png", "letter.png", "missing.png")]
    assert pixel_sizes(paths) == {"cell.png": None}, "what is wrong with the others is told when they are read"
    monkeypatch.setattr(inputs, "read_pages", fail)
    with pytest.raises(PassingError, match=r"cell.png.*"):
        pixel_sizes(paths)
