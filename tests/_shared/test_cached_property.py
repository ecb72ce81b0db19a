import threading

from segmentation._shared.cached_property import cached_property
from tests.support import PATIENCE_SECONDS


class Slow:
    """Computes what it is asked for, once it may."""

    def __init__(self):
        self.asked, self.may, self.times = threading.Event(), threading.Event(), 0

    @cached_property
    def found(self):
        """What it found."""
        self.times += 1
        self.asked.set()
        assert self.may.wait(PATIENCE_SECONDS)
        return object()


def test_it_is_computed_once():
    slow = Slow()
    slow.may.set()
    assert slow.found is slow.found
    assert slow.times == 1


def test_nobody_waits_for_what_another_computes():
    first, second = Slow(), Slow()
    thread = threading.Thread(target=lambda: first.found)
    thread.start()
    assert first.asked.wait(PATIENCE_SECONDS)
    second.may.set()
    assert second.found is not None
    first.may.set()
    thread.join()
    assert first.times == 1


def test_of_those_who_compute_the_same_at_once_the_first_counts():
    slow, found = Slow(), []
    threads = [threading.Thread(target=lambda: found.append(slow.found)) for _ in range(2)]
    for thread in threads:
        thread.start()
    slow.may.set()
    for thread in threads:
        thread.join()
    assert found[0] is found[1] is slow.found


def test_a_class_gives_the_property_itself_with_its_docstring():
    assert Slow.found.__doc__ == "What it found."
