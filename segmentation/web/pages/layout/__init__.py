"""The page: one screen with the image, the tools, the classes and what can be downloaded."""

from __future__ import annotations

import json
from collections.abc import Mapping

from dash import dcc, html

from segmentation.features.spec import FeatureSpec
from segmentation.forest.settings import ForestSettings
from segmentation.io.zipped_zarr import ZIPPED_ZARR
from segmentation.series.inputs import READ_SUFFIXES
from segmentation.strokes.classes import DEFAULT_COLOURS
from segmentation.web.pages.layout.address import address_dialog
from segmentation.web.pages.layout.bring import bring_dialog
from segmentation.web.pages.layout.elements import dashed
from segmentation.web.pages.layout.header import header, link_dialog
from segmentation.web.pages.layout.help import help_dialog
from segmentation.web.pages.layout.measure import measure_dialog
from segmentation.web.pages.layout.panel import panel
from segmentation.web.pages.layout.series import series_view
from segmentation.web.pages.layout.stage import stage, toolbar
from segmentation.web.session.classifiers import MAX_CLASSIFIER_BYTES
from segmentation.web.session.sessionfile import SUFFIX
from segmentation.web.settings import Settings


def page(settings: Settings, author: Mapping[str, str] | None = None) -> html.Div:
    """The whole page; the session's contents are filled in by the browser.

    Args:
        settings: of the server.
        author: who looks at it, where a reverse proxy says so.
    """
    facts = {
        "features": FeatureSpec().to_json(),
        "forest": ForestSettings().to_json(),
        "unnamed": {"features": FeatureSpec.from_json({}).to_json(), "forest": ForestSettings.from_json({}).to_json()},
        "palette": list(DEFAULT_COLOURS),
        "maxUploadBytes": settings.max_upload_bytes,
        "maxStackBytes": settings.largest_upload_bytes,
        "maxClassifierBytes": min(MAX_CLASSIFIER_BYTES, settings.max_upload_bytes),
        "sessionSuffix": SUFFIX,
        "author": author,
    }
    return html.Div(
        [
            dcc.Store(id="features-checked"),
            dcc.Store(id="forest-checked"),
            dcc.Store(id="handed-over"),
            header(settings),
            toolbar(),
            stage(),
            panel(),
            help_dialog(),
            series_view(),
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
            *address_dialog(settings.places),
            bring_dialog(),
            link_dialog(),
            measure_dialog(),
            html.Div(id="message", role="alert"),
        ],
        id="page",
        **dashed(data_accept=",".join(sorted(READ_SUFFIXES | {ZIPPED_ZARR})), data_facts=json.dumps(facts)),
    )
