"""What is done with a whole stack of a session."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, Response, request

from segmentation.io.limits import PassingError
from segmentation.web.routes.requests import has_gone
from segmentation.web.routes.responses import as_it_comes
from segmentation.web.security.hardening import what_failed
from segmentation.web.session.stack_results import StackResults
from segmentation.web.store import StoreError

log = logging.getLogger(__name__)


def stack_routes(results: StackResults) -> Blueprint:
    """``GET /s/<session>/download/planes``."""
    routes = Blueprint("stacks", __name__)

    @routes.get("/s/<session_id>/download/planes")
    def segment(session_id: str) -> Response:
        """Segments the stack that ``image=hash`` is a plane of: answers with JSON lines, of which the last parts are a
        TIFF in base64.
        """
        messages = results.segment(session_id, request.args.get("image", ""), has_gone())
        return as_it_comes(Response(_lines(messages), mimetype="application/x-ndjson"))

    return routes


def _lines(messages: Iterator[Mapping[str, Any]]) -> Iterator[str]:
    try:
        for message in messages:
            yield json.dumps(message, separators=(",", ":")) + "\n"
    except (StoreError, PassingError) as reason:
        yield json.dumps({"error": str(reason)}) + "\n"
    except Exception as problem:
        log.exception("segmenting a stack failed")
        yield json.dumps({"error": what_failed(problem)}) + "\n"
