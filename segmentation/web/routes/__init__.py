"""What the page asks the server for, as plain HTTP; what belongs to a session lies below its link ``/s/<id>``."""

from __future__ import annotations

import logging

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from segmentation.web.routes.classifiers import classifier_routes
from segmentation.web.routes.conversation import NO_SESSION, conversation_routes
from segmentation.web.routes.downloads import take_home_routes
from segmentation.web.routes.images import image_routes
from segmentation.web.routes.series import series_routes
from segmentation.web.routes.sessions import start_routes
from segmentation.web.session.downloads import UnknownFileError
from segmentation.web.session.workbench import Workbench
from segmentation.web.store import StoreAwayError, StoreFullError, UnknownImageError, UnknownSessionError
from segmentation.web.store.classifiers import UnknownClassifierError

PARTS = (start_routes, conversation_routes, image_routes, classifier_routes, take_home_routes, series_routes)

log = logging.getLogger(__name__)


def all_routes(workbench: Workbench) -> Blueprint:
    """The routes of a workbench, with an answer in words to whatever goes wrong in them."""
    routes = Blueprint("squiggle", __name__)
    routes.before_request(workbench.store.upkeep.now_and_then)
    _answer_errors(routes)
    for part in PARTS:
        routes.register_blueprint(part(workbench))
    return routes


def _answer_errors(routes: Blueprint) -> None:
    @routes.errorhandler(UnknownSessionError)
    def no_session(_error: UnknownSessionError) -> tuple[Response, int]:
        return jsonify(error=NO_SESSION), 404

    @routes.errorhandler(UnknownImageError)
    def no_image(_error: UnknownImageError) -> tuple[Response, int]:
        return jsonify(error="This session has no such image."), 404

    @routes.errorhandler(StoreAwayError)
    def away(error: StoreAwayError) -> tuple[Response, int, dict[str, str]]:
        return jsonify(error=str(error)), 503, {"Retry-After": "2"}

    @routes.errorhandler(StoreFullError)
    def full(error: StoreFullError) -> tuple[Response, int]:
        return jsonify(error=str(error)), 507

    @routes.errorhandler(UnknownClassifierError)
    def no_classifier(_error: UnknownClassifierError) -> tuple[Response, int]:
        return jsonify(error="This session has no such classifier."), 404

    @routes.errorhandler(UnknownFileError)
    def no_file(_error: UnknownFileError) -> tuple[Response, int]:
        return jsonify(error="There is no such file to take home."), 404

    @routes.errorhandler(ValueError)
    def bad_request(error: ValueError) -> tuple[Response, int]:
        return jsonify(error=str(error)), 422

    @routes.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> tuple[Response, int]:
        return jsonify(error=error.description), error.code or 500

    @routes.errorhandler(Exception)
    def failure(error: Exception) -> tuple[Response, int]:
        log.exception("request failed: %s %s", request.method, request.path, exc_info=error)
        return jsonify(error="The server failed at this. What you did before is safe; try again."), 500
