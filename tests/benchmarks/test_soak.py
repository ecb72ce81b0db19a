"""The people of the soak do as the page does."""

import pytest

from benchmarks import soak
from benchmarks.soak import Log, Person


class Talk(Person):
    """Somebody whose server gives these answers."""

    def __init__(self, answers):
        self.answers = iter(answers)
        self._log, self._images, self._after = Log(), ["a" * 64], 0

    def _lines(self, **_said):
        return [{"kind": "journal"}, next(self.answers)]


BUSY = {"kind": "busy", "seconds": 0.001}


@pytest.mark.parametrize("end", ["done", "cannot"])
def test_who_is_asked_to_come_again_does_so(end):
    talk = Talk([BUSY, BUSY, {"kind": end}, {"kind": "beyond"}])
    talk._segment()
    assert next(talk.answers) == {"kind": "beyond"}


def test_who_is_asked_to_come_again_for_ever_gives_up(monkeypatch):
    monkeypatch.setattr(soak, "PATIENCE_SECONDS", 0)
    with pytest.raises(ValueError, match="busy"):
        Talk([BUSY] * 3)._segment()
