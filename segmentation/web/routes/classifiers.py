"""Classifier files that are opened in a session."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from segmentation.model.modelfile import SUFFIX, ModelFileError
from segmentation.web.routes.requests import file_name, uploaded
from segmentation.web.session.classifiers import MAX_BYTES
from segmentation.web.session.workbench import Workbench
from segmentation.web.store import UnknownSessionError


def classifier_routes(workbench: Workbench) -> Blueprint:
    """``POST /s/<session>/classifiers``."""
    routes = Blueprint("classifiers", __name__)

    @routes.post("/s/<session_id>/classifiers")
    def open_classifier(session_id: str) -> Response:
        """Takes a classifier file as the body, its name in the query; answers with the fields of the event.

        A file that is none is an answer too, ``{"error": sentence}``, and none that browsers log as a failure.
        """
        if not workbench.store.has_session(session_id):
            raise UnknownSessionError(session_id)
        try:
            with uploaded(min(MAX_BYTES, workbench.settings.max_upload_bytes)) as content:
                return jsonify(workbench.open_classifier(session_id, content, file_name(f"classifier{SUFFIX}")))
        except ModelFileError as reason:
            return jsonify(error=str(reason))

    return routes
