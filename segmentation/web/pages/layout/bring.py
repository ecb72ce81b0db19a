"""What is asked about strokes and labels that are brought in."""

from __future__ import annotations

from dash import html

from segmentation.web.pages.layout.elements import dashed


def bring_dialog() -> html.Dialog:
    """The dialog; the browser fills in its questions."""
    return html.Dialog(
        [
            html.H2(id="bring-title"),
            html.Div(id="bring-fields"),
            html.Div(
                [
                    html.Button("Cancel", id="bring-no", type="button", className="quiet"),
                    html.Button(
                        "Score against it",
                        id="bring-score",
                        type="button",
                        className="quiet",
                        title="Hold the segmentation against it; nothing is learnt from it",
                    ),
                    html.Button("Open as an image", id="bring-image", type="button", className="quiet"),
                    html.Button("Bring in", id="bring-yes", type="button"),
                ],
                className="dialog-buttons",
            ),
        ],
        id="bring",
        **dashed(aria_labelledby="bring-title"),
    )
