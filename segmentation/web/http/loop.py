"""The loop that receives and sends for all connections of a process."""

from __future__ import annotations

from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from typing import Any

from waitress import wasyncore


class Watched(dict[int, Any]):
    """What is asked to receive and send, by its file descriptor.

    waitress's own loop asks all that is there before each step, what it waits for. With hundreds of silent connections
    that took longer than the answers to others, so that here only those are asked with which something goes on.
    """

    def __init__(self) -> None:
        super().__init__()
        self._selector = DefaultSelector()
        self._asked: set[Any] = set()

    def __setitem__(self, descriptor: int, one: Any) -> None:
        super().__setitem__(descriptor, one)
        self._asked.add(one)

    def __delitem__(self, descriptor: int) -> None:
        self._asked.discard(self[descriptor])
        super().__delitem__(descriptor)
        self._wait_for(descriptor, 0)

    def step(self, seconds: float) -> None:
        """Receive and send, until something has come or that time is over."""
        for one in tuple(self._asked):
            if one._fileno is None:  # closed just now by another
                continue
            if not getattr(one, "is_active", True):
                self._asked.discard(one)
            self._wait_for(one._fileno, EVENT_READ * bool(one.readable()) | EVENT_WRITE * bool(one.writable()))
        for key, events in self._selector.select(seconds):
            one = self.get(key.fd)
            if one is None:
                continue
            self._asked.add(one)
            if events & EVENT_READ:
                wasyncore.read(one)
            if events & EVENT_WRITE and self.get(key.fd) is one:
                wasyncore.write(one)

    def _wait_for(self, descriptor: int, events: int) -> None:
        known = self._selector.get_map().get(descriptor)
        if known is None and events:
            self._selector.register(descriptor, events)
        elif known is not None and not events:
            self._selector.unregister(descriptor)
        elif known is not None and known.events != events:
            self._selector.modify(descriptor, events)

    def close(self) -> None:
        """Close all that is there."""
        wasyncore.close_all(self)
        self._selector.close()
