"""The page: one screen with the image, the tools, the classes and what can be taken home."""

from __future__ import annotations

import json
from typing import Any

from dash import dcc, html

from segmentation.classifier import ForestSettings
from segmentation.features import FeatureSpec
from segmentation.overlay import DEFAULT_COLOURS
from segmentation.web.help import help_dialog
from segmentation.web.settings import Settings

ACCEPTED_FILES = ".png,.jpg,.jpeg,.tif,.tiff,.bmp,.webp"

TOOLS = (
    ("squiggle", "Squiggle", "D", "M3 17c3-9 5-11 7-9s-3 8 0 9 4-12 7-12 2 4 4 4"),
    ("closed", "Closed outline, filled", "C", "M6 5c5-3 12-1 13 4s-4 5-5 9-8 3-10-2 -2-9 2-11z"),
    ("rectangle", "Rectangle, filled", "R", "M4 6h16v12H4z"),
    ("circle", "Circle or ellipse, filled", "O", "M12 4.5a7.5 7.5 0 1 0 .01 0z"),
    ("erase", "Erase single strokes", "E", "M8 19h12M5.5 14.500l8-9 6 5.500-7.500 8h-3.500z"),
    (
        "pan",
        "Move the image (or hold Space)",
        "H",
        "M12 3v18M3 12h18M9 6l3-3 3 3M9 18l3 3 3-3M6 9l-3 3 3 3M18 9l3 3-3 3",
    ),
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

DOWNLOADS = (
    ("segmentation.png", "Segmentation", "PNG in the class colours, palette index = class"),
    ("segmentation.tif", "Class ids", "TIFF, uint8, for measuring"),
    ("overlay.png", "Overlay", "PNG, as on screen"),
    ("probabilities.tif", "Probabilities", "TIFF, float32, a page a class"),
    ("labels.tif", "Labels", "TIFF of what you drew, 0 = nothing"),
    ("strokes.json", "Strokes", "JSON, to draw or train again"),
    ("classifier.squiggle", "Classifier", "for the rest of the series"),
    ("shares.csv", "Class shares", "CSV, pixels and per cent"),
)


def _dashed(**attributes: Any) -> dict[str, Any]:
    """Attributes whose names HTML writes with dashes: aria_label -> aria-label."""
    return {name.replace("_", "-"): value for name, value in attributes.items()}


def _icon(path: str) -> html.Span:
    return html.Span(className="icon", **_dashed(data_path=path, aria_hidden="true"))


def _button(identifier: str, label: str, key: str, path: str, **attributes: Any) -> html.Button:
    title = f"{label} ({key})" if key else label
    return html.Button(
        _icon(path),
        id=identifier,
        title=title,
        type="button",
        className="tool",
        **_dashed(aria_label=label),
        **attributes,
    )


def _toolbar() -> html.Div:
    return html.Div(
        [
            html.Div(
                [
                    _button(f"tool-{name}", label, key, path, **_dashed(data_tool=name, aria_pressed="false"))
                    for name, label, key, path in TOOLS
                ],
                className="tool-group",
                role="group",
                **_dashed(aria_label="Tools"),
            ),
            html.Div([_button(*action) for action in ACTIONS], className="tool-group"),
            html.Div([_button(*zoom) for zoom in ZOOMS], className="tool-group"),
        ],
        id="toolbar",
        role="toolbar",
        **_dashed(aria_label="Drawing"),
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


def _stage() -> html.Main:
    return html.Main(
        [
            html.Div(
                [
                    html.Canvas(id="picture", **_dashed(aria_hidden="true")),
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
                    html.Div(id="ring"),
                    html.Div("Drop the image here", id="drop-hint"),
                    html.Div(id="hint", className="over-stage", role="note"),
                ],
                id="stage",
                role="application",
                **_dashed(aria_label="The image: draw squiggles on it with the pointer"),
            ),
            html.Footer(
                [
                    html.Div(id="progress", **_dashed(aria_hidden="true")),
                    html.Span(id="status", role="status", **_dashed(aria_live="polite")),
                    html.Span(id="position"),
                    html.Span(id="connection", role="status", **_dashed(aria_live="polite")),
                ],
                id="status-bar",
            ),
        ],
        id="workplace",
    )


def _header() -> html.Header:
    return html.Header(
        [
            html.Div([html.Span(className="logo", **_dashed(aria_hidden="true")), html.H1("Squiggle")], id="brand"),
            html.Div(
                [
                    html.Span(id="image-name"),
                    html.Span(id="image-facts"),
                ],
                id="image-title",
            ),
            html.Button("Open image…", id="open-image", type="button", className="quiet"),
            html.Button("New session", id="new-session", type="button", className="quiet"),
            html.Button(
                _icon("M12 4a8 8 0 1 0 .01 0zM12 4v16a8 8 0 0 0 0-16z"),
                id="theme",
                type="button",
                className="tool",
                title="Light or dark",
                **_dashed(aria_label="Switch between light and dark"),
            ),
            html.Button("Help", id="open-help", type="button", className="quiet", title="How it works (?)"),
        ],
        id="header",
    )


def _labelled(label: str, control: Any, identifier: str, note: str = "") -> html.Div:
    children = [html.Label(label, htmlFor=identifier), control]
    if note:
        children.append(html.P(note, className="note"))
    return html.Div(children, className="field")


def _number(identifier: str, value: float | None, **attributes: Any) -> dcc.Input:
    return dcc.Input(id=identifier, type="number", value=value, step="any", debounce=0.4, **attributes)


def _range(identifier: str, low: float, high: float, step: float, value: float) -> dcc.Input:
    return dcc.Input(id=identifier, type="range", min=low, max=high, step=step, value=value)


def _classes_panel() -> html.Section:
    return html.Section(
        [
            html.Div(
                [
                    html.H2("Classes"),
                    html.Button("+ Add class", id="add-class", type="button", className="quiet small"),
                ],
                className="section-head",
            ),
            html.Div(id="classes", role="radiogroup", **_dashed(aria_label="Class in hand")),
            html.Div(
                [
                    html.Label("Stroke width", htmlFor="stroke-width"),
                    _range("stroke-width", 1, 60, 1, 5),
                    html.Output(id="stroke-width-value", htmlFor="stroke-width"),
                ],
                className="row slider-row",
            ),
        ],
        id="panel-classes",
        className="pinned",
    )


def _live_panel() -> html.Section:
    return html.Section(
        [
            html.Div(
                [
                    html.H2("Segmentation"),
                    html.Button("Segment now", id="segment-now", type="button", className="small", hidden=True),
                ],
                className="section-head",
            ),
            html.Div(
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
            ),
            html.Div(
                [
                    html.Label("Opacity", htmlFor="opacity"),
                    _range("opacity", 0, 100, 1, 50),
                    html.Output(id="opacity-value", htmlFor="opacity"),
                ],
                className="row slider-row",
            ),
        ],
        id="panel-live",
        className="pinned",
    )


def _features_panel() -> html.Section:
    spec = FeatureSpec()
    kinds = (
        ("intensity", "Intensity", "how bright it is around a pixel: tells light from dark and colour from colour"),
        ("edges", "Edges", "how steeply the brightness changes: finds borders"),
        ("texture", "Texture", "how the surface curves: tells ridges, spots and grain from smooth places"),
    )
    return html.Section(
        [
            dcc.Checklist(
                id="feature-kinds",
                options=[
                    {"label": [html.B(label), html.Span(" " + note, className="note")], "value": kind}
                    for kind, label, note in kinds
                ],
                value=[kind for kind, _, _ in kinds if getattr(spec, kind)],
            ),
            html.Div(
                [
                    _labelled("Smallest sigma", _number("sigma-min", spec.sigma_min), "sigma-min"),
                    _labelled("Largest sigma", _number("sigma-max", spec.sigma_max), "sigma-max"),
                    _labelled("Scales", _number("num-sigma", None, placeholder="auto"), "num-sigma"),
                ],
                className="fields",
            ),
            html.P(
                "Sigma is the radius, in pixels, of the neighbourhood that is looked at. Small: fine detail. Large: "
                "the surroundings; slower. Scales: how many sizes between the two; auto doubles from one to the next.",
                className="note",
            ),
            html.P(id="features-problem", className="problem", role="alert"),
        ],
        id="panel-features",
        role="tabpanel",
        **_dashed(aria_labelledby="tab-features"),
    )


def _forest_panel() -> html.Section:
    forest = ForestSettings()
    return html.Section(
        [
            dcc.RadioItems(
                id="forest-kind",
                options=[
                    {"label": "Extremely randomised trees", "value": "extra_trees"},
                    {"label": "Random forest", "value": "random_forest"},
                ],
                value=forest.kind,
            ),
            html.Div(
                [
                    _labelled("Trees", _number("forest-trees", forest.n_estimators), "forest-trees"),
                    _labelled(
                        "Depth",
                        _number("forest-depth", forest.max_depth, placeholder="no limit"),
                        "forest-depth",
                    ),
                    _labelled(
                        "Share, %",
                        _number("forest-share", 100 * forest.max_samples),
                        "forest-share",
                    ),
                    _labelled("Seed", _number("forest-seed", forest.random_state), "forest-seed"),
                ],
                className="fields four",
            ),
            html.P(
                "Each tree sees a random share of the labelled pixels. The pixels of one stroke are nearly copies of "
                "each other, so a small share makes the trees differ more, which is better and faster. The same seed "
                "gives the same result, always.",
                className="note",
            ),
            html.P(id="forest-problem", className="problem", role="alert"),
            html.Button("Back to the defaults", id="reset-settings", type="button", className="quiet small"),
        ],
        id="panel-forest",
        role="tabpanel",
        **_dashed(aria_labelledby="tab-forest"),
    )


def _take_home_panel() -> html.Section:
    return html.Section(
        [
            html.P(id="downloads-hint", className="note"),
            html.Div(
                [
                    html.Button(
                        [html.B(label), html.Span(note, className="note")],
                        id=f"download-{name.replace('.', '-')}",
                        type="button",
                        className="download",
                        disabled=True,
                        **_dashed(data_file=name),
                    )
                    for name, label, note in DOWNLOADS
                ],
                id="downloads",
            ),
            html.P(id="download-problem", className="problem", role="alert"),
        ],
        id="panel-home",
        role="tabpanel",
        **_dashed(aria_labelledby="tab-home"),
    )


TABS = (
    ("classes", "Classes"),
    ("live", "Live"),
    ("features", "Features"),
    ("forest", "Forest"),
    ("home", "Take home"),
)


def _panel() -> html.Aside:
    return html.Aside(
        [
            html.Div(
                [
                    html.Button(
                        label,
                        id=f"tab-{name}",
                        type="button",
                        role="tab",
                        **_dashed(
                            data_tab=name,
                            aria_controls=f"panel-{name}",
                            aria_selected="true" if name == "features" else "false",
                        ),
                    )
                    for name, label in TABS
                ],
                id="tabs",
                role="tablist",
            ),
            _classes_panel(),
            _live_panel(),
            _features_panel(),
            _forest_panel(),
            _take_home_panel(),
        ],
        id="panel",
    )


def page(settings: Settings) -> html.Div:
    """The whole page; the session's contents are filled in by the browser."""
    facts = {
        "features": FeatureSpec().to_json(),
        "forest": ForestSettings().to_json(),
        "palette": list(DEFAULT_COLOURS),
        "maxUploadBytes": settings.max_upload_bytes,
    }
    return html.Div(
        [
            dcc.Store(id="features-checked"),
            dcc.Store(id="forest-checked"),
            dcc.Store(id="handed-over"),
            _header(),
            _toolbar(),
            _stage(),
            _panel(),
            help_dialog(),
            html.Dialog(
                [
                    html.P(id="question-text"),
                    html.Div(
                        [
                            html.Button("Cancel", id="question-no", type="button", className="quiet"),
                            html.Button("Remove", id="question-yes", type="button", className="danger"),
                        ],
                        className="dialog-buttons",
                    ),
                ],
                id="question",
            ),
            html.Div(id="message", role="alert"),
        ],
        id="page",
        **_dashed(data_accept=ACCEPTED_FILES, data_facts=json.dumps(facts)),
    )
