"""How a classifier learns: the controls of features and forest."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from segmentation.features.spec import FeatureSpec
from segmentation.forest.settings import ForestSettings
from segmentation.web.pages.layout.elements import dashed, labelled, number_input


def learn_panel() -> html.Section:
    """How a classifier learns: for those who know, folded until they look."""
    return html.Section(
        [
            html.H3("Features"),
            *_features(),
            html.Div(
                [
                    html.Span("Channels", id="learn-channels-label"),
                    html.Div(id="learn-channels-boxes"),
                    html.Details([html.Summary("Kinds of each channel"), html.Table(id="learn-table")]),
                ],
                id="learn-channels",
                className="field",
                role="group",
                hidden=True,
                **dashed(aria_labelledby="learn-channels-label"),
            ),
            *_importance(),
            html.H3("Forest"),
            *_forest(),
            html.Button("Back to the defaults", id="reset-settings", type="button", className="quiet small"),
        ],
        id="panel-learn",
        role="tabpanel",
        **dashed(aria_labelledby="tab-learn"),
    )


def _features() -> list[Component]:
    spec = FeatureSpec()
    kinds = (
        ("intensity", "Intensity", "how bright it is around a pixel: tells light from dark and colour from colour"),
        ("edges", "Edges", "how steeply the brightness changes: finds borders"),
        ("texture", "Texture", "how the surface curves: tells ridges, spots and grain from smooth places"),
        ("differences", "Differences", "what changes from one size to the next: finds things by how large they are"),
        ("colour", "Colour", "how channels compare, and hue as people see it: tells stains apart in any light"),
    )
    return [
        dcc.Checklist(
            id="feature-kinds",
            options=[
                {"label": [html.B(label), html.Span(" " + note, className="note")], "value": kind}
                for kind, label, note in kinds
            ],
            value=[kind for kind, _, _ in kinds if getattr(spec, kind)],
        ),
        _learned(),
        *_sigmas(spec),
        _depth(),
        dcc.Checklist(
            id="feature-standardise",
            options=[{"label": "Brightness or colour differs between images", "value": "standardise"}],
            value=[],
        ),
        html.P(
            "Each channel is then taken relative to its mean and spread in the image. It helps where light, gain or "
            "stain drift, and hurts where images differ in how much of each class they hold.",
            className="note",
        ),
        html.Div(
            [
                html.Button(
                    "Which is better here?",
                    id="ask-drift",
                    type="button",
                    className="quiet small",
                    title="Measures both on the images of this session; takes some seconds",
                ),
                html.Button("Take that", id="take-drift", type="button", className="small", hidden=True),
            ],
            className="row",
        ),
        html.P(id="drift", className="note", role="status", **dashed(aria_live="polite")),
        html.P(id="features-problem", className="problem", role="alert"),
    ]


def _learned() -> Component:
    """What a network that was trained elsewhere adds."""
    note = (
        " what a small network, trained on photographs, says of a pixel's surroundings: tells materials, rock, cloth "
        "and tissue in electron microscopes apart. Fluorescent cells are found slightly worse with it. It sees single "
        "planes, and the first three of the channels in use. Each megapixel takes half a second, once, and 60 MB."
    )
    return dcc.Checklist(
        id="feature-learned",
        options=[{"label": [html.B("Learned texture"), html.Span(note, className="note")], "value": "learned"}],
        value=[],
    )


def _depth() -> Component:
    """How many planes of a stack features look at."""
    choices = (
        ("flat", "Each plane by itself (2-D)"),
        ("around", "Planes around too (2.5-D)"),
        ("volume", "Volume (3-D)"),
    )
    return html.Div(
        [
            labelled(
                "Depth",
                html.Select([html.Option(text, value=key) for key, text in choices], id="feature-depth"),
                "feature-depth",
            ),
            html.Div(
                labelled(
                    "Distance of planes", dcc.Input(id="plane-distance", type="number", step="any"), "plane-distance"
                ),
                id="plane-distance-field",
                hidden=True,
            ),
            html.P(
                "Strokes on any plane teach all. Planes around: the features of the planes above and below too; three "
                "times the work. Volume: neighbourhoods reach through planes, which lie so many pixels apart; several "
                "times the work.",
                className="note",
            ),
        ],
        id="learn-depth",
        hidden=True,
    )


def _importance() -> list[Component]:
    return [
        html.H3("Which features matter"),
        html.Div(id="importance"),
        html.P(
            "Appears once something is segmented.",
            id="importance-note",
            className="note",
            role="status",
            **dashed(aria_live="polite"),
        ),
        html.Button("Leave them out", id="leave-out", type="button", className="small", hidden=True),
        html.Div(
            [
                html.Label("Look at", htmlFor="feature-look"),
                html.Select(id="feature-look", title="Shows a feature over the image, as the trees see it"),
            ],
            id="feature-look-row",
            className="row slider-row",
            hidden=True,
        ),
    ]


def _sigmas(spec: FeatureSpec) -> list[Component]:
    """How large the neighbourhoods are that features look at; in units where the size of pixels is known."""
    return [
        html.Div(
            [
                labelled("Smallest sigma", number_input("sigma-min", spec.sigma_min), "sigma-min"),
                labelled("Largest sigma", number_input("sigma-max", spec.sigma_max), "sigma-max"),
                labelled("Scales", number_input("num-sigma", None, placeholder="auto"), "num-sigma"),
            ],
            className="fields",
        ),
        html.Div(
            [
                labelled("… in units", dcc.Input(id="sigma-min-length", type="text"), "sigma-min-length"),
                labelled("… in units", dcc.Input(id="sigma-max-length", type="text"), "sigma-max-length"),
            ],
            id="sigma-lengths",
            className="fields",
            hidden=True,
        ),
        html.P(
            "Sigma is the radius, in pixels, of the neighbourhood that is looked at. Small: fine detail. Large: "
            "the surroundings; slower. Scales: how many sizes between the two; auto doubles from one to the next.",
            className="note",
        ),
    ]


def _forest() -> list[Component]:
    forest = ForestSettings()
    return [
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
                labelled("Trees", number_input("forest-trees", forest.n_estimators), "forest-trees"),
                labelled(
                    "Depth",
                    number_input("forest-depth", forest.max_depth, placeholder="no limit"),
                    "forest-depth",
                ),
                labelled(
                    "Share, %",
                    number_input("forest-share", 100 * forest.max_samples),
                    "forest-share",
                ),
                labelled(
                    "Balance, %",
                    number_input("forest-balance", 100 * forest.balance),
                    "forest-balance",
                ),
                labelled("Fine trees, %", number_input("forest-fine", 100 * forest.fine_trees), "forest-fine"),
                labelled("Seed", number_input("forest-seed", forest.random_state), "forest-seed"),
            ],
            className="fields",
        ),
        html.P(
            "Each tree sees a random share of the labelled pixels. The pixels of one stroke are nearly copies of "
            "each other, so a small share makes the trees differ more, which is better and faster. Balance: at 100 a "
            "tree sees as many pixels of each class, at 0 as many as were drawn. Fine trees see sigmas up to 4 only, "
            "not the surroundings. The same seed gives the same result, always.",
            className="note",
        ),
        html.P(id="forest-problem", className="problem", role="alert"),
    ]
