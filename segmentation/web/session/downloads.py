"""The files that a person takes home from a session."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from io import BytesIO

import numpy as np

from segmentation.io.display import display_pixels, display_range
from segmentation.io.export import label_tiff, overlay_png, probabilities_tiff, segmentation_png
from segmentation.io.shares import shares_csv
from segmentation.model.modelfile import save_model
from segmentation.strokes.document import Drawing, drawings_to_json, strokes_to_json
from segmentation.web.session.training import strokes_to_take
from segmentation.web.session.workbench import Result, Workbench


class UnknownFileError(LookupError):
    """There is no file of that name to take home."""


def download(
    workbench: Workbench,
    session_id: str,
    file_name: str,
    *,
    image_hash: str | None = None,
    opacity: float = 0.5,
    along: Collection[str] = (),
) -> tuple[bytes, str]:
    """A file to take home, made from what the session has now.

    Args:
        workbench: where the session is at hand.
        session_id: the session.
        file_name: which file.
        image_hash: of which image; None takes the one that was opened last.
        opacity: of the segmentation in the overlay, 0 to 1.
        along: what travels along with the classifier: ``"strokes"``, ``"pixels"``.

    Returns:
        The file and its media type.

    Raises:
        UnknownFileError: if there is no such file.
        ValueError: with a sentence, if something is missing to make it.
    """
    if file_name in _FROM_STROKES:
        make, mimetype = _FROM_STROKES[file_name]
        return make(workbench, session_id, image_hash), mimetype
    if file_name == "classifier.squiggle":
        return _classifier(workbench, session_id, image_hash, along), "application/octet-stream"
    if file_name == "overlay.png":
        return _overlay(workbench.result(session_id, image_hash), opacity), "image/png"
    if file_name in _FROM_RESULT:
        make_from_result, mimetype = _FROM_RESULT[file_name]
        return make_from_result(workbench.result(session_id, image_hash)), mimetype
    raise UnknownFileError(file_name)


def _labels(workbench: Workbench, session_id: str, image_hash: str | None) -> bytes:
    state, labels, _ = workbench.labels(session_id, image_hash)
    return label_tiff(labels, {c.id: c.name for c in state.classes.values()})


def _strokes(workbench: Workbench, session_id: str, image_hash: str | None) -> bytes:
    """The strokes on all images; where a single one has any, the document is that of one image."""
    state = workbench.state(session_id).with_image(image_hash)
    classes = tuple(state.classes.values())
    settings = {"features": state.features.to_json(), "forest": state.forest.to_json()}
    drawn = {one: state.images[one] for one in state.images if state.drawn.get(one)}
    if len(drawn) > 1:
        drawings = [
            Drawing(one, (image["rows"], image["columns"]), state.drawn[one], image["name"], image["channels"])
            for one, image in drawn.items()
        ]
        document = drawings_to_json(drawings, classes, settings)
    else:
        (image,) = drawn.values() or (state.image,)
        strokes = state.drawn.get(image["hash"], ())
        document = strokes_to_json(strokes, classes, image["hash"], (image["rows"], image["columns"]), settings)
    return json.dumps(document, indent=1).encode()


def _segmentation(result: Result) -> np.ndarray:
    return result.classifier.predict(result.image)


def _colours(result: Result) -> dict[int, str]:
    return {c.id: c.colour for c in result.state.classes.values()}


def _names(result: Result) -> dict[int, str]:
    return {c.id: c.name for c in result.state.classes.values()}


def _segmentation_png(result: Result) -> bytes:
    return segmentation_png(_segmentation(result), _colours(result), level=6)


def _segmentation_tiff(result: Result) -> bytes:
    return label_tiff(_segmentation(result), _names(result))


def _overlay(result: Result, opacity: float) -> bytes:
    colours = {c: colour for c, colour in _colours(result).items() if c not in result.state.hidden}
    shown = display_pixels(result.image, ranges=display_range(result.image))
    return overlay_png(shown, _segmentation(result), colours, opacity)


def _probabilities(result: Result) -> bytes:
    names = [_names(result)[int(c)] for c in result.classifier.classes_]
    return probabilities_tiff(result.classifier.predict_proba(result.image), names)


def _classifier(workbench: Workbench, session_id: str, image_hash: str | None, along: Collection[str]) -> bytes:
    """The classifier file; with the strokes, or the pixels, that it learnt from if they are to travel along."""
    result = workbench.result(session_id, image_hash)
    contents = result.classifier.contents(
        result.state.classes.values(),
        strokes=strokes_to_take(result.state, result.learnt) if "strokes" in along else None,
        pixels=workbench.training_pixels(session_id, result.learnt_from) if "pixels" in along else None,
    )
    target = BytesIO()
    save_model(target, contents)
    return target.getvalue()


def _shares(result: Result) -> bytes:
    return shares_csv(_segmentation(result), _names(result)).encode()


_FROM_STROKES: dict[str, tuple[Callable[[Workbench, str, str | None], bytes], str]] = {
    "labels.tif": (_labels, "image/tiff"),
    "strokes.json": (_strokes, "application/json"),
}
_FROM_RESULT: dict[str, tuple[Callable[[Result], bytes], str]] = {
    "segmentation.png": (_segmentation_png, "image/png"),
    "segmentation.tif": (_segmentation_tiff, "image/tiff"),
    "probabilities.tif": (_probabilities, "image/tiff"),
    "shares.csv": (_shares, "text/csv"),
}
