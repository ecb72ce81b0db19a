import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from segmentation.forest._bit_layout import BINS, BITS, BLOCK, ROW
from segmentation.forest.bins import Bins, count_blocks

LARGEST = np.finfo(np.float32).max
finite = st.floats(width=32, allow_nan=False, allow_infinity=False)

RANGES = {
    "a part of one": (0.1, 0.7),
    "below and above zero": (-1, 1),
    "tiny around zero": (-1e-30, 3e-30),
    "far from zero": (1e6, 1e6 + 3),
    "two neighbours": (1.0, np.nextafter(np.float32(1), np.float32(2))),
    "all there is": (-LARGEST, LARGEST),
    "from zero to all": (0, LARGEST),
    "without full digits": (0, 1e-42),
    "the smallest of all": (0, 1e-45),
    "whole numbers": (0, 255),
    "one value": (3.7, 3.7),
    "nothing": (0, 0),
}


def bins_of(low, high, steps=8):
    return Bins.of_rows(np.array([[low], [high]], np.float32), steps)


def told_apart(bins, values):
    """Checks at each value that its bin is above ``j`` if and only if it is above edge ``j``."""
    values = np.asarray(values, np.float32)
    found = bins.of_values(np.zeros(len(values), int), values)
    for edge in range(BINS - 1):
        assert np.array_equal(found > edge, values > bins.edges[0, edge])


@pytest.mark.parametrize(("low", "high"), RANGES.values(), ids=RANGES)
def test_an_edge_divides_floats_as_bins_do(low, high):
    bins = bins_of(low, high)
    edges = bins.edges[0]
    assert (np.diff(edges.astype(np.float64)) >= 0).all()
    assert np.isfinite(edges).all()
    up, down = np.float32(np.inf), np.float32(-np.inf)
    with np.errstate(over="ignore"):
        near = [edges, np.nextafter(edges, up), np.nextafter(edges, down)]
    random = np.random.default_rng(0).integers(0, 2**32, 20_000, np.uint32).view(np.float32)
    for values in (*near, random, np.array([low, high, 0, -0.0, LARGEST, -LARGEST], np.float32)):
        told_apart(bins, values[np.isfinite(values)])


@given(finite, finite, st.lists(finite, min_size=1, max_size=50))
def test_an_edge_divides_any_floats_as_bins_do(one, other, values):
    bins = bins_of(min(one, other), max(one, other))
    told_apart(bins, [*values, *bins.edges[0]])


@pytest.mark.parametrize(("low", "high"), RANGES.values(), ids=RANGES)
def test_the_ends_of_the_range_lie_in_the_first_and_last_bins(low, high):
    bins = bins_of(low, high)
    first, last = bins.of_values(np.zeros(2, int), np.array([low, high], np.float32))
    if float(high) - float(low) < 1e-36:
        assert (first, last) == (0, 0)
    else:
        assert first <= 8
        assert last >= BINS - 8


@pytest.mark.parametrize(("steps", "least"), [(1, 20), (2, 31), (4, 41), (8, 50)])
@given(st.floats(-1e6, 1e6, width=32), st.floats(0.25, 1e6, width=32))
def test_enough_of_the_bins_lie_within_the_range(steps, least, low, width):
    high = np.float32(low) + np.float32(width)
    assume(high > np.float32(low) + 64 * np.spacing(np.abs(np.float32(low)) + np.float32(width)))
    first, last = bins_of(low, high, steps).of_values(np.zeros(2, int), np.array([low, high], np.float32))
    assert last - first >= least


def test_a_little_more_of_a_range_changes_no_bin():
    wide, wider = bins_of(0.11, 0.93), bins_of(0.109, 0.935)
    assert np.array_equal(wide.edges, wider.edges)
    assert not np.array_equal(wide.edges, bins_of(0.02, 0.93).edges)
    assert np.array_equal(bins_of(0.11, 0.93, 2).edges, bins_of(0.02, 0.93, 2).edges)


BETWEEN = [[10, 10, 10, np.nan], [20, 20, 20, np.nan]]
ROWS = [[6, 4, 10, 3], [24, 20, 26, 5]]


@pytest.mark.parametrize(
    ("margin", "covered"),
    [
        (0, [(6, 24), (4, 20), (10, 26), (3, 5)]),
        (0.4, [(10, 20), (4, 20), (10, 26), (3, 5)]),
        (0.5, [(10, 20), (4, 20), (10, 26), (3, 5)]),
        (0.6, [(10, 20)] * 3 + [(3, 5)]),
        (1, [(10, 20)] * 3 + [(3, 5)]),
    ],
)
def test_rows_beyond_what_is_covered_count_from_a_margin_on(margin, covered):
    rows, ranges = np.array(ROWS, np.float32), np.array(BETWEEN, np.float32)
    bins = Bins.of_rows(rows, 2, ranges, margin)
    alone = Bins.of_rows(np.array(covered, np.float32).T)
    assert np.array_equal(bins.low, alone.low)
    assert np.array_equal(bins.scale, alone.scale)


@given(
    arrays.arrays(np.float32, (2, 6), elements=st.floats(-9, 9, width=32)),
    st.floats(0, 1),
    st.sampled_from([1, 2, 4, 8]),
)
def test_what_lies_between_is_covered_whatever_the_margin(ends, margin, steps):
    ranges = np.sort(ends, axis=0)
    rows = np.random.default_rng(0).normal(0, 9, (5, 6)).astype(np.float32)
    bins = Bins.of_rows(rows, steps, ranges, margin)
    assert (bins.low <= ranges[0]).all()
    wide = bins.scale > 0
    assert (bins.low[wide] + BINS / bins.scale[wide].astype(np.float64) >= ranges[1][wide] - 1e-4).all()


