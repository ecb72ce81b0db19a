"""The image with its tools: where squiggles are drawn."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from segmentation.web.pages.layout.elements import dashed, icon, tool_button
from segmentation.web.pages.layout.objects import plots_drawer

TOOLS = (
    ("squiggle", "Squiggle", "D", "M3 17c3-9 5-11 7-9s-3 8 0 9 4-12 7-12 2 4 4 4"),
    ("closed", "Closed outline, filled", "C", "M6 5c5-3 12-1 13 4s-4 5-5 9-8 3-10-2 -2-9 2-11z"),
    ("rectangle", "Rectangle, filled", "R", "M4 6h16v12H4z"),
    ("circle", "Circle or ellipse, filled", "O", "M12 4.5a7.5 7.5 0 1 0 .01 0z"),
    (
        "region",
        "Only here: outline what is segmented, counted and learnt from",
        "I",
        "M4 9V6a2 2 0 0 1 2-2h3M15 4h3a2 2 0 0 1 2 2v3M20 15v3a2 2 0 0 1-2 2h-3M9 20H6a2 2 0 0 1-2-2v-3M12 10v4",
    ),
    ("erase", "Erase; hold Shift for whole strokes", "E", "M8 19h12M5.5 14.500l8-9 6 5.500-7.500 8h-3.500z"),
    ("select", "Select a stroke: move, widen, delete it", "V", "M6 3l13 8.500-6 1.500-2.500 6z"),
    (
        "pan",
        "Move the image (or hold Space)",
        "H",
        "M12 3v18M3 12h18M9 6l3-3 3 3M9 18l3 3 3-3M6 9l-3 3 3 3M18 9l3 3-3 3",
    ),
)
CORRECT = (
    "correct",
    "Correct the result: paint into it",
    "P",
    "M4 20l1-4L15.500 5.500l3 3L8 19zM13 8l3 3M14 20h7",
)
FILL = (
    "tool-fill",
    "Fill: a click gives a part of the result to the class",
    "F",
    "M11 3l8 8-7 7-8-8zM11 3v7M19.500 15.500c1.500 2 1.500 4 0 4s-1.500-2 0-4z",
)
ACTIONS = (
    ("undo", "Undo", "Ctrl+Z", "M8 5L4 9l4 4M4 9h10a5 5 0 0 1 0 10h-4"),
    ("redo", "Redo", "Ctrl+Shift+Z", "M16 5l4 4-4 4M20 9H10a5 5 0 0 0 0 10h4"),
    (
        "clear",
        "Clear all strokes (can be undone)",
        "",
        "M5 7h14M10 4h4M7 7l1 13h8l1-13M10.500 10.500v6M13.500 10.500v6",
    ),
)
ZOOMS = (
    ("zoom-in", "Zoom in", "+", "M12 5v14M5 12h14"),
    ("zoom-out", "Zoom out", "-", "M5 12h14"),
    ("fit", "Fit the image to the window", "0", "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5"),
)


def toolbar() -> html.Div:
    """Tools, undo and zoom."""
    return html.Div(
        [
            html.Div(
                [
                    tool_button(f"tool-{name}", label, key, path, **dashed(data_tool=name, aria_pressed="false"))
                    for name, label, key, path in TOOLS
                ],
                className="tool-group",
                role="group",
                **dashed(aria_label="Tools"),
            ),
            html.Div(
                [
                    tool_button(*CORRECT, **dashed(aria_pressed="false")),
                    tool_button(*FILL, hidden=True, **dashed(data_tool="fill", aria_pressed="false")),
                ],
                className="tool-group",
            ),
            html.Div([tool_button(*action) for action in ACTIONS], className="tool-group"),
            html.Div([tool_button(*zoom) for zoom in ZOOMS], className="tool-group"),
        ],
        id="toolbar",
        role="toolbar",
        **dashed(aria_label="Drawing"),
    )


def _figure() -> dict[str, Any]:
    axis = {"visible": False, "range": [0, 1], "autorange": False, "zeroline": False, "showgrid": False}
    return {
        "data": [{"type": "scatter", "x": [], "y": [], "hoverinfo": "skip"}],
        "layout": {
            "xaxis": dict(axis),
            "yaxis": dict(axis, range=[1, 0]),
            "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "dragmode": "drawopenpath",
            "newshape": {"line": {"width": 5}, "drawdirection": "diagonal"},
            "showlegend": False,
            "hovermode": False,
            "shapes": [],
        },
    }


def strip() -> html.Section:
    """The images of the session, where there are several; the browser fills it."""
    return html.Section(
        [
            html.Div(id="images", role="radiogroup", **dashed(aria_label="Image that is shown")),
            html.Button(
                icon("M12 5v14M5 12h14"),
                id="add-images",
                type="button",
                className="quiet",
                title="Add images",
                **dashed(aria_label="Add images"),
            ),
            html.Button(
                "Make a stack…",
                id="make-stack",
                type="button",
                className="quiet small",
                hidden=True,
                title="Make one stack, with a slider, of the images that are like this one",
            ),
            html.P(id="images-note", className="note"),
        ],
        id="strip",
        hidden=True,
        **dashed(aria_label="Images of this session"),
    )


def planes() -> html.Section:
    """Sliders through the stack that is shown, and what is done with all of it; the browser fills it."""
    return html.Section(
        [
            html.Div(id="plane-axes"),
            html.Button(
                ["Segment all", html.Span(" planes", className="if-room")],
                id="segment-planes",
                type="button",
                className="quiet small",
                title="Segment every plane of this stack, and take the result home as one TIFF",
            ),
        ],
        id="planes",
        hidden=True,
        **dashed(aria_label="Planes of this stack"),
    )


def _region() -> html.Div:
    """Says that only a part of the image is worked on, and leads back to the whole."""
    return html.Div(
        [
            html.Span(id="region-text"),
            html.Button(
                "Whole image",
                id="leave-region",
                type="button",
                className="quiet small",
                title="Take the outlines away: the whole image is worked on again (can be undone)",
            ),
        ],
        id="region",
        className="over-stage",
        hidden=True,
    )


def _correcting() -> html.Button:
    """Says that what is drawn is painted into the result, and ends that."""
    return html.Button(
        "Correcting the result",
        id="correcting",
        type="button",
        hidden=True,
        className="over-stage",
        title="Draw strokes to learn from again (P)",
    )


def _under_way() -> html.Div:
    """What goes on in the background, whatever is shown meanwhile; the browser fills it."""
    lists = {"preparing": "Images that are prepared for view", "wholes": "Images that are segmented as a whole"}
    return html.Div(
        [
            html.Ul(id=name, hidden=True, className="background", **dashed(aria_label=text))
            for name, text in lists.items()
        ],
        id="under-way",
    )


def _status_bar() -> html.Footer:
    """The line that says what is going on, and what is under the pointer."""
    return html.Footer(
        [
            html.Div(id="progress", **dashed(aria_hidden="true")),
            html.Span(id="status", role="status", **dashed(aria_live="polite")),
            html.Span(id="position"),
            html.Button(id="pixel-size", type="button", className="in-bar", title="How large a pixel is: change it"),
            html.Button(
                id="zoom",
                type="button",
                className="in-bar",
                title="Show each pixel of the image on one of the screen",
            ),
            html.Span(id="connection", role="status", **dashed(aria_live="polite")),
        ],
        id="status-bar",
    )


def stage() -> html.Main:
    """The image, and the line below it that says what is going on."""
    return html.Main(
        [
            html.Div(
                [
                    html.Canvas(id="picture", **dashed(aria_hidden="true")),
                    dcc.Graph(
                        id="graph",
                        figure=_figure(),
                        responsive=True,
                        config={
                            "displayModeBar": False,
                            "scrollZoom": False,
                            "doubleClick": False,
                            "showSendToCloud": False,
                            "showTips": False,
                        },
                    ),
                    html.Div(id="frames", **dashed(aria_hidden="true")),
                    html.Div(id="next-ring", hidden=True, **dashed(aria_hidden="true")),
                    html.Div(
                        id="explanation",
                        className="over-stage",
                        hidden=True,
                        role="status",
                        **dashed(aria_live="polite"),
                    ),
                    _region(),
                    html.Div(id="ring"),
                    html.Div(id="scale-bar", hidden=True),
                    html.Canvas(
                        id="overview",
                        className="over-stage",
                        hidden=True,
                        title="The whole image: click or drag to go there",
                        **dashed(aria_hidden="true"),
                    ),
                    _correcting(),
                    html.Div("Drop images, a folder, labels or strokes here", id="drop-hint"),
                    html.Div(id="hint", className="over-stage", role="note"),
                ],
                id="stage",
                role="application",
                **dashed(aria_label="The image: draw squiggles on it with the pointer"),
            ),
            plots_drawer(),
            planes(),
            strip(),
            _under_way(),
            _status_bar(),
        ],
        id="workplace",
    )
