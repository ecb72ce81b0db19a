"""Series: begun, shown, stopped, continued, done again, and deleted."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from segmentation.web.routes.errors import refused
from segmentation.web.routes.requests import has_gone, json_body
from segmentation.web.routes.responses import not_kept
from segmentation.web.series.changed import CORRECTED, MEASURED, OUTLINED, Known, changed, known_of
from segmentation.web.series.progress import SeriesProgress
from segmentation.web.series.workers import SeriesWorkers
from segmentation.web.session.downloads import Downloads
from segmentation.web.session.known_images import KnownImages
from segmentation.web.store import StoreFullError
from segmentation.web.store.files import content_hash
from segmentation.web.store.series import SeriesStore


def series_routes(store: SeriesStore, worker: SeriesWorkers) -> Blueprint:
    """``/s/<session>/series``, and what is done with a series as a whole."""
    routes = Blueprint("series", __name__)
    progress = SeriesProgress(store)

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

    @routes.delete("/s/<session_id>/series/<series_id>")
    def delete(session_id: str, series_id: str) -> Response:
        """Removes a series, its images and its results."""
        store.delete(session_id, series_id)
        return jsonify(deleted=series_id)

    return routes


def series_classifier_routes(
    store: SeriesStore, worker: SeriesWorkers, downloads: Downloads, known_images: KnownImages
) -> Blueprint:
    """What a series does with the classifier and the images of its session, as they are at the time."""
    routes = Blueprint("series_classifier", __name__)

    def known(session_id: str, corrections: bytes) -> Known:
        return known_of(corrections, known_images.outlines(session_id), known_images.pixel_sizes(session_id))

    def of_now(session_id: str) -> tuple[bytes, bytes]:
        """The files of the classifier and of the corrections as they are now, for the image that a request names."""
        named = json_body(10_000).get("image")
        image_hash = named if isinstance(named, str) else None
        classifier = downloads.classifier(session_id, image_hash, has_gone=has_gone())
        return classifier, downloads.corrections(session_id, image_hash)

    @routes.post("/s/<session_id>/series")
    def begin(session_id: str) -> Response:
        """Begins a series with the classifier as it is now: ``{"image": hash of the current image}``."""
        try:
            return jsonify(series=store.begin(session_id, *of_now(session_id)))
        except (ValueError, StoreFullError) as problem:
            return refused(problem)

    @routes.get("/s/<session_id>/series/classifier")
    def current(session_id: str) -> Response:
        """Which classifier the session has now, as ``made_by`` of an item tells it, null if it has none, and what was
        painted on its images, outlined there and typed of them, as ``corrected``, ``outlined`` and ``measured`` of
        these tell it, by their hashes.
        """
        image_hash = request.args.get("image")
        try:
            classifier = downloads.classifier(session_id, image_hash, has_gone=has_gone())
        except ValueError:
            return not_kept(jsonify({"classifier": None, CORRECTED: {}, OUTLINED: {}, MEASURED: {}}))
        now = known(session_id, downloads.corrections(session_id, image_hash))
        return not_kept(jsonify({"classifier": content_hash(classifier), **now}))

    @routes.post("/s/<session_id>/series/<series_id>/again")
    def again(session_id: str, series_id: str) -> Response:
        """Does those images again whose results another classifier than that of now has made, and those on which
        something else is painted or outlined now than in their results, or whose pixels have another size by now.
        """
        try:
            classifier, corrections = of_now(session_id)
            also = changed(store.items(session_id, series_id), known(session_id, corrections))
            count = store.do_again(session_id, series_id, classifier, corrections, also)
        except (ValueError, StoreFullError) as problem:
            return refused(problem)
        worker.notice()
        return jsonify(again=count)

    return routes
