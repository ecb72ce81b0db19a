"""How good the segmentation is."""

from __future__ import annotations

from dash import html

from segmentation.web.pages.layout.elements import dashed


def scores_card() -> html.Div:
    """One line that says it, and what it is made of when it is unfolded; the browser fills both."""
    return html.Div(
        [
            html.Button(
                [
                    html.B("How good"),
                    html.Span(id="scores-mean", title="Mean IoU of strokes that were held out, ± its standard error"),
                    html.Span(id="scores-curve"),
                    html.Span(id="scores-note", className="note"),
                ],
                id="scores-toggle",
                type="button",
                **dashed(aria_expanded="false", aria_controls="scores-details"),
            ),
            html.Div([html.Div(id="scores-held-out"), html.Div(id="scores-mask")], id="scores-details", hidden=True),
        ],
        id="scores",
    )
