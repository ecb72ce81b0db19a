"""A person at the page: looks at the screen, uses mouse, fingers and keyboard, and knows nothing of its insides.

Only Plotly's own axes are asked where an image pixel is on the screen.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from tests.support import PATIENCE_SECONDS

SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
PASSWORD = "two squiggles make a mask"
"""What people sign in with where they are asked to."""

AXES = """() => {
  const graph = document.querySelector("#graph .js-plotly-plot");
  const { xaxis, yaxis } = graph._fullLayout;
  const box = graph.getBoundingClientRect();
  return { x: [...xaxis.range], y: [...yaxis.range], width: xaxis._length, height: yaxis._length,
           left: box.left + xaxis._offset, top: box.top + yaxis._offset };
}"""

VIEW_RESTS = """({ session: { viewport } }) => {
  const { xaxis, yaxis } = document.querySelector("#graph .js-plotly-plot")._fullLayout;
  const wanted = Object.values(viewport.axisRanges).flat();
  const measured = viewport.width === viewport.stage.clientWidth && viewport.height === viewport.stage.clientHeight;
  const followed = [...xaxis.range, ...yaxis.range].every((end, index) => Math.abs(end - wanted[index]) < 1e-6);
  return measured && followed && viewport.commitTimer === undefined;
}"""
"""Whether the axes show what the picture shows, and fill the stage."""

OFFLINE = "net::ERR", "502 (Bad Gateway)", "502 Bad Gateway", "Callback failed: the server did not respond."
"""What the console says, and Dash there, while nobody answers."""

DASH = "/_dash-component-suites/dash/dash-renderer/"
"""Dash handles no answer whose end does not come."""

PAINTED = """({ session: { picture } }) => (
  picture.photo.preview !== null && picture.frame === undefined && picture.tilesTimer === undefined
)"""
"""Whether there is nothing left to paint."""

KEEP_WHAT_IS_TOLD = """() => {
  window.told = [];
  const keep = () => {
    const text = document.getElementById("status")?.textContent;
    if (text && text !== window.told.at(-1)) window.told.push(text);
  };
  new MutationObserver(keep).observe(document, { subtree: true, childList: true, characterData: true });
}"""
"""Keeps each text of the status: some are there for three seconds, which a busy machine may not look at."""

SAVED = "() => !Object.keys(localStorage).some((key) => key.startsWith('squiggle:unsent:'))"
"""Whether the server has acknowledged all that was done in this browser."""

WITHIN = """async (argument) => {
  const root = document.querySelector("script[type=module]").src;
  const load = (module) => import(new URL(module, root));
  const { page } = await import(root);
  return (%s)({ ...(await page), load }, argument);
}"""
"""Calls a function with the parts of the page and a way to load any other of its modules."""

Point = tuple[float, float]


def within(page, function: str, argument: object = None):
    """Call a function inside a page, with the page's parts and an argument: for what nobody sees or does."""
    return page.evaluate(WITHIN % function, argument)


