"""Whole images of any size, segmented in the background: begun, looked after, taken home."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import BinaryIO

from flask import Blueprint, Response, jsonify

from segmentation.io.limits import PassingError
from segmentation.io.pixel_size import PixelSize
from segmentation.io.shares import shares_table
from segmentation.io.zarr_zip import zipped_classes
from segmentation.strokes.classes import classes_from_json
from segmentation.web.routes.errors import refused
from segmentation.web.routes.requests import has_gone
from segmentation.web.routes.responses import as_it_comes, not_kept
from segmentation.web.series.progress import SeriesProgress
from segmentation.web.series.whole_images import refuse_incomplete
from segmentation.web.series.workers import SeriesWorkers
from segmentation.web.session.downloads import Downloads, UnknownFileError
from segmentation.web.session.images import Images
from segmentation.web.store import StoreFullError, UnknownImageError
from segmentation.web.store.records import SeriesItem
from segmentation.web.store.series import SeriesStore, UnknownSeriesError
from segmentation.web.store.wholes import WholeStore

OME_TIFF, SHARES = "segmentation.ome.tif", "shares.csv"
ZARR = {"segmentation.ozx": "0.5", "segmentation.ome.zarr.zip": "0.4"}
"""Zipped OME-Zarr, and of which version it is."""

PART_BYTES = 2**20


def whole_routes(
    wholes: WholeStore, store: SeriesStore, worker: SeriesWorkers, downloads: Downloads, images: Images
) -> Blueprint:
    """``/s/<session>/wholes`` and ``.../<image>``; what is done with one then is in ``series.py``."""
    routes = Blueprint("wholes", __name__)
    progress = SeriesProgress(store)

    def made(session_id: str, image_hash: str) -> SeriesItem:
        """The item of an image whose result is there."""
        series_id = wholes.find(session_id, image_hash)
        item = store.items(session_id, series_id)[0] if series_id else None
        if series_id is None or item is None or not item.result_is_there:
            raise UnknownSeriesError(image_hash)
        return item

    @routes.get("/s/<session_id>/wholes")
    def of_session(session_id: str) -> Response:
        """How far all are: of each ``image``, its hash, ``state``, ``running``, ``part`` and ``reason``."""
        return not_kept(jsonify(wholes=[asdict(one) for one in wholes.of_session(session_id)]))

    @routes.get("/s/<session_id>/wholes/<image_hash>")
    def state(session_id: str, image_hash: str) -> Response:
        """How far it is, as a series; if it was never begun ``id`` is null, and ``cannot`` says why it cannot be."""
        _check_large(images, session_id, image_hash)
        series_id = wholes.find(session_id, image_hash)
        if series_id is None:
            return not_kept(jsonify({"id": None} | _why_not(images, session_id, image_hash)))
        about = {"items": progress.items(session_id, series_id), "part": store.items(session_id, series_id)[0].part}
        return not_kept(jsonify(progress.summary(session_id, series_id) | about))

    @routes.post("/s/<session_id>/wholes/<image_hash>")
    def begin(session_id: str, image_hash: str) -> Response:
        """Begins to segment all of it with the classifier as it is now, or begins anew."""
        _check_large(images, session_id, image_hash)
        rows, columns = images.large.pyramid(session_id, image_hash).shape
        try:
            refuse_incomplete(images.large.coarsest(session_id, image_hash))
            classifier = downloads.classifier(session_id, image_hash, has_gone=has_gone())
            series_id = wholes.begin(session_id, image_hash, classifier, rows * columns)
        except (ValueError, StoreFullError) as problem:
            return refused(problem)
        worker.notice()
        return jsonify(series=series_id)

    @routes.get("/s/<session_id>/wholes/<image_hash>/<name>")
    def file(session_id: str, image_hash: str, name: str) -> Response:
        """Class ids as a pyramid, or their shares."""
        if name not in (OME_TIFF, SHARES, *ZARR):
            raise UnknownFileError(name)
        item = made(session_id, image_hash)
        if name == SHARES:
            classes = classes_from_json(item.pages[0]["classes"])  # the classifier may be another by now
            table = shares_table({one.id: one.name for one in classes}, [(item.name, item.pages)])
            return _to_be_saved(Response(table, mimetype="text/csv"))
        answer = _class_ids(wholes.result(session_id, image_hash), item, name)
        return as_it_comes(_to_be_saved(answer))

    return routes


def _class_ids(content: BinaryIO, item: SeriesItem, name: str) -> Response:
    """The class ids of an item as the TIFF that they are, or as a zipped OME-Zarr."""
    if name == OME_TIFF:
        answer = Response(_parts(content), mimetype="image/tiff")
        answer.content_length = content.seek(0, 2)
    else:
        size, classes = item.pages[0].get("pixel_size"), classes_from_json(item.pages[0]["classes"])
        parts = zipped_classes(content, classes, PixelSize.from_json(size) if size else None, ZARR[name])
        answer = Response(parts, mimetype="application/zip")
    answer.call_on_close(content.close)
    return answer


def _check_large(images: Images, session_id: str, image_hash: str) -> None:
    """Refuse an image that the session does not have, or that is read whole."""
    if not images.is_large(session_id, image_hash):
        raise UnknownImageError(image_hash)


def _why_not(images: Images, session_id: str, image_hash: str) -> dict[str, str]:
    """Under ``cannot`` why not all of an image can be segmented, as a sentence, where that is known beforehand."""
    try:
        refuse_incomplete(images.large.coarsest(session_id, image_hash))
    except PassingError:
        return {}
    except ValueError as reason:
        return {"cannot": str(reason)}
    return {}


def _to_be_saved(answer: Response) -> Response:
    """A file that the browser saves under the name that the page has for it."""
    answer.headers["Content-Disposition"] = "attachment"
    return not_kept(answer)


def _parts(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while part := file.read(PART_BYTES):
        yield part
