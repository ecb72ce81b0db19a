"""Series: begun, shown, stopped, continued, and deleted."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from segmentation.web.routes.errors import refused
from segmentation.web.routes.requests import json_body
from segmentation.web.routes.responses import not_kept
from segmentation.web.series.progress import SeriesProgress
from segmentation.web.series.worker import SeriesWorker
from segmentation.web.session.downloads import Downloads
from segmentation.web.store import StoreFullError
from segmentation.web.store.files import content_hash
from segmentation.web.store.series import SeriesStore


def series_routes(store: SeriesStore, worker: SeriesWorker, downloads: Downloads) -> Blueprint:
    """``/s/<session>/series``, and what is done with a series as a whole."""
    routes = Blueprint("series", __name__)
    progress = SeriesProgress(store)

    @routes.post("/s/<session_id>/series")
    def begin(session_id: str) -> Response:
        """Begins a series with the classifier as it is now: ``{"image": hash of the current image}``."""
        image_hash = json_body(10_000).get("image")
        try:
            classifier = downloads.classifier(session_id, image_hash if isinstance(image_hash, str) else None)
            return jsonify(series=store.begin(session_id, classifier))
        except (ValueError, StoreFullError) as problem:
            return refused(problem)

    @routes.get("/s/<session_id>/series")
    def all_of_session(session_id: str) -> Response:
        """The series of a session, the latest first."""
        return not_kept(jsonify(series=progress.summaries(session_id)))

    @routes.get("/s/<session_id>/series/<series_id>")
    def one_of_session(session_id: str, series_id: str) -> Response:
        """How far a series is, and its items."""
        summary = progress.summary(session_id, series_id)
        return not_kept(jsonify(summary | {"items": progress.items(session_id, series_id)}))

    @routes.post("/s/<session_id>/series/<series_id>/<any(stop, continue):what>")
    def run(session_id: str, series_id: str, what: str) -> Response:
        """Stops working on a series, or continues."""
        store.run(session_id, series_id, running=what == "continue")
        worker.notice()
        return jsonify(progress.summary(session_id, series_id))

    @routes.get("/s/<session_id>/series/classifier")
    def current(session_id: str) -> Response:
        """Which classifier the session has now, as ``made_by`` of an item tells it; null if it has none."""
        try:
            classifier = downloads.classifier(session_id, request.args.get("image"))
        except ValueError:
            return not_kept(jsonify(classifier=None))
        return not_kept(jsonify(classifier=content_hash(classifier)))

    @routes.post("/s/<session_id>/series/<series_id>/again")
    def again(session_id: str, series_id: str) -> Response:
        """Does those images again whose results another classifier than that of now has made."""
        image_hash = json_body(10_000).get("image")
        try:
            classifier = downloads.classifier(session_id, image_hash if isinstance(image_hash, str) else None)
            count = store.do_again(session_id, series_id, classifier)
        except (ValueError, StoreFullError) as problem:
            return refused(problem)
        worker.notice()
        return jsonify(again=count)

    @routes.delete("/s/<session_id>/series/<series_id>")
    def delete(session_id: str, series_id: str) -> Response:
        """Removes a series, its images and its results."""
        store.delete(session_id, series_id)
        return jsonify(deleted=series_id)

    return routes
