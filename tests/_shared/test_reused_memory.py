"""Memory goes from one use to the next, whatever it held, and little of it is kept."""

from contextlib import ExitStack

import numpy as np
import pytest

from segmentation._shared import reused_memory as module
from segmentation._shared.aligned import CACHE_LINE
from segmentation._shared.parallel import available_threads
from segmentation._shared.reused_memory import MAX_FREE_BYTES, reused_memory


@pytest.fixture(autouse=True)
def free(monkeypatch):
    """What lies free, which is nothing at first."""
    monkeypatch.setattr(module, "_FREE", [])
    return module._FREE


def start_of(array):
    return array.__array_interface__["data"][0]


def test_what_held_bytes_holds_other_numbers_in_the_same_place_next():
    with reused_memory() as room:
        bytes_ = room((12, 50), np.uint8)
        bytes_[:] = 255
    with reused_memory() as room:
        numbers = room((3, 40), np.float32)
        numbers[:] = 1.5
        assert (numbers.shape, numbers.dtype) == ((3, 40), np.float32)
        assert start_of(numbers) == start_of(bytes_)
        assert numbers.flags.writeable
        assert numbers.flags.c_contiguous
        assert (numbers == 1.5).all()
        larger = room((20, 50), np.uint16)
        assert larger.nbytes == 2_000


def test_what_two_hold_at_a_time_is_apart():
    with reused_memory() as one, reused_memory() as other:
        first, second = one((100,), np.uint8), other((100,), np.uint8)
        first[:], second[:] = 1, 2
        assert (first == 1).all()


@pytest.mark.parametrize("length", [1, 7, 64, 999])
def test_it_starts_with_a_cache_line_whatever_it_held(length):
    for dtype in (np.uint8, np.float32, np.float64, np.uint16):
        with reused_memory() as room:
            assert start_of(room((length,), dtype)) % CACHE_LINE == 0


def test_little_is_kept(free):
    with ExitStack() as held:
        for _ in range(3 * available_threads() + 2):
            held.enter_context(reused_memory())((10,), np.uint8)
    assert len(free) == 3 * available_threads()
    free.clear()
    for size, kept in ((MAX_FREE_BYTES, 1), (MAX_FREE_BYTES + 1, 0)):
        with reused_memory() as room:
            room((size,), np.uint8)
        assert len(free) == kept
