"""Whether a process is alive, and whether it can work, for those who run it.

``/health`` says that the process answers. ``/ready`` says that it can serve people: the store answers, and its tables
are those of this version. Kernels that are still being compiled do not make it unready: what they are held equal to
computes meanwhile.
"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from segmentation.web.store import Store, StoreError
from segmentation.web.warming import WarmUp


def health_routes(store: Store, warm_up: WarmUp) -> Blueprint:
    """``/health`` and ``/ready``."""
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

    return routes


def _uncached(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
