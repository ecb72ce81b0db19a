"""Why a pixel has its class."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from segmentation.web.routes.errors import refused
from segmentation.web.routes.requests import whole
from segmentation.web.routes.responses import not_kept
from segmentation.web.session.explanations import Explanations

MAX_SIDE = 2**31


def explanation_routes(explanations: Explanations) -> Blueprint:
    """``GET /s/<session>/explain``."""
    routes = Blueprint("explanations", __name__)

    @routes.get("/s/<session_id>/explain")
    def explain(session_id: str) -> Response:
        """Which strokes and features decided: ``image=hash&row=r&column=c``."""
        row, column = (whole(name, 0, MAX_SIDE) for name in ("row", "column"))
        try:
            return not_kept(jsonify(explanations.explain(session_id, request.args.get("image"), row, column)))
        except ValueError as reason:
            return refused(reason)

    return routes
