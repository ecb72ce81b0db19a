"""How large a pixel is: the dialog in which it is typed."""

from __future__ import annotations

from dash import dcc, html

from segmentation.web.pages.layout.elements import dashed


def measure_dialog() -> html.Dialog:
    """The dialog; the browser fills in what is known."""
    return html.Dialog(
        html.Form(
            [
                html.H2("How large is a pixel?", id="measure-title"),
                html.P("The scale bar, areas in tables, and the files of results follow it."),
                html.Label(
                    "Width, width × height, or width × height × distance of planes; and the unit",
                    htmlFor="measure-size",
                ),
                dcc.Input(id="measure-size", type="text", placeholder="0.325 µm", autoComplete="off"),
                html.P(id="measure-problem", className="problem", role="status", **dashed(aria_live="polite")),
                html.Div(
                    [
                        html.Button("Cancel", id="measure-no", type="button", className="quiet"),
                        html.Button(id="measure-said", type="button", className="quiet", hidden=True),
                        html.Button("Use it", id="measure-yes", type="submit"),
                    ],
                    className="dialog-buttons",
                ),
            ],
            id="measure-form",
        ),
        id="measure",
        **dashed(aria_labelledby="measure-title"),
    )
