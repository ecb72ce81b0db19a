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
        ],
        id="panel-objects",
        role="tabpanel",
        **dashed(aria_labelledby="tab-objects"),
    )
