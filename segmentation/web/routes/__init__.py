"""What the page asks the server for, as plain HTTP; what belongs to a session lies below its link ``/s/<id>``."""

from __future__ import annotations

from flask import Blueprint

from segmentation.web.routes.addresses import address_routes
from segmentation.web.routes.brought import brought_routes
from segmentation.web.routes.channels import channel_routes
from segmentation.web.routes.classifiers import classifier_routes
from segmentation.web.routes.conversation import conversation_routes
from segmentation.web.routes.downloads import download_routes
from segmentation.web.routes.errors import answer_errors
from segmentation.web.routes.explanations import explanation_routes
from segmentation.web.routes.features import feature_routes
from segmentation.web.routes.images import image_routes
from segmentation.web.routes.known_sessions import keep_browser
from segmentation.web.routes.links import find_sessions, link_routes
from segmentation.web.routes.next_strokes import next_stroke_routes
from segmentation.web.routes.preparing import preparing_routes
from segmentation.web.routes.series import series_classifier_routes, series_routes
from segmentation.web.routes.series_files import series_file_routes
from segmentation.web.routes.sessionfile import session_file_routes
from segmentation.web.routes.sessions import session_routes
from segmentation.web.routes.stacks import stack_routes
from segmentation.web.routes.start import start_routes
from segmentation.web.routes.wholes import whole_routes
from segmentation.web.session.workbench import Workbench


def all_routes(workbench: Workbench) -> Blueprint:
    """The routes of a workbench, each with what it needs of it."""
    routes = Blueprint("squiggle", __name__)
    routes.before_request(workbench.store.upkeep.sweep_if_due)
    answer_errors(routes)
    find_sessions(routes, workbench.links)
    keep_browser(routes)
    store, settings = workbench.store, workbench.settings
    for part in (
        start_routes(workbench.sessions, sign_out=bool(settings.password)),
        session_routes(workbench.sessions),
        link_routes(workbench.links),
        session_file_routes(workbench.sessions, workbench.session_files, settings),
        conversation_routes(workbench.conversations, store, settings.user_header),
        image_routes(workbench.images, store, settings.max_upload_bytes, settings.largest_upload_bytes),
        address_routes(workbench.images.large, store, settings.places),
        preparing_routes(workbench.images, store, workbench.pyramid_maker),
        channel_routes(workbench.images),
        classifier_routes(workbench.classifiers, workbench.journals, store, settings.max_upload_bytes),
        brought_routes(workbench.journals, workbench.images, workbench.decoder, workbench.mask_scorer, settings),
        next_stroke_routes(workbench.next_strokes),
        explanation_routes(workbench.explanations, workbench.parts),
        feature_routes(workbench.feature_advice),
        stack_routes(workbench.stack_results),
        download_routes(workbench.downloads),
        series_routes(workbench.series, workbench.series_worker),
        series_classifier_routes(
            workbench.series, workbench.series_worker, workbench.downloads, workbench.known_images
        ),
        whole_routes(
            workbench.wholes, workbench.series, workbench.series_worker, workbench.downloads, workbench.images
        ),
        series_file_routes(workbench.series, workbench.series_worker, workbench.images, workbench.decoder, settings),
    ):
        routes.register_blueprint(part)
    return routes
