"""Planes are read in the store's own file where it is one, and in a copy of it elsewhere."""

import os

import pytest

from segmentation.web.session.stackfiles import StackFiles
from segmentation.web.store import UnknownImageError, beside

STACK = "ab" * 28 + "00000000"


@pytest.mark.parametrize("large", [1, 1000])
def test_the_file_of_a_stack_is_read_whole_by_its_session_alone(store, monkeypatch, large):
    monkeypatch.setattr(beside, "LARGE_BYTES", large)
    session, other = store.create_session(), store.create_session()
    store.put_image(session, STACK, "stack.tif", b"planes")
    files = StackFiles(store, 100)
    files.put(session, STACK, b"planes")
    own = store.opened_image(session, STACK)
    assert (own is not None) == (large == 1 and store.database.is_sqlite)
    with files.open(session, STACK) as file:
        assert file.read() == b"planes"
        assert own is None or os.path.sameopenfile(file.fileno(), own.fileno())
    if own is not None:
        own.close()
    with pytest.raises(UnknownImageError):
        files.open(other, STACK)
