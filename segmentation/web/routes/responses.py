"""How long browsers and what lies between may keep an answer, and how a file is offered for download."""

from __future__ import annotations

from typing import TypeVar

from werkzeug.wrappers import Response

from segmentation.web.security.headers import YEAR_SECONDS

AnyResponse = TypeVar("AnyResponse", bound=Response)


def not_kept(response: AnyResponse) -> AnyResponse:
    """An answer for now and this browser alone."""
    response.headers["Cache-Control"] = "no-store"
    return response


def kept_for_good(response: AnyResponse) -> AnyResponse:
    """An answer that never changes, such as what belongs to an image's hash."""
    response.headers["Cache-Control"] = f"private, max-age={YEAR_SECONDS}, immutable"
    return response


def as_it_comes(response: AnyResponse) -> AnyResponse:
    """An answer that a proxy hands on while it is being made, for now and this browser alone."""
    response.headers["X-Accel-Buffering"] = "no"
    return not_kept(response)


def as_file(response: AnyResponse, disposition: str) -> AnyResponse:
    """An answer that the browser saves as a file, for now and this browser alone.

    Args:
        response: the answer.
        disposition: the name as a parameter of the header, such as ``filename="shares.csv"``.
    """
    response.headers["Content-Disposition"] = f"attachment; {disposition}"
    return not_kept(response)
