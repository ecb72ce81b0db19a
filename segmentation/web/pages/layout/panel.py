"""The panel beside the image: classes, segmentation, and what lies in its tabs."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from segmentation.web.pages.layout.downloads import downloads_panel
from segmentation.web.pages.layout.elements import dashed, icon, slider, small_icon_button
from segmentation.web.pages.layout.look import look_panel
from segmentation.web.pages.layout.objects import objects_panel
from segmentation.web.pages.layout.scores import scores_card
from segmentation.web.pages.layout.series import series_panel
from segmentation.web.pages.layout.training import learn_panel

TABS = (
    ("classes", "Classes"),
    ("live", "Result"),
    ("look", "Look"),
    ("learn", "Learn"),
    ("objects", "Objects"),
    ("home", "Take home"),
    ("series", "Series"),
)


def _classes_head() -> html.Div:
    """What brings classes in."""
    return html.Div(
        [
            html.H2("Classes"),
            html.Div(
                [
                    html.Button(
                        "Open classifier…",
                        id="open-classifier",
                        type="button",
                        className="quiet small",
                        title="Go on from a classifier file (.squiggle) of yours or a colleague's",
                    ),
                    small_icon_button(
                        "import-classes",
                        "Import a list of classes",
                        "Import a list of classes: text with a name a line, CSV, or JSON",
                        "M4 6h9M4 12h9M4 18h9M18 5v13M15 15l3 3 3-3",
                    ),
                    small_icon_button(
                        "weigh-classes",
                        "More or less of a class",
                        "More or less of a class: a slider for each",
                        "M5 4v16M12 4v16M19 4v16M2.500 9h5M9.500 15h5M16.500 7h5",
                        aria_pressed="false",
                    ),
                    small_icon_button(
                        "add-class",
                        "Add a class",
                        "Add a class",
                        "M12 5v14M5 12h14",
                    ),
                ],
                className="row",
            ),
        ],
        className="section-head",
    )


def classes_panel() -> html.Section:
    """The classes, and the width of the pen."""
    return html.Section(
        [
            _classes_head(),
            html.Div(
                [
                    html.Div(
                        [
                            html.B(id="opened-name"),
                            html.Button(
                                "Close",
                                id="close-classifier",
                                type="button",
                                className="quiet small",
                                title="Work without it again; classes, strokes and settings stay",
                            ),
                        ],
                        className="section-head",
                    ),
                    html.P(id="opened-facts", className="note"),
                    html.P(id="opened-text", role="status", **dashed(aria_live="polite")),
                    html.Button(id="opened-choice", type="button", className="small", hidden=True),
                ],
                id="opened",
                hidden=True,
            ),
            html.Div(id="classes", role="radiogroup", **dashed(aria_label="Class to draw with")),
            html.P(id="learnt-from", className="note"),
            html.P(id="result-remark", className="note"),
            html.P(id="result-notes", className="problem", role="status", **dashed(aria_live="polite")),
            html.Div(
                [
                    html.Label("Stroke width", id="stroke-width-label", htmlFor="stroke-width"),
                    slider("stroke-width", 1, 60, 1, 5),
                    html.Output(id="stroke-width-value", htmlFor="stroke-width"),
                    html.Span(id="whole-strokes", hidden=True),
                ],
                className="row slider-row",
            ),
        ],
        id="panel-classes",
    )


def _switches() -> html.Div:
    """What is seen, and whether it is computed at once."""
    return html.Div(
        [
            dcc.Checklist(
                id="switches",
                options=[
                    {"label": "Live update", "value": "live"},
                    {"label": "Overlay", "value": "shown"},
                    {"label": "Strokes", "value": "strokes"},
                ],
                value=["live", "shown", "strokes"],
                inline=True,
            ),
        ],
        className="row",
    )


def _corrections() -> html.Div:
    """What was painted into the result; seen once there is any."""
    return html.Div(
        [
            html.Div(
                [
                    html.H3("Corrections"),
                    html.Button(
                        "Clear",
                        id="clear-corrections",
                        type="button",
                        className="quiet small",
                        title="Take all corrections on this image away (can be undone)",
                    ),
                ],
                className="section-head",
            ),
            html.P(id="corrections-text", className="note"),
            html.Div(id="corrections-switch"),
        ],
        id="corrections",
        hidden=True,
    )


def _overlay() -> list[Component]:
    """What is shown of the segmentation, and how."""
    return [
        html.Div(
            [
                html.Label("Show", htmlFor="layer"),
                html.Select(id="layer", title="What is shown over the image"),
                html.Select(
                    [
                        html.Option(label, value=value)
                        for value, label in (("filled", "Filled"), ("outlines", "Outlines"), ("both", "Both"))
                    ],
                    id="overlay-style",
                    title="How the classes are shown",
                    **dashed(aria_label="How the classes are shown"),
                ),
            ],
            className="row slider-row",
        ),
        html.Div(
            [html.Span(id="legend-least"), html.Div(id="legend-colours"), html.Span(id="legend-most")],
            id="legend",
            hidden=True,
        ),
        html.Div(
            [
                html.Label("Opacity", htmlFor="opacity"),
                slider("opacity", 0, 100, 1, 50),
                html.Output(id="opacity-value", htmlFor="opacity"),
                html.Button(
                    icon("M6 9l6 6 6-6"),
                    id="opacity-more",
                    type="button",
                    className="mini",
                    title="Opacity of each class",
                    **dashed(aria_label="Opacity of each class", aria_expanded="false"),
                ),
            ],
            className="row slider-row",
        ),
        html.Div(id="class-opacities", hidden=True),
        _corrections(),
    ]


def live_panel() -> html.Section:
    """What is shown, and when it is computed."""
    return html.Section(
        [
            html.Div(
                [
                    html.H2("Segmentation"),
                    html.Div(
                        [
                            html.Button(
                                "Where next?",
                                id="next-stroke",
                                type="button",
                                className="quiet small",
                                title="Go to a place where a stroke helps most (N)",
                            ),
                            html.Button("Segment now", id="segment-now", type="button", className="small", hidden=True),
                        ],
                        className="row",
                    ),
                ],
                className="section-head",
            ),
            _switches(),
            *_overlay(),
            scores_card(),
        ],
        id="panel-live",
    )


def panel() -> html.Aside:
    """The whole panel."""
    return html.Aside(
        [
            html.Div(
                [
                    html.Button(
                        label,
                        id=f"tab-{name}",
                        type="button",
                        role="tab",
                        **dashed(data_tab=name, aria_controls=f"panel-{name}", aria_selected="false"),
                    )
                    for name, label in TABS
                ],
                id="tabs",
                role="tablist",
            ),
            classes_panel(),
            live_panel(),
            look_panel(),
            learn_panel(),
            objects_panel(),
            downloads_panel(),
            series_panel(),
        ],
        id="panel",
    )
