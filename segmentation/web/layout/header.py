"""The head of the page."""

from __future__ import annotations

from dash import html

from segmentation.web.layout.elements import dashed, icon
from segmentation.web.settings import Settings


def header(settings: Settings) -> html.Header:
    """The bar across the top."""
    sign_out = html.Form(
        html.Button(
            icon("M10 4H5v16h5M15 8l4 4-4 4M19 12H10"),
            type="submit",
            className="tool",
            title="Sign out",
            **dashed(aria_label="Sign out"),
        ),
        id="sign-out",
        action="/sign-out",
        method="post",
    )
    return html.Header(
        [
            html.Div([html.Span(className="logo", **dashed(aria_hidden="true")), html.H1("Squiggle")], id="brand"),
            html.Div(
                [
                    html.Span(id="image-name"),
                    html.Span(id="image-facts"),
                ],
                id="image-title",
            ),
            html.Button("Open images…", id="open-image", type="button", className="quiet"),
            html.Button("New session", id="new-session", type="button", className="quiet"),
            html.Button(
                icon("M12 4a8 8 0 1 0 .01 0zM12 4v16a8 8 0 0 0 0-16z"),
                id="theme",
                type="button",
                className="tool",
                title="Light or dark",
                **dashed(aria_label="Switch between light and dark"),
            ),
            html.Button("Help", id="open-help", type="button", className="quiet", title="How it works (?)"),
            *([sign_out] if settings.password else []),
        ],
        id="header",
    )
