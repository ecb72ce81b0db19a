"""What a person waits for, in Chromium: from the end of a stroke to the new overlay on the screen.

``python -m benchmarks.page`` prints the table. The page is served by the Procfile's line.
"""

from __future__ import annotations

import io
import json
import math
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.inputs import careful_strokes, mirrored
from benchmarks.table import markdown
from segmentation.features.budget import LEAST_CACHE_MEGABYTES
from segmentation.strokes.stroke import Stroke
from tests.support.get_chromium import QUIET_CHROMIUM, find_chromium
from tests.support.person import AXES, WITHIN, within
from tests.support.server import Server

ROOT = Path(__file__).resolve().parents[1]
STROKES = 7
PATIENCE_MS = 120_000
PLANES_MEGABYTES = 2_400
"""What holds the bit planes of 16 megapixel RGB: 864 MB at 72 features, 2 GB at 162."""

SCREEN = {"width": 1440, "height": 900}

WATCH = """({ session: { picture, segmentation, conversation } }) => {
  const marks = (window.marks = {});
  window.addEventListener("pointerup", () => {
    Object.assign(marks, { up: performance.now(), first: null, draft: null, all: null, drafted: false, asked: null });
  }, true);
  const exchange = conversation.exchange.bind(conversation);
  conversation.exchange = () => {
    marks.asked ??= performance.now();
    return exchange();
  };
  const paint = picture.paint.bind(picture);
  picture.paint = () => {
    const changed = picture.layers.overlay.changed.size > 0;
    paint();
    if (changed) marks.first ??= performance.now();
    if (marks.drafted) marks.draft ??= performance.now();
  };
  const onMessage = segmentation.onMessage.bind(segmentation);
  segmentation.onMessage = async (message) => {
    await onMessage(message);
    if (message.kind === "draft") marks.drafted = true;
    if (message.kind === "done") marks.all = performance.now();
  };
}"""

WATCH_REFERENCE = """() => {
  const graph = document.querySelector(".js-plotly-plot");
  const marks = (window.marks = {});
  let source = graph.data[0].source;
  window.addEventListener("mouseup", () => {
    Object.assign(marks, { up: performance.now(), first: null, draft: null, all: null, asked: null });
  }, true);
  graph.on("plotly_afterplot", () => {
    if (graph.data[0].source === source) return;
    source = graph.data[0].source;
    marks.first = marks.draft = marks.all = performance.now();
  });
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=QUIET_CHROMIUM)
        yield browser
        browser.close()


@contextmanager
def our_server(**environment: str) -> Iterator[Server]:
    """Our page, served as the Procfile has it, on an empty data folder."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), **environment)
        try:
            server.start(subprocess.DEVNULL)
            server.wait_until_warm()
            yield server
        finally:
            server.stop()


def new_page(browser: Browser) -> Page:
    """A window of a common size, in which the benchmark may look at the page from within."""
    return browser.new_page(viewport=SCREEN, bypass_csp=True)


