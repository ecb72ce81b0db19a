"""A room full of people: what a stroke waits for when thirty draw at once, each on an image of their own.

``python -m benchmarks.load`` prints the table. The clients speak what the page speaks with its server: a stroke goes
there as an event, a draft of the segmentation comes back, then the segmentation tile by tile; who has all of it thinks
for two seconds and draws again.
The same load goes to an app as users would otherwise write it, where all share one image and its features.
"""

from __future__ import annotations

import http.client
import io
import json
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.inputs import careful_strokes, mirrored
from benchmarks.page import Wait, memory_megabytes, reference_server
from benchmarks.reference_app import COLOURS
from benchmarks.table import markdown
from segmentation._shared.tiling import TileGrid
from segmentation.features.bit_planes import bit_planes_bytes
from segmentation.features.spec import FeatureSpec
from segmentation.strokes.stroke import Stroke
from tests.support.server import Server

CLIENTS = 30
DRAFTS_MB = 150
"""What docs/deploy.md says for thirty images that are worked on at the same time."""

SAMPLE = Path(__file__).parents[1] / "assets" / "sample" / "colon_glands.png"
FIRST_STROKES = [
    Stroke("a", 1, "path", [(250, 60), (262, 75), (250, 90)], 8),
    Stroke("b", 2, "path", [(60, 250), (75, 262), (90, 250)], 8),
]

BITS_MB = 1 + CLIENTS * sum(bit_planes_bytes(FeatureSpec(), 3, tile) for tile in TileGrid((1024, 1024)).tiles) // 2**20
"""Memory for the features of all of their images as bits."""

FEW = 5
SIDE = 1024
THINK_SECONDS = 2.0
AT_HAND = 6
"""The stroke by which ranges of features hardly move any more: the bits of all images are at hand from then on."""

STROKES = 10
PATIENCE_SECONDS = 120


NAMES = {
    "first": "first part of the overlay",
    "draft": "a draft of all of the overlay",
    "all": "all of the overlay",
}


