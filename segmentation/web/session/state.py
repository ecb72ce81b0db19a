"""What the events of a session add up to: its state.

The page folds the same events in the browser (``assets/journal/state.mjs``), so that what is drawn is seen at once;
a test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from segmentation.features.spec import FeatureSpec
from segmentation.forest.settings import ForestSettings
from segmentation.io.pixel_size import PixelSize
from segmentation.model.weights import weights_from_json
from segmentation.objects.steps import CleanUpStep, steps_from_json
from segmentation.strokes.classes import UNLABELLED, LabelClass
from segmentation.strokes.stroke import Stroke

MAX_NAMES = 20
"""Names of one image that are kept."""

UNDOABLE = frozenset(
    {"image.remove", "image.measure", "sample.leave", "stroke.add", "strokes.add", "stroke.change", "stroke.erase"}
    | {"class.add", "class.change", "class.remove", "class.weigh", "class.import", "class.merge", "class.order"}
    | {"correction.add", "correction.erase", "correction.learn"}
    | {"clean_up.change", "classifier.open", "classifier.keep", "classifier.close"}
)


@dataclass(frozen=True)
class OpenedClassifier:
    """What the journal says of a classifier that was opened from a file.

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
        image: facts of the current image: hash, name, rows, columns, channels, dtype.
        images: facts of all images by their hash, in the order in which they came; ``names`` where files of
            several names had the same pixels.
        measured: the pixel sizes that were typed, as plain JSON values, by the hash of their image.
        classes: the classes by id, ascending.
        order: their ids as people have put them in their list; nothing else depends on it.
        hidden: ids of the classes that are not shown.
        weights: what the probability of a class is multiplied with, by class id, where that is not 1.
        clean_up: steps that are done to segmentations, in their order.
        drawn: the strokes on each image that has any, by its hash, in the order of ``images`` and of drawing, those
            of removed classes left out.
        corrections: what people have painted into the result of each image, in the same way; class 0 takes corrections
            away again.
        learns_corrections: whether corrections are learnt from too.
        features: which features are computed.
        forest: how the forest is grown.
        opened: the classifier that was opened last, None if there is none.
        keeps: whether that one, if it cannot learn on, stays in use whatever is drawn.
    """

    name: str
    image: Mapping[str, Any]
    images: Mapping[str, Mapping[str, Any]]
    measured: Mapping[str, Mapping[str, Any]]
    classes: Mapping[int, LabelClass]
    order: tuple[int, ...]
    hidden: frozenset[int]
    weights: Mapping[int, float]
    clean_up: tuple[CleanUpStep, ...]
    drawn: Mapping[str, tuple[Stroke, ...]]
    corrections: Mapping[str, tuple[Stroke, ...]]
    learns_corrections: bool
    features: FeatureSpec
    forest: ForestSettings
    opened: OpenedClassifier | None
    keeps: bool

    @property
    def strokes(self) -> tuple[Stroke, ...]:
        """The strokes on the current image."""
        return self.drawn.get(self.image["hash"], ())

    @property
    def pixel_size(self) -> PixelSize | None:
        """That of the current image, if somebody typed one."""
        typed = self.measured.get(self.image["hash"])
        return None if typed is None else PixelSize.from_json(typed)

    def with_image(self, image_hash: str | None) -> SessionState:
        """The same state with another current image; None leaves the one that was opened last.

        Raises:
            ValueError: with a sentence, if the session has no such image.
        """
        if image_hash is None:
            return self
        if image_hash not in self.images:
            raise ValueError("That image is not in the session any more: choose another one.")
        return replace(self, image=self.images[image_hash])


@dataclass(frozen=True)
class _UnreadStroke:
    """What has to be known of a stroke to count it."""

    id: str
    class_id: int

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Any:
        return cls(values["id"], values["class_id"])


@dataclass
class _Folding:
    parsed: dict[str, Stroke]
    read: Callable[[Mapping[str, Any]], Stroke] = Stroke.from_json
    name: str = ""
    image: dict[str, Any] = field(default_factory=dict)
    images: dict[str, dict[str, Any]] = field(default_factory=dict)
    measured: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    classes: dict[int, LabelClass] = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)
    weights: dict[int, float] = field(default_factory=dict)
    clean_up: tuple[CleanUpStep, ...] = ()
    strokes: dict[str, dict[str, Stroke]] = field(default_factory=dict)
    corrections: dict[str, dict[str, Stroke]] = field(default_factory=dict)
    learns_corrections: bool = False
    replaced: set[str] = field(default_factory=set)
    given: set[int] = field(default_factory=set)
    """Ids of the classes that are called as the session began with them: nobody has named them since."""

    merged: dict[int, int] = field(default_factory=dict)
    """Into which class those went that are no more."""

    order: list[int] = field(default_factory=list)
    features: FeatureSpec = field(default_factory=FeatureSpec)
    forest: ForestSettings = field(default_factory=ForestSettings)
    opened: OpenedClassifier | None = None
    keeps: bool = False

    def apply(self, event: Mapping[str, Any]) -> None:
        match event["type"]:
            case "session.start":
                self._open_image(event["image"])
                for values in event["classes"]:
                    self._add_class(values)
                self.given = set(self.classes)
                self.features = FeatureSpec.from_json(event.get("features", {}))
                self.forest = ForestSettings.from_json(event.get("forest", {}))
            case "session.rename":
                self.name = event["name"]
            case "image.open":
                self._open_image(event["image"])
                if event.get("instead", event["image"]["hash"]) != event["image"]["hash"]:
                    self.replaced.add(event["instead"])
            case "image.remove":
                self._remove_image(event["image"])
            case "image.measure":
                self.measured[event["image"]] = event["pixel_size"]
            case "sample.leave":
                if self._remove_image(event["image"]):
                    for class_id in self.given & self.classes.keys():
                        self.classes[class_id] = replace(self.classes[class_id], name=f"Class {class_id}")
                    self.given = set()
            case "stroke.add":
                stroke = self._parse(event["id"], event["stroke"])
                self.strokes.setdefault(event["image"], {})[stroke.id] = stroke
            case "strokes.add":
                self._add_strokes(event)
            case "stroke.change":
                drawn = self.strokes.get(event["image"], {})
                if event["stroke"]["id"] in drawn:
                    drawn[event["stroke"]["id"]] = self._parse(event["id"], event["stroke"])
            case "stroke.erase":
                drawn = self.strokes.get(event["image"], {})
                for stroke_id in event["strokes"]:
                    drawn.pop(stroke_id, None)
            case "correction.add" | "correction.erase" | "correction.learn":
                self._correct(event)
            case "class.add" | "class.change" | "class.remove" | "class.hide" | "class.weigh":
                self._change_class(event)
            case "class.import" | "class.merge" | "class.order":
                self._change_classes(event)
            case "clean_up.change":
                self.clean_up = steps_from_json(event["steps"])
            case "settings.change":
                if "features" in event:
                    self.features = FeatureSpec.from_json(event["features"])
                if "forest" in event:
                    self.forest = ForestSettings.from_json(event["forest"])
            case "classifier.open":
                self._open_classifier(event)
            case "classifier.keep":
                self.keeps = event["keep"]
            case "classifier.close":
                self.opened = None

    def _correct(self, event: Mapping[str, Any]) -> None:
        match event["type"]:
            case "correction.add":
                stroke = self._parse(event["id"], event["stroke"])
                self.corrections.setdefault(event["image"], {})[stroke.id] = stroke
            case "correction.erase":
                corrections = self.corrections.get(event["image"], {})
                for stroke_id in event["strokes"]:
                    corrections.pop(stroke_id, None)
            case "correction.learn":
                self.learns_corrections = event["learn"]

    def _change_class(self, event: Mapping[str, Any]) -> None:
        match event["type"]:
            case "class.add":
                self._add_class(event["class"])
                self.given.discard(event["class"]["id"])
            case "class.change":
                old = self.classes.get(event["class_id"])
                if "name" in event:
                    self.given.discard(event["class_id"])
                if old is not None:
                    self._add_class(old.to_json() | {k: event[k] for k in ("name", "colour") if k in event})
            case "class.remove":
                self.classes.pop(event["class_id"], None)
            case "class.hide":
                (self.hidden.add if event["hidden"] else self.hidden.discard)(event["class_id"])
            case "class.weigh":
                self.weights[event["class_id"]] = event["weight"]

    def _change_classes(self, event: Mapping[str, Any]) -> None:
        match event["type"]:
            case "class.import":
                for values in event["classes"]:
                    self._add_class(values)
                    self.given.discard(values["id"])
            case "class.merge":
                if event["from"] != event["into"] and self.classes.keys() >= {event["from"], event["into"]}:
                    del self.classes[event["from"]]
                    self.merged[event["from"]] = event["into"]
            case "class.order":
                self.order = event["class_ids"]

    def _open_classifier(self, event: Mapping[str, Any]) -> None:
        names = {id_: one.name for id_, one in self.classes.items()}
        same = {UNLABELLED} | {one["id"] for one in event["classes"] if names.get(one["id"]) == one["name"]}
        self.corrections = {
            image_hash: {one.id: one for one in self.seen(painted) if one.class_id in same}
            for image_hash, painted in self.corrections.items()
        }
        self.classes, self.hidden, self.given, self.merged, self.order = {}, set(), set(), {}, []
        self.weights = weights_from_json(event.get("weights"))
        self.clean_up = steps_from_json(event.get("clean_up", ()))
        for values in event["classes"]:
            self._add_class(values)
        self.features = FeatureSpec.from_json(event["features"])
        self.forest = ForestSettings.from_json(event["forest"])
        strokes = {
            image_hash: tuple(self._parse(f"{event['id']} {image_hash} {n}", one) for n, one in enumerate(drawn))
            for image_hash, drawn in event["strokes"].items()
        }
        self.strokes = {image_hash: {one.id: one for one in drawn} for image_hash, drawn in strokes.items()}
        self.opened = OpenedClassifier(event["classifier"], self.features, self.forest, strokes)
        self.keeps = event.get("keep", False)

    def _add_strokes(self, event: Mapping[str, Any]) -> None:
        """Strokes of a file lie below those that are there, but above what was erased; none of these is lost."""
        for values in event["classes"]:
            self._add_class(values)
            self.given.discard(values["id"])
        for image_hash, drawn in event["strokes"].items():
            brought = [self._parse(f"{event['id']} {image_hash} {n}", one) for n, one in enumerate(drawn)]
            known = self.strokes.get(image_hash, {})
            order = list(known.items())
            erased = max((n for n, (_, one) in enumerate(order, 1) if one.class_id == UNLABELLED), default=0)
            new = {one.id: one for one in brought if one.id not in known}
            self.strokes[image_hash] = dict(order[:erased]) | new | dict(order[erased:])

    def _parse(self, key: str, values: Mapping[str, Any]) -> Stroke:
        stroke = self.parsed.get(key)
        if stroke is None:
            stroke = self.parsed[key] = self.read(values)
        return stroke

    def _open_image(self, image: dict[str, Any]) -> None:
        known = self.images.setdefault(image["hash"], image)
        names = known.get("names", [known["name"]])
        if image["name"] not in names and len(names) < MAX_NAMES:
            self.images[image["hash"]] = {**known, "names": [*names, image["name"]]}
        self.image = self.images[image["hash"]]
        self.replaced.discard(image["hash"])

    def _remove_image(self, image_hash: str) -> bool:
        """Whether it was there, and not the only one."""
        if len(self.images) < 2 or self.images.pop(image_hash, None) is None:
            return False
        self.strokes.pop(image_hash, None)
        self.corrections.pop(image_hash, None)
        if self.image["hash"] == image_hash:
            self.image = next(reversed(self.images.values()))
        return True

    def _add_class(self, values: Mapping[str, Any]) -> None:
        label_class = LabelClass.from_json(values)
        self.classes[label_class.id] = label_class
        self.merged.pop(label_class.id, None)

    def seen(self, strokes: Mapping[str, Stroke]) -> tuple[Stroke, ...]:
        """Those of strokes whose classes are there, each in the class that its own was merged into."""
        found = (self._as_merged(stroke) for stroke in strokes.values())
        return tuple(stroke for stroke in found if stroke.class_id == UNLABELLED or stroke.class_id in self.classes)

    def _as_merged(self, stroke: Stroke) -> Stroke:
        class_id = stroke.class_id
        while class_id in self.merged:
            class_id = self.merged[class_id]
        if class_id == stroke.class_id:
            return stroke
        key = f"{id(stroke)} in {class_id}"  # read strokes live as long as what has been read
        return self.parsed.setdefault(key, replace(stroke, class_id=class_id))

    def listed(self) -> tuple[int, ...]:
        """The ids of the classes as they were put, the others behind them."""
        places = {class_id: place for place, class_id in enumerate(self.order)}
        return tuple(sorted(self.classes, key=lambda one: (places.get(one, len(places)), one)))


def count(events: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, ...], int]:
    """The hashes of the images that are in a session, and the number of strokes on them, without reading these."""
    state = _fold(list(events), _Folding({}, _UnreadStroke.from_json))
    return tuple(state.images), sum(map(len, state.drawn.values()))


def fold(events: Iterable[Mapping[str, Any]], parsed: dict[str, Stroke] | None = None) -> SessionState:
    """The state that events lead to; those that are undone are passed over.

    Args:
        events: checked (see :mod:`segmentation.web.session.events`), in the journal's order, ``session.start`` first.
        parsed: strokes by the event that brought them; filled in, so that each is read only once.
    """
    return _fold(list(events), _Folding({} if parsed is None else parsed))


def _fold(events: Sequence[Mapping[str, Any]], folding: _Folding) -> SessionState:
    undone: set[str] = set()
    for event in events:
        if event["type"] == "undo":
            undone.add(event["event"])
        elif event["type"] == "redo":
            undone.discard(event["event"])
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
        measured={one: size for one in folding.images if (size := folding.measured.get(one)) is not None},
        classes=classes,
        order=folding.listed(),
        hidden=frozenset(folding.hidden & classes.keys()),
        weights={one: folding.weights[one] for one in classes if folding.weights.get(one, 1) != 1},
        clean_up=folding.clean_up,
        drawn=_by_image(folding, folding.strokes),
        corrections=_by_image(folding, folding.corrections),
        learns_corrections=folding.learns_corrections,
        features=folding.features,
        forest=folding.forest,
        opened=folding.opened,
        keeps=folding.keeps,
    )


def _by_image(folding: _Folding, strokes: Mapping[str, Mapping[str, Stroke]]) -> dict[str, tuple[Stroke, ...]]:
    return {one: folding.seen(strokes[one]) for one in folding.images if strokes.get(one)}
