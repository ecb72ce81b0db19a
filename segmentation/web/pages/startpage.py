"""The start page: the sessions that a browser knows, and the ways to new ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import Any

from segmentation.web.session.sessionfile import SUFFIX

DEFERRED_SCRIPTS = ("shelf.js", "sessions.js")
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sessions · Squiggle</title>
<link rel="icon" href="{root}/assets/favicon.ico">
<link rel="stylesheet" href="{root}/assets/style.css">
<link rel="stylesheet" href="{root}/assets/sessions.css">
<script src="{root}/assets/shell.js"></script>
{scripts}
</head>
<body class="start" data-base="{root}/" data-sessions="{sessions}" data-suffix="{suffix}">
<header id="header">
<div id="brand"><span class="logo" aria-hidden="true"></span><h1>Squiggle</h1></div>
<button id="theme" type="button" class="tool" title="Light or dark" aria-label="Switch between light and dark">
<span class="icon" data-path="M12 4a8 8 0 1 0 .01 0zM12 4v16a8 8 0 0 0 0-16z" aria-hidden="true"></span></button>
{sign_out}
</header>
<main>
<div class="start-head">
<h2>Your sessions</h2>
<button id="import-session" type="button" class="quiet">Import…</button>
<button id="new-session" type="button">New session</button>
</div>
<p class="note">This browser knows these sessions. Whoever has the link of one can open it and draw in it; on another
computer open its link, or export it here and import it there.</p>
<p id="start-progress" role="status" aria-live="polite"></p>
<ul id="sessions"></ul>
<p id="no-sessions" hidden>No sessions in this browser yet. A new one opens on a sample image: two squiggles, and it is
segmented.</p>
</main>
<dialog id="question"><p id="question-text"></p><div class="dialog-buttons">
<button id="question-no" type="button" class="quiet">Cancel</button>
<button id="question-yes" type="button" class="danger">Delete</button></div></dialog>
<div id="message" role="alert"></div>
</body>
</html>
"""
SIGN_OUT = """<form id="sign-out" action="{root}/sign-out" method="post">
<button type="submit" class="quiet">Sign out</button></form>"""


def start_page(sessions: Sequence[dict[str, Any]], root: str, *, sign_out: bool) -> str:
    """The page as HTML.

    Args:
        sessions: as :func:`segmentation.web.session.sessions.listed` gives them.
        root: path below which the application lies, without a slash at its end.
        sign_out: whether people have signed in, and can sign out.
    """
    at = escape(root)
    return PAGE.format(
        root=at,
        scripts="\n".join(f'<script src="{at}/assets/{name}" defer></script>' for name in DEFERRED_SCRIPTS),
        sessions=escape(json.dumps(sessions)),
        suffix=SUFFIX,
        sign_out=SIGN_OUT.format(root=at) if sign_out else "",
    )
