"""The command line: ``python -m segmentation``; see ``docs/command-line.md``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from segmentation.cli.arguments import parser

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: what follows ``python -m segmentation``; None takes what was typed.

    Returns:
        The exit status: 0 if all went well, 1 if something could not be done, 130 if it was interrupted.

    Raises:
        SystemExit: with status 2, if the arguments are not understood; with 0, if help is asked for.
    """
    from segmentation.cli import commands

    given = parser().parse_args(arguments)
    try:
        status: int = getattr(commands, given.command)(given)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # who reads has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        print(f"squiggle: {commands.sentence(error)}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
