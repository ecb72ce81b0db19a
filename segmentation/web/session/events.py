"""What a person does, as events, and what the events add up to: the state of a session.

The page folds the same events in the browser (``assets/state.js``), so that what is drawn is seen at once;
a test holds the two equal.

==================  ==========================================================  =========
type                fields                                                      undoable
==================  ==========================================================  =========
``session.start``   ``image``, ``classes`` (written by the server, first)       no
``session.rename``  ``name``                                                    no
``image.open``      ``image``: hash, name, rows, columns, channels, dtype;      no
                    perhaps ``instead``: the hash of an image that is not
                    shown as long as nothing is drawn on it (the sample)
``image.remove``    ``image``: hash; its strokes go along; never the only one   yes
``stroke.add``      ``image``: hash, ``stroke``                                 yes
``stroke.erase``    ``image``: hash, ``strokes``: ids (the eraser, and clear)   yes
``class.add``       ``class``: id, name, colour                                 yes
``class.change``    ``class_id``, and ``name`` or ``colour``                    yes
``class.remove``    ``class_id``; its strokes go along                          yes
``class.hide``      ``class_id``, ``hidden``                                    no
``settings.change`` ``features`` and/or ``forest``                              no
``classifier.open`` ``classifier``: its facts; its ``classes``, ``features``,   yes
                    ``forest``, and ``strokes`` by image hash
``classifier.close``                                                            yes
``undo``, ``redo``  ``event``: the id of the event that is undone or redone     no
==================  ==========================================================  =========
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from segmentation._shared import checks
from segmentation.features.spec import FeatureSpec
from segmentation.forest.settings import ForestSettings
from segmentation.strokes.classes import LabelClass, classes_from_json, classes_to_json
from segmentation.strokes.stroke import MAX_STROKES, Stroke

MAX_CLASSES = 20
MAX_ERASED_AT_ONCE = 100_000
MAX_NAME_LENGTH = 100
CLASSIFIER_FACTS = ("hash", "name", "channels", "trees", "class_ids", "images", "strokes", "pixels")
UNDOABLE = frozenset(
    {"image.remove", "stroke.add", "stroke.erase", "class.add", "class.change", "class.remove"}
    | {"classifier.open", "classifier.close"}
)

_EVENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HASH = re.compile(r"[0-9a-f]{64}")
_FIELDS = {
    "session.rename": {"name"},
    "image.open": {"image", "instead"},
    "image.remove": {"image"},
    "stroke.add": {"image", "stroke"},
    "stroke.erase": {"image", "strokes"},
    "class.add": {"class"},
    "class.change": {"class_id", "name", "colour"},
    "class.remove": {"class_id"},
    "class.hide": {"class_id", "hidden"},
    "settings.change": {"features", "forest"},
    "classifier.open": {"classifier", "classes", "features", "forest", "strokes"},
    "classifier.close": set(),
    "undo": {"event"},
    "redo": {"event"},
}


@dataclass(frozen=True)
class Opened:
    """A classifier that was opened from a file, as it came.

    Attributes:
        facts: its ``hash`` and ``name`` as a file, ``channels`` (None: any), ``trees``, ``class_ids``, ``images`` that
            it was trained on, and the number of ``strokes`` and of ``pixels`` that travelled along.
        features: which features it sees.
        forest: how it was grown.
        strokes: those that travelled along, by the hash of their image.
    """

    facts: Mapping[str, Any]
    features: FeatureSpec
    forest: ForestSettings
    strokes: Mapping[str, tuple[Stroke, ...]]


@dataclass(frozen=True)
class SessionState:
    """What the events of a session add up to.

    Attributes:
        name: of the session; empty until it is given one.
        image: facts of the image in hand: hash, name, rows, columns, channels, dtype.
        images: facts of all images by their hash, in the order in which they came.
        classes: the classes by id, ascending.
        hidden: ids of the classes that are not shown.
        drawn: the strokes on each image that has any, by its hash, in the order of ``images`` and of drawing, those
            of removed classes left out.
        features: which features are computed.
        forest: how the forest is grown.
        opened: the classifier that was opened last, None if there is none.
        number: number of the last event that is folded in.
    """

    name: str
    image: Mapping[str, Any]
    images: Mapping[str, Mapping[str, Any]]
    classes: Mapping[int, LabelClass]
    hidden: frozenset[int]
    drawn: Mapping[str, tuple[Stroke, ...]]
    features: FeatureSpec
    forest: ForestSettings
    opened: Opened | None
    number: int

    @property
    def strokes(self) -> tuple[Stroke, ...]:
        """The strokes on the image in hand."""
        return self.drawn.get(self.image["hash"], ())

    def with_image(self, image_hash: str | None) -> SessionState:
        """The same state with another image in hand; None leaves the one that was opened last.

        Raises:
            ValueError: with a sentence, if the session has no such image.
        """
        if image_hash is None:
            return self
        if image_hash not in self.images:
            raise ValueError("That image is not in the session any more: take another one in hand.")
        return replace(self, image=self.images[image_hash])


@dataclass
class _Folding:
    parsed: dict[str, Stroke]
    name: str = ""
    image: dict[str, Any] = field(default_factory=dict)
    images: dict[str, dict[str, Any]] = field(default_factory=dict)
    classes: dict[int, LabelClass] = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)
    strokes: dict[str, dict[str, Stroke]] = field(default_factory=dict)
    replaced: set[str] = field(default_factory=set)
    features: FeatureSpec = field(default_factory=FeatureSpec)
    forest: ForestSettings = field(default_factory=ForestSettings)
    opened: Opened | None = None

    def apply(self, event: Mapping[str, Any]) -> None:
        match event["type"]:
            case "session.start":
                self._take_image(event["image"])
                for values in event["classes"]:
                    self._add_class(values)
            case "session.rename":
                self.name = event["name"]
            case "image.open":
                self._take_image(event["image"])
                if event.get("instead", event["image"]["hash"]) != event["image"]["hash"]:
                    self.replaced.add(event["instead"])
            case "image.remove":
                if len(self.images) > 1 and self.images.pop(event["image"], None) is not None:
                    self.strokes.pop(event["image"], None)
                    if self.image["hash"] == event["image"]:
                        self.image = next(reversed(self.images.values()))
            case "stroke.add":
                stroke = self._parse(event["id"], event["stroke"])
                self.strokes.setdefault(event["image"], {})[stroke.id] = stroke
            case "stroke.erase":
                drawn = self.strokes.get(event["image"], {})
                for stroke_id in event["strokes"]:
                    drawn.pop(stroke_id, None)
            case "class.add":
                self._add_class(event["class"])
            case "class.change":
                old = self.classes.get(event["class_id"])
                if old is not None:
                    self._add_class(old.to_json() | {k: event[k] for k in ("name", "colour") if k in event})
            case "class.remove":
                self.classes.pop(event["class_id"], None)
            case "class.hide":
                (self.hidden.add if event["hidden"] else self.hidden.discard)(event["class_id"])
            case "settings.change":
                if "features" in event:
                    self.features = FeatureSpec.from_json(event["features"])
                if "forest" in event:
                    self.forest = ForestSettings.from_json(event["forest"])
            case "classifier.open":
                self._open_classifier(event)
            case "classifier.close":
                self.opened = None

    def _open_classifier(self, event: Mapping[str, Any]) -> None:
        self.classes, self.hidden = {}, set()
        for values in event["classes"]:
            self._add_class(values)
        self.features = FeatureSpec.from_json(event["features"])
        self.forest = ForestSettings.from_json(event["forest"])
        strokes = {
            image_hash: tuple(self._parse(f"{event['id']} {image_hash} {n}", one) for n, one in enumerate(drawn))
            for image_hash, drawn in event["strokes"].items()
        }
        self.strokes = {image_hash: {one.id: one for one in drawn} for image_hash, drawn in strokes.items()}
        self.opened = Opened(event["classifier"], self.features, self.forest, strokes)

    def _parse(self, key: str, values: Mapping[str, Any]) -> Stroke:
        stroke = self.parsed.get(key)
        if stroke is None:
            stroke = self.parsed[key] = Stroke.from_json(values)
        return stroke

    def _take_image(self, image: dict[str, Any]) -> None:
        self.image = self.images.setdefault(image["hash"], image)
        self.replaced.discard(image["hash"])

    def _add_class(self, values: Mapping[str, Any]) -> None:
        label_class = LabelClass.from_json(values)
        self.classes[label_class.id] = label_class


def fold(events: Iterable[Mapping[str, Any]], number: int = 0, parsed: dict[str, Stroke] | None = None) -> SessionState:
    """The state that events lead to; those that are undone are passed over.

    Args:
        events: checked events (see :func:`check_event`) in the journal's order, ``session.start`` first.
        number: the last event's number in the journal.
        parsed: strokes by the event that brought them; filled in, so that each is read only once.
    """
    events = list(events)
    undone: set[str] = set()
    for event in events:
        if event["type"] == "undo":
            undone.add(event["event"])
        elif event["type"] == "redo":
            undone.discard(event["event"])
    folding = _Folding({} if parsed is None else parsed)
    for event in events:
        if event["id"] not in undone or event["type"] not in UNDOABLE:
            folding.apply(event)
    classes = dict(sorted(folding.classes.items()))
    for image_hash in [one for one in folding.images if one in folding.replaced]:
        if len(folding.images) > 1 and not folding.strokes.get(image_hash):
            del folding.images[image_hash]
    image = folding.image if folding.image["hash"] in folding.images else next(reversed(folding.images.values()))
    return SessionState(
        name=folding.name,
        image=image,
        images=folding.images,
        classes=classes,
        hidden=frozenset(folding.hidden & classes.keys()),
        drawn={
            image_hash: tuple(stroke for stroke in folding.strokes[image_hash].values() if stroke.class_id in classes)
            for image_hash in folding.images
            if folding.strokes.get(image_hash)
        },
        features=folding.features,
        forest=folding.forest,
        opened=folding.opened,
        number=number,
    )


def check_event(body: Any, state: SessionState) -> dict[str, Any]:
    """An event from a browser, if it makes sense after ``state``.

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
    _CHECKS[event["type"]](event, state)
    return event


