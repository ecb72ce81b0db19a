"""Names in the archive of results: everybody can unpack them, and none takes another's place."""

import pytest

from segmentation.web.series.results_zip import result_names
from segmentation.web.store.records import SeriesItem


def names(*given):
    items = [SeriesItem(n, name, 1, "done", 1.0, "", [], "") for n, name in enumerate(given, 1)]
    return list(result_names(items).values())


def test_names_that_everybody_can_unpack_are_as_they_were():
    assert names("a/day 1.tif", "a/größe.png", "b/x.y.tif") == ["day 1", "größe", "x.y"]


@pytest.mark.parametrize(
    ("given", "unpacked"),
    [
        ("10:30 <A|B>?.png", "10-30 -A-B--"),
        ("con.png", "con-"),
        ("AUX/lpt1.more.tif", "AUX-/lpt1-.more"),
        ("trailing. .png", "trailing"),
        ("console.png", "console"),
        ("back\\slash.png", "back-slash"),
    ],
)
def test_names_that_windows_does_not_unpack_are_changed(given, unpacked):
    assert names(given, "other.png")[0].rpartition("/")[2] == unpacked.rpartition("/")[2]


def test_names_that_become_equal_are_told_apart():
    found = names("a:b.png", "a?b.png", "A-B.png", "a-b.png")
    assert len({name.casefold() for name in found}) == 4
    assert found[0] == "a-b"
