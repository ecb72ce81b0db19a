"""A slide of ten gigapixels at an address, annotated in Chromium on a server that has 512 MB.

``python -m benchmarks.slide`` prints the figures, with ``--gigapixels 100`` those of a larger one. The slide is that of
:mod:`benchmarks.sizes`, served by a web server on this machine; the server has the limits of app.json. Where the system
lets it, its memory is bounded for real (a control group of 512 MB, in which whoever takes more is ended), and else only
measured.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Page

from benchmarks.load import small_host
from benchmarks.page import PATIENCE_MS, WATCH, chromium, draw, new_page, peak_memory, row, waits
from benchmarks.sizes import CHUNK, SIDES, make_zarr
from benchmarks.table import markdown
from tests.support.elsewhere import Elsewhere
from tests.support.person import WITHIN, within
from tests.support.server import PROCFILE, Server

LIMIT_MB = 512
GROUPS = Path("/sys/fs/cgroup/memory")
"""Where version 1 of control groups bounds memory."""

NAME = "slide.zarr"
STROKES = 8
PLACES = ((0.31, 0.42), (0.77, 0.15), (0.5, 0.93), (0.08, 0.66), (0.9, 0.81))
"""Where one looks, as parts of the width and the height."""

BEGUN = """({ session }) => {
  Object.assign(window.marks, { up: performance.now(), first: null, draft: null, all: null, drafted: false });
}"""


@contextmanager
def bounded_memory(megabytes: int) -> Iterator[Path | None]:
    """A control group whose processes together may take so much memory; None if the system does not let one be made."""
    group = GROUPS / "squiggle-benchmark"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(megabytes * 2**20))
    except OSError:
        yield None
        return
    try:
        yield group
    finally:
        with suppress(OSError):  # a process that has not ended yet is in it
            group.rmdir()


def kills(group: Path) -> int:
    """How many processes of a control group were ended since there was no memory left."""
    told = dict(line.split() for line in (group / "memory.oom_control").read_text().splitlines())
    return int(told.get("oom_kill", 0))


def look_at(page: Page, side: int, place: tuple[float, float]) -> None:
    """Go to a place at full size."""
    x, y = (int(part * side) for part in place)
    within(page, f"({{ session }}) => session.viewport.goTo({x}, {y}, 1)")


def open_address(page: Page, server: Server, address: str) -> float:
    """Open a session on an image at an address; milliseconds until it is seen."""
    page.goto(server.url)
    page.wait_for_selector("html[data-ready=true]", timeout=PATIENCE_MS)
    page.click("#open-address")
    page.fill("#address-text", address)
    begun = page.evaluate("performance.now()")
    page.keyboard.press("Enter")
    page.wait_for_function(f"document.getElementById('image-name').textContent === '{NAME}'", timeout=PATIENCE_MS)
    page.wait_for_function(WITHIN % "({ session }) => session.picture.photo.preview !== null", timeout=PATIENCE_MS)
    seen: float = page.evaluate("performance.now()") - begun
    return seen


def annotate(page: Page, side: int) -> tuple[list[Any], list[Any]]:
    """Draw at places all over the slide; the waits after strokes, and after one has gone elsewhere."""
    within(page, WATCH)
    drawn, moved = [], []
    for number in range(STROKES):
        look_at(page, side, PLACES[number // 2 % len(PLACES)])
        if number and number % 2 == 0:
            within(page, BEGUN)
            moved.append(waits(page))
        page.wait_for_timeout(500)
        page.keyboard.press(str(1 + number % 2))
        x, y = (int(part * side) for part in PLACES[number // 2 % len(PLACES)])
        from_x = x + (-60 if number % 2 else 40)
        draw(page, [(from_x + step * 4, y + step * 2) for step in range(10)])
        if number:
            drawn.append(waits(page))
        else:
            page.wait_for_timeout(500)
    return drawn, moved


def slide_rows(side: int = SIDES[-1]) -> list[dict[str, Any]]:
    """The figures: figure, ours, reference, unit, goal."""
    with tempfile.TemporaryDirectory() as folder, bounded_memory(LIMIT_MB) as group, chromium() as browser:
        desk = Path(folder)
        (desk / "public").mkdir()
        make_zarr(desk / "public" / NAME, side)
        elsewhere = Elsewhere(desk)
        command = PROCFILE["web"]
        if group is not None:
            command = f"sh -c 'echo $$ > {group}/cgroup.procs && exec {command}'"
        server = Server(desk / "data", command, SQUIGGLE_REMOTE=f"{elsewhere.url}/public", **small_host())
        try:
            server.start(subprocess.DEVNULL)
            server.wait_until_warm()
            page = new_page(browser)
            with peak_memory(server) as peak:
                seen = open_address(page, server, f"{elsewhere.url}/public/{NAME}")
                drawn, moved = annotate(page, side)
            page.close()
            ended = None if group is None else kills(group)
        finally:
            server.stop()
            elsewhere.stop()
    what = f"{side * side / 1e9:.1f} gigapixels RGB at an address"
    rows = [row(f"{what}: opened to the first view", seen, "ms", "")]
    for name, found in (("a stroke", drawn[1:]), ("looking elsewhere", moved)):
        rows += [
            row(
                f"{what}: {name} to the first part at full resolution",
                median(one.first for one in found),
                "ms",
                "1000 ms",
            ),
            row(f"{what}: {name} to all that is on screen", median(one.all for one in found), "ms", ""),
        ]
    rows.append(row(f"{what}: peak memory (PSS) of the server", peak[0], "MB", f"{LIMIT_MB} MB"))
    if ended is not None:
        rows.append(row(f"{what}: processes ended for taking more than {LIMIT_MB} MB", ended, "", "0"))
    return rows


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--gigapixels", type=float, default=SIDES[-1] ** 2 / 1e9)
    print(markdown(slide_rows(round(math.sqrt(options.parse_args().gigapixels * 1e9) / CHUNK) * CHUNK)))