class Person:
    def __init__(self, context, url, *, expect_offline=False):
        self.context = context
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        self.expect_offline = expect_offline
        self.errors = []
        self.open(url)

    def open(self, url: str) -> None:
        """Open an address in a new window; one that is open is closed, if it is still alive."""
        before = getattr(self, "page", None)
        self.page = self.context.new_page()
        if before is not None:
            before.close()
        self.page.add_init_script(f"({KEEP_WHAT_IS_TOLD})()")
        self.page.on("console", self._on_console)
        self.page.on("pageerror", self._on_error)
        self.page.goto(url)
        if "/sign-in" in self.page.url:
            self.page.fill("#password", PASSWORD)
            self.press("Enter")
        self.wait_until_ready()

    def _on_console(self, message):
        if message.type not in ("error", "warning"):
            return
        if self.expect_offline and any(sign in message.text for sign in OFFLINE):
            return
        self.errors.append(f"{message.type}: {message.text}")

    def _on_error(self, error):
        cut_short = error.message == "Failed to fetch" and DASH in (error.stack or "")
        if not (self.expect_offline and cut_short):
            self.errors.append(f"{error.message}\n{error.stack}")

    def leave(self):
        self.context.close()

    def wait_until_ready(self):
        self.page.wait_for_selector("html[data-ready=true]")
        self.wait_for(lambda: self.page.inner_text("#image-name") != "")
        self.wait_until_view_rests()

    def wait_for(self, condition: Callable[[], bool], what: str = "") -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain: {what or condition}; status: {self.status}"
            self.page.wait_for_timeout(30)

    def wait_until_view_rests(self):
        """Until the axes are where the picture is, so that what is drawn lands where it is seen."""
        self.wait_for(lambda: self.within(VIEW_RESTS), "the view rests")

    def wait_until_painted(self):
        """Until the screen shows all that has come."""
        self.wait_for(lambda: self.within(PAINTED), "all is painted")

    def wait_until_saved(self):
        """Until the server has acknowledged all that was done: what is said before that is of what was done before."""
        self.wait_for(lambda: self.page.evaluate(SAVED) and self.connection == "All saved", "all saved")

    def within(self, function: str, argument: object = None):
        return within(self.page, function, argument)

    def wait_until_page_asks_again(self) -> dict:
        """What the page next asks the server, on its own after a while: all that it had to do is done by then."""
        with self.page.expect_request("**/converse") as asked:
            pass
        return json.loads(asked.value.post_data)

    # ---- what is on the screen

    @property
    def status(self) -> str:
        return self.page.inner_text("#status")

    @property
    def connection(self) -> str:
        return self.page.inner_text("#connection")

    @property
    def message(self) -> str:
        return self.page.inner_text("#message.visible")

    def wait_for_segmentation(self):
        """Until all strokes are learnt from and the whole image is segmented."""
        self.wait_until_saved()
        self.wait_for(lambda: self.status.startswith("Segmented in") and any(self.shares()), "segmented")
        self.wait_until_painted()

    def wait_for_status(self, text):
        """Until the status says this and stays: what it says for a while only is for `wait_until_told`."""
        self.wait_for(lambda: text in self.status, text)

    def wait_until_told(self, text):
        """Until the status has said this since the page was opened, or since the last time this was awaited."""
        self.wait_for(lambda: any(text in told for told in self.page.evaluate("window.told")), text)
        self.page.evaluate("() => { window.told = []; }")

    def stroke_counts(self) -> list[int]:
        facts = self.page.locator(".class-facts").all_inner_texts()
        return [int(fact.split()[0]) for fact in facts]

    def class_names(self) -> list[str]:
        return [name.input_value() for name in self.page.locator(".class-name").all()]

    def shares(self) -> list[float]:
        return [float(text.split()[0]) for text in self.page.locator(".class-share").all_inner_texts() if text]

    def scale(self) -> float:
        """Screen pixels an image pixel takes."""
        axes = self.page.evaluate(AXES)
        return axes["width"] / abs(axes["x"][1] - axes["x"][0])

    def on_screen(self, points: Sequence[Point]) -> list[Point]:
        """Where image positions (x, y; pixel centres at whole numbers) are on the screen."""
        axes = self.page.evaluate(AXES)
        return [
            (
                axes["left"] + (x - axes["x"][0]) / (axes["x"][1] - axes["x"][0]) * axes["width"],
                axes["top"] + (y - axes["y"][1]) / (axes["y"][0] - axes["y"][1]) * axes["height"],
            )
            for x, y in points
        ]

    def screenshot(self) -> np.ndarray:
        return np.asarray(Image.open(io.BytesIO(self.page.screenshot())).convert("RGB"))

    def colour_at(self, point: Point) -> tuple[int, int, int]:
        """What is on the screen at an image position."""
        x, y = map(int, self.on_screen([point])[0])
        picture = self.page.screenshot(clip={"x": x, "y": y, "width": 1, "height": 1})
        return Image.open(io.BytesIO(picture)).convert("RGB").getpixel((0, 0))

    def look_at(self, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The colours at the centres of image pixels, and which of them can be seen unhindered."""
        picture = self.screenshot()
        places = np.array(self.on_screen(list(zip(columns.tolist(), rows.tolist(), strict=True))))
        x, y = np.floor(places).astype(int).T
        box = self.page.locator("#stage").bounding_box()
        seen = (x > box["x"] + 2) & (x < box["x"] + box["width"] - 3)
        seen &= (y > box["y"] + 2) & (y < box["y"] + box["height"] - 3)
        for covering in ("#hint", "#message.visible", "#ring"):
            for element in self.page.locator(covering).all():
                cover = element.bounding_box()
                if cover:
                    inside = (x >= cover["x"] - 2) & (x <= cover["x"] + cover["width"] + 2)
                    inside &= (y >= cover["y"] - 2) & (y <= cover["y"] + cover["height"] + 2)
                    seen &= ~inside
        colours = np.zeros((len(x), 3), int)
        colours[seen] = picture[y[seen], x[seen]]
        return colours, seen

    def brush_width(self) -> int:
        """The width that the page shows, in image pixels."""
        return int(self.page.text_content("#stroke-width-value").split()[0])

    def strokes(self) -> list[dict]:
        """The strokes on the image, as the page has them."""
        return self.within("({ session }) => session.state.strokes")

    # ---- what hands do

    def draw(self, *points: Point) -> None:
        """Draw with the mouse through image positions."""
        self.wait_until_view_rests()
        places = self.on_screen(points)
        mouse = self.page.mouse
        mouse.move(*places[0])
        mouse.down()
        for place in places[1:]:
            mouse.move(*place, steps=6)
        mouse.up()

    def gesture(self, points: Sequence[Point]) -> None:
        """Draw with the mouse, from each image position straight to the next one, and stop there."""
        self.wait_until_view_rests()
        first, *others = self.on_screen(points)
        mouse = self.page.mouse
        mouse.move(*first)
        mouse.down()
        for place in others:
            mouse.move(*place)
        mouse.up()

    def draw_and_wait(self, *points: Point) -> None:
        before = sum(self.stroke_counts())
        self.draw(*points)
        self.wait_for(lambda: sum(self.stroke_counts()) == before + 1, "one stroke more")

    def loses_the_server(self) -> None:
        """Be without a network, until the page says so."""
        self.context.set_offline(True)
        self.wait_for(lambda: "Reconnecting" in self.connection, "the reconnecting sign")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def click(self, selector: str) -> None:
        self.page.click(selector)

    def tab(self, name: str) -> None:
        """Turn to a tab of the panel, unless it is open already or there is none."""
        tab = self.page.locator(f"#tab-{name}")
        if tab.is_visible() and tab.get_attribute("aria-selected") != "true":
            tab.click()

    def moves_with_space(self) -> bool:
        """Hold Space and drag: whether the image moves along."""
        self.wait_until_view_rests()
        (x, y), *_ = self.on_screen([(100, 100)])
        self.page.mouse.move(600, 400)
        self.page.keyboard.down(" ")
        self.page.mouse.down()
        self.page.mouse.move(650, 430, steps=5)
        self.page.mouse.up()
        self.page.keyboard.up(" ")
        self.wait_until_view_rests()
        (moved_x, moved_y), *_ = self.on_screen([(100, 100)])
        return bool(np.allclose((moved_x - x, moved_y - y), (50, 30), rtol=0, atol=1.5))

    def zoom(self, at: Point, clicks: int) -> None:
        """Turn the wheel above an image position; positive clicks zoom in."""
        self.page.mouse.move(*self.on_screen([at])[0])
        for _ in range(abs(clicks)):
            self.page.mouse.wheel(0, -120 if clicks > 0 else 120)
        self.wait_until_view_rests()
        self.wait_until_painted()

    def upload(self, path) -> None:
        with self.page.expect_file_chooser() as chooser:
            self.page.click("#open-image")
        chooser.value.set_files(path)

    def download(self, file_name: str) -> bytes:
        self.tab("home")
        with self.page.expect_download() as download:
            self.page.click(f'[data-file="{file_name}"]')
        return Path(download.value.path()).read_bytes()
