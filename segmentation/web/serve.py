"""Serving the page from one's own machine; a host does the same with the Procfile's `web` line."""

from __future__ import annotations

import sys

from flask import Flask

from segmentation.web.settings import Settings, why_not_to_serve


def serve(server: Flask, settings: Settings) -> None:
    """Serve until interrupted, printing the address once it can be opened.

    Raises:
        SystemExit: with a sentence, if the address is taken or cannot be had.
    """
    url = f"http://{settings.host}:{settings.port}"
    if sys.platform == "win32":
        _serve_with_werkzeug(server, settings, url)
    else:
        _serve_with_gunicorn(server, url)


def _announce(url: str) -> None:
    print(f"Squiggle is at {url}  (Ctrl+C ends it)", flush=True)


def _serve_with_werkzeug(server: Flask, settings: Settings, url: str) -> None:
    from werkzeug.serving import run_simple

    problem = why_not_to_serve(settings, [settings.host])
    if problem:
        sys.exit(f"Squiggle does not start: {problem}")
    if settings.series_in_web:
        server.extensions["workbench"].series_worker.begin()
    _announce(url)
    run_simple(settings.host, settings.port, server, threaded=True)


def _serve_with_gunicorn(server: Flask, url: str) -> None:
    from gunicorn.app.base import BaseApplication

    from segmentation.web import hosting

    class Application(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            quieter = {"loglevel": "warning", "accesslog": None, "when_ready": lambda _arbiter: _announce(url)}
            for name, value in {**vars(hosting), **quieter}.items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> Flask:
            return server

    Application().run()
