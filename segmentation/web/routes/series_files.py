"""The files of series: images are uploaded, pictures are shown, results are downloaded."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from segmentation.io.limits import ImageError
from segmentation.objects.tables import table_for_page
from segmentation.web.decoding.client import Decoder
from segmentation.web.routes.errors import refused
from segmentation.web.routes.requests import received
from segmentation.web.routes.responses import as_file, as_it_comes, kept_for_good, not_kept
from segmentation.web.series.object_files import ObjectFiles
from segmentation.web.series.report import SERIES_FILES
from segmentation.web.series.results_zip import all_objects, results_zip
from segmentation.web.series.upload import Uploads
from segmentation.web.series.workers import SeriesWorkers
from segmentation.web.session.images import Images
from segmentation.web.settings import Settings
from segmentation.web.store.series import SeriesStore


def series_file_routes(
    store: SeriesStore, worker: SeriesWorkers, images: Images, decoder: Decoder, settings: Settings
) -> Blueprint:
    """``files``, ``pictures``, ``open`` and ``results.zip`` below ``/s/<session>/series/<series>``."""
    routes = Blueprint("series_files", __name__)
    object_files = ObjectFiles(store, decoder, max_pixels=settings.max_pixels)
    uploads = Uploads(
        store,
        max_images=settings.series_images,
        max_bytes=settings.series_bytes,
        max_image_bytes=settings.max_upload_bytes,
    )

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

    @routes.get("/s/<session_id>/series/<series_id>/pictures/<int(max=2147483647):number>")
    def picture(session_id: str, series_id: str, number: int) -> Response:
        """A small picture of an image with its classes."""
        return kept_for_good(Response(store.picture(session_id, series_id, number), mimetype="image/jpeg"))

    @routes.post("/s/<session_id>/series/<series_id>/open/<int(max=2147483647):number>")
    def open_in_session(session_id: str, series_id: str, number: int) -> Response:
        """Lets an image of the series be one of the session, to be drawn on; answers with its facts."""
        name, content = store.file(session_id, series_id, number)
        try:
            return jsonify(images.add(session_id, content, name.rpartition("/")[2]))
        except ImageError as reason:
            return refused(reason)

    @routes.get("/s/<session_id>/series/<series_id>/results.zip")
    def results(session_id: str, series_id: str) -> Response:
        """Class ids of all images that are done, shares, classifier, and what failed, in one zip archive; with
        ``?objects=1`` also a table, numbers and outlines of the objects of each image.
        """
        store.facts(session_id, series_id)
        made = results_zip(store, session_id, series_id, object_files if request.args.get("objects") else None)
        archive = Response(made, mimetype="application/zip")
        return as_it_comes(as_file(archive, 'filename="series.zip"'))

    _add_tables(routes, store)
    return routes


def _add_tables(routes: Blueprint, store: SeriesStore) -> None:
    """``objects.bin`` and the tables and the report of a series."""

    @routes.get("/s/<session_id>/series/<series_id>/objects.bin")
    def objects(session_id: str, series_id: str) -> Response:
        """The table of all objects, as :func:`table_for_page` packs it."""
        try:
            packed = table_for_page(all_objects(store, session_id, series_id))
        except ValueError as problem:
            return refused(problem)
        return not_kept(Response(packed, mimetype="application/octet-stream"))

    @routes.get(f"/s/<session_id>/series/<series_id>/<any({', '.join(map(repr, SERIES_FILES))}):name>")
    def table(session_id: str, series_id: str, name: str) -> Response:
        """A table of the series, or its report."""
        try:
            content = SERIES_FILES[name](store, session_id, series_id)
        except ValueError as problem:
            return refused(problem)
        mimetype = "text/html" if name.endswith(".html") else "text/csv"
        return not_kept(as_file(Response(content, mimetype=mimetype), f'filename="series-{name}"'))
