"""What files say of the size of their pixels is read, and results say the same in the same manner."""

import io

import numpy as np
import pytest
import tifffile

from segmentation.io.export import label_tiff, probabilities_tiff
from segmentation.io.image import image_from_pixels
from segmentation.io.pixel_size import PixelSize, pixel_size
from segmentation.io.read import read_image, read_stack
from segmentation.io.shares import shares_csv
from segmentation.strokes.classes import LabelClass
from tests.support.imagefiles import tiff_bytes

GREY = np.arange(12 * 17, dtype=np.uint16).reshape(12, 17)
CLASSES = [LabelClass(1, "void", "#e69f00"), LabelClass(2, "Größe <2>", "#0072b2")]
IDS = (GREY % 3).astype(np.uint8)
UTM = (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32633)
GEOTIFF = [
    (33550, "d", 3, (10.0, 20.0, 0.0), True),
    (33922, "d", 6, (0.0, 0.0, 0.0, 500_000.0, 5_000_000.0, 0.0), True),
    (34735, "H", 16, UTM, True),
]


def imagej(pixels, axes, resolution=(1 / 0.2, 1 / 0.4), unit="um", **metadata):
    about = {"axes": axes, "unit": unit, "spacing": 1.5} | metadata
    return tiff_bytes(pixels, imagej=True, resolution=resolution, metadata=about)


def ome(pixels, axes, **metadata):
    file = io.BytesIO()
    with tifffile.TiffWriter(file, ome=True) as writer:
        writer.write(pixels, photometric="minisblack", metadata={"axes": axes} | metadata)
    return file.getvalue()


def ome_sizes(x, y, unit="µm", **more):
    sizes = {"PhysicalSizeX": x, "PhysicalSizeXUnit": unit, "PhysicalSizeY": y, "PhysicalSizeYUnit": unit}
    return sizes | more


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (imagej(GREY, "YX"), PixelSize(0.2, 0.4, "µm", 1.5)),
        (imagej(GREY, "YX", unit="\\u00B5m"), PixelSize(0.2, 0.4, "µm", 1.5)),
        (imagej(GREY, "YX", unit="pixel"), None),
        (ome(GREY, "YX", **ome_sizes(0.108, 0.108)), PixelSize(0.108, 0.108)),
        (ome(GREY, "YX", **ome_sizes(2, 3, "Å")), PixelSize(0.2, 0.3, "nm")),
        (
            ome(GREY, "YX", **ome_sizes(5, 5, "mm", PhysicalSizeZ=2, PhysicalSizeZUnit="mm")),
            PixelSize(5, 5, "mm", 2),
        ),
        (tiff_bytes(GREY, resolution=(1e4 / 0.5, 1e4 / 0.25), resolutionunit="CENTIMETER"), PixelSize(0.5, 0.25)),
        (tiff_bytes(GREY, resolution=(600, 600), resolutionunit="INCH"), PixelSize(42.3333333, 42.3333333)),
        (tiff_bytes(GREY, resolution=(72, 72), resolutionunit="INCH"), None),
        (tiff_bytes(GREY, resolution=(96 / 2.54, 96 / 2.54), resolutionunit="CENTIMETER"), None),
        (tiff_bytes(GREY), None),
        (tiff_bytes(GREY, extratags=GEOTIFF), PixelSize(10, 20, "m")),
    ],
)
def test_sizes_are_read(data, size):
    image = read_image(data)
    assert image.pixel_size == size
    assert image.hash == image_from_pixels(GREY).hash


def test_a_map_in_degrees_has_no_length():
    keys = (1, 1, 0, 1, 1024, 0, 1, 2)
    image = read_image(tiff_bytes(GREY, extratags=[*GEOTIFF[:2], (34735, "H", 8, keys, True)]))
    assert (image.pixel_size.unit, image.pixel_size.metres) == ("°", None)
    assert shares_csv(IDS, {1: "void"}, image.pixel_size).splitlines()[1].endswith(",,")


def test_the_size_is_turned_with_the_image():
    data = tiff_bytes(
        GREY, resolution=(1e4 / 0.5, 1e4 / 0.25), resolutionunit="CENTIMETER", extratags=[(274, "H", 1, 6, True)]
    )
    assert read_image(data).pixels.shape == GREY.shape[::-1]
    assert read_image(data).pixel_size.spacing == (0.5, 0.25)


@pytest.mark.parametrize("text", ["0", "-1", "nan", "1e400", "many", "1e12"])
def test_absurd_sizes_are_no_sizes(text):
    assert pixel_size(text, "1", "µm") is None
    with pytest.raises(ValueError, match="positive number"):
        PixelSize(float(text) if text != "many" else text, 1)


def test_channels_have_their_names():
    planes = np.stack([GREY] * 3)
    names = ["DAPI", "GFP", "α-Tubulin"]
    assert read_image(ome(planes, "CYX", Channel={"Name": names})).channel_names == tuple(names)
    labels = [f"c:{number}/3 - {name}" for number, name in enumerate(["DAPI", "GFP", "RFP"], 1)]
    assert read_image(imagej(planes, "CYX", Labels=labels)).channel_names == ("DAPI", "GFP", "RFP")
    items = "".join(
        f'<Item name="DESCRIPTION" sample="{n}" role="description">B{n + 1} &amp; more</Item>' for n in range(3)
    )
    gdal = [(42112, "s", 0, f"<GDALMetadata>{items}</GDALMetadata>", True)]
    bands = tiff_bytes(planes, photometric="minisblack", planarconfig="separate", extratags=gdal)
    assert read_image(bands).channel_names == ("B1 & more", "B2 & more", "B3 & more")
    assert read_image(tiff_bytes(GREY)).channel_names == ("channel 1",)


