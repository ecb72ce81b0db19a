"""A real server, a real Chromium, a real mouse."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import IO

import pytest
from playwright.sync_api import sync_playwright

from tests.support.deployment import nginx_in_front_of, unit_command, unit_environment
from tests.support.get_chromium import find_chromium
from tests.support.person import PASSWORD, Person
from tests.support.roundrobin import RoundRobin

ROOT = Path(__file__).resolve().parents[2]
PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
"""The commands of a host, by their names."""

SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
QUIET_CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = 60
WARM_SECONDS = 300
KERNELS = Path(tempfile.mkdtemp(prefix="squiggle-kernels-"))
"""Compiled once for all servers of a run."""
atexit.register(shutil.rmtree, KERNELS, ignore_errors=True)


class Server:
    """The application, served as the Procfile has it, or with another command."""

    def __init__(self, data_folder: Path, command: str = PROCFILE["web"], **environment: str) -> None:
        self.data_folder = data_folder
        self.command = command
        self.environment = environment
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, stdout: IO[bytes] | None = None) -> None:
        environment = os.environ | {
            "PORT": str(self.port),
            "SQUIGGLE_DATA": str(self.data_folder),
            "SQUIGGLE_OPEN": "1",
            "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR") or str(KERNELS),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            **self.environment,
        }
        command = ["sh", "-c", f"exec {self.command}"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=stdout)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=2):
                    return
            except OSError:
                assert self.process.poll() is None, "the server did not start"
                time.sleep(0.1)
        raise AssertionError("the server did not answer")

    def wait_until_warm(self) -> None:
        """Until its kernels are compiled, which takes long on a busy machine, and the first server of a run alone."""
        deadline = time.monotonic() + WARM_SECONDS
        while time.monotonic() < deadline:
            with urllib.request.urlopen(f"{self.url}/ready", timeout=10) as answer:
                if json.load(answer)["kernels"] == "warm":
                    return
            time.sleep(0.2)
        raise AssertionError("the kernels were not compiled")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=30)

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
        self.process.wait(timeout=10)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("data"))
    server.start()
    server.wait_until_warm()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def two_servers(tmp_path_factory):
    """Two servers on one store behind a proxy that gives each request to the other one in turn."""
    folder = tmp_path_factory.mktemp("shared")
    servers = [Server(folder), Server(folder)]
    for server in servers:
        server.start()
    proxy = RoundRobin([server.port for server in servers])
    proxy.start()
    yield proxy
    proxy.stop()
    for server in servers:
        server.stop()


def unit(data_folder: Path, **way_in: str) -> Server:
    """The application, served as the systemd unit of docs/deploy.md has it."""
    return Server(data_folder, unit_command(), **unit_environment(), **{"SQUIGGLE_OPEN": ""} | way_in)


@pytest.fixture(scope="session")
def behind_nginx(tmp_path_factory):
    """What docs/deploy.md sets up on a server of one's own: nginx with TLS, a password, two processes."""
    server = unit(tmp_path_factory.mktemp("behind"), SQUIGGLE_PASSWORD=PASSWORD)
    server.start()
    try:
        server.wait_until_warm()
        with nginx_in_front_of(server.port) as nginx:
            yield nginx
    finally:
        server.stop()


@pytest.fixture(scope="session")
def chromium():
    path = find_chromium()
    assert path, "there is no Chromium: run `make test`, which installs it or says how"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET_CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def people(chromium):
    """Gives people, each with a browser window of their own; none of them may see an error in the console."""
    present = []

    def arrive(url, size="desktop", *, expect_offline=False, **options):
        width, height = SIZES[size]
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            accept_downloads=True,
            has_touch=size == "phone",
            ignore_https_errors=True,
            **options,
        )
        person = Person(context, url, expect_offline=expect_offline)
        present.append(person)
        return person

    yield arrive
    for person in present:
        errors = person.errors
        person.leave()
        assert not errors, errors


@pytest.fixture
def person(people, server):
    """Somebody at a desktop who opens the page for the first time."""
    return people(server.url)
