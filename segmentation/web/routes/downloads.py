"""The files that a person takes home."""

from __future__ import annotations

from flask import Blueprint, Response, request

from segmentation.web.routes.requests import whole
from segmentation.web.session.downloads import download
from segmentation.web.session.workbench import Workbench


def take_home_routes(workbench: Workbench) -> Blueprint:
    """``GET /s/<session>/download/<file name>``."""
    routes = Blueprint("take_home", __name__)

    @routes.get("/s/<session_id>/download/<file_name>")
    def take_home(session_id: str, file_name: str) -> Response:
        """One of the files to take home: ``image=hash`` names the image, ``opacity`` that of the overlay, and
        ``along=strokes,pixels`` what travels along with the classifier.
        """
        opacity = whole("opacity", 0, 100) if "opacity" in request.args else 50
        image_hash = request.args.get("image")
        along = request.args.get("along", "").split(",")
        content, mimetype = download(
            workbench, session_id, file_name, image_hash=image_hash, opacity=opacity / 100, along=along
        )
        response = Response(content, mimetype=mimetype)
        response.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
        response.headers["Cache-Control"] = "no-store"
        return response

    return routes
