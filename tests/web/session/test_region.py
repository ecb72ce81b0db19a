"""Only here: what is outlined is segmented, counted and learnt from; on the page, in Python and on the command line."""

import io
import json
import zipfile

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

import segmentation as seg
from segmentation.__main__ import main
from segmentation.strokes.classes import REGION
from tests.support.asking import Someone
from tests.support.files import png

PIXELS = np.random.default_rng(0).integers(0, 40, (60, 90, 3)).astype(np.uint8)
PIXELS[:, 45:] += 160
INSIDE = np.zeros((60, 90), bool)
INSIDE[10:51, 20:71] = True
HERE = {"id": "here", "class_id": REGION, "kind": "rectangle", "x0": 20, "y0": 10, "x1": 70, "y1": 50}


@pytest.fixture
def someone(client):
    return Someone(client)


def drawn(someone):
    image_hash = someone.open_image(PIXELS)
    someone.draws("left", image_hash, 1, "M5,20L30,40")
    someone.draws("right", image_hash, 2, "M60,5L80,50")
    return image_hash


def test_inside_all_is_as_it_was_and_outside_nothing_is_segmented_counted_or_learnt_from(someone):
    image_hash = drawn(someone)
    whole = someone.asks(image_hash)
    outlined = someone.does(type="stroke.add", image=image_hash, stroke=HERE)
    asked = someone.asks(image_hash)
    labelled = asked["labelled"]["pixels"]
    assert all(0 < labelled[one] < whole["labelled"]["pixels"][one] for one in ("1", "2"))
    assert sum(asked["done"]["pixels"].values()) == INSIDE.sum()

    found = someone.segmentation()
    labels = seg.rasterise([_stroke("left", 1, "M5,20L30,40"), _stroke("right", 2, "M60,5L80,50"), HERE], INSIDE.shape)
    assert not labels[~INSIDE].any()
    settings = json.loads(someone.downloads("strokes.json").data)["settings"]
    spec = seg.FeatureSpec.from_json(settings["features"])
    expected = seg.PixelClassifier(spec, **settings["forest"]).fit(PIXELS, labels).predict(PIXELS)
    np.testing.assert_array_equal(found, np.where(INSIDE, expected, 0))
    shares = [line.split(",") for line in someone.downloads("shares.csv").text.splitlines()[1:]]
    assert sum(int(line[2]) for line in shares) == INSIDE.sum()
    assert "Only what is outlined was segmented and counted: 2,091 of 5,400 pixels" in report(someone)

    someone.does(type="undo", event=outlined)
    assert someone.asks(image_hash)["done"]["pixels"] == whole["done"]["pixels"]
    assert "outlined" not in report(someone)


def report(someone):
    return someone.downloads("report.html").text


def test_strokes_that_lie_outside_are_told_even_if_nothing_is_learnt(someone):
    image_hash = someone.open_image(PIXELS)
    someone.draws("left", image_hash, 1, "M5,20L12,40")
    assert someone.asks(image_hash)["labelled"]["notes"] == []
    someone.does(type="stroke.add", image=image_hash, stroke=HERE)
    asked = someone.asks(image_hash)
    assert asked["labelled"]["notes"] == ["1 stroke outside of “Only here” is not learnt from."]
    assert "cannot" in asked
    someone.draws("right", image_hash, 2, "M80,5L85,50")
    someone.draws("across", image_hash, 2, "M60,5L80,50")
    asked = someone.asks(image_hash)
    assert asked["labelled"]["notes"] == ["2 strokes outside of “Only here” are not learnt from."]


def _stroke(name, class_id, path):
    return {"id": name, "class_id": class_id, "kind": "path", "path": path, "width": 5}


def test_the_command_line_gives_the_bytes_of_the_page(someone, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    image_hash = drawn(someone)
    (tmp_path / "strokes_before.json").write_bytes(someone.downloads("strokes.json").data)
    someone.does(type="stroke.add", image=image_hash, stroke=HERE)
    PillowImage.fromarray(PIXELS).save("mine.png")
    PillowImage.fromarray(PIXELS[::-1]).save("other.png")
    (tmp_path / "strokes.json").write_bytes(someone.downloads("strokes.json").data)
    (tmp_path / "page.squiggle").write_bytes(someone.downloads("classifier.squiggle").data)
    assert main(["train", "mine.png", "--strokes", "strokes.json", "-o", "typed.squiggle"]) == 0
    assert (tmp_path / "typed.squiggle").read_bytes() == (tmp_path / "page.squiggle").read_bytes()

    apply = ["apply", "typed.squiggle", "mine.png", "other.png", "-o", "out", "--only-here"]
    assert main([*apply, "strokes.json"]) == 0
    np.testing.assert_array_equal(tifffile.imread("out/mine.tif"), someone.segmentation())
    assert tifffile.imread("out/other.tif").all()
    assert "only within what was outlined" in capsys.readouterr().err
    assert main(apply[:-1]) == 0
    assert tifffile.imread("out/mine.tif").all()
    assert main([*apply, "strokes_before.json"]) != 0
    assert "outlines nowhere to work" in capsys.readouterr().err


def test_strokes_of_older_files_find_images_with_transparent_pixels(someone, tmp_path, monkeypatch):
    """Where there is no data was none of the content once: such images had another hash."""
    monkeypatch.chdir(tmp_path)
    alpha = np.full((60, 90), 255, np.uint8)
    alpha[:9] = 0
    content = png(np.dstack([PIXELS, alpha]))
    (tmp_path / "cut.png").write_bytes(content)
    former = seg.image_from_pixels(PIXELS).hash
    image_hash = someone.open_image(np.dstack([PIXELS, alpha]))
    assert image_hash != former
    someone.draws("left", image_hash, 1, "M5,20L30,40")
    someone.draws("right", image_hash, 2, "M60,5L80,50")
    document = someone.downloads("strokes.json").data.replace(image_hash.encode(), former.encode())
    (tmp_path / "older.json").write_bytes(document)
    assert main(["train", "cut.png", "--strokes", "older.json", "-o", "older.squiggle"]) == 0
    found = seg.load_classifier("older.squiggle").predict(seg.read_image("cut.png"))
    np.testing.assert_array_equal(found, someone.segmentation())

    brought = someone.client.post(f"/s/{someone.session}/brought?name=older.json", data=document).json
    assert list(brought["event"]["strokes"]) == [image_hash]

    exported = someone.client.get(f"/s/{someone.session}/file").data
    assert exported[:2] == b"PK"
    older = _renamed(exported, image_hash, former)
    answer = someone.client.post("/sessions/import", data=older)
    again = Someone(someone.client)
    again.session = json.loads(answer.text.splitlines()[-1])["session"]
    np.testing.assert_array_equal(again.segmentation(), someone.segmentation())


def _renamed(archive, image_hash, former):
    """A session file in which an image is called by another hash."""
    renamed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as given, zipfile.ZipFile(renamed, "w") as target:
        for name in given.namelist():
            content = given.read(name)
            if name.startswith(("session", "journal")):
                content = content.replace(image_hash.encode(), former.encode())
            target.writestr(name, content)
    return renamed.getvalue()
