import struct
import warnings
import zipfile
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from segmentation._shared.archive import Archive, ArchiveError, json_bytes, npy_bytes, pack

LARGEST = {"a": 1 << 24, "b": 1 << 24}


def zipped(*members, **options):
    target = BytesIO()
    with zipfile.ZipFile(target, "w", **options) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a name that is there already
        for name, content in members:
            archive.writestr(name, content)
    return target.getvalue()


def opened(data, largest=LARGEST, max_bytes=1 << 24):
    return Archive(data, largest, max_bytes)


@given(st.dictionaries(st.sampled_from("ab"), st.binary(max_size=300)))
def test_what_is_packed_is_read(members):
    archive = opened(pack(members))
    for name in "ab":
        assert (name in archive) == (name in members)
    for name, content in members.items():
        assert archive.size(name) == len(content)
        assert archive.read(name) == content


def test_the_same_members_give_the_same_bytes(monkeypatch):
    first = pack({"a": b"x" * 1000, "b": b"y"})
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert pack({"a": b"x" * 1000, "b": b"y"}) == first
    assert len(first) < 400


def test_archives_that_others_packed_are_read():
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        assert opened(zipped(("b", b"y" * 99), ("a", b"x"), compression=compression)).read("b") == b"y" * 99


dtypes = st.sampled_from([np.dtype(t) for t in ("uint8", "int32", "float32", "float64")])


@given(arrays.arrays(dtypes, arrays.array_shapes(min_dims=1, max_dims=2, min_side=0)))
def test_arrays_are_read_to_the_last_bit_here_and_by_numpy(array):
    data = npy_bytes(array)
    archive = opened(pack({"a": data}))
    for read in (archive.read_array("a", array.dtype, array.shape), np.load(BytesIO(data), allow_pickle=False)):
        assert read.dtype == array.dtype
        assert read.shape == array.shape
        assert read.tobytes() == array.tobytes()


def test_an_array_that_numpy_wrote_is_read():
    target = BytesIO()
    np.save(target, np.arange(6, dtype=np.int32).reshape(2, 3))
    read = opened(pack({"a": target.getvalue()})).read_array("a", np.int32, (2, 3))
    np.testing.assert_array_equal(read, [[0, 1, 2], [3, 4, 5]])
    assert read.flags.writeable


def test_an_array_in_another_order_is_written_in_c_order():
    array = np.asfortranarray(np.arange(6, dtype=">f8").reshape(2, 3))
    np.testing.assert_array_equal(np.load(BytesIO(npy_bytes(array))), array)


def wrong_arrays():
    array = np.arange(6, dtype=np.int32)
    good = npy_bytes(array)
    yield b""
    yield good[:5]
    yield good[:-1]
    yield good + b"\0"
    yield b"x" + good[1:]
    yield good.replace(b"<i4", b">i4")
    yield good.replace(b"<i4", b"|O4")
    yield good.replace(b"<i4", b"<f4")
    yield good.replace(b"False", b"True ")
    yield good.replace(b"(6,)", b"(7,)")
    yield good.replace(b"(6,)", b"(__import__('os'),)")
    yield good[:6] + b"\x02" + good[7:]
    yield good[:8] + struct.pack("<H", 0) + good[10:]
    yield good[:8] + struct.pack("<H", 65535) + good[10:]
    yield npy_bytes(array.reshape(2, 3))
    yield npy_bytes(array.astype(object).astype("S4"))


@pytest.mark.parametrize("data", list(wrong_arrays()))
def test_another_array_than_the_expected_one_is_refused(data):
    with pytest.raises(ArchiveError, match="Its member a"):
        opened(pack({"a": data})).read_array("a", np.int32, (6,))


def test_an_array_of_another_size_is_refused_before_it_is_unpacked(monkeypatch):
    archive = opened(pack({"a": npy_bytes(np.zeros(1000))}))
    monkeypatch.setattr(archive, "read", None)
    with pytest.raises(ArchiveError, match="not the size"):
        archive.read_array("a", np.float64, (10**12, 10**12))


def patched(data, signature, offset, value):
    """A zip archive with bytes changed in each of its headers of a kind."""
    changed, start = bytearray(data), 0
    while (start := data.find(signature, start)) >= 0:
        changed[start + offset : start + offset + len(value)] = value
        start += 4
    return bytes(changed)


LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"
GOOD = pack({"a": b"hello hello hello hello", "b": b"there"})


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "not a zip archive"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "not a zip archive"),
        (b"PK\x05\x06", "not a zip archive"),
        (GOOD[:-1], "not a zip archive"),
        (GOOD[: len(GOOD) // 2], "not a zip archive"),
        (GOOD + b"comment", "not a zip archive"),
        (GOOD.replace(CENTRAL, b"PK\x01\x01"), "not a zip archive"),
        (zipped(("c", b"")), "does not belong there, 'c'"),
        (zipped(("../a", b"")), "does not belong there"),
        (zipped(("a/", b"")), "does not belong there"),
        (zipped(("a\udcff".encode("utf-8", "replace").decode(), b"")), "does not belong there"),
        (zipped(*((str(number), b"") for number in range(50))), "more members than belong"),
        (zipped(("a", b"1"), ("a", b"2")), "member a twice"),
        (zipped(("a", b"1"), compression=zipfile.ZIP_BZIP2), "compressed in a way"),
        (zipped(("a", b"1"), compression=zipfile.ZIP_LZMA), "compressed in a way"),
        (patched(patched(GOOD, CENTRAL, 8, b"\x01"), LOCAL, 6, b"\x01"), "encrypted"),
        (patched(GOOD, CENTRAL, 24, struct.pack("<L", 0xFFFFFFF0)), "unpacks to 4,294,967,280 bytes, more than"),
    ],
)
def test_an_archive_that_does_not_belong_here_is_refused(data, sentence):
    with pytest.raises(ArchiveError, match=sentence):
        opened(data)


@pytest.mark.parametrize(
    "data",
    [
        patched(GOOD, CENTRAL, 16, b"\0\0\0\0"),  # another checksum
        patched(GOOD, LOCAL, 30, b"x"),  # another name in front of the content
        patched(GOOD, CENTRAL, 24, struct.pack("<L", 5000)),  # unpacks to less than is claimed
        patched(GOOD, CENTRAL, 24, struct.pack("<L", 3)),  # unpacks to more than is claimed
        patched(GOOD, CENTRAL, 42, struct.pack("<L", 999)),  # lies elsewhere
        patched(GOOD, LOCAL, 31, b"\xff\xff\xff"),  # not deflated
        patched(GOOD, CENTRAL, 10, b"\0"),  # not deflated either
    ],
)
def test_a_damaged_member_is_refused(data):
    archive = opened(data)
    with pytest.raises(ArchiveError, match="member a is damaged"):
        archive.read("a")


def test_what_unpacks_to_too_much_is_refused_before_it_is_unpacked():
    bomb = pack({"a": b"\0" * (80 << 20)})
    assert len(bomb) < 100_000
    with pytest.raises(ArchiveError, match="bytes cannot hold"):
        opened(bomb, {"a": 1 << 30}, 1 << 30)
    with pytest.raises(ArchiveError, match="member a unpacks to 83,886,080 bytes, more than 1,000"):
        opened(bomb, {"a": 1000})
    noise = np.random.default_rng(0).bytes(1000)
    with pytest.raises(ArchiveError, match="It unpacks to 2,000 bytes, more than 1,500"):
        opened(pack({"a": noise, "b": noise}), max_bytes=1500)


@pytest.mark.slow
def test_a_long_table_of_contents_is_not_even_read(monkeypatch):
    data = zipped(*((str(number), b"") for number in range(70_000)))  # more than fit the old header: ZIP64
    monkeypatch.setattr("zipfile.ZipFile", None)
    with pytest.raises(ArchiveError, match="more members than belong"):
        opened(data)


def test_a_missing_member():
    with pytest.raises(ArchiveError, match="It lacks b"):
        opened(pack({"a": b""})).read("b")


def test_json_is_written_the_same_each_time_and_without_what_is_not_json():
    assert json_bytes({"b": 1, "a": "é"}) == '{\n "a": "é",\n "b": 1\n}'.encode()
    for value in (float("nan"), {"a": np.int64(1)}, {1: 2, "b": 3}, object()):
        with pytest.raises(ValueError, match="JSON"):
            json_bytes(value)
