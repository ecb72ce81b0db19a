"""Serving the page from one's own machine; a host does the same with the Procfile's `web` line."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import suppress

from flask import Flask

from segmentation._shared.processes import python_command
from segmentation.web.http.server import HttpServer
from segmentation.web.settings import Settings, why_not_to_serve

SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
"""Variables that say where a browser can show something; Windows and macOS always have a screen."""


def serve(server: Flask, settings: Settings, *, browser: bool = False) -> None:
    """Serve until interrupted, printing the address once it can be opened.

    Args:
        server: the application.
        settings: where it listens, among others.
        browser: open the page in the person's browser then, if there is a screen to show one on.

    Raises:
        SystemExit: with a sentence, if the address is taken or cannot be had.
    """
    if sys.platform == "win32":
        _serve_without_gunicorn(server, settings, browser)
    else:
        _serve_with_gunicorn(server, settings, browser)


def _announce(settings: Settings, browser: bool) -> None:
    print(f"Squiggle is at {page_url(settings.host, settings.port)}  (Ctrl+C ends it)", flush=True)
    if browser and _has_a_screen():
        here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
        # Ctrl+C must not reach a browser that this starts, hence its own group of processes.
        subprocess.Popen(
            python_command("-m", "webbrowser", page_url(here, settings.port)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def page_url(host: str, port: int) -> str:
    """The address of the page for a browser; those of version 6 stand in brackets."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _has_a_screen() -> bool:
    """Whether a browser can show something; a browser of the terminal would take it away from the server."""
    return sys.platform in ("win32", "darwin") or any(os.environ.get(name) for name in SCREENS)


def _serve_without_gunicorn(server: Flask, settings: Settings, browser: bool) -> None:
    problem = why_not_to_serve(settings, [settings.host])
    if problem:
        sys.exit(f"Squiggle does not start: {problem}")
    if settings.series_in_web:
        server.extensions["workbench"].series_worker.begin()
    family, *_, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
    with socket.create_server(address[:2], family=family) as listening, suppress(KeyboardInterrupt):
        told = server.extensions
        here = HttpServer(server, [listening], told["body_limit"], body_file=told["body_file"])
        _announce(settings, browser)
        while True:
            here.serve_for(1.0)


def _serve_with_gunicorn(server: Flask, settings: Settings, browser: bool) -> None:
    from gunicorn.app.base import BaseApplication

    from segmentation.web import hosting

    class Application(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            announce = {"when_ready": lambda _arbiter: _announce(settings, browser)}
            quieter = {"loglevel": "warning", "accesslog": None, **announce}
            for name, value in {**vars(hosting), **quieter}.items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> Flask:
            return server

    Application().run()
