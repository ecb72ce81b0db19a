"""What a command of one's own serves, asked over HTTP."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.support import PATIENCE_SECONDS


class Served:
    """The server that a command starts; it is asked to end when the context does.

    Attributes:
        process: of the command.
        address: host and port, empty as long as they are not known.
    """

    def __init__(self, command: Sequence[str | Path], cwd: Path, environment: Mapping[str, str], address: str = ""):
        self.process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=subprocess.PIPE, text=True)
        self.address = address

    def __enter__(self) -> Served:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.communicate(timeout=PATIENCE_SECONDS)
        finally:
            self.process.kill()

    def read_address(self) -> None:
        """Wait until the command tells where the page is.

        Raises:
            AssertionError: if it ends without telling that.
        """
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if found := re.search(r"http://(127\.0\.0\.1:\d+)", line):
                self.address = found[1]
                return
        raise AssertionError("it ended before it served")

    def ask(self, method: str, path: str, body: Any = None) -> bytes:
        """What it answers.

        Raises:
            AssertionError: if it does not answer with 200.
            OSError: if it does not answer.
        """
        connection = http.client.HTTPConnection(self.address, timeout=PATIENCE_SECONDS)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            with connection.getresponse() as answer:
                content = answer.read()
        finally:
            connection.close()
        assert answer.status == 200, (path, answer.status, content[:500])
        return content
