"""Sessions as files: exported, and imported."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import IO
from urllib.parse import quote

from flask import Blueprint, Response, request, stream_with_context

from segmentation.web.routes.known_sessions import own, require_room
from segmentation.web.routes.requests import received
from segmentation.web.routes.responses import as_file
from segmentation.web.security.hardening import what_failed
from segmentation.web.session.sessionfile import MAX_FILE_BYTES, SUFFIX, SessionFiles
from segmentation.web.session.sessions import Sessions
from segmentation.web.settings import Settings
from segmentation.web.store import StoreError

log = logging.getLogger(__name__)


def session_file_routes(sessions: Sessions, files: SessionFiles, settings: Settings) -> Blueprint:
    """``GET /s/<session>/file`` and ``POST /sessions/import``."""
    routes = Blueprint("session_file", __name__)

    @routes.get("/s/<session_id>/file")
    def export(session_id: str) -> Response:
        """The session as one file."""
        title = sessions.title(session_id)
        response = Response(files.write(session_id), mimetype="application/zip")
        stem = "".join(c if c.isalnum() or c in " -_.," else "-" for c in title).strip(" .") or "session"
        return as_file(response, f"filename*=UTF-8''{quote(stem + SUFFIX)}")

    @routes.post("/sessions/import")
    def import_() -> Response:
        """Reads the file of a session from the body; tells how far it is, a line of JSON a message, at last its id."""
        require_room(request.content_length or 0)
        file = received(settings.session_bytes or MAX_FILE_BYTES)
        return Response(stream_with_context(_imported(files, file)), mimetype="application/x-ndjson")

    return routes


def _imported(files: SessionFiles, file: IO[bytes]) -> Iterator[str]:
    with file:
        try:
            for message in files.read(file, own):
                yield json.dumps(message) + "\n"
        except (StoreError, ValueError) as reason:
            yield json.dumps({"error": str(reason)}) + "\n"
        except OSError as problem:
            log.exception("importing a session failed")
            yield json.dumps({"error": what_failed(problem)}) + "\n"