def _check_name(event: dict[str, Any], _state: SessionState) -> None:
    name = event.get("name")
    if not isinstance(name, str) or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        raise ValueError(f"The session's name must be one line of at most {MAX_NAME_LENGTH} characters.")


def _check_image(event: dict[str, Any], _state: SessionState) -> None:
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
    event["image"] = {key: image[key] for key in ("hash", "name", "rows", "columns", "channels", "dtype")}
    if "instead" in event:
        _require_hash(event["instead"])


def _check_image_removal(event: dict[str, Any], _state: SessionState) -> None:
    _require_hash(event.get("image"))


def _check_stroke(event: dict[str, Any], _state: SessionState) -> None:
    _require_hash(event.get("image"))
    event["stroke"] = Stroke.from_json(event.get("stroke", {})).to_json()


def _check_erase(event: dict[str, Any], _state: SessionState) -> None:
    _require_hash(event.get("image"))
    ids = event.get("strokes")
    if not isinstance(ids, list) or len(ids) > MAX_ERASED_AT_ONCE or not all(isinstance(i, str) for i in ids):
        raise ValueError("The strokes to erase must be named by their ids.")


def _check_new_class(event: dict[str, Any], state: SessionState) -> None:
    label_class = LabelClass.from_json(event.get("class", {}))
    if label_class.id not in state.classes and len(state.classes) >= MAX_CLASSES:
        raise ValueError(f"There can be at most {MAX_CLASSES} classes.")
    event["class"] = label_class.to_json()


