"""Tiles as browsers get them are the tiles that were computed."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segmentation._shared.tiling import TileGrid
from segmentation.web.session.packed_tile import PackedTile
from tests.support.asking import unpacked

CLASSES = st.sets(st.integers(1, 255), min_size=2, max_size=6).map(sorted)


@given(CLASSES, st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_ids_and_their_numbers_are_those_of_the_tile(classes, rows, columns, seed):
    classes = np.array(classes, np.uint8)
    (tile,) = TileGrid((rows, columns)).tiles
    ids = np.random.default_rng(seed).choice(classes, (rows, columns))
    if seed % 3 == 0:
        ids[rows // 2 :] = 0  # no data
    packed = PackedTile.pack(tile, ids, classes)
    assert np.array_equal(unpacked(packed.fields()), ids)
    assert np.array_equal(packed.ids, ids)
    assert np.array_equal(packed.pixels_by_class, np.bincount(ids.ravel(), minlength=256))
    layered = PackedTile.pack(tile, ids, classes, "2", ids // 3)
    assert layered.with_ids(ids, classes).fields() == layered.fields()
    assert layered.checksum != packed.checksum


def test_the_checksum_tells_apart_which_classes_the_bits_mean():
    (tile,) = TileGrid((4, 9)).tiles
    ids = np.ones((4, 9), np.uint8)
    ids[2:] = 2
    one = PackedTile.pack(tile, ids, np.array([1, 2], np.uint8))
    other = PackedTile.pack(tile, ids + 1, np.array([2, 3], np.uint8))
    assert one.packed == other.packed
    assert one.checksum != other.checksum
