"""Every plane of a TIFF belongs to an image, or a sentence says why not."""

import io
import re

import numpy as np
import pytest
import tifffile

from segmentation.io.limits import MAX_PAGES, ImageError, PageError
from segmentation.io.read import read_image, read_pages, read_stack
from tests.support.imagefiles import bare_tiff, grey_tiff_tags, tiff_bytes, tiff_with_broken_page

RNG = np.random.default_rng(3)
VOLUME = RNG.integers(0, 60_000, (4, 3, 2, 19, 23), dtype=np.uint16)
"""Four times, three slices, two channels."""


def ome_bytes(arrays, edit=lambda xml: xml, **options):
    """An OME-TIFF with an image for each array, whose XML was edited to the same length."""
    file = io.BytesIO()
    with tifffile.TiffWriter(file, ome=True) as writer:
        for pixels in arrays:
            writer.write(pixels, **options)
    data = file.getvalue()
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        xml = tiff.pages.first.description
    edited = edit(xml)
    assert len(edited) <= len(xml)
    return data.replace(xml.encode(), edited.encode().ljust(len(xml.encode())))


def pages_with(description, pages):
    """A TIFF of pages, the first of which has a description."""
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        for number, page in enumerate(pages):
            text = {"description": description.encode()} if number == 0 else {}
            writer.write(page, photometric="minisblack", metadata=None, **text)
    return file.getvalue()


def assert_images(data, expected):
    images = list(read_stack(data))
    assert [image.pixels.shape for image in images] == [pixels.shape for pixels in expected]
    for image, pixels in zip(images, expected, strict=True):
        np.testing.assert_array_equal(image.pixels, pixels)
    return images


def last_channels(planes):
    return np.moveaxis(planes, 0, -1)


# OME-TIFF


@pytest.mark.parametrize("unequal", [False, True])
def test_colour_images_of_an_ome_file_are_images_of_a_stack(unequal):
    images = [RNG.integers(0, 255, (19 - unequal * n, 23, 3), dtype=np.uint8) for n in range(3)]
    stack = assert_images(ome_bytes(images, photometric="rgb", metadata={"axes": "YXS"}), images)
    assert all(image.metadata["colour"] for image in stack)
    assert stack[0].metadata["notes"] == []


def test_positions_keep_their_channels():
    positions = [VOLUME[n, n, :, n:] for n in range(3)]
    data = ome_bytes(positions, photometric="minisblack", metadata={"axes": "CYX"})
    assert_images(data, [last_channels(planes) for planes in positions])


def test_positions_may_have_different_axes():
    data = ome_bytes([VOLUME[0]], photometric="minisblack", metadata={"axes": "ZCYX"})
    assert_images(data, [last_channels(planes) for planes in VOLUME[0]])
    file = io.BytesIO()
    with tifffile.TiffWriter(file, ome=True) as writer:
        writer.write(VOLUME[0], photometric="minisblack", metadata={"axes": "ZCYX"})
        writer.write(VOLUME[1, :, 0], photometric="minisblack", metadata={"axes": "TYX"})
    assert_images(file.getvalue(), [*(last_channels(planes) for planes in VOLUME[0]), *VOLUME[1, :, 0]])


def test_channels_that_are_colours_themselves_are_read_together():
    scene = RNG.integers(0, 255, (2, 19, 23, 3), dtype=np.uint8)
    data = ome_bytes([scene], photometric="rgb", metadata={"axes": "CYXS"})
    assert_images(data, [np.dstack(list(scene))])


def in_other_quotes(xml):
    return re.sub(r"=\"([^\"]*)\"", r"='\1'", xml)


def test_xml_is_read_in_either_kind_of_quotes():
    data = ome_bytes([VOLUME[0]], edit=in_other_quotes, metadata={"axes": "ZCYX"})
    assert_images(data, [last_channels(planes) for planes in VOLUME[0]])


