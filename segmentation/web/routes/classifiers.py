"""Classifier files that are opened in a session."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from segmentation.model.modelfile import SUFFIX, ModelFileError
from segmentation.web.routes.errors import refused
from segmentation.web.routes.requests import file_name, uploaded
from segmentation.web.session.classifiers import MAX_CLASSIFIER_BYTES, ClassifierFiles
from segmentation.web.session.journals import Journals
from segmentation.web.store import Store, UnknownSessionError


def classifier_routes(
    classifiers: ClassifierFiles, journals: Journals, store: Store, max_upload_bytes: int
) -> Blueprint:
    """``POST /s/<session>/classifiers``."""
    routes = Blueprint("classifiers", __name__)

    @routes.post("/s/<session_id>/classifiers")
    def open_classifier(session_id: str) -> Response:
        """Reads a classifier file from the body, its name from the query; answers with the fields of the event."""
        if not store.has_session(session_id):
            raise UnknownSessionError(session_id)
        try:
            with uploaded(min(MAX_CLASSIFIER_BYTES, max_upload_bytes)) as content:
                file = classifiers.open(session_id, file_name(f"classifier{SUFFIX}"), content)
                return jsonify(journals.opening(session_id, file))
        except ModelFileError as reason:
            return refused(reason)

    return routes
