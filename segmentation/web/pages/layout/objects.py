"""The clean-up and the objects: what is counted and measured; filled in by the browser."""

from __future__ import annotations

from dash import html

from segmentation.web.pages.layout.elements import dashed


def objects_panel() -> html.Section:
    """The steps of the clean-up, and the table of objects."""
    return html.Section(
        [
            html.Div(
                [
                    html.H3("Clean up"),
                    html.Select(
                        [html.Option("+ Add a step…", value="")],
                        id="clean-up-add",
                        **dashed(aria_label="Add a step to the clean-up"),
                    ),
                ],
                className="section-head",
            ),
            html.Div(id="clean-up-steps"),
            html.Div(
                [
                    html.H3("Objects"),
                    html.Select(id="object-class", **dashed(aria_label="Objects of which class")),
                ],
                className="section-head",
            ),
            html.P(id="objects-text", className="note", role="status", **dashed(aria_live="polite")),
            html.Div(
                [
                    html.Div(
                        [
                            html.Select(id="object-measure", **dashed(aria_label="Measure in the histogram")),
                        ],
                        id="object-range",
                        className="row",
                    ),
                    html.Div(id="object-histogram"),
                    html.Div(
                        [
                            html.Div(id="object-head", role="row"),
                            html.Div(html.Div(id="object-rows"), id="object-body", tabIndex=0),
                        ],
                        id="object-table",
                        role="table",
                        **dashed(aria_label="Objects"),
                    ),
                ],
                id="objects-found",
                hidden=True,
            ),
        ],
        id="panel-objects",
        role="tabpanel",
        **dashed(aria_labelledby="tab-objects"),
    )
