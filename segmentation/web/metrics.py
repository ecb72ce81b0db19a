"""What a server measures of itself, for Prometheus: nothing, unless :func:`begin` was called.

All processes of one server count into files of one folder, whose name is the number of the first of them, so that any
of them can tell of all. The counts of a process that has ended stay as long as the server runs.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import Counter, Gauge, Histogram
    from prometheus_client.core import Metric

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Variable in which the library looks for the folder."""

SECONDS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 20, 60)
"""Bounds between which durations are counted."""


class Meters:
    """What is measured."""

    def __init__(self) -> None:
        from prometheus_client import Counter, Gauge, Histogram

        self.strokes: Counter = Counter("squiggle_strokes", "Strokes that were drawn and stored")
        self.first: Histogram = Histogram(
            "squiggle_first_overlay_seconds", "From a request to the first part of its segmentation", buckets=SECONDS
        )
        self.whole: Histogram = Histogram(
            "squiggle_whole_overlay_seconds", "From a request to its whole segmentation", buckets=SECONDS
        )
        self.queue: Gauge = Gauge(
            "squiggle_waiting_tasks", "Tasks that wait for a free processor", multiprocess_mode="livesum"
        )
        self.answers: Counter = Counter("squiggle_answers", "Answers by their status", ["status"])
        self.refusals: Counter = Counter("squiggle_refusals", "Answers that refuse, by their status", ["status"])
        self.closed: Counter = Counter("squiggle_closed_connections", "Connections that were given up", ["reason"])


_meters: Meters | None = None


def begin(data_folder: Path) -> None:
    """Measure from now on.

    Args:
        data_folder: where the folder of the counts is made; what servers that have ended left there is removed.

    Raises:
        OSError: if it cannot be.
    """
    global _meters
    if _meters is not None:
        return
    folder = Path(os.environ.setdefault(FOLDER, str(data_folder / "metrics" / str(os.getpid()))))
    for old in folder.parent.glob("[0-9]*") if folder.parent.name == "metrics" else ():
        if old != folder and not _is_alive(int(old.name)):
            shutil.rmtree(old, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    _meters = Meters()


def forget_process(number: int) -> None:
    """A process has ended: what waited in it does not wait any more."""
    if _meters is not None or FOLDER in os.environ:
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(number)


def count_strokes(number: int) -> None:
    """So many strokes were stored."""
    if _meters and number:
        _meters.strokes.inc(number)


def time_first_overlay(seconds: float) -> None:
    """The first part of a segmentation is there."""
    if _meters:
        _meters.first.observe(seconds)


def time_whole_overlay(seconds: float) -> None:
    """A segmentation is there as a whole."""
    if _meters:
        _meters.whole.observe(seconds)


def count_waiting(change: int) -> None:
    """So many more tasks wait, or fewer."""
    if _meters:
        _meters.queue.inc(change)


def count_answer(status: int) -> None:
    """A request was answered."""
    if _meters:
        _meters.answers.labels(str(status)).inc()
        if status >= 400:
            _meters.refusals.labels(str(status)).inc()


def count_closed(reason: str) -> None:
    """A connection was given up: it was ``"slow"``, ``"idle"`` for long, or one of too ``"many"``."""
    if _meters:
        _meters.closed.labels(reason).inc()


def exposition() -> tuple[bytes, str]:
    """All that the processes of this server have measured, as text for Prometheus, and its type."""
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    registry.register(_Memory())
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _Memory:
    """The memory of the processes of this server, where the system tells it."""

    def collect(self) -> Iterable[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        first = Path(os.environ[FOLDER]).name
        sizes = [memory_of(number) for number in _family(int(first) if first.isdecimal() else os.getpid())]
        if any(sizes):
            text = "Memory of all processes of this server, shared pages counted once (PSS)"
            yield GaugeMetricFamily("squiggle_memory_bytes", text, value=sum(sizes))


def memory_of(process: int) -> int:
    """Bytes of memory of a process, what it shares with others divided among them; 0 if that is not known."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _family(first: int) -> list[int]:
    """A process, and all that it has begun, directly or not."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has just ended
            continue
    found = [first]
    for one in found:
        found += [number for number, parent in parents.items() if parent == one]
    return found


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
