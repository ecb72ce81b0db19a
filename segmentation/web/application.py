"""Puts the page together: Dash, the routes of the sessions, and the store behind them."""

from __future__ import annotations

import sys
from pathlib import Path

from dash import Dash
from flask import Flask, request

from segmentation.web.health import health_routes
from segmentation.web.pages.callbacks import register_callbacks
from segmentation.web.pages.layout import page
from segmentation.web.routes import all_routes
from segmentation.web.security.guard import guard
from segmentation.web.security.hardening import harden
from segmentation.web.security.headers import send_security_headers
from segmentation.web.security.problempage import show_problems
from segmentation.web.session.sample import Sample
from segmentation.web.session.workbench import Workbench
from segmentation.web.settings import Settings
from segmentation.web.store import Store, StoreError
from segmentation.web.warming import WarmUp

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
    guard(server, settings)
    harden(server, settings.max_upload_bytes)
    _warm_up_with_the_first_page(server, workbench.warming)
    server.register_blueprint(health_routes(workbench.store, workbench.warming))
    server.register_blueprint(all_routes(workbench))
    app = Dash(
        "squiggle",
        server=server,  # type: ignore[arg-type]
        title="Squiggle",
        update_title="",
        assets_folder=str(ROOT / "assets"),
        compress=True,
        suppress_callback_exceptions=True,
    )
    app.layout = lambda: page(settings)
    register_callbacks(app)
    show_problems(server)
    send_security_headers(server, app.csp_hashes())
    _let_dash_finish(server)
    return app


def _warm_up_with_the_first_page(server: Flask, warm_up: WarmUp) -> None:
    @server.before_request
    def begin() -> None:
        if request.path == "/" or request.path.startswith("/s/"):
            warm_up.begin()


def _let_dash_finish(server: Flask) -> None:
    """Dash completes itself with the first request, which must not happen in two threads at once."""
    server.test_client().get("/health")


def create_app_or_exit(settings: Settings) -> Dash:
    """The application; ends the program with a sentence if its store cannot be used."""
    try:
        return create_app(settings)
    except (StoreError, ValueError) as problem:
        sys.exit(f"Squiggle does not start: {problem}")
