"""How an image is shown: its channels, their colours, and between what values."""

from __future__ import annotations

from dash import html

from segmentation.web.pages.layout.elements import dashed

PRESETS = (
    ("usual", "Reset"),
    ("grey", "Grey"),
    ("rgb", "RGB"),
    ("magenta", "Magenta–green"),
)


def look_panel() -> html.Section:
    """Channels, histogram and contrast; the browser fills in what the image has. The segmentation does not see it."""
    return html.Section(
        [
            html.Div(
                [
                    html.Button(label, type="button", className="quiet small", **dashed(data_preset=name))
                    for name, label in PRESETS
                ],
                id="look-presets",
                className="row",
                role="group",
                **dashed(aria_label="Colours"),
            ),
            html.Div(id="look-channels", role="group", **dashed(aria_label="Channels")),
            html.Div(
                [html.Div(id="look-histogram", **dashed(aria_hidden="true")), html.Div(id="look-handles")],
                id="look-range",
            ),
            html.Div(id="look-numbers", className="row"),
            html.Div(id="look-gamma-row", className="row"),
            html.P("What is computed does not depend on it.", className="note"),
        ],
        id="panel-look",
        role="tabpanel",
        **dashed(aria_labelledby="tab-look"),
    )