def test_bins_follow_from_the_rows_whatever_their_order():
    rows = np.random.default_rng(0).normal(size=(200, 5)).astype(np.float32)
    one, other = Bins.of_rows(rows), Bins.of_rows(rows[::-1])
    assert np.array_equal(one.low, other.low)
    assert np.array_equal(one.scale, other.scale)


def test_what_is_not_a_number_is_in_the_first_bin():
    bins = bins_of(0, 1)
    odd = np.array([np.nan, np.inf, -np.inf], np.float32)
    assert bins.of_values(np.zeros(3, int), odd).tolist() == [0, BINS - 1, 0]
    assert unpacked(bins.pack(odd[None]), 3)[0].tolist() == [0, BINS - 1, 0]


def unpacked(packed, pixels):
    """The bins, ``(features, pixels)``, of packed bits."""
    blocks, features, digits, _ = packed.shape
    bits = packed[..., None, :] >> np.arange(8, dtype=np.uint8)[:, None] & 1
    values = (bits << np.arange(digits, dtype=np.uint8)[:, None, None]).sum(axis=2, dtype=np.uint8)
    return values.transpose(1, 0, 2, 3).reshape(features, blocks * BLOCK)[:, :pixels]


@pytest.mark.parametrize("shape", [(1, 1), (3, 1023), (2, 1024), (5, 1025), (1, 9000), (7, 0)], ids=str)
def test_packed_bits_are_the_bins(shape):
    planes = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    bins = Bins.of_rows(np.ascontiguousarray(np.random.default_rng(2).normal(size=(50, shape[0])), np.float32))
    packed = bins.pack(planes)
    assert packed.shape == (count_blocks(shape[1]), shape[0], BITS, ROW)
    assert np.array_equal(unpacked(packed, shape[1]), bins.of_values(np.arange(shape[0])[:, None], planes))
    assert not unpacked(packed, packed.shape[0] * BLOCK)[:, shape[1] :].any()
    assert np.array_equal(bins.columns(np.ascontiguousarray(planes.T)), unpacked(packed, shape[1]))


@given(arrays.arrays(np.float32, (3, 40), elements=st.floats(width=32)))
def test_kernels_put_any_float_into_the_bin_of_the_definition(planes):
    bins = Bins(np.array([-1, 0, 1e30], np.float32), np.array([32, 1e-3, 0], np.float32))
    expected = bins.of_values(np.arange(3)[:, None], planes)
    assert np.array_equal(unpacked(bins.pack(planes), 40), expected)
    assert np.array_equal(bins.columns(np.ascontiguousarray(planes.T)), expected)


@pytest.mark.parametrize(("low", "high"), RANGES.values(), ids=RANGES)
def test_kernels_tell_floats_right_at_edges_apart(low, high):
    bins = bins_of(low, high)
    with np.errstate(over="ignore"):
        beside = [np.nextafter(bins.edges[0], np.float32(end)) for end in (np.inf, -np.inf)]
    random = np.random.default_rng(0).integers(0, 2**32, 4000, np.uint32).view(np.float32)
    values = np.concatenate([bins.edges[0], *beside, random, np.array([np.nan, np.inf, -np.inf], np.float32)])
    expected = bins.of_values(np.zeros(len(values), int), values)
    assert np.array_equal(unpacked(bins.pack(values[None]), len(values))[0], expected)
    assert np.array_equal(bins.columns(values[:, None])[0], expected)


def test_an_image_is_packed_as_its_pixels_row_by_row():
    planes = np.random.default_rng(3).normal(size=(4, 30, 50)).astype(np.float32)
    bins = Bins.of_rows(np.ascontiguousarray(planes.reshape(4, -1).T))
    assert np.array_equal(bins.pack(planes, threads=1), bins.pack(planes.reshape(4, -1), threads=2))


def test_memory_to_be_filled():
    planes = np.random.default_rng(3).normal(size=(4, 3000)).astype(np.float32)
    bins = Bins.of_rows(np.ascontiguousarray(planes.T))
    out = np.full((3, 4, BITS, ROW), 7, np.uint8)
    assert bins.pack(planes, out) is out
    assert np.array_equal(out, bins.pack(planes))


@pytest.mark.parametrize(
    ("low", "scale", "sentence"),
    [
        (np.zeros(2), np.ones(2, np.float32), "low of the bins is not an array of float32"),
        (np.zeros(2, np.float32), [1, 1], "scale of the bins is not an array of float32"),
        (np.zeros((1, 2), np.float32), np.ones(2, np.float32), "in 1 dimension"),
        (np.array([np.nan], np.float32), np.ones(1, np.float32), "not finite"),
        (np.zeros(1, np.float32), np.array([np.inf], np.float32), "not finite"),
        (np.zeros(1, np.float32), np.array([-1], np.float32), "negative"),
        (np.zeros(1, np.float32), np.ones(2, np.float32), "as many"),
    ],
)
def test_bins_that_are_none_are_refused(low, scale, sentence):
    with pytest.raises(ValueError, match=sentence):
        Bins(low, scale)


def test_planes_that_are_not_the_features_are_refused():
    with pytest.raises(ValueError, match="bins for 1 float32 features"):
        bins_of(0, 1).pack(np.zeros((2, 5), np.float32))
    with pytest.raises(ValueError, match="bins for 1 float32 features"):
        bins_of(0, 1).pack(np.zeros((1, 5)))
