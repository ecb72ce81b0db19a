"""What an operator does with the store: ``python -m segmentation.web migrate``."""

from __future__ import annotations

import argparse
import sys

from segmentation.web.settings import settings_from_environment
from segmentation.web.store import StoreError, migrate


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="python -m segmentation.web", description="Looks after Squiggle's store.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("migrate", help="bring the tables of the database up to date, all or nothing")
    parser.parse_args()
    try:
        print(f"The store has the tables of this version ({migrate(settings_from_environment())}).")
    except (StoreError, ValueError) as problem:
        sys.exit(f"The store was not brought up to date: {problem}")


if __name__ == "__main__":
    main()
