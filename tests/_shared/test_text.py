"""Words, names and durations as people read them."""

import pytest

from segmentation._shared.text import MAX_NAME_LENGTH, duration, shown_name


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
