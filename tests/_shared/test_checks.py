import json
import tracemalloc

import numpy as np
import pytest

from segmentation._shared import checks


def test_json_is_read():
    assert checks.parse_json('{"a": [1, 2.5, null, "x"]}', "The file") == {"a": [1, 2.5, None, "x"]}
    assert checks.parse_json(b'"\xc3\xa9"', "The file") == "é"


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
        "[" + "{}," * checks.MAX_VALUES + "1]",
        "[" + "1," * checks.MAX_VALUES + "1]",
        '{"a":' * checks.MAX_VALUES,
        '["' + '","' * (2 * checks.MAX_VALUES) + '"]',
        '"' * 2**23,
        '"' + '\\"' * 2**22 + "," * 2**21,
        "," * 2**21 + '"a\\' * 2**21,
    ],
    ids=lambda text: f"{text[:9]!r:.20} of {len(text)}",
)
def test_json_that_is_not_strict_is_refused_with_its_name(text):
    with pytest.raises(ValueError, match=r"^The file is "):
        checks.parse_json(text, "The file")


def test_commas_and_brackets_within_texts_are_no_values():
    path = "M1,2L3,4[{" * checks.MAX_VALUES
    assert checks.parse_json(json.dumps({"path": path, 'say "a,b,c"': "\\"}), "The file")["path"] == path


def test_very_many_values_take_no_memory():
    text = b"[" + b"{}," * 10_000_000 + b"{}]"
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="more than 1,000,000 values"):
            checks.parse_json(text, "The file")
        assert tracemalloc.get_traced_memory()[1] < 2 * len(text)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("value", [True, 1.0, "1", None, 0, 256, [1], np.float64(1)])
def test_no_whole_number(value):
    with pytest.raises(ValueError, match="It must be a whole number between 1 and 255"):
        checks.whole_number(value, "It", 1, 255)


def test_whole_numbers_of_numpy_become_plain():
    assert type(checks.whole_number(np.int64(7), "It", 1, 255)) is int


@pytest.mark.parametrize("value", [True, "1", None, float("nan"), float("inf"), 10**400, 1j, 11, -1])
def test_no_number(value):
    with pytest.raises(ValueError, match="It must be"):
        checks.number(value, "It", 0, 10)


@pytest.mark.parametrize("value", ["", "   ", "a" * 61, "a\nb", "a\x00", "\ud800", "a\u2028b", 5, None])
def test_no_text(value):
    with pytest.raises(ValueError, match=r"It must|It has"):
        checks.text(value, "It", 60)


def test_text_of_any_script():
    for name in ("void", "Zellkern ✓", "می‌خواهم", "細胞", "👩‍🔬"):
        assert checks.text(name, "It", 60) == name


def test_keys_of_a_mapping():
    assert checks.mapping({"a": 1, "b": 2}, "It", ["a"], ["b"]) == {"a": 1, "b": 2}
    with pytest.raises(ValueError, match="It lacks 'a'"):
        checks.mapping({}, "It", ["a"])
    with pytest.raises(ValueError, match="It has the unknown key 'c'"):
        checks.mapping({"a": 1, "c": 2}, "It", ["a"])
    with pytest.raises(ValueError, match="It must be a JSON object"):
        checks.mapping([], "It", [])


def test_length_of_a_sequence():
    assert checks.sequence([1, 2], "It", 2) == [1, 2]
    with pytest.raises(ValueError, match="at most 1"):
        checks.sequence([1, 2], "It", 1)
    with pytest.raises(ValueError, match="JSON array"):
        checks.sequence("ab", "It", 5)
