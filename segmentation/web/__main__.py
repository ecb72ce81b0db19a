"""What an operator does beside serving the page: bring the store up to date, and work on series apart from it."""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from segmentation.web.settings import Settings, settings_from_environment
from segmentation.web.store import Store, StoreError, migrate


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="python -m segmentation.web", description="Looks after Squiggle's store.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    commands.add_parser("migrate", help="bring the tables of the database up to date, all or nothing")
    commands.add_parser("worker", help="work on the series of all sessions, until it is ended")
    command = parser.parse_args().command
    try:
        settings = settings_from_environment()
        if command == "worker":
            work_on_series(settings)
        else:
            print(f"The store has the tables of this version ({migrate(settings)}).")
    except (StoreError, ValueError) as problem:
        what = "The worker does not start" if command == "worker" else "The store was not brought up to date"
        sys.exit(f"{what}: {problem}")


def work_on_series(settings: Settings) -> None:
    """Work on series until the process is asked to end; what it is at then is left to others at once.

    Raises:
        StoreError: if the store cannot be used.
    """
    from segmentation.web.kernel_cache import keep_kernels_in
    from segmentation.web.logs import log_to_stdout

    log_to_stdout()
    keep_kernels_in(settings.data_folder / "kernels")

    from segmentation.web.decoding.client import Decoder
    from segmentation.web.series.worker import SeriesWorker
    from segmentation.web.store.series import SeriesStore

    closing = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: closing.set())
    worker = SeriesWorker(
        SeriesStore(Store.of(settings)),
        Decoder(settings.decoding_bytes),
        max_pixels=settings.max_pixels,
        threads=settings.threads,
        busy=lambda: False,
        closing=closing,
    )
    worker.work()


if __name__ == "__main__":
    main()
