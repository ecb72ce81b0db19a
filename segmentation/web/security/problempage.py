"""The page that a person sees who followed a link to what the server cannot, or will not, show."""

from __future__ import annotations

from flask import Flask, Response, render_template, request

MAY_PASS = frozenset((401, 403, 408, 429))
"""What is refused now and may not be the next time, as may all that the server fails at."""


def problem_page(sentence: str, status: int) -> str:
    """The page as HTML.

    Args:
        sentence: what is wrong, for the person.
        status: of the answer.
    """
    return render_template("problem.html", sentence=sentence, may_pass=status >= 500 or status in MAY_PASS)


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
            response.set_data(problem_page(sentence, response.status_code))
            response.mimetype = "text/html"
            response.headers.setdefault("Cache-Control", "no-store")
            if request.method == "GET" and "Retry-After" in response.headers:
                response.headers["Refresh"] = response.headers["Retry-After"]
        return response
