"""What one event does to what the events of a session before it add up to.

The page folds the same events in the browser (``assets/journal/folding.mjs``), so that what is drawn is seen at once;
a test holds the two equal.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from segmentation.features.spec import FeatureSpec
from segmentation.forest.settings import ForestSettings
from segmentation.model.weights import weights_from_json
from segmentation.objects.steps import CleanUpStep, steps_from_json
from segmentation.strokes.classes import REGION, UNLABELLED, LabelClass
from segmentation.strokes.stroke import Stroke
from segmentation.web.session.stacks import make_stack, measured_sizes, open_stack, with_its_stack
from segmentation.web.session.state import OpenedClassifier, SessionState

MAX_NAMES = 20
"""Names of one image that are kept."""

COPY_BYTES = 2**13
"""What a copy takes beside its lists of strokes, about."""


class DrawnStrokes:
    """The strokes on one image, and those of them that are seen, which are kept up as further ones are drawn.

    Attributes:
        by_id: all strokes, in the order of drawing.
    """

    def __init__(self, by_id: dict[str, Stroke]) -> None:
        self.by_id = by_id
        self._seen: tuple[Stroke, ...] | None = None
        self._classes: object = None
        self._new: list[Stroke] = []

    def put(self, stroke: Stroke) -> None:
        """Add a stroke, or let it take the place of the one with its id."""
        if stroke.id in self.by_id:
            self._seen = None
        elif self._seen is not None:
            self._new.append(stroke)
        self.by_id[stroke.id] = stroke

    def erase(self, stroke_ids: Sequence[str]) -> None:
        """Take strokes away, as far as they are there."""
        for stroke_id in stroke_ids:
            if self.by_id.pop(stroke_id, None) is not None:
                self._seen = None

    def seen(self, classes: object, choose: Callable[[Iterable[Stroke]], Iterator[Stroke]]) -> tuple[Stroke, ...]:
        """The strokes that are seen.

        Args:
            classes: all that ``choose`` depends on.
            choose: says which of strokes are seen, and as what.
        """
        if self._seen is None or classes != self._classes:
            self._seen, self._classes = tuple(choose(self.by_id.values())), classes
        elif self._new:
            self._seen += tuple(choose(self._new))
        self._new = []
        return self._seen

    def copy(self) -> DrawnStrokes:
        """The same, to be changed on its own."""
        copied = DrawnStrokes(self.by_id.copy())
        copied._seen, copied._classes, copied._new = self._seen, self._classes, self._new.copy()
        return copied

    @property
    def nbytes(self) -> int:
        """About the bytes that a copy takes, the strokes themselves left out."""
        return sys.getsizeof(self.by_id) + sys.getsizeof(self._seen) + sys.getsizeof(self._new)


@dataclass
class Folding:
    """What some events add up to so far; :meth:`apply` adds another one.

    Attributes:
        parsed: strokes by the event that brought them, so that each is read only once.
        read: reads a stroke.
    """

    parsed: dict[str, Stroke]
    read: Callable[[Mapping[str, Any]], Stroke] = Stroke.from_json
    name: str = ""
    image: dict[str, Any] = field(default_factory=dict)
    images: dict[str, dict[str, Any]] = field(default_factory=dict)
    stacks: dict[str, dict[str, Any]] = field(default_factory=dict)
    measured: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    classes: dict[int, LabelClass] = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)
    weights: dict[int, float] = field(default_factory=dict)
    clean_up: tuple[CleanUpStep, ...] = ()
    strokes: dict[str, DrawnStrokes] = field(default_factory=dict)
    corrections: dict[str, DrawnStrokes] = field(default_factory=dict)
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

    def copy(self) -> Folding:
        """Another one to which events can be added, which share their strokes."""
        copied = {one.name: getattr(self, one.name) for one in fields(self)}
        for name in ("images", "stacks", "measured", "classes", "hidden", "weights", "replaced", "given", "merged"):
            copied[name] = copied[name].copy()
        for name in ("strokes", "corrections"):
            copied[name] = {one: drawn.copy() for one, drawn in copied[name].items()}
        return Folding(**copied)

    @property
    def nbytes(self) -> int:
        """About the bytes that a copy takes, the strokes themselves left out."""
        drawn_on = (*self.strokes.values(), *self.corrections.values())
        return COPY_BYTES + sys.getsizeof(self.images) + sum(drawn.nbytes for drawn in drawn_on)

    def apply(self, event: Mapping[str, Any]) -> None:
        """Add another event."""
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
                measured = self.images.get(event["image"], {}).get("stack", event["image"])
                self.measured[measured] = event["pixel_size"]
            case "stack.make":
                make_stack(self.images, self.stacks, event)
                self.image = self.images[self.image["hash"]]
            case "sample.leave":
                if self._remove_image(event["image"]):
                    for class_id in self.given & self.classes.keys():
                        self.classes[class_id] = replace(self.classes[class_id], name=f"Class {class_id}")
                    self.given = set()
            case "stroke.add":
                _on(self.strokes, event["image"]).put(self._parse(event["id"], event["stroke"]))
            case "strokes.add":
                self._add_strokes(event)
            case "stroke.change":
                drawn = _on(self.strokes, event["image"])
                if event["stroke"]["id"] in drawn.by_id:
                    drawn.put(self._parse(event["id"], event["stroke"]))
            case "stroke.erase":
                _on(self.strokes, event["image"]).erase(event["strokes"])
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
            case "correction.add" | "correction.erase" | "correction.learn":
                self._correct(event)
            case "classifier.open":
                self._open_classifier(event)
            case "classifier.keep":
                self.keeps = event["keep"]
            case "classifier.close":
                self.opened = None

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

    def _correct(self, event: Mapping[str, Any]) -> None:
        match event["type"]:
            case "correction.add":
                _on(self.corrections, event["image"]).put(self._parse(event["id"], event["stroke"]))
            case "correction.erase":
                _on(self.corrections, event["image"]).erase(event["strokes"])
            case "correction.learn":
                self.learns_corrections = event["learn"]

    def _open_classifier(self, event: Mapping[str, Any]) -> None:
        names = {id_: one.name for id_, one in self.classes.items()}
        same = {UNLABELLED} | {one["id"] for one in event["classes"] if names.get(one["id"]) == one["name"]}
        self.corrections = {
            image_hash: DrawnStrokes(
                {one.id: one for one in self._seen(painted.by_id.values()) if one.class_id in same}
            )
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
        self.strokes = {
            image_hash: DrawnStrokes({one.id: one for one in drawn}) for image_hash, drawn in strokes.items()
        }
        self.opened = OpenedClassifier(event["classifier"], self.features, self.forest, strokes)
        self.keeps = event.get("keep", False)

    def _add_strokes(self, event: Mapping[str, Any]) -> None:
        """Strokes of a file lie below those that are there, but above what was erased; none of these is lost."""
        for values in event["classes"]:
            self._add_class(values)
            self.given.discard(values["id"])
        for image_hash, drawn in event["strokes"].items():
            brought = [self._parse(f"{event['id']} {image_hash} {n}", one) for n, one in enumerate(drawn)]
            known = _on(self.strokes, image_hash).by_id
            order = list(known.items())
            erased = max((n for n, (_, one) in enumerate(order, 1) if one.class_id == UNLABELLED), default=0)
            new = {one.id: one for one in brought if one.id not in known}
            self.strokes[image_hash] = DrawnStrokes(dict(order[:erased]) | new | dict(order[erased:]))

    def _parse(self, key: str, values: Mapping[str, Any]) -> Stroke:
        stroke = self.parsed.get(key)
        if stroke is None:
            stroke = self.parsed[key] = self.read(values)
        return stroke

    def _open_image(self, image: dict[str, Any]) -> None:
        if "pages" in image:
            self.image = open_stack(self.images, self.stacks, image)
            return
        known = self.images.setdefault(image["hash"], image)
        names = known.get("names", [known["name"]])
        if image["name"] not in names and len(names) < MAX_NAMES:
            self.images[image["hash"]] = {**known, "names": [*names, image["name"]]}
        self.image = self.images[image["hash"]]
        self.replaced.discard(image["hash"])

    def _remove_image(self, image_hash: str) -> bool:
        """Whether it was there, and not alone; a plane takes its whole stack along."""
        leaving = with_its_stack(self.images, self.stacks, image_hash)
        if image_hash not in self.images or len(self.images) == len(leaving):
            return False
        self.stacks.pop(self.images[image_hash].get("stack", ""), None)
        for one in leaving:
            del self.images[one]
            self.strokes.pop(one, None)
            self.corrections.pop(one, None)
        if self.image["hash"] in leaving:
            self.image = next(reversed(self.images.values()))
        return True

    def _add_class(self, values: Mapping[str, Any]) -> None:
        label_class = LabelClass.from_json(values)
        self.classes[label_class.id] = label_class
        self.merged.pop(label_class.id, None)

    def state(self) -> SessionState:
        """The state that the events lead to; what is added later does not change it."""
        classes = dict(sorted(self.classes.items()))
        images = {
            one: facts
            for one, facts in self.images.items()
            if one not in self.replaced or (one in self.strokes and self.strokes[one].by_id)
        }
        images = images or dict([next(reversed(self.images.items()))])
        image = self.image if self.image["hash"] in images else next(reversed(images.values()))
        return SessionState(
            name=self.name,
            image=image,
            images=images,
            stacks=self.stacks.copy(),
            measured=measured_sizes(images, self.measured),
            classes=classes,
            order=self._listed(),
            hidden=frozenset(self.hidden & classes.keys()),
            weights={one: self.weights[one] for one in classes if self.weights.get(one, 1) != 1},
            clean_up=self.clean_up,
            drawn=self._by_image(self.strokes, images),
            corrections=self._by_image(self.corrections, images),
            learns_corrections=self.learns_corrections,
            features=self.features,
            forest=self.forest,
            opened=self.opened,
            keeps=self.keeps,
        )

    def _by_image(self, drawn: Mapping[str, DrawnStrokes], images: Iterable[str]) -> dict[str, tuple[Stroke, ...]]:
        classes = frozenset(self.classes), tuple(self.merged.items())
        return {one: drawn[one].seen(classes, self._seen) for one in images if one in drawn and drawn[one].by_id}

    def _seen(self, strokes: Iterable[Stroke]) -> Iterator[Stroke]:
        """Those of strokes whose classes are there, each in the class that its own was merged into."""
        there = {UNLABELLED, REGION, *self.classes}
        found = map(self._as_merged, strokes) if self.merged else strokes
        return (stroke for stroke in found if stroke.class_id in there)

    def _as_merged(self, stroke: Stroke) -> Stroke:
        class_id = stroke.class_id
        while class_id in self.merged:
            class_id = self.merged[class_id]
        if class_id == stroke.class_id:
            return stroke
        key = f"{id(stroke)} in {class_id}"  # read strokes live as long as what has been read
        return self.parsed.setdefault(key, replace(stroke, class_id=class_id))

    def _listed(self) -> tuple[int, ...]:
        """The ids of the classes as they were put, the others behind them."""
        places = {class_id: place for place, class_id in enumerate(self.order)}
        return tuple(sorted(self.classes, key=lambda one: (places.get(one, len(places)), one)))


def _on(drawn: dict[str, DrawnStrokes], image_hash: str) -> DrawnStrokes:
    """What is drawn on an image, to be added to."""
    return drawn.setdefault(image_hash, DrawnStrokes({}))
