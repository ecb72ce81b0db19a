"""Uncertainty is the margin between the two most probable classes, and a layer shows it in percent."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import segmentation as seg
from segmentation.live.layers import NO_DATA, Layer


def probabilities(seed, classes, pixels=50):
    given = np.random.default_rng(seed).random((pixels, classes)) ** 3
    return (given / given.sum(axis=-1, keepdims=True)).astype(np.float32)


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_it_is_one_less_the_margin(seed, classes):
    given = probabilities(seed, classes)
    largest = np.sort(np.pad(given, ((0, 0), (1, 0))), axis=-1)
    found = seg.uncertainty(given)
    assert found.dtype == np.float32
    assert found.shape == (50,)
    assert np.allclose(found, 1 - (largest[:, -1] - largest[:, -2]), rtol=0, atol=1e-6)


def test_it_is_nothing_where_all_agree_or_know_nothing_and_all_where_two_are_equal():
    assert seg.uncertainty([[1, 0, 0], [0.5, 0.5, 0], [0, 0, 0]]).tolist() == [0, 1, 0]
    with pytest.raises(ValueError, match="classes being the last axis"):
        seg.uncertainty(np.empty((3, 0)))


def test_layers_are_in_percent():
    planes = np.array([[[0.93, 0.5, 0]], [[0.07, 0.5, 0]]], np.float32)
    classes = np.array([2, 5], np.uint8)
    assert Layer().values(planes, classes).tolist() == [[14, 100, NO_DATA]]
    assert Layer(5).values(planes, classes).tolist() == [[7, 50, NO_DATA]]
    assert Layer(3).values(planes, classes).tolist() == [[0, 0, NO_DATA]]
    assert Layer(5).name != Layer().name
