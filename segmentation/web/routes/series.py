"""Series: image files come in, progress and pictures are shown, results are downloaded."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from segmentation.web.routes.errors import refused
from segmentation.web.routes.requests import json_body, received
from segmentation.web.routes.responses import as_file, as_it_comes, kept_for_good, not_kept
from segmentation.web.series.progress import SeriesProgress
from segmentation.web.series.results_zip import results_zip
from segmentation.web.series.upload import Uploads
from segmentation.web.series.worker import SeriesWorker
from segmentation.web.session.downloads import Downloads
from segmentation.web.settings import Settings
from segmentation.web.store import StoreFullError
from segmentation.web.store.series import SeriesStore


def series_routes(store: SeriesStore, worker: SeriesWorker, downloads: Downloads, settings: Settings) -> Blueprint:
    """Everything below ``/s/<session>/series``."""
    routes = Blueprint("series", __name__)
    progress = SeriesProgress(store)
    uploads = Uploads(
        store,
        max_images=settings.series_images,
        max_bytes=settings.series_bytes,
        max_image_bytes=settings.max_upload_bytes,
    )

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

    @routes.post("/s/<session_id>/series/<series_id>/files")
    def add(session_id: str, series_id: str) -> Response:
        """Reads an image file, or a zip archive of image files, from the body, its name with folders from the query.

        Answers with the number of images that came in and, under ``"refused"``, those that did not, with the reasons.
        """
        store.facts(session_id, series_id)
        with received(settings.max_upload_bytes) as file:
            added, refusals = uploads.add(session_id, series_id, request.args.get("name", ""), file)
        worker.notice()
        return jsonify(added=added, refused=refusals)

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

    @routes.get("/s/<session_id>/series/<series_id>/pictures/<int:number>")
    def picture(session_id: str, series_id: str, number: int) -> Response:
        """A small picture of an image with its classes."""
        return kept_for_good(Response(store.picture(session_id, series_id, number), mimetype="image/jpeg"))

    @routes.get("/s/<session_id>/series/<series_id>/results.zip")
    def results(session_id: str, series_id: str) -> Response:
        """Class ids of all images that are done, shares, classifier, and what failed, in one zip archive."""
        store.facts(session_id, series_id)
        archive = Response(results_zip(store, session_id, series_id), mimetype="application/zip")
        return as_it_comes(as_file(archive, 'filename="series.zip"'))

    return routes
