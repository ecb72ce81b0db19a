"""The start page: the sessions that a browser knows, and the ways to new ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from flask import render_template

from segmentation.web.asset_files import modules_of
from segmentation.web.session.sessionfile import SUFFIX


def start_page(sessions: Sequence[dict[str, Any]], *, sign_out: bool) -> str:
    """The page as HTML.

    Args:
        sessions: as :meth:`segmentation.web.session.sessions.Sessions.listed` gives them.
        sign_out: whether people have signed in, and can sign out.
    """
    return render_template(
        "start.html",
        modules=modules_of("shared"),
        sessions=json.dumps(sessions),
        suffix=SUFFIX,
        sign_out=sign_out,
    )
