"""Applying the classifier to a series; what comes in is filled in by the browser."""

from __future__ import annotations

from dash import html

from segmentation.web.pages.layout.elements import dashed


def series_panel() -> html.Section:
    """Where the images of a series are sent, its progress is shown and its results are downloaded."""
    return html.Section(
        [
            html.P(
                "Apply the classifier, as it is now, to many images: choose them, or drop them or their folder here. "
                "The server works on them in the background: close the page when all are sent, and come back by its "
                "link.",
                className="note",
            ),
            html.Div(
                [
                    html.Button("Images or zip…", id="series-images", type="button", disabled=True),
                    html.Button("Folder…", id="series-folder", type="button", className="quiet", disabled=True),
                ],
                className="row",
                id="series-choose",
            ),
            html.P(id="series-hint", className="note"),
            html.Div(
                [
                    html.Span(id="series-sending-text", role="status", **dashed(aria_live="polite")),
                    html.Button("Stop sending", id="series-stop-sending", type="button", className="quiet small"),
                ],
                id="series-sending",
                hidden=True,
            ),
            html.P(id="series-problem", className="problem", role="alert"),
            html.Div(id="series-list"),
        ],
        id="panel-series",
        role="tabpanel",
        **dashed(aria_labelledby="tab-series"),
    )


def enlarged_picture() -> html.Dialog:
    """An image of a series, larger."""
    return html.Dialog(
        [
            html.Div(
                [
                    html.H2(id="enlarged-name"),
                    html.Button("Close", id="close-enlarged", type="button", className="quiet small"),
                ],
                className="section-head",
            ),
            html.Img(id="enlarged-picture", alt=""),
        ],
        id="enlarged",
    )
