"""What a person does, as events of a session's journal, and whether an event from a browser makes sense.

==================  ==========================================================  =========
type                fields                                                      undoable
==================  ==========================================================  =========
``session.start``   ``image``, ``classes``, ``features``, ``forest`` (written   no
                    by the server, first); old journals name no settings, and
                    those of their time hold
``session.rename``  ``name``                                                    no
``image.open``      ``image``: hash, name, rows, columns, channels, dtype,      no
                    ``channel_names`` where its file has them, of a stack
                    also ``pages`` and ``axes``, the fastest first, each with
                    its length; of one that is read part by part ``levels``,
                    rows and columns of each;
                    in journals of before perhaps ``instead``: the hash of an
                    image that is not shown as long as nothing is drawn on it
``image.remove``    ``image``: hash; its strokes go along, and with a plane     yes
                    its whole stack; never the only one
``stack.make``      ``name``, ``images``: hashes, which are its planes from     yes
                    now on, if they are alike, and ``axis``: z or t
``image.measure``   ``image``: hash, ``pixel_size``: x, y, unit, perhaps z,     yes
                    in place of what its file says; null: as that says
``sample.leave``    ``image``: hash; its strokes go along, and classes that     yes
                    nobody named since the start are called "Class 1"...;
                    never the only image
``stroke.add``      ``image``: hash, ``stroke`` (class 0: the eraser's)         yes
``strokes.add``     ``name`` of the file that they came in, ``strokes`` by      yes
                    image hash, which lie below those that are there, and
                    ``classes`` that are added or called otherwise
``stroke.change``   ``image``: hash, ``stroke``: what takes the place of the    yes
                    one with its id
``stroke.erase``    ``image``: hash, ``strokes``: ids (the eraser, and clear)   yes
``correction.add``  ``image``: hash, ``stroke`` that is painted into the result yes
                    (class 0: takes corrections away)
``correction.erase`` ``image``: hash, ``strokes``: ids                          yes
``correction.learn`` ``learn``: whether corrections are learnt from too         yes
``class.add``       ``class``: id, name, colour                                 yes
``class.change``    ``class_id``, and ``name`` or ``colour``                    yes
``class.remove``    ``class_id``; its strokes go along                          yes
``class.hide``      ``class_id``, ``hidden``                                    no
``class.weigh``     ``class_id``, ``weight``: what its probability is           yes
                    multiplied with, from 0.01 to 100
``class.import``    ``classes``, each added, or put in the place of that id     yes
``class.merge``     ``from``, ``into``: ids; the strokes of one become the      yes
                    other's, those too that somebody is still drawing
``class.order``     ``class_ids``: as they are listed; the ids stay             yes
``clean_up.change`` ``steps`` that are done to segmentations, in their order    yes
``settings.change`` ``features`` and/or ``forest``                              no
``classifier.open`` ``classifier``: its facts; its ``classes``, ``features``,   yes
                    ``forest``, and ``strokes`` by image hash; perhaps
                    ``weights`` by class id, ``clean_up``, its steps, and
                    ``keep``, as ``classifier.keep`` has it
``classifier.keep`` ``keep``: whether an opened classifier that cannot learn    yes
                    on stays in use, or gives way to what is drawn
``classifier.close``                                                            yes
``undo``, ``redo``  ``event``: the id of the event that is undone or redone     no
==================  ==========================================================  =========

Each has an ``id`` and, but for the first and those of old journals, an ``author`` (``id``, ``name``) and a ``time``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from segmentation._shared import checks
from segmentation._shared.text import shown_name
from segmentation.features.spec import FeatureSpec
from segmentation.forest.settings import ForestSettings
from segmentation.io.limits import MAX_CHANNELS
from segmentation.io.pixel_size import PixelSize
from segmentation.io.stacks import AXES
from segmentation.model.channels import LONGEST_NAME
from segmentation.model.weights import checked_weight, weights_from_json, weights_to_json
from segmentation.objects.steps import steps_from_json
from segmentation.strokes.classes import (
    LARGEST_CLASS_ID,
    REGION,
    UNLABELLED,
    LabelClass,
    classes_from_json,
    classes_to_json,
)
from segmentation.strokes.stroke import MAX_STROKES, Stroke
from segmentation.web.session.authors import who_and_when
from segmentation.web.session.large_images import check_levels
from segmentation.web.session.stacks import MAX_PLANES, check_stack

MAX_ERASED_AT_ONCE = 100_000
MAX_NAME_LENGTH = 100
CLASSIFIER_FACTS = ("hash", "name", "channels", "trees", "class_ids", "images", "strokes", "pixels")

_EVENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
HASH = re.compile(r"[0-9a-f]{64}")
"""What an image and an opened file are known by."""

_FIELDS = {
    "session.rename": {"name"},
    "image.open": {"image", "instead"},
    "image.remove": {"image"},
    "stack.make": {"name", "images", "axis"},
    "image.measure": {"image", "pixel_size"},
    "sample.leave": {"image"},
    "stroke.add": {"image", "stroke"},
    "strokes.add": {"name", "strokes", "classes"},
    "stroke.change": {"image", "stroke"},
    "stroke.erase": {"image", "strokes"},
    "correction.add": {"image", "stroke"},
    "correction.erase": {"image", "strokes"},
    "correction.learn": {"learn"},
    "class.add": {"class"},
    "class.change": {"class_id", "name", "colour"},
    "class.remove": {"class_id"},
    "class.hide": {"class_id", "hidden"},
    "class.weigh": {"class_id", "weight"},
    "class.import": {"classes"},
    "class.merge": {"from", "into"},
    "class.order": {"class_ids"},
    "clean_up.change": {"steps"},
    "settings.change": {"features", "forest"},
    "classifier.open": {"classifier", "classes", "features", "forest", "strokes", "weights", "clean_up", "keep"},
    "classifier.keep": {"keep"},
    "classifier.close": set(),
    "undo": {"event"},
    "redo": {"event"},
}


def check_event(body: Any) -> dict[str, Any]:
    """An event from a browser, if it makes sense; whether what it names is there, the fold says.

    Returns:
        The event, with its known fields only.

    Raises:
        ValueError: with a sentence for the person, if it does not.
    """
    if not isinstance(body, Mapping) or not isinstance(body.get("type"), str) or body["type"] not in _FIELDS:
        raise ValueError("The page sent an event that the server does not know: reload the page.")
    if not isinstance(body.get("id"), str) or not _EVENT_ID.fullmatch(body["id"]):
        raise ValueError("The page sent an event without a proper id: reload the page.")
    event = {key: body[key] for key in ("id", "type", *sorted(_FIELDS[body["type"]])) if key in body}
    _CHECKS[event["type"]](event)
    return event | who_and_when(body)


def _check_name(event: dict[str, Any]) -> None:
    name = event.get("name")
    if not isinstance(name, str) or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        raise ValueError(f"The session's name must be one line of at most {MAX_NAME_LENGTH} characters.")


def _check_image(event: dict[str, Any]) -> None:
    image = event.get("image")
    if not isinstance(image, Mapping):
        raise ValueError("The image is not described.")
    _require_hash(image.get("hash"))
    name = image.get("name")
    if not isinstance(name, str) or len(name) > 255:
        raise ValueError("The image's name must be text of at most 255 characters.")
    sizes = [image.get(key) for key in ("rows", "columns", "channels")]
    if not all(isinstance(size, int) and not isinstance(size, bool) and size > 0 for size in sizes):
        raise ValueError("The image's size must be given in whole pixels.")
    if not isinstance(image.get("dtype"), str) or len(image["dtype"]) > 16:
        raise ValueError("The image's type of number must be named.")
    described = {key: image[key] for key in ("hash", "name", "rows", "columns", "channels", "dtype")}
    described["name"] = shown_name(name)
    if "channel_names" in image:
        described["channel_names"] = _channel_names(image["channel_names"], "The channels of the image")
    event["image"] = described | check_stack(image) | check_levels(image)
    if "instead" in event:
        _require_hash(event["instead"])


def _channel_names(names: Any, what: str) -> list[str]:
    named = checks.sequence(names, what, MAX_CHANNELS)
    return [checks.text(name, "The name of a channel", LONGEST_NAME) for name in named]


def _check_image_removal(event: dict[str, Any]) -> None:
    _require_hash(event.get("image"))


def _check_stack_making(event: dict[str, Any]) -> None:
    event["name"] = checks.text(event.get("name"), "The stack's name", 255)
    images = checks.sequence(event.get("images"), "The planes of the stack", MAX_PLANES)
    for image_hash in images:
        _require_hash(image_hash)
    if len(set(images)) < len(images):
        raise ValueError("An image is one plane of a stack.")
    if event.get("axis") not in AXES:
        raise ValueError("The planes of a stack follow each other in z or in t.")


def _check_measure(event: dict[str, Any]) -> None:
    _require_hash(event.get("image"))
    size = event.setdefault("pixel_size", None)
    event["pixel_size"] = None if size is None else PixelSize.from_json(size).to_json()


def _check_stroke(event: dict[str, Any]) -> None:
    _require_hash(event.get("image"))
    event["stroke"] = Stroke.from_json(event.get("stroke", {})).to_json()


def _check_correction(event: dict[str, Any]) -> None:
    _check_stroke(event)
    if event["stroke"]["class_id"] == REGION:
        raise ValueError("A correction is of a class: an outline of where the image is worked on is a stroke.")


def _check_strokes(event: dict[str, Any]) -> None:
    if not isinstance(event.get("name"), str) or len(event["name"]) > 255:
        raise ValueError("The name of the file must be text of at most 255 characters.")
    event["classes"] = classes_to_json(classes_from_json(event.get("classes")))
    event["strokes"] = {
        image_hash: [stroke.to_json() for stroke in drawn]
        for image_hash, drawn in _strokes_by_image(event.get("strokes")).items()
    }


def _strokes_by_image(strokes: Any) -> dict[str, list[Stroke]]:
    if not isinstance(strokes, Mapping):
        raise ValueError("The strokes are not listed by their images.")
    for image_hash in strokes:
        _require_hash(image_hash)
    return {
        image_hash: [Stroke.from_json(one) for one in checks.sequence(drawn, "The strokes of an image", MAX_STROKES)]
        for image_hash, drawn in strokes.items()
    }


def _check_erase(event: dict[str, Any]) -> None:
    _require_hash(event.get("image"))
    ids = event.get("strokes")
    if not isinstance(ids, list) or len(ids) > MAX_ERASED_AT_ONCE or not all(isinstance(i, str) for i in ids):
        raise ValueError("The strokes to erase must be named by their ids.")


def _check_learning(event: dict[str, Any]) -> None:
    if not isinstance(event.get("learn"), bool):
        raise ValueError("Corrections are either learnt from or not.")


def _check_new_class(event: dict[str, Any]) -> None:
    event["class"] = LabelClass.from_json(event.get("class", {})).to_json()


def _check_class_change(event: dict[str, Any]) -> None:
    _require_class_id(event.get("class_id"))
    changed = LabelClass(event["class_id"], event.get("name", "name"), event.get("colour", "#000000"))
    event.update((key, getattr(changed, key)) for key in ("name", "colour") if key in event)


def _check_class_id(event: dict[str, Any]) -> None:
    _require_class_id(event.get("class_id"))


def _check_hide(event: dict[str, Any]) -> None:
    _require_class_id(event.get("class_id"))
    if not isinstance(event.get("hidden"), bool):
        raise ValueError("A class is either hidden or shown.")


def _check_weight(event: dict[str, Any]) -> None:
    _require_class_id(event.get("class_id"))
    event["weight"] = checked_weight(event.get("weight"))


def _check_class_list(event: dict[str, Any]) -> None:
    event["classes"] = classes_to_json(classes_from_json(event.get("classes")))


def _check_merging(event: dict[str, Any]) -> None:
    _require_class_id(event.get("from"))
    _require_class_id(event.get("into"))


def _check_order(event: dict[str, Any]) -> None:
    class_ids = checks.sequence(event.get("class_ids"), "The order of the classes", LARGEST_CLASS_ID)
    for class_id in class_ids:
        _require_class_id(class_id)
    if len(set(class_ids)) < len(class_ids):
        raise ValueError("A class has one place in the list.")


def _check_clean_up(event: dict[str, Any]) -> None:
    event["steps"] = [step.to_json() for step in steps_from_json(event.get("steps"))]


def _check_settings(event: dict[str, Any]) -> None:
    check_settings(event)


def check_settings(event: dict[str, Any]) -> None:
    """The settings of features and forest in an event, as far as it has them, made whole.

    Raises:
        ValueError: with a sentence, if they cannot be.
    """
    for part, reader in (("features", FeatureSpec), ("forest", ForestSettings)):
        if part in event:
            if not isinstance(event[part], Mapping):
                raise ValueError("The settings are not understood.")
            event[part] = reader.from_json(event[part]).to_json()


def _check_classifier(event: dict[str, Any]) -> None:
    """The server makes these fields from the file; here they are held to what can be folded."""
    facts = event.get("classifier")
    if not isinstance(facts, Mapping) or not isinstance(facts.get("name"), str) or len(facts["name"]) > 255:
        raise ValueError("The classifier is not described.")
    _require_hash(facts.get("hash"))
    checks.mapping(facts, "The classifier", CLASSIFIER_FACTS, ("channel_names", "learned"))
    _channel_names(facts.get("channel_names", ()), "The channels of the classifier")
    if facts.get("learned", True) is not True:
        raise ValueError("Whether the classifier sees learned texture is true, or not said.")
    if facts["channels"] is not None:
        checks.whole_number(facts["channels"], "The channels of the classifier", 1, 2**31)
    for count in ("trees", "strokes", "pixels"):
        checks.whole_number(facts[count], f"The {count} of the classifier", 0, 2**31)
    for class_id in checks.sequence(facts["class_ids"], "The classes of the classifier", 255):
        _require_class_id(class_id)
    for image in checks.sequence(facts["images"], "The images of the classifier", 100_000):
        _require_hash(image.get("hash") if isinstance(image, Mapping) else None)
    classes = classes_from_json(event.get("classes"))
    event["classes"] = classes_to_json(classes)
    event["features"] = FeatureSpec.from_json(event.get("features", {})).to_json()
    event["forest"] = ForestSettings.from_json(event.get("forest", {})).to_json()
    for read in _strokes_by_image(event.get("strokes")).values():
        if not {one.class_id for one in read} - {UNLABELLED, REGION} <= {one.id for one in classes}:
            raise ValueError("A stroke of the classifier is of a class that it does not name.")
    if "weights" in event:
        event["weights"] = weights_to_json(weights_from_json(event["weights"])) or {}
    if "clean_up" in event:
        event["clean_up"] = [step.to_json() for step in steps_from_json(event["clean_up"])]
    if "keep" in event:
        _check_keep(event)


def _check_keep(event: dict[str, Any]) -> None:
    if not isinstance(event.get("keep"), bool):
        raise ValueError("A classifier is either kept or not.")


def _check_nothing(_event: dict[str, Any]) -> None:
    """There is nothing in such an event that could be wrong."""


def _check_target(event: dict[str, Any]) -> None:
    if not isinstance(event.get("event"), str) or not _EVENT_ID.fullmatch(event["event"]):
        raise ValueError("What is to be undone or redone is not named.")


def _require_hash(value: Any) -> None:
    if not isinstance(value, str) or not HASH.fullmatch(value):
        raise ValueError("The image is not named by its hash.")


def _require_class_id(value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 255:
        raise ValueError("A class is named by a whole number from 1 to 255.")


_CHECKS = {
    "session.rename": _check_name,
    "image.open": _check_image,
    "image.remove": _check_image_removal,
    "stack.make": _check_stack_making,
    "image.measure": _check_measure,
    "sample.leave": _check_image_removal,
    "stroke.add": _check_stroke,
    "strokes.add": _check_strokes,
    "stroke.change": _check_stroke,
    "stroke.erase": _check_erase,
    "correction.add": _check_correction,
    "correction.erase": _check_erase,
    "correction.learn": _check_learning,
    "class.add": _check_new_class,
    "class.change": _check_class_change,
    "class.remove": _check_class_id,
    "class.hide": _check_hide,
    "class.weigh": _check_weight,
    "class.import": _check_class_list,
    "class.merge": _check_merging,
    "class.order": _check_order,
    "clean_up.change": _check_clean_up,
    "settings.change": _check_settings,
    "classifier.open": _check_classifier,
    "classifier.keep": _check_keep,
    "classifier.close": _check_nothing,
    "undo": _check_target,
    "redo": _check_target,
}