def test_metadata_that_define_entities_name_nothing():
    entity = '<!DOCTYPE x [<!ENTITY a "aaaa">]>'
    bomb = entity + '<GDALMetadata><Item name="DESCRIPTION" sample="0">&a;</Item></GDALMetadata>'
    assert read_image(tiff_bytes(GREY, extratags=[(42112, "s", 0, bomb, True)])).channel_names == ("channel 1",)


# Results


def results_of(image):
    """The results of an image: class ids, and probabilities."""
    planes = np.dstack([np.full(image.shape, 0.25, np.float32), np.full(image.shape, 0.75, np.float32)])
    return label_tiff(IDS, CLASSES, like=image), probabilities_tiff(planes, [one.name for one in CLASSES], like=image)


@pytest.mark.parametrize("number", [0, 1])
def test_results_of_imagej_are_in_its_manner(number):
    image = read_image(imagej(GREY, "YX"))
    data = results_of(image)[number]
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        assert tiff.imagej_metadata["unit"] == "\\u00B5m"
        assert tiff.imagej_metadata["spacing"] == 1.5
        (x, per_x), (y, per_y) = (tiff.pages.first.tags.valueof(tag) for tag in (282, 283))
        assert (per_x / x, per_y / y) == pytest.approx((0.2, 0.4))
    assert read_image(data).pixel_size == image.pixel_size


@pytest.mark.parametrize("number", [0, 1])
def test_results_of_ome_are_in_its_manner(number):
    image = read_image(ome(GREY, "YX", **ome_sizes(0.108, 0.2)))
    data = results_of(image)[number]
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        assert tiff.is_ome
        assert tiff.series[0].shape == (IDS.shape if number == 0 else (2, *IDS.shape))
        assert tiff.pages.first.resolution == pytest.approx((1e4 / 0.108, 1e4 / 0.2))
    again = read_image(data)
    assert again.pixel_size == image.pixel_size
    if number:
        assert again.channel_names == tuple(one.name for one in CLASSES)


def test_results_of_a_plain_image_have_its_resolution():
    image = read_image(tiff_bytes(GREY, resolution=(1e4 / 0.5, 1e4 / 0.25), resolutionunit="CENTIMETER"))
    for data in results_of(image):
        assert read_image(data).pixel_size == image.pixel_size


def test_results_of_a_map_lie_on_it():
    image = read_image(tiff_bytes(GREY, extratags=GEOTIFF))
    for data in results_of(image):
        with tifffile.TiffFile(io.BytesIO(data)) as tiff:
            for tag, _, _, value, _ in GEOTIFF:
                assert tiff.pages.first.tags.valueof(tag) == value
    again = read_image(results_of(image)[0])
    assert again.pixel_size == image.pixel_size


@pytest.mark.parametrize(
    "data",
    [
        imagej(GREY, "YX"),
        ome(GREY, "YX", **ome_sizes(0.108, 0.2)),
        tiff_bytes(GREY, resolution=(2e4, 2e4), resolutionunit="CENTIMETER"),
    ],
)
def test_results_stay_class_ids(data):
    result = label_tiff(IDS, CLASSES, like=read_image(data))
    np.testing.assert_array_equal(read_image(result).pixels, IDS)
    assert result == label_tiff(IDS, CLASSES, like=read_image(data))


def test_results_without_a_size_are_as_ever():
    assert label_tiff(IDS, CLASSES, like=read_image(tiff_bytes(GREY))) == label_tiff(IDS, CLASSES)


def test_a_size_that_was_typed_counts():
    image = read_image(tiff_bytes(GREY)).with_pixel_size(PixelSize(3, 4, "mm"))
    assert read_image(label_tiff(IDS, CLASSES, like=image)).pixel_size == PixelSize(3, 4, "mm")


def test_areas_stand_in_the_table():
    table = shares_csv(IDS, {1: "void", 2: "grain"}, PixelSize(0.5, 0.25))
    columns, first, _ = [line.split(",") for line in table.splitlines()]
    row = dict(zip(columns, first, strict=True))
    assert row["unit"] == "µm²"
    assert float(row["area"]) == int(row["pixels"]) * 0.125


def test_a_stack_of_imagej_becomes_one():
    stack = np.stack([np.stack([GREY] * 3)] * 2)
    images = list(read_stack(imagej(stack, "TZYX")))
    from segmentation.io.export import label_pages

    file = io.BytesIO()
    with label_pages(file, CLASSES, like=images[0], images=len(images)) as pages:
        for _ in images:
            pages.add(IDS, "class ids")
    with tifffile.TiffFile(io.BytesIO(file.getvalue())) as tiff:
        assert tiff.series[0].axes == "TZYX"
        assert tiff.series[0].shape == stack.shape
    again = list(read_stack(file.getvalue()))
    assert [one.metadata["stack"] for one in again] == [[["z", 3], ["t", 2]]] * 6
    assert all(np.array_equal(one.pixels, IDS) for one in again)