def open_image(page: Page, server: Server, pixels: np.ndarray) -> None:
    """Open a session on an image."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    page.goto(server.url)
    page.wait_for_selector("html[data-ready=true]", timeout=PATIENCE_MS)
    page.set_input_files("#image-file", {"name": "image.png", "mimeType": "image/png", "buffer": buffer.getvalue()})
    page.wait_for_function("document.getElementById('image-name').textContent === 'image.png'", timeout=PATIENCE_MS)
    page.wait_for_function(WITHIN % "({ session }) => session.picture.photo.preview !== null", timeout=PATIENCE_MS)
    page.wait_for_timeout(500)


def draw(page: Page, points: Sequence[tuple[float, float]]) -> None:
    """Draw through image positions with the mouse."""
    axes = page.evaluate(AXES)
    places = [
        (
            axes["left"] + (x - axes["x"][0]) / (axes["x"][1] - axes["x"][0]) * axes["width"],
            axes["top"] + (y - axes["y"][1]) / (axes["y"][0] - axes["y"][1]) * axes["height"],
        )
        for x, y in points
    ]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1::3] + places[-1:]:
        page.mouse.move(*place)
    page.mouse.up()


class Wait(NamedTuple):
    """How long it takes from a stroke's end until the server is asked, and to what is there of the overlay.

    Attributes:
        first: the first new part.
        draft: a draft of all of it; the same as all where there was none.
        all: all of it.
        asked: the server; not known without a page, the same as all on that of the reference.
    """

    first: float
    draft: float
    all: float
    asked: float = math.nan


def waits(page: Page) -> Wait:
    """What the last stroke had to wait for, in milliseconds."""
    page.wait_for_function("window.marks.all !== null && window.marks.first !== null", timeout=PATIENCE_MS)
    marks = page.evaluate("window.marks")
    page.wait_for_timeout(150)
    return Wait(*((marks[part] or marks["all"]) - marks["up"] for part in Wait._fields))


def our_waits(page: Page, strokes: Sequence[Stroke]) -> list[Wait]:
    """Draw strokes on our page, each after the answer to the one before; the waits of all but the first two."""
    within(page, WATCH)
    found = []
    for number, stroke in enumerate(strokes):
        page.keyboard.press(str(stroke.class_id))
        page.wait_for_timeout(100)
        draw(page, stroke.points.tolist())
        if number == 0:
            page.wait_for_timeout(500)
        else:
            found.append(waits(page))
    return found


def reference_waits(browser: Browser, pixels: np.ndarray, strokes: Sequence[Stroke]) -> list[float]:
    """The same strokes on the page that users would otherwise write."""
    with reference_server(pixels) as port:
        page = new_page(browser)
        page.goto(f"http://127.0.0.1:{port}/")
        page.wait_for_selector(".js-plotly-plot .nsewdrag", timeout=PATIENCE_MS)
        page.wait_for_timeout(1000)
        page.evaluate(WATCH_REFERENCE)
        found = []
        for number, stroke in enumerate(strokes):
            draw(page, stroke.points.tolist())
            if number == 0:
                page.wait_for_timeout(3000)
            else:
                found.append(waits(page).all)
        page.close()
        return found[1:]


@contextmanager
def reference_server(pixels: np.ndarray) -> Iterator[int]:
    """The page that users would otherwise write, on an image; gives its port."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        Image.fromarray(pixels).save(f"{folder}/image.png")
        command = [sys.executable, "-m", "benchmarks.reference_app", f"{folder}/image.png", str(port)]
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
        try:
            wait_for(f"http://127.0.0.1:{port}/")
            yield port
        finally:
            process.terminate()
            process.wait()


