"""Class ids from image files: the numbers that a person saved, or a sentence."""

import io

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

from segmentation.io.limits import ImageError
from segmentation.io.masks import is_black_and_white, read_masks
from tests.support.imagefiles import read_mask

LABELS = np.zeros((32, 40), np.uint8)
LABELS[:8, :8], LABELS[20:, 20:] = 1, 2
PALETTES = {"greys": [0, 0, 0, 128, 128, 128, 255, 255, 255], "colours": [9, 9, 9, 230, 159, 0, 0, 114, 178]}


def with_palette(values, palette="greys"):
    image = PillowImage.fromarray(values).convert("P")
    image = PillowImage.frombytes("P", image.size, values.tobytes())
    image.putpalette(PALETTES[palette] + [0] * (768 - len(PALETTES[palette])))
    return image


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize("ending", ["bmp", "png", "tif"])
def test_of_a_palette_the_indices_count(ending, palette, tmp_path):
    with_palette(LABELS, palette).save(tmp_path / f"labels.{ending}")
    np.testing.assert_array_equal(read_mask(tmp_path / f"labels.{ending}"), LABELS)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_of_a_png_with_few_bits_too(bits, tmp_path):
    values = np.minimum(LABELS, 2**bits - 1)
    with_palette(values).save(tmp_path / "labels.png", bits=bits)
    assert (tmp_path / "labels.png").read_bytes()[24] == bits
    np.testing.assert_array_equal(read_mask(tmp_path / "labels.png"), values)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_labels_are_turned_upright_as_images_are(orientation, tmp_path):
    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    colours = np.zeros((3, 256), np.uint16)
    colours[:, 1], colours[0, 2] = 20_000, 60_000
    tag = [(274, "H", 1, orientation, True)]
    tifffile.imwrite(tmp_path / "labels.tif", LABELS, photometric="palette", colormap=colours, extratags=tag)
    tifffile.imwrite(tmp_path / "grey.tif", LABELS, photometric="minisblack", extratags=tag)
    with_palette(LABELS).save(tmp_path / "labels.png", exif=exif)
    expected = read_mask(tmp_path / "grey.tif")
    np.testing.assert_array_equal(read_mask(tmp_path / "labels.tif"), expected)
    np.testing.assert_array_equal(read_mask(tmp_path / "labels.png"), expected)
    assert expected.shape == (LABELS.T if orientation > 4 else LABELS).shape


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, bool])
def test_labels_of_every_type(dtype, tmp_path):
    tifffile.imwrite(tmp_path / "labels.tif", LABELS.astype(dtype), photometric="minisblack")
    np.testing.assert_array_equal(read_mask(tmp_path / "labels.tif"), LABELS.astype(dtype).astype(np.uint8))


def lossy(kind):
    file = io.BytesIO()
    if kind == "tif":
        tifffile.imwrite(file, LABELS * 100, compression="jpeg")
    else:
        PillowImage.fromarray(LABELS * 100).save(file, {"jpg": "JPEG", "webp": "WEBP"}[kind])
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.jpg", lossy("jpg"), "JPEG changes the values"),
        ("a.tif", lossy("tif"), "JPEG changes the values"),
        ("a.webp", lossy("webp"), "a.webp has colours"),
        ("a.png", b"", "empty"),
    ],
)
def test_what_holds_no_class_ids_is_refused(name, content, words, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ImageError, match=words):
        read_mask(tmp_path / name)


@pytest.mark.parametrize("values", [LABELS.astype(np.int16) - 1, LABELS.astype(np.uint16) * 200, LABELS / 4])
def test_other_values_are_refused_with_a_hint(values, tmp_path):
    tifffile.imwrite(tmp_path / "labels.tif", values, photometric="minisblack")
    with pytest.raises(ImageError, match=r"from 0 to 255: say what the values stand for, such as --map 0=2,255=1"):
        read_mask(tmp_path / "labels.tif")


def test_values_can_be_mapped(tmp_path):
    tifffile.imwrite(tmp_path / "labels.tif", LABELS.astype(np.int16) - 1, photometric="minisblack")
    np.testing.assert_array_equal(read_mask(tmp_path / "labels.tif", {-1: 0, 0: 2, 1: 1}), np.array([0, 2, 1])[LABELS])
    with pytest.raises(ImageError, match="holds the value 1, and no class is named for it"):
        read_mask(tmp_path / "labels.tif", {-1: 0, 0: 2})


def test_a_stack_of_masks_is_read_page_by_page(tmp_path):
    stack = np.stack([LABELS, LABELS[::-1], LABELS * 0])
    tifffile.imwrite(tmp_path / "labels.tif", stack, photometric="minisblack")
    masks = list(read_masks(tmp_path / "labels.tif"))
    np.testing.assert_array_equal([mask.pixels for mask in masks], stack)
    assert {mask.metadata["pages"] for mask in masks} == {3}


def test_black_and_white_is_noticed():
    assert is_black_and_white(np.array([[0, 255]], np.uint8))
    assert is_black_and_white(np.array([[255, 255]], np.uint8))
    assert not is_black_and_white(np.array([[0, 1, 255]], np.uint8))
    assert not is_black_and_white(np.array([[0, 0]], np.uint8))
