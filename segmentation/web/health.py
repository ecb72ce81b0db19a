"""Whether a process is alive, and whether it can work, for those who run it.

``/health`` says that the process answers. ``/ready`` says that it can serve people: the store answers, and its tables
are those of this version. Kernels that are still being compiled do not make it unready: what they are held equal to
computes meanwhile. ``/metrics`` says how it fares, to a Prometheus that shows the secret which the operator has set.
"""

from __future__ import annotations

import hmac

from flask import Blueprint, Response, abort, jsonify, request

from segmentation.web import metrics
from segmentation.web.store import Store, StoreError
from segmentation.web.warming import WarmUp


def health_routes(store: Store, warm_up: WarmUp, metrics_token: str) -> Blueprint:
    """``/health`` and ``/ready``; with a token, ``/metrics`` for whoever has it."""
    routes = Blueprint("health", __name__)

    @routes.get("/health")
    def health() -> Response:
        """The process answers."""
        return _uncached(jsonify(alive=True))

    @routes.get("/ready")
    def ready() -> Response:
        """The process can work."""
        try:
            store.check()
        except StoreError as problem:
            response = jsonify(ready=False, reason=str(problem), kernels=warm_up.state)
            response.status_code = 503
            return _uncached(response)
        return _uncached(jsonify(ready=True, kernels=warm_up.state))

    @routes.get("/metrics")
    def measured() -> Response:
        """How the process and those beside it fare."""
        if not metrics_token:
            abort(404, "There is no such page.")
        shown = request.authorization.token if request.authorization else None
        if not hmac.compare_digest((shown or "").encode(), metrics_token.encode()):
            response = jsonify(error="Show the token that the operator of this server has set.")
            response.status_code = 401
            response.headers["WWW-Authenticate"] = "Bearer"
            return _uncached(response)
        text, content_type = metrics.exposition()
        return _uncached(Response(text, content_type=content_type))

    return routes


def _uncached(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
