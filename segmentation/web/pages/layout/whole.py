"""Segmenting all of an image that is read part by part; how far it is, and its files, are filled in by the browser."""

from __future__ import annotations

from dash import html

from segmentation.web.pages.layout.elements import dashed

WHOLE_FILES = (
    ("segmentation.ome.tif", "Classes", "OME-TIFF, with levels"),
    ("segmentation.ozx", "Classes", "OME-Zarr 0.5, zipped, with levels"),
    ("segmentation.ome.zarr.zip", "Classes", "OME-Zarr 0.4, zipped, with levels"),
    ("shares.csv", "Class shares", "CSV, pixels and per cent"),
)


def whole_panel() -> html.Div:
    """A button that begins it, its progress, and a link to each file."""
    return html.Div(
        [
            html.P(
                "What is on screen of this image is segmented as you draw, and all of it in the background: close the "
                "page meanwhile, if you like, and come back by its link.",
                className="note",
            ),
            html.Div(
                [
                    html.Button("Segment the whole image", id="whole-begin", type="button", disabled=True),
                    html.Button("Cancel", id="whole-stop", type="button", className="quiet", hidden=True),
                ],
                className="row",
            ),
            html.Progress(id="whole-bar", max="1", value="0", **dashed(aria_label="What is segmented")),
            html.P(id="whole-text", className="note", role="status"),
            html.P(id="whole-problem", className="problem", role="alert"),
            html.Div(
                [
                    html.A(
                        [html.B(label), html.Span(note, className="note")],
                        className="download",
                        **dashed(data_whole=name),
                    )
                    for name, label, note in WHOLE_FILES
                ],
                id="whole-files",
            ),
        ],
        id="whole-image",
        hidden=True,
    )
