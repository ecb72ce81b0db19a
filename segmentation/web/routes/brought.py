"""Files that come back: strokes, label images, GeoJSON."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from segmentation.web.decoding.client import Decoder
from segmentation.web.routes.errors import refused
from segmentation.web.routes.requests import BadRequestError, file_name, uploaded
from segmentation.web.session.brought import Answers, read_brought
from segmentation.web.session.journals import Journals
from segmentation.web.settings import Settings

MAX_ANSWERS = 8_000
"""Characters of the answers; a line of an address may have as many."""


def brought_routes(journals: Journals, decoder: Decoder, settings: Settings) -> Blueprint:
    """``POST /s/<session>/brought``."""
    routes = Blueprint("brought", __name__)

    @routes.post("/s/<session_id>/brought")
    def bring(session_id: str) -> Response:
        """Reads a file from the body, its name and what was answered from the query.

        Answers with what is to be asked, or with the fields of the event that brings it in; nothing is kept.
        """
        state = journals.state(session_id)
        text = request.args.get("answers", "{}")
        if len(text) > MAX_ANSWERS:
            raise BadRequestError("That is more than can be answered at once.")
        answers = Answers.from_json(text)
        try:
            with uploaded(settings.max_upload_bytes) as content:
                name, most = file_name("labels"), settings.max_pixels
                return jsonify(read_brought(content, name, state, answers, decoder, max_pixels=most))
        except ValueError as reason:
            return refused(reason)

    return routes
