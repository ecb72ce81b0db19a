"""The files of the field: page, library and command line give equal bytes, and results with their sizes and places."""

import io
import json

import numpy as np
import pytest
import rasterio
import tifffile

import segmentation as seg
from segmentation.__main__ import main
from segmentation.web.session.stacks import opening_index, plane_key
from tests.support.asking import Someone
from tests.support.field_files import CRS, FIELD_FILES, TRANSFORM

TIFFS = ("segmentation.tif", "probabilities.tif", "labels.tif")
"""What the page makes of one image."""


@pytest.fixture
def someone(client):
    return Someone(client)


def drawn_on(someone, path):
    """Opens a file on the page, and draws a stroke on either half of the image that is seen then.

    Returns:
        What that image is known by, and its place in the file.
    """
    content = path.read_bytes()
    facts = someone.client.post(f"/s/{someone.session}/images?name={path.name}", data=content).json
    someone.does(type="image.open", image={key: one for key, one in facts.items() if key != "notes"})
    someone.does(type="settings.change", features=seg.FeatureSpec(sigma_max=2).to_json())
    someone.does(type="settings.change", forest={"n_estimators": 20})
    place = opening_index(facts["axes"]) if "pages" in facts else 0
    key = plane_key(facts["hash"], place + 1) if "pages" in facts else facts["hash"]
    someone.draws("left", key, 1, "M8,15L30,50")
    someone.draws("right", key, 2, "M60,15L78,50")
    return key, place


def told_size(content):
    """How large tifffile says that a pixel is, in the unit of the file, where it says so."""
    with tifffile.TiffFile(io.BytesIO(content)) as tiff:
        imagej, page = tiff.imagej_metadata, tiff.pages[0]
        (pixels, per), unit = page.tags["XResolution"].value, page.tags["ResolutionUnit"].value
        return per / pixels, (imagej or {}).get("unit"), (imagej or {}).get("spacing"), int(unit)


def check_place(content, of):
    """A result lies where its image lies, and says how large its pixels are: for GDAL, tifffile and ourselves."""
    image = seg.read_image(io.BytesIO(content))
    assert image.pixel_size == of.size
    if of.size.unit == "m":
        with rasterio.MemoryFile(content) as memory, memory.open() as result:
            assert result.crs == CRS
            assert result.transform.almost_equals(TRANSFORM, 1e-9)
    else:
        side, unit, spacing, _ = told_size(content)
        assert side == pytest.approx(of.size.x if unit else of.size.x / 1e4, rel=1e-6)
        assert spacing == of.size.z


@pytest.mark.parametrize("of", FIELD_FILES, ids=lambda of: of.name)
def test_page_library_and_command_line_agree(of, someone, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / of.name
    of.write(path)
    images = list(seg.read_stack(path))
    key, place = drawn_on(someone, path)
    seen = images[place]
    assert (len(images), seen.channels, seen.pixel_size) == (of.images, of.channels, of.size)
    assert (seen.no_data is not None) == of.missing
    assert len(images) > 1 or key == seen.hash
    found = someone.segmentation()
    assert ((found == 0) == (seen.no_data if of.missing else False)).all()
    assert all((found == class_id).sum() > 1000 for class_id in (1, 2))
    (tmp_path / "strokes.json").write_bytes(someone.downloads("strokes.json").data)
    page = someone.downloads("classifier.squiggle").data

    document = json.loads((tmp_path / "strokes.json").read_text())
    labels = seg.rasterise(document["strokes"], seen.shape)
    spec, forest = (document["settings"][part] for part in ("features", "forest"))
    classifier = seg.PixelClassifier(seg.FeatureSpec.from_json(spec), **forest).fit(seen, labels)
    np.testing.assert_array_equal(found, classifier.predict(seen))

    assert main(["train", of.name, "--strokes", "strokes.json", "-o", "typed.squiggle"]) == 0
    assert (tmp_path / "typed.squiggle").read_bytes() == page
    apply = ["apply", "typed.squiggle", of.name, "-o", "out", "--probabilities", "--objects", "--csv"]
    assert main(apply) == 0
    stem = of.name.removesuffix(".tif")
    with tifffile.TiffFile(f"out/{stem}.tif") as tiff:
        assert len(tiff.pages) == of.images
        np.testing.assert_array_equal(tiff.pages[place].asarray(), found)
    for ending in (".tif", ".probabilities.tif", ".objects.tif"):
        check_place((tmp_path / "out" / f"{stem}{ending}").read_bytes(), of)
    for name in TIFFS:
        answer = someone.downloads(name)
        assert answer.status_code == 200, name
        check_place(answer.data, of)
    assert main(["objects", f"out/{stem}.tif", "--labels", "numbers.tif"]) == 0
    check_place((tmp_path / "numbers.tif").read_bytes(), of)
    unit = of.size.unit
    header = (tmp_path / "out" / "shares.csv").read_text().splitlines()[1]
    assert header.split(",")[7] == f"{unit}²" or unit in header
    assert f"_in_{unit}" in (tmp_path / "out" / f"{stem}.objects.csv").read_text().splitlines()[0]
