"""Files that come back: strokes, label images, GeoJSON; and masks to score the segmentation against."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, Response, jsonify, request

from segmentation.web.decoding.client import Decoder
from segmentation.web.routes.errors import refused
from segmentation.web.routes.requests import BadRequestError, file_name, has_gone, uploaded
from segmentation.web.session.brought import Answers, read_brought
from segmentation.web.session.images import Images
from segmentation.web.session.journals import Journals
from segmentation.web.session.mask_scores import MaskScorer
from segmentation.web.settings import Settings

MAX_ANSWERS = 8_000
"""Characters of the answers; a line of an address may have as many."""


def brought_routes(
    journals: Journals, images: Images, decoder: Decoder, mask_scorer: MaskScorer, settings: Settings
) -> Blueprint:
    """``POST /s/<session>/brought`` and ``/mask-scores``."""
    routes = Blueprint("brought", __name__)

    @routes.post("/s/<session_id>/brought")
    def bring(session_id: str) -> Response:
        """Reads a file from the body, its name and what was answered from the query.

        Answers with what is to be asked, or with the fields of the event that brings it in; nothing is kept.
        """
        state, answers = journals.state(session_id), _answers()
        try:
            with uploaded(settings.max_upload_bytes) as content:
                name, most = file_name("labels"), settings.max_pixels
                hashes = partial(images.hashes, session_id)
                return jsonify(read_brought(content, name, state, answers, decoder, max_pixels=most, hashes=hashes))
        except ValueError as reason:
            return refused(reason)

    @routes.post("/s/<session_id>/mask-scores")
    def score_against_mask(session_id: str) -> Response:
        """Scores the segmentation against a mask in the body, about which the same was answered; nothing is kept."""
        journals.state(session_id)
        answers = _answers()
        try:
            with uploaded(settings.max_upload_bytes) as content:
                return jsonify(mask_scorer.score(session_id, content, file_name("mask"), answers, has_gone()))
        except ValueError as reason:
            return refused(reason)

    return routes


def _answers() -> Answers:
    text = request.args.get("answers", "{}")
    if len(text) > MAX_ANSWERS:
        raise BadRequestError("That is more than can be answered at once.")
    return Answers.from_json(text)
