"""Large images that are prepared for view: how far that is, the image once it is done, and giving it up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from flask import Blueprint, Response, jsonify

from segmentation.io.limits import ImageError, PassingError
from segmentation.web.routes.errors import refused
from segmentation.web.session.images import Images
from segmentation.web.session.made_levels import NotPreparedError
from segmentation.web.session.pyramid_maker import PyramidMaker
from segmentation.web.store import Store, UnknownImageError, UnknownSessionError
from segmentation.web.store.pyramids import Preparing, Pyramids


def preparing_routes(images: Images, store: Store, maker: PyramidMaker) -> Blueprint:
    """``GET /s/<session>/preparing``, ``GET`` and ``DELETE /s/<session>/preparing/<hash>``."""
    routes, pyramids = Blueprint("preparing", __name__), Pyramids(store)

    def found(session_id: str, image_hash: str) -> Preparing:
        for one in pyramids.of_session(session_id):
            if one.hash == image_hash:
                return one
        raise UnknownImageError(image_hash)

    @routes.get("/s/<session_id>/preparing")
    def preparing(session_id: str) -> Response:
        """Answers with the images that are prepared, or were; who asks sees to it that this goes on."""
        if not store.has_session(session_id):
            raise UnknownSessionError(session_id)
        listed = pyramids.of_session(session_id)
        if any(not one.done and not one.reason for one in listed):
            maker.notice()
        return jsonify(images=[asdict(one) for one in listed])

    @routes.get("/s/<session_id>/preparing/<image_hash>")
    def prepared(session_id: str, image_hash: str) -> Response:
        """Answers with the facts of an image that is prepared, and sentences on what of it cannot be read, or says why
        there are none, or none yet.
        """
        one = found(session_id, image_hash)
        if one.reason:
            return refused(ImageError(one.reason))
        if not one.done:
            raise NotPreparedError
        try:
            facts = images.facts(session_id, image_hash, one.name)
            return jsonify(facts | {"notes": images.large.notes(session_id, image_hash)})
        except PassingError:
            raise
        except ImageError as reason:
            return refused(reason)

    @routes.delete("/s/<session_id>/preparing/<image_hash>")
    def give_up(session_id: str, image_hash: str) -> Response:
        """Gives up an image that nobody has opened yet, with its file; one that somebody has stays."""
        found(session_id, image_hash)
        named = (event.body.get("image") for event in store.events(session_id, use=False))
        if not any(isinstance(image, Mapping) and image.get("hash") == image_hash for image in named):
            pyramids.forget(session_id, image_hash)
        return jsonify(given_up=image_hash)

    return routes
