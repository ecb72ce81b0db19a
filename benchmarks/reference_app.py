"""What users would otherwise write: one Dash callback, scikit-image, scikit-learn, a whole figure back.

The features are computed once, as the page under test has them at hand too. ``python -m benchmarks.reference_app
IMAGE PORT`` serves it.
"""

from __future__ import annotations

import sys

import numpy as np
import plotly.express as px
from dash import Dash, Input, Output, dcc, html, no_update
from PIL import Image
from skimage.feature import multiscale_basic_features
from sklearn.ensemble import RandomForestClassifier

from benchmarks.plotly_shapes import strokes_from_shapes
from segmentation.io.export import overlay_image
from segmentation.strokes.raster import rasterise

COLOURS = {1: "#e69f00", 2: "#0072b2"}


def figure_of(pixels: np.ndarray, shapes: list[dict], colour: str) -> object:
    """The whole figure: the picture and all shapes."""
    figure = px.imshow(pixels)
    figure.update_layout(
        dragmode="drawopenpath",
        newshape={"line": {"color": colour, "width": 5}},
        shapes=shapes,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        uirevision="keep",
    )
    return figure


def create_reference_app(path: str) -> Dash:
    """The app on one image; strokes are of class 1 and 2 in turn."""
    pixels = np.asarray(Image.open(path))
    features = multiscale_basic_features(pixels, channel_axis=-1, workers=2)
    app = Dash(__name__)
    app.layout = html.Div(
        dcc.Graph(id="graph", figure=figure_of(pixels, [], COLOURS[1]), style={"height": "95vh"}),
    )

    @app.callback(Output("graph", "figure"), Input("graph", "relayoutData"), prevent_initial_call=True)
    def segment(change: dict) -> object:
        shapes = change.get("shapes")
        if not shapes:
            return no_update
        colour = COLOURS[1 + len(shapes) % 2]
        strokes = strokes_from_shapes(shapes, {value: key for key, value in COLOURS.items()})
        labels = rasterise(strokes, pixels.shape)
        if len(np.unique(labels)) < 3:
            return figure_of(pixels, shapes, colour)
        forest = RandomForestClassifier(50, max_depth=8, max_samples=0.05, n_jobs=2, random_state=0)
        forest.fit(features[labels > 0], labels[labels > 0])
        rows = features.reshape(-1, features.shape[-1])
        segmentation = forest.predict(rows).reshape(labels.shape).astype(np.uint8)
        return figure_of(overlay_image(pixels, segmentation, COLOURS), shapes, colour)

    return app


if __name__ == "__main__":
    from werkzeug.serving import run_simple

    run_simple("127.0.0.1", int(sys.argv[2]), create_reference_app(sys.argv[1]).server, threaded=True)