def ome_xml(blocks, sizes="SizeZ='3' SizeC='2' SizeT='1'", order="XYZCT", root=""):
    return (
        f"<ome:OME xmlns:ome='http://www.openmicroscopy.org/Schemas/OME/2016-06'{root}><!-- <Pixels/> -->"
        f"<ome:Image ID='Image:0'><ome:Pixels DimensionOrder='{order}' SizeX='23' SizeY='19' {sizes}>"
        f"<ome:Channel SamplesPerPixel='1'/><ome:Channel/>{blocks}</ome:Pixels></ome:Image></ome:OME>"
    )


def test_channels_that_are_not_described_are_those_of_the_pages():
    """A grey image, then one in colour, of which nothing is said but the sizes."""
    grey, colour = VOLUME[0, 0], RNG.integers(0, 60_000, (19, 23, 3), dtype=np.uint16)
    images = "".join(
        f"<Image><Pixels DimensionOrder='XYCZT' SizeX='23' SizeY='19' SizeZ='1' SizeC='{channels}' SizeT='1'>"
        "<TiffData/></Pixels></Image>"
        for channels in (2, 3)
    )
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(grey[0], photometric="minisblack", metadata=None, description=f"<OME>{images}</OME>")
        writer.write(grey[1], photometric="minisblack", metadata=None)
        writer.write(colour, photometric="rgb", metadata=None)
    assert_images(file.getvalue(), [last_channels(grey), colour])


def block(ifd, z, c, count=1, inside=""):
    return f"<ome:TiffData IFD='{ifd}' FirstZ='{z}' FirstC='{c}' PlaneCount='{count}'>{inside}</ome:TiffData>"


PLANES = VOLUME[0].reshape(6, 19, 23)


def test_the_order_of_planes_is_that_of_the_tiff_data():
    places = RNG.permutation(6)
    blocks = "".join(block(ifd, *divmod(plane, 2)) for ifd, plane in enumerate(places))
    pages = [PLANES[plane] for plane in places]
    expected = [last_channels(planes) for planes in VOLUME[0]]
    assert_images(pages_with(ome_xml(blocks), pages), expected)


def test_tiff_data_may_count_planes_in_the_order_of_the_dimensions():
    pages = VOLUME[0].swapaxes(0, 1).reshape(6, 19, 23)  # all slices of a channel, then those of the next
    expected = [last_channels(planes) for planes in VOLUME[0]]
    assert_images(pages_with(ome_xml("<ome:TiffData/>"), pages), expected)
    assert_images(pages_with(ome_xml(""), pages), expected)
    swapped = [*pages[3:], *pages[:3]]
    assert_images(pages_with(ome_xml(block(3, 0, 0, 3) + block(0, 0, 1, 3)), swapped), expected)


def test_planes_that_were_never_written_are_told():
    blocks = "".join(block(ifd, *divmod(ifd, 2)) for ifd in range(4))
    images = assert_images(pages_with(ome_xml(blocks), PLANES[:4]), [last_channels(planes) for planes in VOLUME[0, :2]])
    assert "planes that are not in it" in images[0].metadata["notes"][0]


