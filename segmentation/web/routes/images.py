"""Images of a session: opened, and shown part by part."""

from __future__ import annotations

from typing import BinaryIO, cast

import numpy as np
from flask import Blueprint, Response, jsonify, request

from segmentation._shared.bounded_cache import BoundedCache
from segmentation.io.display import display_pixels, display_range, encode_jpeg, screen_pixels, screen_png
from segmentation.io.formats import STACK_BEGINNINGS
from segmentation.io.image import Image
from segmentation.io.levels import blocks_without_data
from segmentation.io.limits import ImageError
from segmentation.io.pyramid_file import ZIP_BEGINNING
from segmentation.web.http.connection import BODY_DIGEST
from segmentation.web.routes.errors import refused
from segmentation.web.routes.requests import BadRequestError, file_name, span, uploaded_file, whole
from segmentation.web.routes.responses import kept_for_good
from segmentation.web.routes.shown import kept_if_whole, shown_of_query
from segmentation.web.session.image_facts import Shown
from segmentation.web.session.images import Images
from segmentation.web.store import Store, UnknownSessionError

MAX_VIEW_PIXELS = 6_000_000
LOSSLESS_PIXELS = 1_500_000
THUMBNAIL_PIXELS = 192
SPANS = ("rows", "columns")
THUMBNAIL_CACHE_BYTES = 8 * 2**20
DISPLAY_RANGES = 1_000
"""Display ranges that are cached."""

DisplayRanges = tuple[tuple[float, float], ...]


def picture(image: Image, rows: slice, columns: slice, step: int, ranges: DisplayRanges) -> Response:
    """Every ``step``-th pixel of a part of an image, as it is shown: PNG where it is small or where pixels are without
    data, which are transparent, and JPEG otherwise.
    """
    missing = blocks_without_data(image, rows, columns, step)
    as_shown = screen_pixels if missing is None else display_pixels
    pixels = as_shown(image, rows=rows, columns=columns, step=step, ranges=ranges)
    if missing is not None:
        pixels = np.dstack([pixels, np.where(missing, 0, 255).astype(np.uint8)])
    if missing is not None or pixels.shape[0] * pixels.shape[1] <= LOSSLESS_PIXELS:
        return Response(screen_png(pixels), mimetype="image/png")
    return Response(encode_jpeg(pixels), mimetype="image/jpeg")


def image_routes(images: Images, store: Store, max_bytes: int, max_stack_bytes: int) -> Blueprint:
    """``POST /s/<session>/images`` and ``GET /s/<session>/images/<hash>/view`` and ``.../thumbnail``."""
    routes = Blueprint("images", __name__)
    thumbnails: BoundedCache[str, bytes] = BoundedCache(THUMBNAIL_CACHE_BYTES, len)
    known: BoundedCache[str, DisplayRanges] = BoundedCache(DISPLAY_RANGES)

    def ranges_of(shown: Shown) -> DisplayRanges:
        ranges = known.get(shown.key)
        if ranges is None:
            ranges = display_range(*shown.views)
            known.put(shown.key, ranges)
        return ranges

    def limit_of(beginning: bytes) -> int:
        """Some files may hold stacks, and a zip an image that is read part by part."""
        return max_stack_bytes if beginning.startswith((*STACK_BEGINNINGS, ZIP_BEGINNING)) else max_bytes

    @routes.post("/s/<session_id>/images")
    def add_image(session_id: str) -> Response:
        """Reads an image file from the body, its name from the query; answers with the image's facts.

        With ``beside=RxC,...``, rows and columns of the images that there are, one that looks like labels of such an
        image is not kept: the answer is ``{"labels": true}``.
        """
        if not store.has_session(session_id):
            raise UnknownSessionError(session_id)
        try:
            with uploaded_file(max_bytes, limit_of) as file:
                name, sizes = file_name("image"), request.args.get("beside", "").split(",")
                digest = request.environ.get(BODY_DIGEST, "")
                return jsonify(images.add(session_id, cast(BinaryIO, file), name, beside=sizes, digest=digest))
        except ImageError as reason:
            return refused(reason)

    @routes.get("/s/<session_id>/images/<image_hash>/view")
    def view(session_id: str, image_hash: str) -> Response:
        """A part of an image as it is shown: ``rows=a,b&columns=a,b&step=n``; of a made stack ``with=hash,hash``."""
        shown = shown_of_query(images, session_id, image_hash)
        image = shown.image
        rows, columns = (span(name, length) for name, length in zip(SPANS, shown.shape, strict=True))
        step = whole("step", 1, 4096)
        if (rows.stop - rows.start) * (columns.stop - columns.start) > MAX_VIEW_PIXELS * step * step:
            raise BadRequestError("That part of the image is too large to show at that step.")
        if shown.is_large:
            image = images.part(session_id, image_hash, rows, columns, step, range(min(3, image.channels)))
            rows, columns, step = slice(None), slice(None), 1
        return kept_if_whole(image, picture(image, rows, columns, step, ranges_of(shown)[: image.channels]), shown)

    @routes.get("/s/<session_id>/images/<image_hash>/thumbnail")
    def thumbnail(session_id: str, image_hash: str) -> Response:
        """The whole image, small."""
        content = thumbnails.get(image_hash) if store.has_image(session_id, image_hash) else None
        if content is None:
            shown = images.shown(session_id, image_hash)
            step = -(-max(shown.image.shape) // THUMBNAIL_PIXELS)
            content = encode_jpeg(display_pixels(shown.image, step=step, ranges=ranges_of(shown)), quality=85)
            thumbnails.put(image_hash, content)
        return kept_for_good(Response(content, mimetype="image/jpeg"))

    return routes
