import json
import re
import threading
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from segmentation.forest.sampling import PixelSample
from segmentation.model.modelfile import ModelContents, ModelFileError, load_model, save_model
from segmentation.strokes.stroke import Stroke
from segmentation.version import __version__
from tests.support.modelfiles import N_FEATURES, STROKES, TRAINING, assert_same, members, with_facts, written

ROOT = Path(__file__).resolve().parents[2]


def test_a_file_gives_back_what_was_written(contents, data, tmp_path):
    path = tmp_path / "cells.squiggle"
    save_model(path, contents)
    assert path.read_bytes() == data
    for source in (path, str(path), data, BytesIO(data)):
        assert_same(load_model(source), contents)


def test_predictions_are_the_same_to_the_last_bit(contents, data, rows):
    loaded = load_model(data)
    planes = np.ascontiguousarray(rows.T).reshape(N_FEATURES, 20, 15)
    assert loaded.forest.predict_proba(planes).tobytes() == contents.forest.predict_proba(planes).tobytes()
    assert loaded.forest.predict(planes).tobytes() == contents.forest.predict(planes).tobytes()


def test_strokes_and_pixels_travel_along_only_if_chosen(contents):
    bare = ModelContents(
        contents.spec, contents.forest, contents.settings, contents.classes, contents.class_ids, contents.channels
    )
    data = written(bare)
    assert not any("strokes" in name or "pixels" in name for name in members(data))
    loaded = load_model(data)
    assert loaded.strokes is None
    assert loaded.pixels is None
    assert loaded.training == {}
    assert b"2.123456789012345" not in data


def test_the_same_contents_give_the_same_bytes(contents, data, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert written(contents) == data
    assert written(load_model(data)) == data


def test_the_versions_say_what_took_part(contents):
    assert contents.versions["squiggle"] == __version__
    assert contents.versions["numpy"] == np.__version__
    assert contents.versions.keys() >= {"python", "scikit-learn", "scikit-image"}


def test_a_classifier_of_unknown_channels(contents):
    values = vars(contents) | {"channels": None}
    assert load_model(written(ModelContents(**values))).channels is None


def test_parts_that_do_not_belong_together_are_refused(contents, rows):
    for change, sentence in [
        ({"class_ids": (2, 5)}, "There are 2 classes, but 3 in the forest"),
        ({"class_ids": (2, 9, 5)}, "do not ascend"),
        ({"class_ids": (2, 5, 5)}, "do not ascend"),
        ({"class_ids": (2, 5, 7)}, "Class 7 has no name"),
        ({"strokes": (Stroke("a", 3, "path", [[1, 1]], 5),)}, "Class 3 has no name"),
        ({"channels": 3}, "image with 3 channels are"),
        ({"channels": 1}, "image with 1 channel are"),
        ({"pixels": PixelSample(rows[:, 1:], np.full(len(rows), 2, np.uint8))}, "other features"),
        ({"pixels": PixelSample(rows, np.full(len(rows), 0, np.uint8))}, "Class 0 has no name"),
        ({"pixels": PixelSample(rows * np.nan, np.full(len(rows), 2, np.uint8))}, "not numbers"),
        ({"pixels": replace(contents.pixels, ranges=np.zeros((2, 1), np.float32))}, "of other features"),
        ({"pixels": replace(contents.pixels, ranges=contents.pixels.ranges[::-1])}, "ranges of the features are none"),
        ({"pixels": replace(contents.pixels, ranges=contents.pixels.ranges * np.inf)}, "the features are none"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            ModelContents(**(vars(contents) | change))


def test_facts_that_could_not_be_read_again_are_not_written(contents):
    for training in (
        {"score": float("nan")},
        {"score": {"a": float("inf")}},
        {"a": np.int64(1)},
        {"strokes": {2: 5}},
        {"a": "x" * (1 << 23)},
    ):
        with pytest.raises(ValueError, match=r"JSON|score|strokes|too large"):
            written(ModelContents(**(vars(contents) | {"training": training})))


# ---------------------------------------------------------------- writing to a path


def test_an_interrupted_write_leaves_what_was_there(contents, tmp_path, monkeypatch):
    path = tmp_path / "cells.squiggle"
    path.write_bytes(b"before")

    def fail(descriptor):
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="no space left"):
        save_model(path, contents)
    assert [entry.name for entry in tmp_path.iterdir()] == ["cells.squiggle"]
    assert path.read_bytes() == b"before"


def test_several_writers_of_one_path_leave_one_whole_file(contents, data, tmp_path):
    path = tmp_path / "cells.squiggle"
    writers = [threading.Thread(target=save_model, args=(path, contents)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert path.read_bytes() == data
    assert [entry.name for entry in tmp_path.iterdir()] == ["cells.squiggle"]


def test_a_missing_file_is_told_apart_from_a_bad_one(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "none.squiggle")


# ---------------------------------------------------------------- what is refused


# ---------------------------------------------------------------- fuzzing


# ---------------------------------------------------------------- the documentation


def test_the_example_of_the_documentation_reads_the_file(contents, rows, tmp_path, monkeypatch):
    text = (ROOT / "docs" / "modelfile.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    save_model(tmp_path / "cells.squiggle", contents)
    monkeypatch.chdir(tmp_path)
    scope = {}
    exec(example, scope)
    expected = contents.forest.predict_proba(np.ascontiguousarray(rows.T))
    for row, column in zip(rows[:20], expected.T, strict=False):
        read = scope["probabilities"](row)
        assert list(read) == [2, 5, 9]
        np.testing.assert_allclose(list(read.values()), column, atol=1e-6)


def test_the_documentation_names_every_member_and_every_fact(data):
    text = (ROOT / "docs" / "modelfile.md").read_text(encoding="utf-8")
    facts = json.loads(members(data)["classifier.json"])
    stroke = json.loads(members(data)["strokes.json"])[0]
    named = [*members(data), *facts, *facts["features"], *facts["settings"], *facts["versions"], *stroke]
    named += [key for key in TRAINING if key != "something newer"] + list(TRAINING["images"][0])
    assert [name for name in named if f"`{name}`" not in text] == []


def on_two_images(contents, *counts):
    images = [TRAINING["images"][0] | {"hash": digit * 64, "strokes": n} for digit, n in zip("ab", counts, strict=True)]
    return replace(contents, training=TRAINING | {"images": images})


def test_strokes_know_their_image(contents):
    assert contents.strokes_by_image() == {"ab" * 32: STROKES}
    loaded = load_model(written(on_two_images(contents, 1, 1)))
    assert loaded.strokes_by_image() == {"a" * 64: STROKES[:1], "b" * 64: STROKES[1:]}
    assert load_model(written(on_two_images(contents, 0, 2))).strokes_by_image() == {"b" * 64: STROKES}


def test_strokes_of_several_images_that_nobody_counted_are_not_guessed_at(contents):
    images = [TRAINING["images"][0], TRAINING["images"][0] | {"hash": "b" * 64}]
    assert load_model(written(replace(contents, training={"images": images}))).strokes_by_image() == {}


@pytest.mark.parametrize("counts", [(1, 2), (0, 0), (-1, 3), (True, 1), ("1", 1), (2**40, 1)])
def test_images_that_count_other_strokes_than_there_are_are_refused(data, contents, counts):
    def miscount(facts):
        facts["training"]["images"] = [facts["training"]["images"][0] | {"strokes": count} for count in counts]

    with pytest.raises(ModelFileError, match=r"[Ss]trokes"):
        load_model(with_facts(data, miscount))
