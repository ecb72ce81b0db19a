"""The clean-up and the objects: what is counted and measured; filled in by the browser."""

from __future__ import annotations

from dash import html

from segmentation.web.pages.layout.elements import dashed


def _objects_head() -> html.Div:
    """Which objects are shown, and what is done with these."""
    return html.Div(
        [
            html.H3("Objects"),
            html.Select(id="object-class", **dashed(aria_label="Objects of which class")),
            html.Button(
                "CSV",
                id="save-objects",
                type="button",
                className="quiet small",
                disabled=True,
                title="Once objects are measured, and some are shown, these are saved here as a table",
            ),
            html.Button(
                "Plots",
                id="open-plots",
                type="button",
                className="quiet small",
                title="Histograms by class, boxes by image, one measure against another",
                **dashed(aria_expanded="false", aria_controls="plots"),
            ),
        ],
        className="section-head",
    )


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
            _objects_head(),
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


PLOTS = (("histogram", "Histogram by class"), ("boxes", "Boxes by image"), ("scatter", "Scatter"))
SAVED = (
    ("png", "PNG", "Save the plot as a picture"),
    ("svg", "SVG", "Save the plot as a drawing"),
    ("csv", "CSV", "Save the data of the plot as a table"),
)


def plots_drawer() -> html.Section:
    """Plots of what was measured, below the image; the browser draws them."""
    return html.Section(
        [
            html.Div(
                [
                    html.Select(
                        [html.Option(label, value=value) for value, label in PLOTS],
                        id="plot-kind",
                        **dashed(aria_label="Which plot"),
                    ),
                    html.Select(id="plot-x", **dashed(aria_label="Measure")),
                    html.Select(id="plot-y", hidden=True, **dashed(aria_label="Measure on the other axis")),
                    html.Span(id="plot-text", className="note", role="status", **dashed(aria_live="polite")),
                    html.Button(
                        "Let go",
                        id="plot-picked",
                        type="button",
                        className="quiet small",
                        hidden=True,
                        title="Show all objects again",
                    ),
                    *[
                        html.Button(label, id=f"plot-{ending}", type="button", className="quiet small", title=title)
                        for ending, label, title in SAVED
                    ],
                    html.Button(
                        "×",
                        id="close-plots",
                        type="button",
                        className="quiet small",
                        title="Close the plots",
                        **dashed(aria_label="Close the plots"),
                    ),
                ],
                className="row",
            ),
            html.Div(id="plot"),
        ],
        id="plots",
        hidden=True,
        **dashed(aria_label="Plots"),
    )
