"""Ports for servers of the tests."""

import itertools
import os
import socket
from contextlib import suppress

FIRST, LAST = 20_000, 32_000
"""Below those that systems hand out themselves, so that one stays free while its server is started again."""

_numbers = itertools.count(101 * os.getpid())


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    while True:
        port = FIRST + next(_numbers) % (LAST - FIRST)
        with socket.socket() as trial, suppress(OSError):
            trial.bind(("127.0.0.1", port))
            return port
