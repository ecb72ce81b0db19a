"""The files that a person downloads from a session."""

from __future__ import annotations

from flask import Blueprint, Response, request

from segmentation._shared.checks import parse_json
from segmentation.objects.steps import CleanUpStep, steps_from_json
from segmentation.web.routes.requests import BadRequestError, has_gone, whole
from segmentation.web.routes.responses import as_file
from segmentation.web.session.downloads import Downloads


def download_routes(downloads: Downloads) -> Blueprint:
    """``GET /s/<session>/download/<file name>``."""
    routes = Blueprint("downloads", __name__)

    @routes.get("/s/<session_id>/download/<file_name>")
    def download(session_id: str, file_name: str) -> Response:
        """One of the files: ``image=hash`` names the image, ``opacity`` that of the overlay, and
        ``along=strokes,pixels`` what travels along with the classifier: if it is left out, the pixels. ``clean_up`` are
        steps, as JSON, that are tried out.
        """
        opacity = whole("opacity", 0, 100) if "opacity" in request.args else 50
        content, mimetype = downloads.make(
            session_id,
            file_name,
            image_hash=request.args.get("image"),
            opacity=opacity / 100,
            along=request.args["along"].split(",") if "along" in request.args else None,
            clean_up=_tried_steps(),
            has_gone=has_gone(),
        )
        return as_file(Response(content, mimetype=mimetype), f'filename="{file_name}"')

    return routes


def _tried_steps() -> tuple[CleanUpStep, ...]:
    try:
        return steps_from_json(parse_json(request.args.get("clean_up", "[]"), "The clean-up"))
    except ValueError as problem:
        raise BadRequestError(str(problem)) from problem
