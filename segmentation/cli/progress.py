"""How a person, or a script, learns how far a series is."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from segmentation._shared.text import counted

if TYPE_CHECKING:
    from segmentation.series.run import Event, SeriesReport

BAR = 24
EVERY_SECONDS = 0.2


class Quiet:
    """Tells only, at the end and on stderr, of images that could not be segmented."""

    def take(self, event: Event) -> None:
        """Takes note of an event."""

    def interrupted(self) -> None:
        """Takes note that there will be no more events."""

    def tell_failures(self, report: SeriesReport) -> None:
        """Tells which images could not be segmented and why."""
        for image, why in report.failed.items():
            print(f"squiggle: {image}: {why}", file=sys.stderr)


class JsonLines(Quiet):
    """Tells on stdout what happens, one JSON object a line; ``docs/command-line.md`` describes them."""

    def take(self, event: Event) -> None:
        """Prints what is known about an event."""
        if event.kind != "progress":
            told = {name: value for name, value in asdict(event).items() if value not in ("", ())}
            print(json.dumps(told), flush=True)


class Terminal(Quiet):
    """Shows a bar with the time left, if stderr is a terminal, and at the end what was done."""

    def __init__(self) -> None:
        self._begun = self._shown = time.monotonic()
        self._counts = {"segmented": 0, "finished before": 0, "failed": 0}
        self._wide = 0

    def take(self, event: Event) -> None:
        """Shows how far the series is."""
        if event.kind in self._counts:
            self._counts[event.kind] += 1
        now = time.monotonic()
        if event.kind == "end":
            self._show("")
            print(self._summary(now - self._begun), file=sys.stderr)
        elif now - self._shown >= EVERY_SECONDS or event.kind == "start":
            self._shown = now
            self._show(bar(event.done, sum(self._counts.values()), event.images, now - self._begun))

    def interrupted(self) -> None:
        """Says how to go on."""
        self._show("")
        segmented = self._counts["segmented"]
        print(
            f"squiggle: interrupted; {counted(segmented, 'image')} segmented. The same command continues.",
            file=sys.stderr,
        )

    def _summary(self, seconds: float) -> str:
        parts = [f"{counted(self._counts['segmented'], 'image')} segmented in {duration(seconds)}"]
        if self._counts["finished before"]:
            parts.append(f"{self._counts['finished before']} finished before")
        if self._counts["failed"]:
            parts.append(f"{self._counts['failed']} could not be segmented")
        return ", ".join(parts) + "."

    def _show(self, line: str) -> None:
        if sys.stderr.isatty():
            print(f"\r{line:<{self._wide}}" + ("" if line else "\r"), end="", file=sys.stderr, flush=True)
            self._wide = len(line)


def bar(done: float, images: int, of: int, seconds: float) -> str:
    """A line that shows how far a series is, and how long it still takes."""
    filled = "#" * int(BAR * done)
    left = f", {duration(seconds * (1 - done) / done)} left" if done > 0 and seconds > 1 else ""
    return f"[{filled:.<{BAR}}] {done:4.0%}, {images} of {counted(of, 'image')}{left}"


def duration(seconds: float) -> str:
    """A time for people: ``"8 s"``, ``"3 min 20 s"``, ``"2 h 5 min"``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
