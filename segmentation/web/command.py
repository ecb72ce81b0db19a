"""The installed command ``squiggle``: serves the page, or runs a command as ``python -m segmentation`` does."""

from __future__ import annotations

import argparse
import errno
import os
import socket
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from segmentation.__main__ import INTERRUPTED, run
from segmentation.cli.arguments import parser

PORT_PATIENCE_SECONDS = 10.0
SERVING = {"host": "--host", "port": "--port", "data": "--data", "browser": "--no-browser"}
"""What can be said of the page, and the option that says it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what was typed.

    Args:
        arguments: what follows ``squiggle``; None takes what was typed.

    Returns:
        The exit status of a command; where the page is served, that ends the program.

    Raises:
        SystemExit: with status 2, if the arguments are not understood; with a sentence, if the page cannot be served;
            with 0, if help is asked for.
    """
    top = _parser()
    given = top.parse_args(arguments)
    if given.command is None:
        try:
            _serve_page(given)
        except KeyboardInterrupt:  # before there was a server that would have ended in order
            return INTERRUPTED
        return 0
    said = [option for name, option in SERVING.items() if getattr(given, name) is not None]
    if said:
        top.error(f"{said[0]} is for serving the page, which {given.command} does not do")
    return run(given)


def _parser() -> argparse.ArgumentParser:
    top = parser("squiggle", command_required=False)
    page = top.add_argument_group("the page", "Without a command, the page is served and opened in the browser.")
    page.add_argument("--host", metavar="ADDRESS", help="address to listen on (default: this machine alone)")
    page.add_argument("--port", type=_port, metavar="N", help="port to listen on (default: 8050, or one that is free)")
    page.add_argument("--data", type=Path, metavar="DIR", help="folder of the store (default: the user's own)")
    page.add_argument(
        "--no-browser", dest="browser", action="store_const", const=False, help="tell the address and open nothing"
    )
    return top


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, a whole number from 1 to 65535")
    return int(text)


def _serve_page(given: Namespace) -> None:
    """Serve the page; what was typed goes before the environment."""
    from segmentation.web.serve import serve
    from segmentation.web.settings import settings_or_exit

    typed = {"HOST": given.host, "PORT": given.port, "SQUIGGLE_DATA": given.data and given.data.absolute()}
    os.environ.update({name: str(value) for name, value in typed.items() if value is not None})
    port_is_said = bool(os.environ.get("PORT", "").strip())
    settings = settings_or_exit()
    os.environ["PORT"] = str(usable_port(settings.host, settings.port, port_is_said=port_is_said))
    from segmentation.web import wsgi  # makes the application that the environment asks for

    serve(wsgi.server, wsgi.settings, browser=given.browser is not False)


def usable_port(host: str, port: int, *, port_is_said: bool) -> int:
    """The port, if it can be listened on; otherwise one that is free, unless just this one is asked for.

    One that is asked for is waited for a while: a server that is about to end may still have it.

    Raises:
        SystemExit: with a sentence, if there is none.
    """
    deadline = time.monotonic() + PORT_PATIENCE_SECONDS
    while port_is_said and _is_taken(host, port) and time.monotonic() < deadline:
        time.sleep(0.1)
    try:
        return _bound(host, port)
    except OSError as problem:
        taken = problem.errno == errno.EADDRINUSE
        if taken and not port_is_said:
            return _bound(host, 0)
        if taken:
            sys.exit(f"Squiggle does not start: port {port} is taken. Name another with --port.")
        sys.exit(f"Squiggle does not start: it cannot listen on {host}, port {port}: {problem.strerror or problem}.")


def _is_taken(host: str, port: int) -> bool:
    try:
        _bound(host, port)
    except OSError as problem:
        return problem.errno == errno.EADDRINUSE
    return False


def _bound(host: str, port: int) -> int:
    """Bind a socket and let it go; the port that it had."""
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.create_server(address[:2], family=family) as listening:
        return int(listening.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
