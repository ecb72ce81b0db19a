"""The page that a person sees who followed a link to what the server cannot, or will not, show."""

from __future__ import annotations

from html import escape

from flask import Flask, Response, request

MAY_PASS = frozenset((401, 403, 408, 429))
"""What is refused now and may not be the next time, as may all that the server fails at."""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{heading} · Squiggle</title>
<link rel="icon" href="{root}/assets/favicon.ico">
<link rel="stylesheet" href="{root}/assets/style.css">
<link rel="stylesheet" href="{root}/assets/sessions.css">
<script src="{root}/assets/shell.js"></script>
</head>
<body class="start">
<header id="header">
<div id="brand"><span class="logo" aria-hidden="true"></span><h1>Squiggle</h1></div>
</header>
<main>
<div class="start-head">
<h2>{heading}</h2>
{way_on}
</div>
<p class="problem" role="alert">{sentence}</p>
</main>
</body>
</html>
"""
AGAIN = '<form><button type="submit">Try again</button></form>'
ELSEWHERE = '<form action="{root}/sessions"><button type="submit">Your sessions</button></form>'


def problem_page(sentence: str, status: int, root: str) -> str:
    """The page as HTML.

    Args:
        sentence: what is wrong, for the person.
        status: of the answer.
        root: path below which the application lies, without a slash at its end.
    """
    at = escape(root)
    passes = status >= 500 or status in MAY_PASS
    return PAGE.format(
        heading="This does not work just now" if passes else "This cannot be shown",
        way_on=AGAIN if passes else ELSEWHERE.format(root=at),
        sentence=escape(sentence),
        root=at,
    )


def asked_by_a_person() -> bool:
    """Whether the request is for something to be looked at, and not a script's."""
    wanted = request.accept_mimetypes.best_match(("application/json", "text/html"))
    return wanted == "text/html" and request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"


def show_problems(server: Flask) -> None:
    """Let a server answer what goes wrong with a page where a person asks, and as before with JSON where a script does.

    To be called once all that changes answers further, such as to compress them, is there.
    """

    @server.after_request
    def show(response: Response) -> Response:
        if response.status_code < 400 or not response.is_json or not asked_by_a_person():
            return response
        sentence = response.get_json().get("error")
        if sentence:
            response.set_data(problem_page(sentence, response.status_code, request.script_root))
            response.mimetype = "text/html"
            response.headers.setdefault("Cache-Control", "no-store")
            if request.method == "GET" and "Retry-After" in response.headers:
                response.headers["Refresh"] = response.headers["Retry-After"]
        return response