def wait_for(url: str) -> None:
    """Until a server answers."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


@contextmanager
def peak_memory(server: Server) -> Iterator[list[float]]:
    """The largest memory of a server while something goes on, in megabytes; the list has it at the end."""
    assert server.process is not None
    pid, peak, ended = server.process.pid, [0.0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.25):
            peak[0] = max(peak[0], memory_megabytes(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        ended.set()
        watcher.join()


def memory_megabytes(pid: int) -> float:
    """Proportional set size of a process and all that it has started."""
    total, parents = 0, dict[int, int]()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # one that has ended takes nothing
            parents[int(stat.parent.name)] = int(stat.read_text().rsplit(")", 1)[1].split()[1])
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    for process in family:
        with suppress(OSError):
            rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
            total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total / 1024


def wandering(inside: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[float, float]]:
    """A random walk of 200 points that never leaves a mask."""
    rows, columns = np.nonzero(inside)
    start = rng.integers(len(rows))
    x, y = float(columns[start]), float(rows[start])
    for dx, dy in rng.normal(0, 0.7, (200, 2)):
        to = round(y + dy), round(x + dx)
        if all(0 <= at < length for at, length in zip(to, inside.shape, strict=True)) and inside[to]:
            x, y = x + dx, y + dy
        yield x, y


def wait_after_many_strokes(
    browser: Browser, server: Server, before: int, mask: np.ndarray, pixels: np.ndarray
) -> float:
    """Median wait for all of the overlay after a stroke, when ``before`` strokes of 200 points are there already."""
    page = new_page(browser)
    open_image(page, server, pixels)
    image = within(page, "({ session }) => session.state.image")
    rng = np.random.default_rng(0)
    events = []
    for number in range(before):
        class_id = 1 + number % 2
        path = "M" + "L".join(f"{x:.2f},{y:.2f}" for x, y in wandering(mask == class_id, rng))
        stroke = {"id": f"s{number}", "class_id": class_id, "kind": "path", "path": path, "width": 1}
        events.append({"id": f"e{number}", "type": "stroke.add", "image": image["hash"], "stroke": stroke})
    session = page.url.rsplit("/", 1)[1]
    body = json.dumps({"after": 0, "events": events, "segment": None, "window": "benchmark"}).encode()
    request = urllib.request.Request(
        f"{server.url}/s/{session}/converse", body, {"Content-Type": "application/json"}, method="POST"
    )
    urllib.request.urlopen(request).read()
    drawn = f"({{ session }}) => session.state.strokes.length === {before}"
    page.wait_for_function(WITHIN % drawn, timeout=PATIENCE_MS)
    page.wait_for_function("document.getElementById('status').textContent.startsWith('Segmented')", timeout=PATIENCE_MS)
    page.wait_for_timeout(500)
    found = our_waits(page, careful_strokes(mask, 4))
    page.close()
    return median(wait.all for wait in found[1:])


def row(figure: str, ours: float, unit: str, goal: str, reference: float | None = None) -> dict[str, Any]:
    """A figure of the page."""
    return {"figure": figure, "ours": ours, "reference": reference, "unit": unit, "goal": goal}


def small_rows(browser: Browser) -> list[dict[str, Any]]:
    """The figures of 1 megapixel."""
    pixels, mask = mirrored(1024)
    strokes = careful_strokes(mask, STROKES)
    with our_server(SQUIGGLE_FEATURE_CACHE_MB="400") as server:
        page = new_page(browser)
        open_image(page, server, pixels)
        first, *later = our_waits(page, strokes)
        page.close()
        reference = median(reference_waits(browser, pixels, strokes))
        rows = [
            row(
                f"stroke to overlay on screen, 1 megapixel RGB, {name}",
                median(getattr(wait, part) for wait in later),
                "ms",
                goal,
                reference,
            )
            for part, name, goal in (
                ("first", "first part", "150 ms, 16x"),
                ("draft", "a draft of all", "150 ms, 16x"),
                ("all", "all", "150 ms, 16x"),
            )
        ]
        ten = wait_after_many_strokes(browser, server, 9, mask, pixels)
        thousand = wait_after_many_strokes(browser, server, 1000, mask, pixels)
    many = "the 1,001st stroke of 200 points against the 10th"
    return [
        row("stroke until the server is asked", median(wait.asked for wait in later), "ms", "10 ms"),
        *rows,
        row("first segmentation after upload, 1 megapixel RGB", first.all, "ms", "1000 ms"),
        row(many, thousand / ten, "x", "1.5x"),
    ]


def large_rows(browser: Browser, megabytes: int, held: str, goal: str) -> tuple[list[dict[str, Any]], float]:
    """The figures of 16 megapixel, and the memory that the server took.

    Args:
        browser: a browser.
        megabytes: of features that the server keeps.
        held: what that means, as a part of the figures' names.
        goal: for all of the overlay.
    """
    pixels, mask = mirrored(4096)
    with our_server(SQUIGGLE_FEATURE_CACHE_MB=str(megabytes)) as server:
        page = new_page(browser)
        open_image(page, server, pixels)
        with peak_memory(server) as peak:
            found = our_waits(page, careful_strokes(mask, STROKES))
        page.close()
    rows = [
        row(
            f"stroke to overlay on screen, 16 megapixel RGB, zoomed to fit{held}, {name}",
            median(getattr(wait, part) for wait in found[1:]),
            "ms",
            goal_of_part,
        )
        for part, name, goal_of_part in (
            ("first", "first part", "500 ms"),
            ("draft", "a draft of all", ""),
            ("all", "all", goal),
        )
    ]
    return rows, peak[0]


def page_rows() -> list[dict[str, Any]]:
    """The figures of the page: figure, ours, reference, unit, goal."""
    with chromium() as browser:
        small = small_rows(browser)
        large, memory = large_rows(browser, LEAST_CACHE_MEGABYTES, "", "4000 ms")
        held, _ = large_rows(browser, PLANES_MEGABYTES, ", planes held", "1500 ms")
    peak = row("peak memory (PSS) of the server with 16 megapixel RGB under annotation", memory, "MB", "450 MB")
    return [*small, *large, peak, *held]


if __name__ == "__main__":
    print(markdown(page_rows()))
