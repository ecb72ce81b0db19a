"""One image of an archive that cannot be used is refused in a sentence, and the others come in."""

import io
import zipfile

import pytest

from segmentation.web.series.upload_zip import unpacked
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


def test_what_is_compressed_is_read():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", b"a" * 500)
    assert [one.content for one in unpacked(file, **LIMITS)] == [b"a" * 500]
