"""Images that lie elsewhere, opened by their addresses where whoever runs the server allows it."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, jsonify

from segmentation._shared import checks
from segmentation._shared.text import shown_name
from segmentation.io.addresses import LONGEST, Places
from segmentation.io.limits import ImageError
from segmentation.web.routes.errors import refused
from segmentation.web.routes.requests import json_body
from segmentation.web.session.large_images import LargeImages
from segmentation.web.store import Store, UnknownSessionError

MAX_BODY_BYTES = 16_384


def address_routes(images: LargeImages, store: Store, places: Places) -> Blueprint:
    """``POST /s/<session>/addresses``."""
    routes = Blueprint("addresses", __name__)

    @routes.post("/s/<session_id>/addresses")
    def add_address(session_id: str) -> Response:
        """Looks at the image at ``{"address": ...}``; answers with its facts, or says why there are none."""
        if not store.has_session(session_id):
            raise UnknownSessionError(session_id)
        asked = checks.mapping(json_body(MAX_BODY_BYTES), "What is asked", ("address",))
        text = checks.text(asked["address"], "The address", LONGEST)
        try:
            place = places.find(text)
            if isinstance(place, Path):
                return jsonify(images.add_address(session_id, str(place), shown_name(place.name)))
            return jsonify(images.add_address(session_id, place.url, place.name))
        except ImageError as reason:
            return refused(reason)

    return routes
