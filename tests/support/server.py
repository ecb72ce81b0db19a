"""The application as a process of its own, served as a host does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import IO

from tests.support import PATIENCE_SECONDS, ROOT
from tests.support.deployment import unit_command, unit_environment
from tests.support.ports import free_port

COMPILING_SECONDS = 3 * PATIENCE_SECONDS

PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
"""The commands of a host, by their names."""


class Server:
    """The application, served as the Procfile has it, or with another command."""

    def __init__(self, data_folder: Path, command: str = PROCFILE["web"], **environment: str) -> None:
        self.data_folder = data_folder
        self.checkout = ROOT
        self.command = command
        self.environment = environment
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, command: str, stdout: IO[bytes] | None = None) -> subprocess.Popen[bytes]:
        """Start a command with the variables of this server."""
        environment = os.environ | {
            "PORT": str(self.port),
            "SQUIGGLE_DATA": str(self.data_folder),
            "SQUIGGLE_OPEN": "1",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            **self.environment,
        }
        return subprocess.Popen(["sh", "-c", f"exec {command}"], cwd=self.checkout, env=environment, stdout=stdout)

    def start(self, stdout: IO[bytes] | None = None) -> None:
        """Start, and wait until it answers."""
        self.process = self.run(self.command, stdout)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=10):
                    return
            except OSError:
                assert self.process.poll() is None, "the server did not start"
                time.sleep(0.1)
        raise AssertionError("the server did not answer")

    def wait_until_warm(self) -> None:
        """Until its kernels are compiled, which takes long on a busy machine, and the first server of a run alone."""
        deadline = time.monotonic() + COMPILING_SECONDS
        while time.monotonic() < deadline:
            with urllib.request.urlopen(f"{self.url}/ready", timeout=PATIENCE_SECONDS) as answer:
                if json.load(answer)["kernels"] == "warm":
                    return
            time.sleep(0.2)
        raise AssertionError("the kernels were not compiled")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=PATIENCE_SECONDS)

    def workers(self) -> list[str]:
        """The process ids of the workers."""
        assert self.process is not None
        listing = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False
        )
        return listing.stdout.split()

    def kill(self) -> None:
        """Kill master and workers as an operating system would."""
        assert self.process is not None
        for pid in [str(self.process.pid), *self.workers()]:
            subprocess.run(["kill", "-9", pid], check=False)
        self.process.wait(timeout=PATIENCE_SECONDS)


def unit(data_folder: Path, **way_in: str) -> Server:
    """The application, served as the systemd unit of docs/deploy.md has it."""
    return Server(data_folder, unit_command(), **unit_environment(), **{"SQUIGGLE_OPEN": ""} | way_in)
