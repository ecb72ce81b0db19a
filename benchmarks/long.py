"""A long session: what the next stroke costs the server after ten thousand strokes in twenty classes.

``python -m benchmarks.long`` prints the table. Processor time of the server, from the request to the whole overlay.
Each stroke is of the class that the brightness of the image under it says, and as long as a careful person's.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.load import SAMPLE
from benchmarks.table import markdown
from segmentation.web.application import create_app
from segmentation.web.settings import Settings

STROKES, CLASSES = 10_000, 20
FEW, FULL = 10, 400
"""Strokes after which there are few training pixels, and as many as a forest is ever trained on."""

TRIES = 7
AT_ONCE = 1_000


class Session:
    """A session on the sample, asked as a browser window asks."""

    def __init__(self, folder: Path) -> None:
        self._app = create_app(Settings(data_folder=folder)).server
        self._client = self._app.test_client()
        self._id = self._client.post("/sessions").json["session"]  # type: ignore[index]
        self._after = 0
        self._grey = np.asarray(Image.open(SAMPLE).convert("L"))
        self._edges = np.quantile(self._grey, np.linspace(0, 1, CLASSES + 1)[1:-1])
        self._random = np.random.default_rng(0)
        self._drawn: list[str] = []
        begun = self.ask([])[0]["events"][0]["body"]
        self._image = begun["image"]["hash"]
        self.ask(
            [
                {"id": f"c{n}", "type": "class.add", "class": {"id": n, "name": f"{n}", "colour": f"#{n:06x}"}}
                for n in range(3, CLASSES + 1)
            ]
        )

    def ask(self, events: list[dict[str, Any]], segment: bool = False) -> list[dict[str, Any]]:
        """Say what was done; the messages that come back."""
        rows, columns = self._grey.shape
        wanted = {"view": [0, rows, 0, columns], "known": {}} if segment else None
        body = {"after": self._after, "events": events, "segment": wanted, "window": "w"}
        answer = self._client.post(f"/s/{self._id}/converse", json=body, buffered=True)  # else it keeps its place
        messages: list[dict[str, Any]] = [json.loads(line) for line in answer.text.splitlines()]
        self._after = max([self._after, *(one["number"] for one in messages[0]["events"])])
        return messages

    def stroke(self) -> dict[str, Any]:
        """The event of a further stroke: 40 to 60 pixels long, 8 wide."""
        rows, columns = self._grey.shape
        x, y = self._random.uniform(5, columns - 65), self._random.uniform(5, rows - 5)
        points = [(x + 5 * n, min(max(y + self._random.uniform(-3, 3), 1), rows - 2)) for n in range(11)]
        value = np.median([self._grey[int(v), int(u)] for u, v in points])
        path = "M" + "L".join(f"{u:.2f},{v:.2f}" for u, v in points)
        number = len(self._drawn)
        stroke = {"id": f"s{number}", "class_id": 1 + int(np.searchsorted(self._edges, value)), "kind": "path"}
        self._drawn.append(f"e{number}")
        return {"id": f"e{number}", "type": "stroke.add", "image": self._image} | {
            "stroke": stroke | {"path": path, "width": 8}
        }

    def draw_until(self, count: int) -> None:
        """Draw strokes without looking at what comes of them."""
        while (missing := count - len(self._drawn)) > 0:
            self.ask([self.stroke() for _ in range(min(missing, AT_ONCE))])

    def undo(self) -> dict[str, Any]:
        """The event that undoes the last stroke."""
        target = self._drawn.pop()
        return {"id": f"u{self._after}", "type": "undo", "event": target}

    def cost(self, event: Callable[[], dict[str, Any]]) -> float:
        """Milliseconds that an event takes to the whole overlay, the median of some."""
        times = []
        for _ in range(TRIES):
            one = event()
            started = time.process_time()
            messages = self.ask([one], segment=True)
            times.append(1000 * (time.process_time() - started))
            assert any(message["kind"] == "done" for message in messages), messages[-1]
        return median(times[2:])


def long_rows() -> list[dict[str, Any]]:
    """The figures: figure, ours, reference, unit, goal."""
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder))
        session.draw_until(FEW)
        while not any(message["kind"] == "done" for message in session.ask([session.stroke()], segment=True)):
            continue
        few = session.cost(session.stroke)
        session.draw_until(FULL)
        full = session.cost(session.stroke)
        session.draw_until(STROKES)
        many, undone = session.cost(session.stroke), session.cost(session.undo)
    what = "processor time of the server to the whole overlay of the sample"
    return [
        {"figure": f"a stroke after {FEW}, {what}", "ours": few, "reference": None, "unit": "ms", "goal": ""},
        {"figure": f"a stroke after {FULL}", "ours": full, "reference": None, "unit": "ms", "goal": ""},
        {"figure": f"a stroke after {STROKES:,}", "ours": many, "reference": None, "unit": "ms", "goal": ""},
        {"figure": f"an undo after {STROKES:,}", "ours": undone, "reference": None, "unit": "ms", "goal": ""},
        {"figure": f"{STROKES:,} against {FULL}", "ours": many / full, "reference": None, "unit": "x", "goal": ""},
        {"figure": f"{STROKES:,} against {FEW}", "ours": many / few, "reference": None, "unit": "x", "goal": "1.5x"},
    ]


if __name__ == "__main__":
    print(markdown(long_rows()))
