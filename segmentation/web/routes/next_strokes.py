"""Where a further stroke helps most."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from segmentation.web.routes.errors import refused
from segmentation.web.routes.requests import has_gone
from segmentation.web.routes.responses import not_kept
from segmentation.web.session.next_strokes import NextStrokes


def next_stroke_routes(next_strokes: NextStrokes) -> Blueprint:
    """``GET /s/<session>/next-strokes``."""
    routes = Blueprint("next_strokes", __name__)

    @routes.get("/s/<session_id>/next-strokes")
    def places(session_id: str) -> Response:
        """The places, the best first; ``image=hash`` names the current image."""
        try:
            found = next_strokes.places(session_id, request.args.get("image"), has_gone())
            return not_kept(jsonify(places=found))
        except ValueError as reason:
            return refused(reason)

    return routes
