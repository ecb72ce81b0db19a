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


VIEWS = (("images", "Images"), ("objects", "Objects"), ("plots", "Plots"), ("pictures", "Pictures"))
FILES = (
    ("shares.csv", "Shares (CSV)"),
    ("objects.csv", "Objects (CSV)"),
    ("report.html", "Report (HTML)"),
    ("results.zip?objects=1", "All with outlines (zip)"),
)


def series_view() -> html.Dialog:
    """What a series has given, large: tables, plots and pictures."""
    tabs = [
        html.Button(
            title,
            id=f"series-view-tab-{name}",
            type="button",
            role="tab",
            **dashed(data_view=name, aria_controls=f"series-view-{name}"),
        )
        for name, title in VIEWS
    ]
    links = [
        html.A(title, href="", download="", className="button quiet small", **dashed(data_result=name))
        for name, title in FILES
    ]
    return html.Dialog(
        [
            html.Div(
                [
                    html.H2(id="enlarged-name"),
                    html.Div(tabs, role="tablist", className="segments", **dashed(aria_label="What is shown")),
                    html.Button("Close", id="close-enlarged", type="button", className="quiet small"),
                ],
                className="section-head",
            ),
            html.Div(
                [
                    html.Span(id="series-view-stale-text"),
                    html.Button("Do them again", id="series-view-again", type="button", className="small"),
                ],
                id="series-view-stale",
                role="status",
                hidden=True,
            ),
            html.Div(
                [
                    html.Table(id="series-view-table"),
                    html.Ul(id="series-view-failed", className="series-failed", **dashed(aria_label="What failed")),
                ],
                id="series-view-images",
                role="tabpanel",
                tabIndex=0,
            ),
            _all_objects(),
            _plots(),
            _pictures(),
            html.Div(links, className="row", id="series-view-files"),
        ],
        id="series-view",
        **dashed(aria_labelledby="enlarged-name"),
    )


def _all_objects() -> html.Div:
    return html.Div(
        [
            html.Div(
                [
                    html.Select(id="series-object-class", **dashed(aria_label="Objects of which class")),
                    html.Span(id="series-object-text", className="note", role="status"),
                ],
                className="row",
            ),
            html.Div(
                [
                    html.Div(id="series-object-head", className="object-head", role="row"),
                    html.Div(
                        html.Div(id="series-object-rows", className="object-rows"),
                        id="series-object-body",
                        className="object-body",
                        tabIndex=0,
                    ),
                ],
                id="series-object-table",
                role="table",
                **dashed(aria_label="Objects of all images"),
            ),
        ],
        id="series-view-objects",
        role="tabpanel",
    )


def _plots() -> html.Div:
    return html.Div(
        [
            html.Div(
                [
                    html.Select(id="series-view-measure", **dashed(aria_label="What is drawn")),
                    html.Select(
                        [
                            html.Option("in the order of names", value="name"),
                            html.Option("over the number in the name (time)", value="number"),
                        ],
                        id="series-view-axis",
                        **dashed(aria_label="Over what it is drawn"),
                    ),
                    html.Button("Save picture", id="series-view-save", type="button", className="quiet small"),
                    html.Button("Save data", id="series-view-data", type="button", className="quiet small"),
                ],
                className="row",
            ),
            html.P(id="series-view-problem", className="problem", role="alert"),
            html.Div(id="series-view-plot"),
        ],
        id="series-view-plots",
        role="tabpanel",
    )


def _pictures() -> html.Div:
    return html.Div(
        [
            html.Div(
                [
                    html.Button("Previous", id="series-view-previous", type="button", className="quiet small"),
                    html.Span(id="series-view-place", role="status"),
                    html.Button("Next", id="series-view-next", type="button", className="quiet small"),
                    html.B(id="series-view-picture-name"),
                    html.Span(id="series-view-picture-state"),
                    html.Button(
                        "Correct it…",
                        id="series-view-correct",
                        type="button",
                        className="small",
                        title="Opens the image in the session: draw on it, or correct its result, and do again what "
                        "is out of date then",
                    ),
                ],
                className="row",
            ),
            html.Img(id="enlarged-picture", alt=""),
            html.Ul(id="series-view-facts"),
        ],
        id="series-view-pictures",
        role="tabpanel",
    )
