"""Series: image files come in, progress and pictures are shown, results go home."""

from __future__ import annotations

import tempfile
from collections import OrderedDict
from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from segmentation.model.modelfile import load_model
from segmentation.strokes.classes import classes_to_json
from segmentation.web.routes.requests import YEAR_SECONDS, json_body, refuse_larger_than
from segmentation.web.series.results_zip import results_zip
from segmentation.web.series.upload_zip import ZipError, is_zip, shown_name, unpacked
from segmentation.web.session.downloads import download
from segmentation.web.session.workbench import Workbench
from segmentation.web.store import StoreFullError
from segmentation.web.store.records import SeriesItem
from segmentation.web.store.series import SeriesStore, UnknownSeriesError

CLASSIFIER = "classifier.squiggle"
CHUNK_BYTES = 2**20
KNOWN_CLASSES = 1000
RATE_OF = 20
"""Images, the latest, of which the time left is reckoned."""


def series_routes(workbench: Workbench) -> Blueprint:
    """Everything below ``/s/<session>/series``."""
    routes = Blueprint("series", __name__)
    store, settings = workbench.series, workbench.settings

    @routes.errorhandler(UnknownSeriesError)
    def no_series(_error: UnknownSeriesError) -> tuple[Response, int]:
        return jsonify(error="This session has no such series (any more)."), 404

    @routes.post("/s/<session_id>/series")
    def begin(session_id: str) -> Response:
        """Begins a series with the classifier as it is now: ``{"image": hash of the image in hand}``."""
        image_hash = json_body(10_000).get("image")
        try:
            image = image_hash if isinstance(image_hash, str) else None
            classifier, _ = download(workbench, session_id, CLASSIFIER, image_hash=image)
            return jsonify(series=store.begin(session_id, classifier))
        except (ValueError, StoreFullError) as problem:
            return jsonify(error=str(problem))

    @routes.get("/s/<session_id>/series")
    def all_of_session(session_id: str) -> Response:
        """The series of a session, the latest first."""
        return _fresh(jsonify(series=[_summary(store, session_id, one.id) for one in store.of_session(session_id)]))

    @routes.get("/s/<session_id>/series/<series_id>")
    def progress(session_id: str, series_id: str) -> Response:
        """How far a series is, and its items."""
        items = [_described(item) for item in store.items(session_id, series_id)]
        return _fresh(jsonify({**_summary(store, session_id, series_id), "items": items}))

    @routes.post("/s/<session_id>/series/<series_id>/files")
    def add(session_id: str, series_id: str) -> Response:
        """Takes an image file, or a zip archive of image files, as the body, its name with folders in the query.

        Answers with the number of images that came in and, under ``"refused"``, those that did not, with the reasons.
        """
        store.facts(session_id, series_id)
        name = shown_name(request.args.get("name", ""))
        refused = []
        added = 0
        with tempfile.TemporaryFile() as file:
            _receive(file, settings.max_upload_bytes)
            file.seek(0)
            zipped = is_zip(file.read(4))
            file.seek(0)
            try:
                limits = {"max_images": settings.series_images, "max_bytes": settings.series_bytes}
                coming = unpacked(file, max_image_bytes=settings.max_upload_bytes, **limits) if zipped else ()
                for one in coming:
                    if one.reason:
                        refused.append({"name": one.name, "reason": one.reason})
                    else:
                        store.add(session_id, series_id, one.name, one.content, **limits)
                        added += 1
                if not zipped:
                    store.add(session_id, series_id, name, file.read(), **limits)
                    added = 1
            except (ZipError, StoreFullError) as problem:
                refused.append({"name": name, "reason": str(problem)})
        workbench.series_worker.notice()
        return jsonify(added=added, refused=refused)

    @routes.post("/s/<session_id>/series/<series_id>/<any(stop, continue):what>")
    def run(session_id: str, series_id: str, what: str) -> Response:
        """Stops working on a series, or goes on."""
        store.run(session_id, series_id, running=what == "continue")
        workbench.series_worker.notice()
        return jsonify(_summary(store, session_id, series_id))

    @routes.delete("/s/<session_id>/series/<series_id>")
    def delete(session_id: str, series_id: str) -> Response:
        """Removes a series, its images and its results."""
        store.delete(session_id, series_id)
        return jsonify(deleted=series_id)

    @routes.get("/s/<session_id>/series/<series_id>/pictures/<int:number>")
    def picture(session_id: str, series_id: str, number: int) -> Response:
        """A small picture of an image with its classes."""
        response = Response(store.picture(session_id, series_id, number), mimetype="image/jpeg")
        response.headers["Cache-Control"] = f"private, max-age={YEAR_SECONDS}, immutable"
        return response

    @routes.get("/s/<session_id>/series/<series_id>/results.zip")
    def results(session_id: str, series_id: str) -> Response:
        """Class ids of all images that are done, shares, classifier, and what failed, in one zip archive."""
        store.facts(session_id, series_id)
        response = Response(results_zip(store, session_id, series_id), mimetype="application/zip")
        response.headers["Content-Disposition"] = 'attachment; filename="series.zip"'
        response.headers["X-Accel-Buffering"] = "no"
        return _fresh(response)

    return routes


def _receive(file: Any, limit: int) -> None:
    """Write the body to a file, without having all of it in memory."""
    refuse_larger_than(limit)
    received = 0
    while part := request.stream.read(CHUNK_BYTES):
        received += len(part)
        if received > limit:
            raise RequestEntityTooLarge(f"This server takes files of at most {limit / 2**20:.0f} MB.")
        file.write(part)


def _summary(store: SeriesStore, session_id: str, series_id: str) -> dict[str, Any]:
    facts = store.facts(session_id, series_id)
    items = store.items(session_id, series_id)
    counts = dict.fromkeys(("waiting", "working", "done", "failed"), 0)
    for item in items:
        counts[item.state] += 1
    left = counts["waiting"] + counts["working"]
    return {
        "id": facts.id,
        "classes": _classes(store, session_id, series_id),
        "created": facts.created,
        "running": facts.running,
        "images": len(items),
        **counts,
        "seconds_left": _seconds_left(items, left) if facts.running and left else None,
    }


_known_classes: OrderedDict[str, list[dict[str, Any]]] = OrderedDict()


def _classes(store: SeriesStore, session_id: str, series_id: str) -> list[dict[str, Any]]:
    """The classes of a series' classifier, which never change."""
    classes = _known_classes.get(series_id)
    if classes is None:
        classes = classes_to_json(load_model(store.classifier(session_id, series_id)).classes)
        _known_classes[series_id] = classes
        while len(_known_classes) > KNOWN_CLASSES:
            _known_classes.popitem(last=False)
    return classes


def _seconds_left(items: list[SeriesItem], left: int) -> float | None:
    """How long it still takes, going by the images that ended last."""
    ended = sorted(item.ended for item in items if item.ended)[-RATE_OF:]
    if len(ended) < 2:
        return None
    return float(round(left * (ended[-1] - ended[0]) / (len(ended) - 1), 1))


def _described(item: SeriesItem) -> dict[str, Any]:
    pixels: dict[str, int] = {}
    for page in item.pages:
        for class_id, count in page["pixels"].items():
            pixels[class_id] = pixels.get(class_id, 0) + count
    return {
        "number": item.number,
        "name": item.name,
        "state": item.state,
        "reason": item.reason,
        "pages": len(item.pages),
        "pixels": pixels,
    }


def _fresh(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