def test_planes_in_other_files_are_told():
    other = "<ome:UUID FileName='b.ome.tif'>urn:uuid:b</ome:UUID>"
    own = "<ome:UUID FileName='a.ome.tif'>urn:uuid:a</ome:UUID>"
    blocks = "".join(block(n % 2, n // 2, n % 2, inside=own if n < 2 else other) for n in range(6))
    data = pages_with(ome_xml(blocks, root=" UUID='urn:uuid:a'"), PLANES[:2])
    (image,) = assert_images(data, [last_channels(VOLUME[0, 0])])
    assert "planes that are not in it" in image.metadata["notes"][0]
    blocks = "".join(block(n // 2, n // 2, n % 2, inside=other if n % 2 else own) for n in range(6))
    data = pages_with(ome_xml(blocks, root=" UUID='urn:uuid:a'"), PLANES[::2])
    assert_images(data, list(PLANES[::2]))


@pytest.mark.parametrize(
    "description",
    [
        ome_xml(block(7, 0, 0)),
        ome_xml("<ome:TiffData IFD='none'/>"),
        ome_xml("", sizes="SizeZ='999999999' SizeC='999999999' SizeT='999999999'"),
        ome_xml("", sizes="SizeZ='9' SizeC='2' SizeT='1'"),
        ome_xml("", order="XYZZT"),
        ome_xml("")[:-9],
        "<!DOCTYPE OME [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]>" + ome_xml("&b;"),
        "<OME><BinaryOnly MetadataFile='a.companion.ome'/></OME>",
        "ImageJ=1.54f\nimages=6\nchannels=2\nslices=7\n",
    ],
)
def test_a_description_that_does_not_fit_leaves_every_page_an_image_and_says_so(description):
    for image in assert_images(pages_with(description, PLANES), list(PLANES)):
        assert "each page is an image of its own" in image.metadata["notes"][0]


def test_more_channels_than_can_be_used_are_images_of_their_own():
    pages = RNG.integers(0, 255, (40, 9, 8), dtype=np.uint8)
    for options in ({"imagej": True}, {"ome": True}):
        images = assert_images(tiff_bytes(pages, metadata={"axes": "CYX"}, **options), list(pages))
        assert "more than 32 channels" in images[0].metadata["notes"][0]


# ImageJ


@pytest.mark.parametrize("truncate", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_imagej_stacks_with_one_directory_are_read_whole(truncate, dtype):
    volume = VOLUME.astype(dtype)
    data = tiff_bytes(volume, imagej=True, truncate=truncate, metadata={"axes": "TZCYX"})
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        assert (len(tiff.pages) == 1) == truncate
    expected = [last_channels(planes) for planes in volume.reshape(12, 2, 19, 23)]
    images = assert_images(data, expected)
    assert images[0].metadata["pages"] == 12
    assert images[0].metadata["notes"] == []
    assert {image.pixels.dtype for image in images} == {np.dtype(dtype)}


def test_colour_stacks_of_imagej_with_one_directory():
    scenes = RNG.integers(0, 255, (5, 19, 23, 3), dtype=np.uint8)
    images = assert_images(tiff_bytes(scenes, imagej=True, truncate=True, metadata={"axes": "ZYXS"}), list(scenes))
    assert all(image.metadata["colour"] for image in images)


@pytest.mark.parametrize("order", ["czt", "zct", "tzc", "zzz"])
def test_the_order_that_imagej_gives_counts(order):
    lengths = {"c": 2, "z": 3, "t": 1}
    axes = ["czt", order][sorted(order) == ["c", "t", "z"]][::-1]
    stored = VOLUME[0][None].transpose(*("tzc".index(axis) for axis in axes), 3, 4)
    assert stored.shape[:3] == tuple(lengths[axis] for axis in axes)
    description = f"ImageJ=1.54f\nimages=6\nchannels=2\nslices=3\norder={order}\n"
    data = pages_with(description, stored.reshape(6, 19, 23))
    assert_images(data, [last_channels(planes) for planes in VOLUME[0]])


def test_stacks_of_tifffile_with_one_directory_are_read_whole():
    data = tiff_bytes(VOLUME[0], truncate=True, photometric="minisblack")
    assert_images(data, list(PLANES))


def test_stacks_of_metamorph_with_one_directory_are_read_whole():
    planes = RNG.integers(0, 255, (6, 19, 23), dtype=np.uint8)
    pixels = planes.tobytes()
    tags = [
        *grey_tiff_tags(23, 19, 1, 19 * 23),
        (33628, 4, 1, 8 + len(pixels)),
        (33629, 5, 6, 8 + len(pixels)),
    ]  # six longs for each plane
    assert_images(bare_tiff(tags, pixels + bytes(6 * 24)), list(planes))


def test_a_stale_description_does_not_make_planes_of_what_follows():
    """Of a stack one page was saved, with the description of all and other things behind the pixels."""
    description = "ImageJ=1.54f\nimages=3\nslices=3\n"
    page = np.arange(12, dtype=np.uint8).reshape(3, 4)
    file = io.BytesIO()
    tifffile.imwrite(file, page, description=description, metadata=None, photometric="minisblack")
    data = bytearray(file.getvalue())
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        directory, pixels = tiff.pages.first.offset, tiff.pages.first.dataoffsets[0]
    assert directory < pixels
    (image,) = assert_images(bytes(data), [page])
    assert "planes that are not in it" in image.metadata["notes"][0]
    moved = data + data[directory:pixels]  # the directory behind the pixels
    moved[4:8] = len(data).to_bytes(4, "little")
    assert_images(bytes(moved), [page])


def test_one_directory_that_claims_absurdly_many_planes_is_refused():
    description = f"ImageJ=1.54f\nimages={MAX_PAGES + 1}\nslices={MAX_PAGES + 1}\n"
    data = tiff_bytes(np.zeros((4, 5), np.uint8), description=description, metadata=None) + bytes(100)
    with pytest.raises(ImageError, match="more than 65536 pages"):
        read_image(data)


def test_a_stack_beyond_four_gigabytes_is_read_from_disk(tmp_path):
    """As ImageJ writes it; the file is sparse, so that it takes little room."""
    pages, rows, columns = 90, 7000, 7000
    description = f"ImageJ=1.54f\nimages={pages}\nslices={pages}\n"
    header = tiff_bytes(np.zeros((rows, columns), np.uint8), description=description, metadata=None)
    last = np.tile(np.arange(250, dtype=np.uint8), columns // 250)
    with (tmp_path / "large.tif").open("wb") as file:
        file.write(header[: -rows * columns])
        start = file.tell()
        file.seek(start + (pages * rows - 1) * columns)
        file.write(last.tobytes())
    assert (tmp_path / "large.tif").stat().st_size > 2**32
    (image,) = read_stack(tmp_path / "large.tif", first=pages)
    assert image.metadata["pages"] == pages
    np.testing.assert_array_equal(image.pixels[-1], last)
    assert not image.pixels[:-1].any()
    with pytest.raises(ImageError, match="MB are allowed"):
        read_image(tmp_path / "large.tif", max_bytes=2**32)


# One that cannot be read among others


def broken_stack():
    pages = RNG.integers(0, 99, (4, 30, 43), dtype=np.uint8)
    return tiff_with_broken_page(pages, 1), pages


def test_an_image_that_cannot_be_read_does_not_hide_the_others():
    data, pages = broken_stack()
    found = list(read_pages(data))
    assert [type(one) for one in found] == [type(found[0]), PageError, type(found[0]), type(found[0])]
    for number in (0, 2, 3):
        np.testing.assert_array_equal(found[number].pixels, pages[number])
    assert (found[1].page, found[1].pages) == (2, 4)
    assert str(found[1]).startswith("Image 2 of the 4 in the file cannot be used. The TIFF file is damaged")
    with pytest.raises(PageError, match="Image 2 of the 4"):
        list(read_stack(data))
    assert [image.metadata["page"] for image in read_stack(data, first=3)] == [3, 4]


def test_planes_for_which_a_file_is_too_short_are_told_one_by_one():
    data = tiff_bytes(VOLUME[0], imagej=True, truncate=True, metadata={"axes": "ZCYX"})
    plane_bytes = PLANES[0].nbytes
    found = list(read_pages(data[: -plane_bytes - 1]))
    assert [isinstance(one, PageError) for one in found] == [False, False, True]
    assert "pixels are missing" in str(found[2])
