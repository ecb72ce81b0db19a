"""Images of a session: opened, and shown part by part."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from segmentation._shared.bounded_cache import BoundedCache
from segmentation.io.display import display_pixels, display_range, encode_jpeg, encode_png
from segmentation.io.formats import ImageError
from segmentation.web.routes.requests import YEAR_SECONDS, BadRequestError, file_name, span, uploaded, whole
from segmentation.web.session.workbench import Workbench
from segmentation.web.store import UnknownSessionError

MAX_VIEW_PIXELS = 6_000_000
LOSSLESS_PIXELS = 1_500_000
THUMBNAIL_PIXELS = 192
THUMBNAIL_CACHE_BYTES = 8 * 2**20


def image_routes(workbench: Workbench) -> Blueprint:
    """``POST /s/<session>/images`` and ``GET /s/<session>/images/<hash>/view`` and ``.../thumbnail``."""
    routes = Blueprint("images", __name__)
    thumbnails: BoundedCache[str, bytes] = BoundedCache(THUMBNAIL_CACHE_BYTES, len)

    @routes.post("/s/<session_id>/images")
    def add_image(session_id: str) -> Response:
        """Takes an image file as the body, its name in the query; answers with the image's facts.

        A file that is no image is an answer too, ``{"error": sentence}``, and none that browsers log as a failure.
        """
        if not workbench.store.has_session(session_id):
            raise UnknownSessionError(session_id)
        try:
            with uploaded(workbench.settings.max_upload_bytes) as content:
                return jsonify(workbench.add_image(session_id, content, file_name("image")))
        except ImageError as reason:
            return jsonify(error=str(reason))

    @routes.get("/s/<session_id>/images/<image_hash>/view")
    def view(session_id: str, image_hash: str) -> Response:
        """A part of an image as it is shown: ``rows=a,b&columns=a,b&step=n``."""
        image = workbench.image(session_id, image_hash)
        rows = span("rows", image.shape[0])
        columns = span("columns", image.shape[1])
        step = whole("step", 1, 4096)
        if (rows.stop - rows.start) * (columns.stop - columns.start) > MAX_VIEW_PIXELS * step * step:
            raise BadRequestError("That part of the image is too large to show at that step.")
        pixels = display_pixels(image, rows=rows, columns=columns, step=step, ranges=display_range(image))
        if pixels.shape[0] * pixels.shape[1] <= LOSSLESS_PIXELS:
            response = Response(encode_png(pixels), mimetype="image/png")
        else:
            response = Response(encode_jpeg(pixels), mimetype="image/jpeg")
        return _kept_by_the_browser(response)

    @routes.get("/s/<session_id>/images/<image_hash>/thumbnail")
    def thumbnail(session_id: str, image_hash: str) -> Response:
        """The whole image, small."""
        content = thumbnails.get(image_hash) if workbench.store.has_image(session_id, image_hash) else None
        if content is None:
            image = workbench.image(session_id, image_hash)
            step = -(-max(image.shape) // THUMBNAIL_PIXELS)
            content = encode_jpeg(display_pixels(image, step=step), quality=85)
            thumbnails.put(image_hash, content)
        return _kept_by_the_browser(Response(content, mimetype="image/jpeg"))

    return routes


def _kept_by_the_browser(response: Response) -> Response:
    """What belongs to an image's hash never changes."""
    response.headers["Cache-Control"] = f"private, max-age={YEAR_SECONDS}, immutable"
    return response
