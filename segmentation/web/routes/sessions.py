"""Where sessions begin, are listed, copied, taken along, and end."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from typing import IO, Any
from urllib.parse import quote

from flask import Blueprint, Response, jsonify, redirect, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as AnyResponse

from segmentation.web.pages.startpage import start_page
from segmentation.web.routes.remember import known_sessions, remember, remember_only
from segmentation.web.routes.requests import json_body, refuse_larger_than
from segmentation.web.session.sessionfile import MAX_FILE_BYTES, SUFFIX, export_session, import_session
from segmentation.web.session.sessions import UNTITLED, delete, duplicate, listed, rename
from segmentation.web.session.workbench import Workbench
from segmentation.web.store import StoreError

PART_BYTES = 2**20


def start_routes(workbench: Workbench) -> Blueprint:
    """``/``, ``/sessions`` and what is done with a session as a whole."""
    routes = Blueprint("sessions", __name__)

    def page_of(shown: list[dict[str, Any]], sessions: list[dict[str, Any]]) -> Response:
        page = start_page(shown, request.script_root, sign_out=bool(workbench.settings.password))
        return _with_memory(Response(page, mimetype="text/html"), sessions)

    @routes.get("/")
    def start() -> AnyResponse:
        """The sessions that this browser knows; whoever knows none goes straight into a new one."""
        sessions = listed(workbench, known_sessions())
        touched = [one for one in sessions if not one["untouched"]]
        if touched:
            return page_of(touched, sessions)
        session_id = sessions[0]["id"] if sessions else workbench.new_session()
        response = redirect(f"{request.script_root}/s/{session_id}")
        response.headers["Cache-Control"] = "no-store"
        remember(response, session_id)
        return response

    @routes.get("/sessions")
    def all_sessions() -> Response:
        """The same list, whatever is in it."""
        sessions = listed(workbench, known_sessions())
        return page_of(sessions, sessions)

    @routes.get("/sessions/list")
    def list_sessions() -> Response:
        """What the page lists."""
        sessions = listed(workbench, known_sessions())
        return _with_memory(jsonify(sessions), sessions)

    @routes.post("/sessions")
    def new_session() -> Response:
        """Makes a session; its link is in the answer."""
        return _made(workbench.new_session())

    @routes.post("/sessions/import")
    def take_in() -> Response:
        """Takes the file of a session as the body; tells how far it is, a line of JSON a message, at last its id."""
        file = _received(workbench.settings.session_bytes or MAX_FILE_BYTES)
        return Response(_imported(workbench, file), mimetype="application/x-ndjson")

    @routes.get("/s/<session_id>/file")
    def export(session_id: str) -> Response:
        """The session as one file."""
        name = workbench.state(session_id).name or UNTITLED.lower()
        response = Response(export_session(workbench, session_id), mimetype="application/zip")
        stem = "".join(c if c.isalnum() or c in " -_.," else "-" for c in name).strip(" .") or "session"
        response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(stem + SUFFIX)}"
        response.headers["Cache-Control"] = "no-store"
        return response

    @routes.put("/s/<session_id>/name")
    def change_name(session_id: str) -> Response:
        """Names a session: ``{"name": text}``."""
        rename(workbench, session_id, json_body(10_000).get("name"))
        return jsonify(session=session_id)

    @routes.post("/s/<session_id>/duplicate")
    def copy(session_id: str) -> Response:
        """Makes a copy of a session; its link is in the answer."""
        return _made(duplicate(workbench, session_id))

    @routes.delete("/s/<session_id>")
    def end(session_id: str) -> Response:
        """Deletes a session with all that belongs to it."""
        delete(workbench, session_id)
        response = jsonify(session=session_id)
        remember_only(response, [one for one in known_sessions() if one != session_id])
        return response

    return routes


def _made(session_id: str) -> Response:
    response = jsonify(session=session_id)
    remember(response, session_id)
    return response


def _with_memory(response: Response, sessions: list[dict[str, Any]]) -> Response:
    """An answer for this browser alone, which forgets the sessions that are gone."""
    response.headers["Cache-Control"] = "no-store"
    known = known_sessions()
    there = {one["id"] for one in sessions}
    if not there.issuperset(known):
        remember_only(response, [one for one in known if one in there])
    return response


def _received(limit: int) -> IO[bytes]:
    """The body as a file on the disk, which may be larger than the memory.

    Raises:
        RequestEntityTooLarge: with a sentence, if it has more than ``limit`` bytes.
    """
    refuse_larger_than(limit)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - it is closed, and gone, once it has been read
    received = 0
    while part := request.stream.read(PART_BYTES):
        received += len(part)
        if received > limit:
            file.close()
            raise RequestEntityTooLarge(f"The file is too large: this server takes at most {limit / 2**20:.0f} MB.")
        file.write(part)
    file.seek(0)
    return file


def _imported(workbench: Workbench, file: IO[bytes]) -> Iterator[str]:
    with file:
        try:
            for message in import_session(workbench, file):
                yield json.dumps(message) + "\n"
        except (StoreError, ValueError) as reason:
            yield json.dumps({"error": str(reason)}) + "\n"
