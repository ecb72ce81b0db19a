"""Which image a request asks to see, and what it is shown together with."""

from __future__ import annotations

from flask import Response, request

from segmentation.io.image import Image
from segmentation.web.routes.requests import BadRequestError, has_gone
from segmentation.web.routes.responses import kept_for_good, not_kept
from segmentation.web.session.image_facts import Shown
from segmentation.web.session.images import Images
from segmentation.web.session.partial_views import AGAIN_SECONDS, COMES_LATER, INCOMPLETE
from segmentation.web.session.scheduler import NobodyWaitsError
from segmentation.web.session.stacks import SAMPLED_PLANES


def shown_of_query(images: Images, session_id: str, image_hash: str) -> Shown:
    """An image, with what says how it is shown: of a plane of a made stack ``with`` in the query names some planes.

    ``anew`` in the query says that a view of it begins anew.

    Raises:
        BadRequestError: if it names too many.
        NobodyWaitsError: if nobody waits for it, or no longer when it has been read.
        UnknownImageError: if the session has no such image.
        ImageError: with a sentence, if a plane cannot be read, or is unlike the others.
    """
    planes = tuple(filter(None, request.args.get("with", "").split(",")))
    if len(planes) > SAMPLED_PLANES:
        raise BadRequestError(f"'with' names more than {SAMPLED_PLANES} planes.")
    nobody_waits = has_gone()
    if nobody_waits():
        raise NobodyWaitsError
    shown = images.shown(session_id, image_hash, planes, anew="anew" in request.args)
    if nobody_waits():
        raise NobodyWaitsError
    return shown


def kept_if_whole(image: Image, answer: Response, shown: Shown) -> Response:
    """An answer that shows a part of an image, for good, unless some of it is missing, or of what says how it is shown,
    which may come the next time.

    It says when to ask again where that is likely.
    """
    if INCOMPLETE not in image.metadata:
        return not_kept(answer) if shown.is_for_now else kept_for_good(answer)
    if image.metadata[COMES_LATER]:
        answer.headers["Retry-After"] = str(AGAIN_SECONDS)
    return not_kept(answer)
