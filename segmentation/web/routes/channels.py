"""The channels of an image, for a browser that composes itself what it shows, and the values under its pointer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from flask import Blueprint, Response, jsonify, request
from numpy.typing import NDArray

from segmentation._shared.bounded_cache import BoundedCache
from segmentation._shared.tiling import Window
from segmentation.io.levels import ChannelFacts, blocks_without_data, channel_facts, levels
from segmentation.web.routes.requests import BadRequestError, span, whole
from segmentation.web.routes.responses import kept_for_good
from segmentation.web.routes.shown import kept_if_whole, shown_of_query
from segmentation.web.session.image_facts import Shown
from segmentation.web.session.images import Images

MAX_PIXELS = 16_000_000
"""Pixels of all channels together that are sent at once."""

MAX_VALUES = 2**17
FACTS_OF_CHANNELS = 1_000
"""Facts that are cached; those of a channel take about 5 kB, nearly all of it the histogram."""


def channel_routes(images: Images) -> Blueprint:
    """``GET /s/<session>/images/<hash>/about``, ``.../levels`` and ``.../values``.

    ``with=hash,hash`` says of the first two which images say how it is shown, if it is a plane of a stack made of them.
    """
    routes = Blueprint("channels", __name__)
    known: BoundedCache[str, list[ChannelFacts]] = BoundedCache(FACTS_OF_CHANNELS, len)

    def facts_of(shown: Shown) -> list[ChannelFacts]:
        facts = known.get(shown.key)
        if facts is None:
            facts = channel_facts(*shown.views)
            known.put(shown.key, facts)
        return facts

    @routes.get("/s/<session_id>/images/<image_hash>/about")
    def about(session_id: str, image_hash: str) -> Response:
        """What the image's file says of it beside its pixels, and what its channels are, as JSON."""
        shown = shown_of_query(images, session_id, image_hash)
        size = shown.image.pixel_size
        channels = [one.to_json() for one in facts_of(shown)]
        return jsonify(pixel_size=size.to_json() if size else None, channels=channels)

    @routes.get("/s/<session_id>/images/<image_hash>/levels")
    def level_planes(session_id: str, image_hash: str) -> Response:
        """Levels of channels, ``rows=a,b&columns=a,b&step=n&channels=0,2``: plane after plane, little-endian; then, if
        there are pixels without data, a byte for each pixel that is 1 where it holds none.
        """
        shown = shown_of_query(images, session_id, image_hash)
        image, facts = shown.image, facts_of(shown)
        rows, columns = span("rows", shown.shape[0]), span("columns", shown.shape[1])
        step = whole("step", 1, 4096)
        chosen = _channels(image.channels)
        if (rows.stop - rows.start) * (columns.stop - columns.start) * len(chosen) > MAX_PIXELS * step * step:
            raise BadRequestError("That part of the image is too large to show at that step.")
        if shown.is_large:
            image = images.part(session_id, image_hash, rows, columns, step, chosen)
            rows, columns, step = slice(None), slice(None), 1
        places = enumerate(chosen) if shown.is_large else ((one, one) for one in chosen)
        planes = [levels(image, facts[one], place, rows, columns, step) for place, one in places]
        missing = blocks_without_data(image, rows, columns, step)
        planes += [] if missing is None else [missing.astype(np.uint8)]
        return kept_if_whole(image, Response(_little_endian(planes), mimetype="application/octet-stream"), shown)

    @routes.get("/s/<session_id>/images/<image_hash>/values")
    def values(session_id: str, image_hash: str) -> Response:
        """The values of all channels of some pixels, ``rows=a,b&columns=a,b``: pixel by pixel, float64, little-endian;
        NaN where there is no data.
        """
        shape, channels, read = images.window_reader(session_id, image_hash)
        window = Window(span("rows", shape[0]), span("columns", shape[1]))
        if window.shape[0] * window.shape[1] * channels > MAX_VALUES:
            raise BadRequestError("Ask for the values of fewer pixels at once.")
        image = read(window)
        found = image.stacked.astype("<f8")
        if image.no_data is not None:
            found[image.no_data] = np.nan
        return kept_for_good(Response(found.tobytes(), mimetype="application/octet-stream"))

    return routes


def _little_endian(planes: Sequence[NDArray[Any]]) -> bytes:
    return b"".join(plane.astype(plane.dtype.newbyteorder("<")).tobytes() for plane in planes)


def _channels(count: int) -> list[int]:
    """The channels that the query names.

    Raises:
        BadRequestError: if it names none, one that is not there, or one twice.
    """
    named = request.args.get("channels", "").split(",")
    if not all(one.isascii() and one.isdecimal() and len(one) < 4 and int(one) < count for one in named):
        raise BadRequestError(f"'channels' must be whole numbers below {count}.")
    chosen = [int(one) for one in named]
    if len(set(chosen)) < len(chosen):
        raise BadRequestError("'channels' must name each channel once.")
    return chosen