@dataclass
class Waits:
    """What clients waited for, in seconds, each with the number of its stroke, and what went wrong."""

    each: list[tuple[int, Wait]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def percentile(self, part: str, since: int = 2) -> float:
        """The 95th percentile of a part, of strokes from a number on; not a number if nothing came back."""
        found = [getattr(wait, part) for stroke, wait in self.each if stroke >= since]
        return float(np.percentile(found, 95)) if found else float("nan")


class Client:
    """One window of the page, without the browser around it."""

    def __init__(self, port: int, number: int, pixels: np.ndarray, strokes: Sequence[Stroke]) -> None:
        self._port = port
        self._strokes = strokes
        self._known: dict[str, int] = {}
        self._after = 0
        self._window = f"client{number}"
        self._answer: Iterator[bytes] = iter(())
        self._session = json.loads(self._ask("POST", "/sessions", b""))["session"]
        picture = io.BytesIO()
        Image.fromarray(np.roll(pixels, number, axis=1)).save(picture, "PNG", compress_level=1)
        self._image = json.loads(self._ask("POST", f"/s/{self._session}/images?name=load.png", picture.getvalue()))
        opened = {key: value for key, value in self._image.items() if key != "notes"}
        self._say([{"id": "open", "type": "image.open", "image": opened}], None)

    def draw(self, number: int) -> Wait:
        """Draw a stroke; how long the overlay took."""
        stroke = self._strokes[number]
        event = {
            "id": f"e{number}",
            "type": "stroke.add",
            "image": self._image["hash"],
            "stroke": stroke.to_json() | {"id": f"s{number}"},
        }
        return self._say([event], {"view": [0, SIDE, 0, SIDE], "known": self._known, "image": None})

    def _say(self, events: list[dict[str, Any]], wish: dict[str, Any] | None) -> Wait:
        """Tell the server something, and wait for what it says; what comes after that is left when more is told."""
        started = time.perf_counter()
        first, draft, last = 0.0, 0.0, ""
        while True:
            body = {"after": self._after, "events": events, "segment": wish, "window": self._window}
            self._answer = self._lines(json.dumps(body).encode())
            for line in self._answer:
                message = json.loads(line)
                last = message["kind"]
                if last == "journal":
                    self._after = max([self._after, *(event["number"] for event in message["events"])])
                    events = []
                    if message["refused"]:
                        raise ValueError(message["refused"])
                elif last == "draft":
                    first = first or time.perf_counter() - started
                    if sum(np.ptp(tile["rows"]) * np.ptp(tile["columns"]) for tile in message["tiles"]) == SIDE**2:
                        draft = time.perf_counter() - started
                elif last == "tile" and "ids" in message:
                    self._known[str(message["index"])] = message["crc"]
                    first = first or time.perf_counter() - started
                elif last == "busy":
                    time.sleep(message["seconds"])
                elif last == "failed":
                    raise ValueError(message["reason"])
                if last in ("done", "cannot"):
                    break
            if wish is None or last in ("done", "cannot"):
                whole = time.perf_counter() - started
                return Wait(first or whole, draft or whole, whole)
            if time.perf_counter() - started > PATIENCE_SECONDS:
                raise TimeoutError("no end of the answer")

    def _lines(self, body: bytes) -> Iterator[bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_SECONDS)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", f"/s/{self._session}/converse", body, headers)
            answer = connection.getresponse()
            if answer.status != 200:
                raise ValueError(f"{answer.status}: {answer.read(200)!r}")
            yield from answer
        finally:
            connection.close()

    def _ask(self, method: str, path: str, body: bytes) -> bytes:
        request = urllib.request.Request(f"http://127.0.0.1:{self._port}{path}", body, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            content: bytes = answer.read()
            return content


def crowd(draws: Sequence[Callable[[int], Wait]], strokes: int = STROKES) -> Waits:
    """Let all draw at once, each beginning at another moment, and think after each answer.

    What the first two strokes of each wait for says nothing: only then there is something to segment, and learnt from.
    """
    waits = Waits()

    def work(number: int, draw: Callable[[int], Wait]) -> None:
        time.sleep(number * THINK_SECONDS / len(draws))
        for stroke in range(strokes):
            try:
                wait = draw(stroke)
                waits.each.append((stroke, wait))
            except Exception as error:
                waits.errors.append(f"{type(error).__name__}: {error}")
            time.sleep(THINK_SECONDS)

    threads = [threading.Thread(target=work, args=(number, draw)) for number, draw in enumerate(draws)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return waits


def naive_draws(port: int, strokes: Sequence[Stroke], count: int) -> list[Callable[[int], Wait]]:
    """Clients of the reference app: each sends all of its shapes and gets the whole figure back."""

    def draw(number: int) -> Wait:
        shapes = [
            {
                "type": "path",
                "path": "M" + "L".join(f"{x},{y}" for x, y in stroke.points.tolist()),
                "line": {"color": COLOURS[stroke.class_id], "width": stroke.width},
            }
            for stroke in strokes[: number + 1]
        ]
        call = {
            "output": "graph.figure",
            "outputs": {"id": "graph", "property": "figure"},
            "inputs": [{"id": "graph", "property": "relayoutData", "value": {"shapes": shapes}}],
            "changedPropIds": ["graph.relayoutData"],
        }
        url = f"http://127.0.0.1:{port}/_dash-update-component"
        request = urllib.request.Request(url, json.dumps(call).encode(), {"Content-Type": "application/json"})
        started = time.perf_counter()
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            answer.read()
        taken = time.perf_counter() - started
        return Wait(taken, taken, taken)

    return [draw] * count


def naive_waits(pixels: np.ndarray, strokes: Sequence[Stroke]) -> Waits:
    """What the same people wait for at the reference app."""
    with reference_server(pixels) as port:
        return crowd(naive_draws(port, strokes, CLIENTS), strokes=4)


def start(server: Server, until: bytes) -> float:
    """Start a server; the seconds until its ``/ready`` has a word in its answer."""
    started = time.perf_counter()
    server.start(subprocess.DEVNULL)
    while True:
        with urllib.request.urlopen(f"{server.url}/ready", timeout=PATIENCE_SECONDS) as answer:
            if until in answer.read():
                return time.perf_counter() - started
        time.sleep(0.05)


def load_rows() -> list[dict[str, Any]]:
    """The figures under load: figure, ours, reference, unit, goal."""
    pixels, mask = mirrored(SIDE)
    strokes = careful_strokes(mask, STROKES)
    rows: list[dict[str, Any]] = []

    def row(figure: str, ours: float, unit: str, goal: str, reference: float | None = None) -> None:
        rows.append({"figure": figure, "ours": ours, "reference": reference, "unit": unit, "goal": goal})

    with tempfile.TemporaryDirectory() as folder:
        kernels = str(Path(folder) / "kernels")
        Path(kernels).mkdir()
        server = Server(Path(folder) / "data", NUMBA_CACHE_DIR=kernels)
        try:
            row("cold start to /ready, nothing compiled", start(server, b'"ready":true'), "s", "10 s")
            client = Client(server.port, 0, np.asarray(Image.open(SAMPLE)), FIRST_STROKES)
            client.draw(0)
            time.sleep(THINK_SECONDS)
            cold = client.draw(1)
            row("second stroke to first part of the sample's overlay, nothing compiled", cold.first, "s", "2 s")
            row("second stroke to all of the sample's overlay, nothing compiled", cold.all, "s", "")
        finally:
            server.stop()
        few, memory = one_crowd(Path(folder) / "few", kernels, FEW, pixels, strokes)
        row(f"memory (PSS) of all processes, {FEW} clients, 1 megapixel RGB each", memory, "MB", "512 MB")
        for part, name in NAMES.items():
            row(f"stroke to {name}, {FEW} clients, 95th percentile", few.percentile(part), "s", "")
        room = {"SQUIGGLE_FEATURE_CACHE_MB": str(BITS_MB), "SQUIGGLE_DRAFT_CACHE_MB": str(DRAFTS_MB)}
        many, memory = one_crowd(Path(folder) / "many", kernels, CLIENTS, pixels, strokes, **room)
        naive = naive_waits(pixels, strokes)
        for part, name in NAMES.items():
            waits = many.percentile(part), "s", "2 s", naive.percentile(part)
            row(f"stroke to {name}, {CLIENTS} clients, 95th percentile", *waits)
        settled = (
            f"stroke to {NAMES['all']}, {CLIENTS} clients, {{}}from the {AT_HAND + 1}th stroke on, 95th percentile"
        )
        row(settled.format(""), many.percentile("all", AT_HAND), "s", "2 s")
        row(f"memory (PSS) of all processes, {CLIENTS} clients, room for their features", memory, "MB", "")
        small, memory = one_crowd(Path(folder) / "small", kernels, CLIENTS, pixels, strokes, **small_host())
        for part, name in NAMES.items():
            figure = f"stroke to {name}, {CLIENTS} clients, the limits of app.json, 95th percentile"
            row(figure, small.percentile(part), "s", "3 s")
        row(settled.format("the limits of app.json, "), small.percentile("all", AT_HAND), "s", "3 s")
        row(f"memory (PSS) of all processes, {CLIENTS} clients, the limits of app.json", memory, "MB", "512 MB")
        errors = [*few.errors, *many.errors, *small.errors]
        row(f"errors, {CLIENTS} clients", len(errors), "", "0", len(naive.errors) or None)
        for error in errors[:5]:
            print(error)
    return rows


def small_host() -> dict[str, str]:
    """The limits that app.json sets for a host with 512 MB of memory."""
    settings = json.loads((Path(__file__).parents[1] / "app.json").read_text())["env"]
    return {name: setting["value"] for name, setting in settings.items() if name.endswith(("_MB", "_MEGAPIXELS"))}


def one_crowd(
    folder: Path, kernels: str, count: int, pixels: np.ndarray, strokes: Sequence[Stroke], **environment: str
) -> tuple[Waits, float]:
    """What a number of people wait for at a server of their own, and the megabytes that it takes at last."""
    server = Server(folder, NUMBA_CACHE_DIR=kernels, **environment)
    try:
        start(server, b'"warm"')
        clients = [Client(server.port, number, pixels, strokes) for number in range(count)]
        waits = crowd([client.draw for client in clients])
        assert server.process is not None
        return waits, memory_megabytes(server.process.pid)
    finally:
        server.stop()


if __name__ == "__main__":
    print(markdown(load_rows()))
