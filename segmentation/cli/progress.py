"""How a person, or a script, learns how far a series is."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from segmentation._shared.text import counted, duration, escaped

if TYPE_CHECKING:
    from segmentation.series.events import Event, SeriesReport

BAR = 24
EVERY_SECONDS = 0.2


class Quiet:
    """Tells only, at the end and on stderr, of images that could not be segmented, or perhaps not as was meant."""

    def handle(self, event: Event) -> None:
        """Learns of an event."""

    def interrupted(self) -> None:
        """Learns that there will be no more events."""

    def tell_notes(self, report: SeriesReport) -> None:
        """Tells why results may not be what was meant: once each, with the number of images and the first of them."""
        images: dict[str, list[str]] = {}
        for image, notes in report.notes.items():
            for note in notes:
                images.setdefault(note, []).append(image)
        for note, noted in images.items():
            more = f" and {counted(len(noted) - 1, 'more image')}" if noted[1:] else ""
            print(f"squiggle: {escaped(f'{noted[0]}{more}: {note}')}", file=sys.stderr)

    def tell_failures(self, report: SeriesReport) -> None:
        """Tells which images could not be segmented and why."""
        for image, why in report.failed.items():
            print(f"squiggle: {escaped(f'{image}: {why}')}", file=sys.stderr)


class JsonLines(Quiet):
    """Tells on stdout what happens, one JSON object a line; ``docs/command-line.md`` describes them."""

    def handle(self, event: Event) -> None:
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

    def handle(self, event: Event) -> None:
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
    """A line that shows how far a series is, and how much time is left."""
    filled = "#" * int(BAR * done)
    left = f", {duration(seconds * (1 - done) / done)} left" if done > 0 and seconds > 1 else ""
    return f"[{filled:.<{BAR}}] {done:4.0%}, {images} of {counted(of, 'image')}{left}"
