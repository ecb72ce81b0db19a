import numpy as np
import pytest

from segmentation import untrusted


def test_json_is_read():
    assert untrusted.parse_json('{"a": [1, 2.5, null, "x"]}', "The file") == {"a": [1, 2.5, None, "x"]}
    assert untrusted.parse_json(b'"\xc3\xa9"', "The file") == "é"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1,]",
        "NaN",
        '{"a": Infinity}',
        "[-Infinity]",
        '{"a": 1, "a": 2}',
        "[" * 100_000,
        b"\xff\xfe",
        "9" * 19,
        "1e400",
    ],
)
def test_json_that_is_not_strict_is_refused_with_its_name(text):
    with pytest.raises(ValueError, match=r"^The file is "):
        untrusted.parse_json(text, "The file")


@pytest.mark.parametrize("value", [True, 1.0, "1", None, 0, 256, [1], np.float64(1)])
def test_no_whole_number(value):
    with pytest.raises(ValueError, match="It must be a whole number between 1 and 255"):
        untrusted.whole_number(value, "It", 1, 255)


def test_whole_numbers_of_numpy_become_plain():
    assert type(untrusted.whole_number(np.int64(7), "It", 1, 255)) is int


@pytest.mark.parametrize("value", [True, "1", None, float("nan"), float("inf"), 10**400, 1j, 11, -1])
def test_no_number(value):
    with pytest.raises(ValueError, match="It must be"):
        untrusted.number(value, "It", 0, 10)


@pytest.mark.parametrize("value", ["", "   ", "a" * 61, "a\nb", "a\x00", "\ud800", "a\u2028b", 5, None])
def test_no_text(value):
    with pytest.raises(ValueError, match=r"It must|It has"):
        untrusted.text(value, "It", 60)


def test_text_of_any_script():
    for name in ("void", "Zellkern ✓", "می‌خواهم", "細胞", "👩‍🔬"):
        assert untrusted.text(name, "It", 60) == name


def test_keys_of_a_mapping():
    assert untrusted.mapping({"a": 1, "b": 2}, "It", ["a"], ["b"]) == {"a": 1, "b": 2}
    with pytest.raises(ValueError, match="It lacks 'a'"):
        untrusted.mapping({}, "It", ["a"])
    with pytest.raises(ValueError, match="It has the unknown key 'c'"):
        untrusted.mapping({"a": 1, "c": 2}, "It", ["a"])
    with pytest.raises(ValueError, match="It must be a JSON object"):
        untrusted.mapping([], "It", [])


def test_length_of_a_sequence():
    assert untrusted.sequence([1, 2], "It", 2) == [1, 2]
    with pytest.raises(ValueError, match="at most 1"):
        untrusted.sequence([1, 2], "It", 1)
    with pytest.raises(ValueError, match="JSON array"):
        untrusted.sequence("ab", "It", 5)
