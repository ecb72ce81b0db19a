"""Twenty sessions for ten minutes, which draw, open, switch, download and delete: what fails, is lost, or grows.

``python -m benchmarks soak`` measures one server on SQLite, then two on one PostgreSQL behind one address that gives
each request to the next of them. ``python -m benchmarks.soak --seconds 60`` prints the table of a shorter run.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.load import SAMPLE, small_host
from benchmarks.page import memory_megabytes
from benchmarks.table import markdown
from tests.support.postgres import Postgres
from tests.support.roundrobin import RoundRobin
from tests.support.server import Server

PEOPLE = 20
SECONDS = 600.0
SIDE = 400
THINK_SECONDS = 1.5
PATIENCE_SECONDS = 120
SAMPLING_SECONDS = 3.0
SETTLED = 120.0, 180.0
"""The third minute, in which caches are full."""

DOWNLOADS = ("shares.csv", "segmentation.tif", "strokes.json")
ACTIONS = ("draw",) * 12 + ("undo", "open", "switch", "switch", "download", "download", "delete")
"""What a person does next, by chance."""


@dataclass
class Log:
    """What was done, and what went wrong."""

    done: Counter[str] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0


class Person:
    """Somebody with a session, who notes what was acknowledged, and looks whether all of it is there."""

    def __init__(self, port: int, number: int, log: Log) -> None:
        self._port, self._number, self._log = port, number, log
        self._chance = random.Random(number)
        self._sample = np.asarray(Image.open(SAMPLE))
        self._count = 0
        self._begin()

    def _begin(self) -> None:
        self._session = json.loads(self._ask("POST", "/sessions"))["session"]
        self._images: list[str] = []
        self._acknowledged: list[str] = []
        self._drawn: list[str] = []
        self._after = 0
        self.open()

    def live(self, until: float) -> None:
        """Do one thing after the other, with a thought in between."""
        while time.monotonic() < until:
            action = self._chance.choice(ACTIONS)
            try:
                getattr(self, action)()
                self._log.done[action] += 1
            except Exception as problem:
                self._log.problems.append(f"{action}: {type(problem).__name__}: {problem}")
            time.sleep(self._chance.uniform(0.5, 1.5) * THINK_SECONDS)
        self._look_for_all()

    def draw(self) -> None:
        """Draw a stroke, and wait until all is segmented."""
        x, y = (self._chance.uniform(20, SIDE - 60) for _ in range(2))
        path = "M" + "L".join(f"{x + self._chance.uniform(0, 40):.2f},{y + 4 * n}" for n in range(8))
        class_id = 1 + self._count % 2
        stroke = {"id": self._new("s"), "class_id": class_id, "kind": "path", "path": path, "width": 6}
        started = time.perf_counter()
        self._drawn.append(self._do(type="stroke.add", image=self._images[-1], stroke=stroke))
        self._segment()
        self._log.waits.append(time.perf_counter() - started)

    def undo(self) -> None:
        """Undo the last stroke, and wait as well."""
        if self._drawn:
            self._do(type="undo", event=self._drawn.pop())
            self._segment()

    def open(self) -> None:
        """Open another part of the sample."""
        row, column = (self._chance.randrange(length - SIDE) for length in self._sample.shape[:2])
        picture = io.BytesIO()
        Image.fromarray(self._sample[row : row + SIDE, column : column + SIDE]).save(picture, "PNG")
        facts = json.loads(self._ask("POST", f"/s/{self._session}/images?name=soak.png", picture.getvalue()))
        self._images.append(facts["hash"])
        self._do(type="image.open", image={key: value for key, value in facts.items() if key != "notes"})

    def switch(self) -> None:
        """Look at another image."""
        self._images.insert(0, self._images.pop())
        self._segment()

    def download(self) -> None:
        """Download something, if there is something."""
        name = self._chance.choice(DOWNLOADS)
        self._ask("GET", f"/s/{self._session}/download/{name}?image={self._images[-1]}", fine=(200, 422))

    def delete(self) -> None:
        """Delete the session, once all is found in it, and begin another one."""
        self._look_for_all()
        self._ask("DELETE", f"/s/{self._session}")
        self._begin()

    def _look_for_all(self) -> None:
        (line,) = self._lines(after=0, events=[], segment=None)
        found = Counter(event["body"]["id"] for event in line["events"])
        self._log.lost += sum(not found[one] for one in self._acknowledged)
        self._log.doubled += sum(count - 1 for count in found.values())

    def _new(self, kind: str) -> str:
        self._count += 1
        return f"{kind}{self._number}-{self._count}"

    def _do(self, **event: Any) -> str:
        body = {"id": self._new("e"), **event}
        journal = self._lines(after=self._after, events=[body], segment=None)[0]
        if journal["refused"]:
            raise ValueError(journal["refused"])
        self._after = max(one["number"] for one in journal["events"])
        self._acknowledged.append(body["id"])
        return str(body["id"])

    def _segment(self) -> None:
        wanted = {"view": [0, SIDE, 0, SIDE], "known": {}, "image": self._images[-1]}
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            last = self._lines(after=self._after, events=[], segment=wanted)[-1]
            if last["kind"] != "busy" or time.monotonic() > deadline:
                break
            time.sleep(last["seconds"])
        if last["kind"] not in ("done", "cannot"):
            raise ValueError(f"the answer ended with {last}")

    def _lines(self, **said: Any) -> list[dict[str, Any]]:
        body = json.dumps(said | {"window": f"person{self._number}"}).encode()
        return [json.loads(line) for line in self._ask("POST", f"/s/{self._session}/converse", body).splitlines()]

    def _ask(self, method: str, path: str, body: bytes = b"", fine: Sequence[int] = (200,)) -> bytes:
        """An answer; who is asked to come again does so, as the page does."""
        headers = {"Content-Type": "application/json", "X-Forwarded-For": f"10.0.0.{self._number + 1}"}
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_SECONDS)
            try:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                content = answer.read()
            finally:
                connection.close()
            if answer.status in fine:
                return content
            if answer.status != 429 or time.monotonic() > deadline:
                raise ValueError(f"{method} {path.partition('?')[0]}: {answer.status} {content[:200]!r}")
            time.sleep(float(answer.headers["Retry-After"]))


def soak(port: int, servers: Sequence[Server], seconds: float) -> tuple[Log, list[tuple[float, float]]]:
    """Let people live at an address; what became of it, and the seconds and megabytes of samples of the memory."""
    log = Log()
    people = [Person(port, number, log) for number in range(PEOPLE)]
    began = time.monotonic()
    threads = [threading.Thread(target=one.live, args=(began + seconds,)) for one in people]
    for thread in threads:
        thread.start()
    memory = []
    while any(thread.is_alive() for thread in threads):
        used = sum(memory_megabytes(server.process.pid) for server in servers if server.process)
        memory.append((time.monotonic() - began, used))
        time.sleep(SAMPLING_SECONDS)
    return log, memory


def compiled() -> Path:
    """The folder of the compiled kernels, which are compiled before anything is measured if they are not there yet."""
    folder = Path(os.environ.get("NUMBA_CACHE_DIR") or Path(tempfile.gettempdir()) / f"squiggle-soak-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    command = [sys.executable, "-m", "segmentation.web.warming"]
    subprocess.run(command, env=os.environ | {"NUMBA_CACHE_DIR": str(folder)}, check=True)
    return folder


@contextmanager
def on_sqlite(folder: Path) -> Iterator[tuple[int, list[Server]]]:
    """One server with a store in a folder."""
    with ExitStack() as stack:
        yield from _served(stack, [Server(folder, NUMBA_CACHE_DIR=str(compiled()), **small_host())])


@contextmanager
def on_postgresql(folder: Path) -> Iterator[tuple[int, list[Server]]]:
    """Two servers with one database, behind one address that knows no one."""
    with ExitStack() as stack:
        postgres = Postgres()
        stack.callback(postgres.remove)
        postgres.start()
        stack.callback(postgres.stop)
        postgres.execute("CREATE DATABASE soak")
        url = postgres.url("soak")
        settings = {"DATABASE_URL": url, "NUMBA_CACHE_DIR": str(compiled())} | small_host()
        servers = [Server(folder / name, **settings) for name in ("one", "two")]
        assert servers[0].run("python -m segmentation.web migrate").wait() == 0
        yield from _served(stack, servers)


def _served(stack: ExitStack, servers: list[Server]) -> Iterator[tuple[int, list[Server]]]:
    for server in servers:
        stack.callback(server.stop)
        server.start(subprocess.DEVNULL)
        server.wait_until_warm()
    if len(servers) == 1:
        yield servers[0].port, servers
        return
    proxy = RoundRobin([server.port for server in servers])
    proxy.start()
    stack.callback(proxy.stop)
    yield int(proxy.url.rpartition(":")[2]), servers


PLACES = {
    "one server, SQLite": on_sqlite,
    "two servers, one PostgreSQL, no stickiness": on_postgresql,
}


def soak_rows(seconds: float = SECONDS) -> list[dict[str, Any]]:
    """The figures: figure, ours, reference, unit, goal."""
    rows: list[dict[str, Any]] = []
    for place, serving in PLACES.items():

        def row(figure: str, ours: float, unit: str = "", goal: str = "", place: str = place) -> None:
            rows.append({"figure": f"{place}: {figure}", "ours": ours, "reference": None, "unit": unit, "goal": goal})

        with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as (port, servers):
            log, memory = soak(port, servers, seconds)
        for problem in log.problems[:5]:
            print(problem)
        row("duration", seconds / 60, "min")
        row("strokes", log.done["draw"])
        row("images opened, looked at again", log.done["open"] + log.done["switch"])
        row("downloads, sessions deleted", log.done["download"] + log.done["delete"])
        row("requests that failed", len(log.problems), goal="0")
        row("strokes lost", log.lost, goal="0")
        row("strokes doubled", log.doubled, goal="0")
        row("stroke to all of the overlay, median", median(log.waits or [float("nan")]), "s")
        third = [used for at, used in memory if SETTLED[0] <= at < SETTLED[1]] or [memory[0][1]]
        last = [used for at, used in memory if at >= seconds - 60]
        row("memory (PSS) in the third minute", median(third), "MB")
        row("memory (PSS) in the last minute", median(last), "MB")
        row("last against third minute", median(last) / median(third), "x", "1.1x")
    return rows


def main() -> None:
    """Print the table of one run."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=SECONDS, help="how long, each")
    print(markdown(soak_rows(options.parse_args().seconds)))


if __name__ == "__main__":
    main()