def _check_class_change(event: dict[str, Any], _state: SessionState) -> None:
    _require_class_id(event.get("class_id"))
    LabelClass.from_json(
        {
            "id": event["class_id"],
            "name": event.get("name", "name"),
            "colour": event.get("colour", "#000000"),
        }
    )


def _check_class_id(event: dict[str, Any], _state: SessionState) -> None:
    _require_class_id(event.get("class_id"))


def _check_hide(event: dict[str, Any], _state: SessionState) -> None:
    _require_class_id(event.get("class_id"))
    if not isinstance(event.get("hidden"), bool):
        raise ValueError("A class is either hidden or shown.")


def _check_settings(event: dict[str, Any], _state: SessionState) -> None:
    for part, reader in (("features", FeatureSpec), ("forest", ForestSettings)):
        if part in event:
            if not isinstance(event[part], Mapping):
                raise ValueError("The settings are not understood.")
            event[part] = reader.from_json(event[part]).to_json()


def _check_classifier(event: dict[str, Any], _state: SessionState) -> None:
    """The server makes these fields from the file; here they are held to what can be folded."""
    facts = event.get("classifier")
    if not isinstance(facts, Mapping) or not isinstance(facts.get("name"), str) or len(facts["name"]) > 255:
        raise ValueError("The classifier is not described.")
    _require_hash(facts.get("hash"))
    checks.mapping(facts, "The classifier", CLASSIFIER_FACTS)
    if facts["channels"] is not None:
        checks.whole_number(facts["channels"], "The channels of the classifier", 1, 2**31)
    for count in ("trees", "strokes", "pixels"):
        checks.whole_number(facts[count], f"The {count} of the classifier", 0, 2**31)
    for class_id in checks.sequence(facts["class_ids"], "The classes of the classifier", 255):
        _require_class_id(class_id)
    for image in checks.sequence(facts["images"], "The images of the classifier", 100_000):
        _require_hash(image.get("hash") if isinstance(image, Mapping) else None)
    classes = classes_from_json(event.get("classes"))
    if len(classes) > MAX_CLASSES:
        raise ValueError(f"There can be at most {MAX_CLASSES} classes.")
    event["classes"] = classes_to_json(classes)
    event["features"] = FeatureSpec.from_json(event.get("features", {})).to_json()
    event["forest"] = ForestSettings.from_json(event.get("forest", {})).to_json()
    strokes = event.get("strokes")
    if not isinstance(strokes, Mapping):
        raise ValueError("The strokes of the classifier are not listed by their images.")
    for image_hash, drawn in strokes.items():
        _require_hash(image_hash)
        read = [Stroke.from_json(one) for one in checks.sequence(drawn, "The strokes of an image", MAX_STROKES)]
        if not {one.class_id for one in read} <= {one.id for one in classes}:
            raise ValueError("A stroke of the classifier is of a class that it does not name.")


def _check_nothing(_event: dict[str, Any], _state: SessionState) -> None:
    """There is nothing in such an event that could be wrong."""


def _check_target(event: dict[str, Any], _state: SessionState) -> None:
    if not isinstance(event.get("event"), str) or not _EVENT_ID.fullmatch(event["event"]):
        raise ValueError("What is to be undone or redone is not named.")


def _require_hash(value: Any) -> None:
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise ValueError("The image is not named by its hash.")


def _require_class_id(value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 255:
        raise ValueError("A class is named by a whole number from 1 to 255.")


_CHECKS = {
    "session.rename": _check_name,
    "image.open": _check_image,
    "image.remove": _check_image_removal,
    "stroke.add": _check_stroke,
    "stroke.erase": _check_erase,
    "class.add": _check_new_class,
    "class.change": _check_class_change,
    "class.remove": _check_class_id,
    "class.hide": _check_hide,
    "settings.change": _check_settings,
    "classifier.open": _check_classifier,
    "classifier.close": _check_nothing,
    "undo": _check_target,
    "redo": _check_target,
}
