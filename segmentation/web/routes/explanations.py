"""What is at a pixel: why it has its class, and which part of the result it lies in."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Blueprint, Response, jsonify, request

from segmentation.web.routes.errors import refused
from segmentation.web.routes.requests import has_gone, whole
from segmentation.web.routes.responses import not_kept
from segmentation.web.session.explanations import Explanations
from segmentation.web.session.parts import Parts

MAX_SIDE = 2**31


def explanation_routes(explanations: Explanations, parts: Parts) -> Blueprint:
    """``GET /s/<session>/explain``, ``/s/<session>/probabilities`` and ``/s/<session>/part``."""
    routes = Blueprint("explanations", __name__)

    @routes.get("/s/<session_id>/explain")
    def explain(session_id: str) -> Response:
        """Which strokes and features decided: ``image=hash&row=r&column=c``."""
        return _at_a_pixel(partial(explanations.explain, session_id, has_gone=has_gone()))

    @routes.get("/s/<session_id>/probabilities")
    def probabilities(session_id: str) -> Response:
        """The probability of each class: ``image=hash&row=r&column=c``."""
        return _at_a_pixel(partial(explanations.probabilities, session_id, has_gone=has_gone()))

    @routes.get("/s/<session_id>/part")
    def part(session_id: str) -> Response:
        """The outline of the part that a pixel lies in: ``image=hash&row=r&column=c``."""
        return _at_a_pixel(partial(parts.outline, session_id, has_gone=has_gone()))

    return routes


def _at_a_pixel(told: Callable[[str | None, int, int], Any]) -> Response:
    """What is told of the image and the pixel of the query."""
    row, column = (whole(name, 0, MAX_SIDE) for name in ("row", "column"))
    try:
        return not_kept(jsonify(told(request.args.get("image"), row, column)))
    except ValueError as reason:
        return refused(reason)
