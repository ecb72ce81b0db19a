"""Words, names and durations as people read them."""

from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pytest

from segmentation._shared.text import MAX_NAME_LENGTH, duration, escaped, in_xml, natural_key, shown_name


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (8.4, "8 s"), (59.7, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_durations_are_for_people(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("cell 1.tif", "cell 1.tif"),
        (" a\n\0b\x1b[1m ", "ab[1m"),
        ("caf\udce9", "caf"),
        ("x" * 300, "x" * MAX_NAME_LENGTH),
    ],
)
def test_names_are_fit_to_be_shown(name, shown):
    assert shown_name(name) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Größe 十二 a\u3000b.tif", "Größe 十二 a\u3000b.tif"),
        ("a\n\x1b[31mb", "a\\n\\x1b[31mb"),
        ("caf\udce9.tif", "caf\\xe9.tif"),
        ("\ud800\u2028", "\\ud800\\u2028"),
    ],
)
def test_what_cannot_be_shown_is_escaped(text, shown):
    assert escaped(text) == shown
    escaped(text).encode()


def test_numbers_in_texts_count_as_numbers():
    names = ["a", "a1b", "a1b2", "a01", "a1", "a2", "a10", "10", "9", "b", ""]
    assert sorted(names, key=natural_key) == ["", "9", "10", "a", "a01", "a1", "a1b", "a1b2", "a2", "a10", "b"]


def test_what_no_xml_can_hold_is_replaced_and_all_else_stays():
    kept = "Größe\t十二 𝛼 <&>\"'\r\n\x85\ufffd"
    assert in_xml(kept) == kept
    bad = "".join(map(chr, (*range(9), 11, 12, *range(14, 32), 0xD800, 0xDFFF, 0xFFFE, 0xFFFF)))
    assert in_xml(f"a{bad}b") == f"a{chr(0xFFFD) * len(bad)}b"
    ElementTree.fromstring(f"<a>{escape(in_xml(kept + bad))}</a>")
