"""What is wrong with a request, as JSON with a sentence; what is not named here the server answers for all routes."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, jsonify

from segmentation.io.limits import PassingError
from segmentation.web.session.downloads import UnknownFileError
from segmentation.web.session.partial_views import AGAIN_SECONDS
from segmentation.web.session.scheduler import NobodyWaitsError
from segmentation.web.store import StoreAwayError, StoreFullError, UnknownImageError, UnknownSessionError
from segmentation.web.store.classifiers import UnknownClassifierError
from segmentation.web.store.series import UnknownSeriesError

NO_SESSION = "There is no session behind this link (any more). Start a new one."
LOOKING_TAKEN_BACK = "This link was taken back. Ask the person who gave it to you for the new one."
TAKEN_BACK = f"{LOOKING_TAKEN_BACK.removesuffix('.')}; what you drew is there."
HAS_LEFT = 499
"""Status in the log of an answer that nobody waited for."""

UNKNOWN = {
    UnknownSessionError: NO_SESSION,
    UnknownImageError: "This session has no such image.",
    UnknownClassifierError: "This session has no such classifier.",
    UnknownSeriesError: "This session has no such series (any more).",
    UnknownFileError: "There is no such file to take home.",
}


def answer_errors(routes: Blueprint) -> None:
    """Let routes answer what goes wrong in them with ``{"error": sentence}`` and the status that fits."""

    for kind, sentence in UNKNOWN.items():
        routes.register_error_handler(kind, _not_found(sentence))

    @routes.errorhandler(StoreAwayError)
    def away(error: StoreAwayError) -> tuple[Response, int, dict[str, str]]:
        return jsonify(error=str(error)), 503, {"Retry-After": "2"}

    @routes.errorhandler(PassingError)
    def passing(error: PassingError) -> tuple[Response, int, dict[str, str]]:
        return jsonify(error=str(error)), 503, {"Retry-After": str(AGAIN_SECONDS)}

    @routes.errorhandler(StoreFullError)
    def full(error: StoreFullError) -> tuple[Response, int]:
        return jsonify(error=str(error)), 507

    @routes.errorhandler(NobodyWaitsError)
    def unheard(_error: NobodyWaitsError) -> tuple[str, int]:
        return "", HAS_LEFT

    @routes.errorhandler(ValueError)
    def bad_request(error: ValueError) -> tuple[Response, int]:
        return jsonify(error=str(error)), 422


def refused(reason: Exception) -> Response:
    """An answer that says why a file is not accepted: none that browsers log as a failure."""
    return jsonify(error=str(reason))


def _not_found(sentence: str) -> Callable[[Exception], tuple[Response, int]]:
    return lambda _error: (jsonify(error=sentence), 404)
