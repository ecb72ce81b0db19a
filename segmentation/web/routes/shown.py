"""Which image a request asks to see, and what it is shown together with."""

from __future__ import annotations

from flask import request

from segmentation.web.routes.requests import BadRequestError
from segmentation.web.session.images import Images, Shown
from segmentation.web.session.stacks import SAMPLED_PLANES


def shown_of_query(images: Images, session_id: str, image_hash: str) -> Shown:
    """An image, with what says how it is shown: of a plane of a made stack ``with`` in the query names some planes.

    Raises:
        BadRequestError: if it names too many.
        UnknownImageError: if the session has no such image.
        ImageError: with a sentence, if a plane cannot be read, or is unlike the others.
    """
    planes = tuple(filter(None, request.args.get("with", "").split(",")))
    if len(planes) > SAMPLED_PLANES:
        raise BadRequestError(f"'with' names more than {SAMPLED_PLANES} planes.")
    return images.shown(session_id, image_hash, planes)
