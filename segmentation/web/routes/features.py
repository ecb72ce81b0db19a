"""Which features matter, what it costs to leave some out, and whether images should be standardised."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from segmentation.web.routes.errors import refused
from segmentation.web.routes.requests import has_gone
from segmentation.web.routes.responses import not_kept
from segmentation.web.session.feature_advice import FeatureAdvice


def feature_routes(advice: FeatureAdvice) -> Blueprint:
    """``GET /s/<session>/importance``, ``/leaving-out`` and ``/drift``; ``image=hash`` names the current image."""
    routes = Blueprint("features", __name__)

    @routes.get("/s/<session_id>/importance")
    def importance(session_id: str) -> Response:
        """How much features matter."""
        try:
            return not_kept(jsonify(advice.importance(session_id, request.args.get("image"), has_gone())))
        except ValueError as reason:
            return refused(reason)

    @routes.get("/s/<session_id>/leaving-out")
    def leaving_out(session_id: str) -> Response:
        """What it costs to leave some out: ``part=kind:edges``, ``sigma:16`` or ``channel:1``."""
        try:
            part = request.args.get("part", "")
            return not_kept(jsonify(advice.leaving_out(session_id, request.args.get("image"), part, has_gone())))
        except ValueError as reason:
            return refused(reason)

    @routes.get("/s/<session_id>/drift")
    def drift(session_id: str) -> Response:
        """Whether brightness or colour differs between the images."""
        try:
            return not_kept(jsonify(advice.drift(session_id, request.args.get("image"), has_gone())))
        except ValueError as reason:
            return refused(reason)

    return routes
