"""What an operator does beside serving the page: look after the store, and work on series apart from the page."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from segmentation._shared.text import counted
from segmentation.web.settings import Settings, settings_from_environment
from segmentation.web.store import BackupError, StoreError, back_up, migrate, open_store, restore

FAILED = {
    "migrate": "The store was not brought up to date",
    "worker": "The worker does not start",
    "backup": "No backup was made",
    "restore": "The backup was not restored",
}
"""What is said of a command that fails."""


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="python -m segmentation.web", description="Looks after Squiggle's store.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    commands.add_parser("migrate", help="bring the tables of the database up to date, all or nothing")
    backup = commands.add_parser("backup", help="write all of the store to a new file, while it is in use")
    backup.add_argument("file", type=Path, help="the file, a ZIP archive")
    restored = commands.add_parser("restore", help="let an empty store hold what a backup does, all or nothing")
    restored.add_argument("file", type=Path, help="the backup, of this version or an older one")
    commands.add_parser("worker", help="work on the series of all sessions, until it is ended")
    given = parser.parse_args()
    try:
        settings = settings_from_environment()
        if given.command == "worker":
            work_on_series(settings)
        elif given.command == "migrate":
            print(f"The store has the tables of this version ({migrate(settings)}).")
        elif given.command == "backup":
            print(f"{given.file} has {_told(back_up(settings, given.file))}.")
        else:
            print(f"The store has {_told(restore(settings, given.file))} of {given.file}.")
    except (BackupError, StoreError, ValueError) as problem:
        sys.exit(f"{FAILED[given.command]}: {problem}")


def _told(held: dict[str, int]) -> str:
    text = f"{counted(held['sessions'], 'session')} and {counted(held['files'], 'file')}"
    missing = f", without {counted(held['missing'], 'file')} of sessions that were deleted meanwhile"
    return text + (missing if held["missing"] else "")


def work_on_series(settings: Settings) -> None:
    """Work on series until the process is asked to end; then the item in work is released at once.

    Raises:
        StoreError: if the store cannot be used.
    """
    from segmentation.web.kernel_cache import keep_kernels_in
    from segmentation.web.logs import log_to_stdout

    log_to_stdout()
    keep_kernels_in(settings.data_folder / "kernels")

    from segmentation.web.decoding.client import Decoder
    from segmentation.web.series.workers import SeriesWorkers
    from segmentation.web.session.classifiers import ClassifierFiles
    from segmentation.web.session.images_of_server import images_of
    from segmentation.web.session.journals import Journals
    from segmentation.web.session.known_images import KnownImages

    closing = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: closing.set())
    store, decoder = open_store(settings), Decoder(settings.decoding_bytes, places=settings.remote)
    images = images_of(store, decoder, settings)
    known = KnownImages(Journals(store, images, ClassifierFiles(store, settings.threads)), images)
    workers = SeriesWorkers(
        store,
        decoder,
        settings,
        threads=settings.threads,
        outlines=known.outlines,
        sizes=known.pixel_sizes,
        busy=lambda: False,
        closing=closing,
    )
    workers.work()


if __name__ == "__main__":
    main()
