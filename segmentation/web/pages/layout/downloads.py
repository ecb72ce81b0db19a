"""What can be downloaded."""

from __future__ import annotations

from dash import dcc, html

from segmentation.web.pages.layout.elements import dashed
from segmentation.web.pages.layout.whole import whole_panel

DOWNLOADS = (
    ("segmentation.png", "Segmentation", "PNG in the class colours, palette index = class"),
    ("segmentation.tif", "Class ids", "TIFF, uint8, for measuring"),
    ("segmentation.ome.tif", "Classes", "OME-TIFF, with names, colours and pixel size"),
    ("overlay.png", "Overlay", "PNG, as on screen"),
    ("probabilities.tif", "Probabilities", "TIFF, float32, a page a class"),
    ("labels.tif", "Labels", "TIFF of what you drew, 0 = nothing"),
    ("strokes.json", "Strokes", "JSON, to draw or train again"),
    ("corrections.json", "Corrections", "JSON, what you painted into results"),
    ("region.tif", "Only here", "TIFF mask of the outlines, 255 = inside"),
    ("shares.csv", "Class shares", "CSV, pixels and per cent"),
    ("objects.csv", "Objects", "CSV, all of them, whatever is filtered"),
    ("objects.zip", "Objects, outlined", "numbers (TIFF), QuPath, ImageJ, COCO"),
    ("report.html", "Report", "HTML, to print: pictures, numbers, methods"),
    ("classifier.squiggle", "Classifier", "for the rest of the series"),
    ("all.zip", "All of these", "one zip; without probabilities and what is empty"),
)
ALONG = (
    ("strokes", "with strokes", "shows what you drew, and on which images; not the images"),
    ("pixels", "with training pixels", "strokes can correct it; shows feature values of labelled pixels, no images"),
)
ALONG_BY_DEFAULT = "pixels"
"""Without them a classifier can only be replaced. They take a few kB."""


def downloads_panel() -> html.Section:
    """One button for each file."""
    return html.Section(
        [
            whole_panel(),
            html.P(id="downloads-hint", className="note"),
            html.Div(
                [
                    html.Button(
                        [html.B(label), html.Span(note, className="note")],
                        id=f"download-{name.replace('.', '-')}",
                        type="button",
                        className="download",
                        disabled=True,
                        **dashed(data_file=name),
                    )
                    for name, label, note in DOWNLOADS
                ]
                + [
                    html.Div(
                        dcc.Checklist(
                            id="along",
                            options=[
                                {"label": [html.Span(label), html.Span(note, className="note")], "value": value}
                                for value, label, note in ALONG
                            ],
                            value=[ALONG_BY_DEFAULT],
                        ),
                        role="group",
                        **dashed(aria_label="What travels along with the classifier"),
                    )
                ],
                id="downloads",
            ),
            html.P(id="download-problem", className="problem", role="alert"),
        ],
        id="panel-home",
        role="tabpanel",
        **dashed(aria_labelledby="tab-home"),
    )
