"""Class ids as an OME-TIFF: the very pixels, their names, colours and size, as other programs read them."""

import io
from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile

import segmentation as seg
from segmentation.io.export import probabilities_tiff
from segmentation.io.masks import named_classes, read_masks
from segmentation.io.ome_classes import ome_tiff
from segmentation.io.pixel_size import PixelSize
from segmentation.strokes.classes import LabelClass

CLASSES = (LabelClass(1, "<void> & more", "#e69f00"), LabelClass(7, "größe", "#0072b2"))
IDS = np.random.default_rng(0).choice([0, 1, 7], (2, 30, 40)).astype(np.uint8)


@pytest.fixture
def like():
    image = seg.image_from_pixels(IDS[0], {"name": 'a "cell".tif'})
    return image.with_pixel_size(PixelSize(0.5, 0.25, "µm"))


@pytest.mark.parametrize("count", [1, 2])
def test_other_programs_read_pixels_names_colours_and_size(count, like):
    content = ome_tiff(IDS[:count], CLASSES, like=like)
    with tifffile.TiffFile(io.BytesIO(content)) as tiff:
        assert tiff.is_ome
        assert np.array_equal(tiff.series[0].asarray().reshape(IDS[:count].shape), IDS[:count])
        assert tiff.series[0].axes == ("YX" if count == 1 else "ZYX")
        assert (tiff.pages.first.colormap[:, 7] >> 8).tolist() == [0x00, 0x72, 0xB2]
        facts = tifffile.xml2dict(tiff.ome_metadata)["OME"]
    pixels = facts["Image"]["Pixels"]
    assert (pixels["PhysicalSizeX"], pixels["PhysicalSizeY"], pixels["PhysicalSizeXUnit"]) == (0.5, 0.25, "µm")
    assert facts["Image"]["Name"] == 'a "cell".tif'
    entries = facts["StructuredAnnotations"]["MapAnnotation"]["Value"]["M"]
    assert {str(entry["K"]): entry["value"] for entry in entries} == {
        "1": "<void> & more",
        "1 colour": "#e69f00",
        "7": "größe",
        "7 colour": "#0072b2",
    }
    assert content == ome_tiff(IDS[:count], CLASSES, like=like)


def test_it_comes_back_with_its_classes(like, tmp_path):
    (tmp_path / "c.ome.tif").write_bytes(ome_tiff(IDS, CLASSES, like=like))
    masks = list(read_masks(tmp_path / "c.ome.tif"))
    assert [np.array_equal(mask.pixels, ids) for mask, ids in zip(masks, IDS, strict=True)] == [True, True]
    assert masks[0].pixel_size == PixelSize(0.5, 0.25, "µm")
    assert named_classes(tmp_path / "c.ome.tif") == CLASSES


def test_without_a_size_none_is_said():
    (page,) = IDS[:1]
    with tifffile.TiffFile(io.BytesIO(ome_tiff([page], CLASSES))) as tiff:
        assert "PhysicalSize" not in tiff.ome_metadata
        assert np.array_equal(tiff.asarray(), page)


@pytest.mark.parametrize("bad", ["\0", "\x1b", "\ud800", "\ufffe", "\uffff"])
def test_names_with_what_no_xml_can_hold_leave_it_well_formed(bad):
    like = seg.image_from_pixels(IDS[0], {"name": f'a{bad}b <&> "c".tif'})
    classes = [LabelClass(1, "void\ufffe", "#e69f00"), *CLASSES[1:]]
    with tifffile.TiffFile(io.BytesIO(ome_tiff([IDS[0]], classes, like=like))) as tiff:
        root = ElementTree.fromstring(tiff.ome_metadata)
    assert root[0].attrib["Name"] == 'a\ufffdb <&> "c".tif'
    assert "void\ufffd" in [one.text for one in root.iter() if one.tag.endswith("}M")]
    sized = like.with_pixel_size(PixelSize(1, 1))
    sized.metadata["described_by"] = "OME"
    planes = np.ones((*IDS[0].shape, 2), np.float32) / 2
    content = probabilities_tiff(planes, [f"a{bad}b", "c"], like=sized)
    with tifffile.TiffFile(io.BytesIO(content)) as tiff:
        root = ElementTree.fromstring(tiff.ome_metadata)
    names = [one.attrib["Name"] for one in root.iter() if "Name" in one.attrib]
    assert names == ["a\ufffdb", "c"]
