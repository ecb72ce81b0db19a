"""The page that a person sees who followed a link while the server cannot do what it leads to."""

from __future__ import annotations

from html import escape

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Not now · Squiggle</title>
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
<h2>This does not work just now</h2>
<form><button type="submit">Try again</button></form>
</div>
<p class="problem" role="alert">{sentence}</p>
</main>
</body>
</html>
"""


def problem_page(sentence: str, root: str) -> str:
    """The page as HTML.

    Args:
        sentence: what is wrong, for the person.
        root: path below which the application lies, without a slash at its end.
    """
    return PAGE.format(sentence=escape(sentence), root=escape(root))
