"""The command line in a process that stands still halfway, so that it cannot end before what is to befall it.

``python -m tests.support.standing_still SHARE apply ...`` goes on until that share of a series is done, and then stands
still as long as its standard input is open.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from typing import Any

from segmentation.__main__ import main
from segmentation.series import run
from segmentation.series.events import Event
from segmentation.series.run import apply_series


def stand_still(event: Event, share: float) -> None:
    """Return at once before a share of the series is done, and never after that."""
    if event.done >= share:
        sys.stdin.read()


def _apply_series(*given: Any, on_event: Callable[[Event], None], **options: Any) -> Any:
    def on_event_until(event: Event) -> None:
        on_event(event)
        stand_still(event, float(sys.argv[1]))

    return apply_series(*given, on_event=on_event_until, **options)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets what it starts in the background ignore it
    run.apply_series = _apply_series
    sys.exit(main(sys.argv[2:]))
