"""One image of an archive that cannot be used is refused in a sentence, and the others come in."""

import io
import zipfile

import pytest

from segmentation.web.series.upload_zip import ZipError, shown_path, unpacked
from tests.support.files import zipped

LIMITS = {"max_images": 10, "max_image_bytes": 1000, "max_bytes": 10**6}
FLAGS, METHOD, CONTENT = 6, 8, 30 + len("bad.png")
"""Where a member's header says that it is encrypted, how it is compressed, and where its content begins."""


def member_changed(at, value, in_table=None):
    """An archive of two images whose first one's header, in both places where it stands, or content is changed."""
    data = bytearray(zipped({"bad.png": b"bad" * 100, "good.png": b"good"}))
    data[at] ^= value
    if in_table is not None:
        data[data.index(b"PK\x01\x02") + in_table] ^= value
    return bytes(data)


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        (member_changed(FLAGS, 1, 8), "It is encrypted: save the archive without a password."),
        (member_changed(METHOD, 4, 10), "It is compressed in a way that is not read here: save the archive anew."),
        (member_changed(CONTENT, 255), "It is damaged in the archive."),
        (zipped({"bad.png": bytes(1001), "good.png": b"good"}), "It unpacks to 0 MB; this server takes at most 0."),
    ],
)
def test_one_bad_image_does_not_take_the_others_along(archive, reason):
    bad, good = unpacked(io.BytesIO(archive), **LIMITS)
    assert (bad.name, bad.content, bad.reason) == ("bad.png", b"", reason)
    assert (good.name, good.content, good.reason) == ("good.png", b"good", "")


def test_an_archive_whose_table_is_damaged_is_refused():
    archive = bytearray(zipped({"a.png": b"a"}))
    archive[archive.index(b"PK\x01\x02")] = 0
    with pytest.raises(ValueError, match="not a zip archive"):
        list(unpacked(io.BytesIO(bytes(archive)), **LIMITS))


def test_a_member_without_a_name_takes_nothing_with_it():
    data = zipped({"x.png": b"nameless", "good.png": b"good"}).replace(b"x.png", b"\0.png")
    assert [one.content for one in unpacked(io.BytesIO(data), **LIMITS)] == [b"good"]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo(""), b"nameless")
        archive.writestr("good.png", b"good")
    assert [one.content for one in unpacked(file, **LIMITS)] == [b"good"]


def test_a_table_that_holds_more_than_it_says_is_refused_unread():
    archive = bytearray(zipped({f"{number}.png": b"a" for number in range(9)}))
    end = archive.rindex(b"PK\x05\x06")
    archive[end + 8 : end + 12] = b"\x01\x00\x01\x00"
    with pytest.raises(ZipError, match="not in order"):
        list(unpacked(io.BytesIO(bytes(archive)), **LIMITS))


def test_members_that_share_their_content_are_refused():
    archive = bytearray(zipped({"a.png": b"a" * 400, "b.png": b"b" * 400}))
    second = archive.rindex(b"PK\x01\x02")
    archive[second + 42 : second + 46] = bytes(4)
    with pytest.raises(ZipError, match="overlap"):
        list(unpacked(io.BytesIO(bytes(archive)), **LIMITS))


def test_images_that_unpack_to_far_more_than_the_archive_are_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(9):
            archive.writestr(f"{number}.tif", bytes(10**7))
    with pytest.raises(ZipError, match="unpack to 86 MB, far more than so small a file holds"):
        next(unpacked(file, max_images=10, max_image_bytes=2**30, max_bytes=2**40))


def test_what_is_compressed_is_read():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", b"a" * 500)
    assert [one.content for one in unpacked(file, **LIMITS)] == [b"a" * 500]


def limits(**given):
    return {"max_images": 5, "max_image_bytes": 1000, "max_bytes": 2000} | given


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\x03\x04 and nothing more", "not a zip archive"),
        (zipped({"a.png": b"x"})[:-4], "not a zip archive"),
        (zipped({"readme.txt": b"x"}), "holds no image"),
        (zipped({f"{n}.png": b"x" for n in range(6)}), "6 images, more than the 5"),
        (zipped({f"{n}.png": bytes(900) for n in range(3)}, compression=zipfile.ZIP_DEFLATED), "unpack to more than"),
        (zipped({f"{n}.txt": b"" for n in range(20_001)}), "more than 20,000 files"),
    ],
)
def test_a_hostile_zip_is_refused_before_anything_is_unpacked(content, sentence):
    with pytest.raises(ZipError, match=sentence):
        list(unpacked(io.BytesIO(content), **limits()))


def test_a_member_that_cannot_be_used_is_refused_alone():
    bomb = zipped({"bomb.png": bytes(1001), "good.png": b"x"}, compression=zipfile.ZIP_DEFLATED)
    first, second = unpacked(io.BytesIO(bomb), **limits())
    assert "this server takes at most" in first.reason
    assert (second.name, second.content) == ("good.png", b"x")
    lying = bytearray(zipped({"lying.png": bytes(500)}, compression=zipfile.ZIP_DEFLATED))
    for start in (lying.find(b"PK\x03\x04") + 22, lying.find(b"PK\x01\x02") + 24):
        lying[start : start + 4] = (50).to_bytes(4, "little")
    (only,) = unpacked(io.BytesIO(bytes(lying)), **limits())
    assert (only.content, only.reason) == (b"", "It is damaged in the archive.")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a.png", "a.png"), ("/etc/./x/../a.png", "etc/x/a.png"), ("C:\\b\\a.png", "C:/b/a.png"), ("", "image"),
        ("../..", "image"), ("a\x00\n.png", "a.png"), ("d" * 300 + "/a.png", ("d" * 300 + "/a.png")[-200:]),
    ],
)  # fmt: skip
def test_a_name_is_for_reading_only(name, shown):
    assert shown_path(name) == shown
