"""What a person waits for who looks at channels and stacks, in Chromium: contrast, opening, planes.

``python -m benchmarks display`` measures it; ``python -m benchmarks.display`` prints the table alone. The page is
served by the Procfile's line, as in :mod:`benchmarks.page`; contrast is changed with a real mouse, planes are turned to
with real keys.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import tifffile
from playwright.sync_api import Browser, Page

from benchmarks.page import PATIENCE_MS, chromium, new_page, our_server, row
from benchmarks.table import markdown
from tests.support.person import within
from tests.support.server import Server

SIDE = 1024
CHANNELS = ("DAPI", "GFP", "RFP", "Cy5")
PLANES = 500
MOVES, TURNS = 20, 15
THUMB = 16
"""Pixels of a screen that the handle of a histogram is wide, about."""

REST_MS = 400
"""Between two changes: what follows the one before has ended, such as what is segmented or fetched ahead."""

WATCH = """({ session: { picture } }) => {
  const marks = (window.marks = { asked: null, shown: null });
  const ask = () => Object.assign(marks, { asked: performance.now(), shown: null, before: picture.photo.preview });
  for (const kind of ["input", "keydown"]) window.addEventListener(kind, ask, true);
  const paint = picture.paint.bind(picture);
  picture.paint = () => {
    paint();
    if (marks.asked !== null && picture.photo.preview && picture.photo.preview !== marks.before) {
      marks.shown ??= performance.now();
    }
  };
}"""

ON_SCREEN = """({ session: { state, picture } }, name) => (
  state.image.name === name && picture.image.name === name && picture.photo.preview !== null
)"""
LOOK_SECONDS = 0.02


def four_channels(path: Path) -> None:
    """An OME-TIFF of four 16-bit channels of 1 megapixel, with names and sizes."""
    pixels = np.random.default_rng(0).integers(100, 4000, (len(CHANNELS), SIDE, SIDE)).astype(np.uint16)
    about = {"axes": "CYX", "Channel": {"Name": list(CHANNELS)}, "PhysicalSizeX": 0.325, "PhysicalSizeY": 0.325}
    with tifffile.TiffWriter(path, ome=True) as writer:
        writer.write(pixels, photometric="minisblack", metadata=about)


def many_planes(path: Path) -> None:
    """500 planes of 1 megapixel, 16 bit, uncompressed: 1 GB."""
    plane = np.random.default_rng(0).integers(100, 4000, (SIDE, SIDE)).astype(np.uint16)
    tiles = (np.roll(plane, 17 * number, axis=1) for number in range(PLANES))
    tifffile.imwrite(path, tiles, shape=(PLANES, SIDE, SIDE), dtype=np.uint16, photometric="minisblack")


def seen(page: Page, path: Path) -> float:
    """Open a file; the milliseconds until it is on screen."""
    begun = time.perf_counter()
    page.set_input_files("#image-file", path)
    while not within(page, ON_SCREEN, path.name):
        if time.perf_counter() - begun > PATIENCE_MS / 1000:
            raise TimeoutError(f"{path.name} was not opened.")
        time.sleep(LOOK_SECONDS)
    return 1000 * (time.perf_counter() - begun)


def opened(browser: Browser, server: Server) -> Page:
    """A new session, whose page is ready."""
    page = new_page(browser)
    page.goto(server.url)
    page.wait_for_selector("html[data-ready=true]", timeout=PATIENCE_MS)
    return page


def waited(page: Page) -> float:
    """The milliseconds from the last change to the screen."""
    page.wait_for_function("window.marks.shown !== null", timeout=PATIENCE_MS)
    marks = page.evaluate("({ asked: window.marks.asked, shown: window.marks.shown })")
    page.wait_for_timeout(REST_MS)
    return float(marks["shown"] - marks["asked"])


def contrast_waits(browser: Browser, server: Server, folder: Path) -> list[float]:
    """Drag a handle of the histogram of an image with four channels, all of them on; the waits of all but the first."""
    path = folder / "channels.ome.tif"
    four_channels(path)
    page = opened(browser, server)
    seen(page, path)
    page.click("#tab-look")
    page.wait_for_selector("#look-channels input[type=checkbox]")
    boxes = page.locator("#look-channels input[type=checkbox]")
    for number in range(boxes.count()):
        if not boxes.nth(number).is_checked():
            boxes.nth(number).click()
    page.wait_for_timeout(2 * REST_MS)
    within(page, WATCH)
    handle = page.get_by_label("Shown white")
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box is not None
    part = handle.evaluate("({ value, min, max }) => (value - min) / (max - min)")
    at = box["x"] + THUMB / 2 + part * (box["width"] - THUMB), box["y"] + box["height"] / 2
    page.mouse.move(*at)
    page.mouse.down()
    found = []
    for number in range(1, MOVES + 1):
        page.mouse.move(at[0] - 4 * number, at[1])
        found.append(waited(page))
    page.mouse.up()
    page.close()
    return found[1:]


def stack_waits(browser: Browser, server: Server, folder: Path) -> tuple[float, list[float]]:
    """Open a stack of 500 planes, and turn to planes that nobody has seen; the waits in milliseconds."""
    path = folder / "stack.tif"
    many_planes(path)
    page = opened(browser, server)
    opening = seen(page, path)
    page.wait_for_timeout(2 * REST_MS)
    within(page, WATCH)
    found = []
    for _ in range(TURNS):
        page.keyboard.press("ArrowUp")
        found.append(waited(page))
    page.close()
    return opening, found


def display_rows() -> list[dict[str, Any]]:
    """The figures of what is looked at: figure, ours, reference, unit, goal."""
    with tempfile.TemporaryDirectory() as folder, our_server() as server, chromium() as browser:
        contrast = contrast_waits(browser, server, Path(folder))
        opening, planes = stack_waits(browser, server, Path(folder))
    four, many = f"1 megapixel, {len(CHANNELS)} channels, 16 bit", f"{PLANES} planes of 1 megapixel, 16 bit, 1 GB"
    return [
        row(f"contrast changed to all of it on screen, {four}, median", median(contrast), "ms", "100 ms"),
        row(f"the same, the slowest of {len(contrast)}", max(contrast), "ms", "100 ms"),
        row(f"a file chosen to its first plane on screen, {many}", opening / 1000, "s", "5 s"),
        row(f"a plane that was not seen before to the screen, {many}, median", median(planes), "ms", "150 ms"),
        row(f"the same, the slowest of {len(planes)}", max(planes), "ms", "150 ms"),
    ]


if __name__ == "__main__":
    print(markdown(display_rows()))
