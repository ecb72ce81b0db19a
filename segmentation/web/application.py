"""Puts the page together: Dash, the routes of the sessions, and the store behind them."""

from __future__ import annotations

import sys
from pathlib import Path

from dash import Dash
from flask import Flask, Response, abort, has_request_context, request

from segmentation.web import asset_files, metrics
from segmentation.web.health import health_routes
from segmentation.web.pages.callbacks import register_callbacks
from segmentation.web.pages.layout import page
from segmentation.web.routes import all_routes
from segmentation.web.routes.people import author_of_request
from segmentation.web.security.guard import guard
from segmentation.web.security.hardening import harden
from segmentation.web.security.headers import send_security_headers
from segmentation.web.security.problempage import show_problems
from segmentation.web.session.sample import Sample
from segmentation.web.session.sessionfile import MAX_FILE_BYTES
from segmentation.web.session.workbench import Workbench
from segmentation.web.settings import Settings
from segmentation.web.store import StoreError, open_store
from segmentation.web.warming import WarmUp

SAMPLE = Sample(asset_files.FOLDER / "sample" / "colon_glands.png", ("Gland", "Other tissue"))


def create_app(settings: Settings) -> Dash:
    """The application, on the store that the settings name.

    Raises:
        StoreError: if the store cannot be used.
        ValueError: if a setting of the store names something that cannot be.
    """
    server = Flask("squiggle", static_folder=None, template_folder=str(Path(__file__).parent / "templates"))
    server.context_processor(_addresses)
    _measure(server, settings)
    workbench = Workbench(open_store(settings), settings, SAMPLE)
    server.extensions |= {"workbench": workbench, "body_file": workbench.store.files.blobs.incoming}
    guard(server, settings, max(settings.largest_upload_bytes, settings.session_bytes or MAX_FILE_BYTES))
    harden(server, settings.largest_upload_bytes)
    _warm_up_with_the_first_page(server, workbench.warming)
    server.register_blueprint(health_routes(workbench.store, workbench.warming, settings.metrics_token))
    server.register_blueprint(all_routes(workbench))
    app = Dash(
        "squiggle",
        server=server,  # type: ignore[arg-type]
        title="Squiggle",
        update_title="",
        assets_folder=str(asset_files.FOLDER),
        assets_url_path=asset_files.URL_PATH,
        assets_ignore=asset_files.ALL_BUT_ROOT_SCRIPT,
        compress=True,
        suppress_callback_exceptions=True,
    )
    _let_browsers_keep_assets(server)
    app.layout = lambda: page(settings, author_of_request(settings.user_header) if has_request_context() else None)
    _let_root_script_start(app)
    register_callbacks(app)
    show_problems(server)
    send_security_headers(server)
    _let_dash_finish(server)
    return app


def _measure(server: Flask, settings: Settings) -> None:
    if not settings.metrics_token:
        return
    try:
        metrics.begin(settings.data_folder)
    except OSError as problem:
        raise ValueError(f"Nothing can be measured, since SQUIGGLE_DATA cannot be written to ({problem}).") from None

    @server.after_request
    def count(response: Response) -> Response:
        metrics.count_answer(response.status_code)
        return response


def _addresses() -> dict[str, str]:
    """What templates put before the paths of our own: below the application, and of its assets."""
    return {"root": request.script_root, "assets": f"{request.script_root}{asset_files.URL_PATH}"}


def _let_browsers_keep_assets(server: Flask) -> None:
    server.config["SEND_FILE_MAX_AGE_DEFAULT"] = asset_files.KEPT_SECONDS

    @server.get("/assets/<path:name>")
    def asset_of_another_version(name: str) -> Response:
        abort(404, "There is no such file.")


def _let_root_script_start(app: Dash) -> None:
    """Modules run after Dash's own scripts: Dash lays the page out when the root script has given it its callbacks."""
    app.renderer = ""
    addresses = map(app.get_asset_url, asset_files.session_page_modules())
    app.index_string = app.index_string.replace("{%renderer%}", f"{asset_files.preloads(addresses)}\n{{%renderer%}}")


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
