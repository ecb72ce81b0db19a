"""Puts the page together: Dash, the routes of the sessions, and the store behind them."""

from __future__ import annotations

import sys
from pathlib import Path

from dash import Dash
from flask import Flask, Response

from segmentation.web.callbacks import register_callbacks
from segmentation.web.layout import page
from segmentation.web.routes import all_routes
from segmentation.web.sample import Sample
from segmentation.web.settings import Settings, settings_from_environment
from segmentation.web.store import Store, StoreError
from segmentation.web.workbench import Workbench

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = Sample(ROOT / "assets" / "sample" / "colon_glands.png", ("Gland", "Other tissue"))


def create_app(settings: Settings) -> Dash:
    """The application, on the store that the settings name.

    Raises:
        StoreError: if the store cannot be used.
        ValueError: if a setting of the store names something that cannot be.
    """
    server = Flask("squiggle", static_folder=None)
    workbench = Workbench(Store.of(settings), settings, SAMPLE)
    server.extensions["workbench"] = workbench
    server.register_blueprint(all_routes(workbench))
    app = Dash(
        "squiggle",
        server=server,  # type: ignore[arg-type]
        title="Squiggle",
        update_title="",
        assets_folder=str(ROOT / "assets"),
        compress=True,
        health_endpoint="health",
        suppress_callback_exceptions=True,
    )
    app.layout = lambda: page(settings)
    register_callbacks(app)
    _send_security_headers(server)
    return app


def _send_security_headers(server: Flask) -> None:
    @server.after_request
    def add_headers(response: Response) -> Response:
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("X-Frame-Options", "DENY")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        return response


def settings_or_exit() -> Settings:
    """The settings that the environment asks for; ends the program with a sentence if they cannot be read."""
    try:
        return settings_from_environment()
    except ValueError as problem:
        sys.exit(f"Squiggle does not start: {problem}")


def create_app_or_exit(settings: Settings) -> Dash:
    """The application; ends the program with a sentence if its store cannot be used."""
    try:
        return create_app(settings)
    except (StoreError, ValueError) as problem:
        sys.exit(f"Squiggle does not start: {problem}")
