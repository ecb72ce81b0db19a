"""Files that come back: strokes, label images and GeoJSON become strokes of the images that they belong to.

What comes in is a stranger's. What is not clear, such as the image that a label image belongs to, is asked; the answers
come with the file, since nothing is kept in between.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import PurePath
from tempfile import TemporaryFile
from typing import Any, BinaryIO, cast

from segmentation._shared import checks
from segmentation._shared.text import counted
from segmentation.io.limits import ImageError
from segmentation.strokes.classes import (
    DEFAULT_COLOURS,
    LARGEST_CLASS_ID,
    LONGEST_NAME,
    REGION,
    LabelClass,
    classes_to_json,
)
from segmentation.strokes.document import FORMAT, Drawing, strokes_from_json
from segmentation.strokes.geojson import Outline, is_geojson, outlines_from_geojson
from segmentation.strokes.outlines import check_corners, outline_strokes
from segmentation.strokes.raster import stroke_bounds
from segmentation.strokes.stroke import Stroke
from segmentation.web.decoding.client import Decoder
from segmentation.web.session.labelimage import LabelFile, LabelImage, Meanings, asked_values
from segmentation.web.session.stacks import page_in_file
from segmentation.web.session.state import SessionState

MAX_JSON_BYTES = 32 * 2**20
ACCEPTED = (
    "Strokes of Squiggle (strokes.json), GeoJSON as QuPath exports it, and label images (PNG, TIFF or BMP with one "
    "channel of class numbers) can be brought in."
)


Hashes = Callable[[str], Iterable[str]]
"""Says by which hashes files may name an image of the session."""

MAX_PLACES = 100
"""Parts of a file for which it is asked to which image they belong: answers to more have no room in an address."""

MAX_NOTES = 5
"""Images without a place that are told of one by one."""


@dataclass(frozen=True)
class Answers:
    """What a person answered.

    Attributes:
        images: hash of the image for each part of the file that was asked for; empty leaves the part out.
        values: what values of a label image stand for: the id of a class, 0 for nothing, or ``"new"``.
        current: hash of the current image, which is proposed if nothing else speaks for another one.
        last_class_id: the largest id that a class ever had.
    """

    images: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, int | str] | None = None
    current: str = ""
    last_class_id: int = 0

    @classmethod
    def from_json(cls, text: str) -> Answers:
        """The answers that the page sends.

        Raises:
            ValueError: if they make no sense.
        """
        given = checks.mapping(
            checks.parse_json(text, "The answers"), "The answers", (), ("images", "values", "current", "last_class_id")
        )
        images, values = given.get("images", {}), given.get("values")
        proper = isinstance(images, Mapping) and all(isinstance(one, str) for one in images.values())
        if values is not None:
            proper = proper and isinstance(values, Mapping)
            proper = proper and all(one == "new" or type(one) is int for one in values.values())
        if not proper or not isinstance(given.get("current", ""), str):
            raise ValueError("The answers are not understood: reload the page.")
        last = checks.whole_number(given.get("last_class_id", 0), "The largest class id", 0, 255)
        return cls(images, values, given.get("current", ""), last)


class Classes:
    """The classes of a session, among which those of a file find their places: by name, else as new ones.

    A class that is not named yet, such as "Class 2", and has no strokes, gives its place to one of the file.
    """

    def __init__(self, state: SessionState, last_id: int) -> None:
        self._known = dict(state.classes)
        self._last_id = max([last_id, *self._known])
        used = {stroke.class_id for strokes in state.drawn.values() for stroke in strokes}
        self._free = [one for one in self._known if one not in used and self._known[one].name == f"Class {one}"]
        self.changed: dict[int, LabelClass] = {}

    def find(self, name: str, colour: str = "") -> int:
        """The id of the class of a name, which is added if there is none.

        Raises:
            ValueError: with a sentence, if there is no room for another class.
        """
        for one in self._known.values():
            if one.name.casefold() == name.casefold():
                self._free = [free for free in self._free if free != one.id]
                return one.id
        if self._free:
            class_id = self._free.pop(0)
            return self._set(LabelClass(class_id, name, colour or self._known[class_id].colour))
        return self.add(name, colour)

    def add(self, name: str = "", colour: str = "") -> int:
        """The id of a new class; without a name it is called by its number."""
        class_id = self._last_id + 1
        if class_id > LARGEST_CLASS_ID:
            raise ValueError(f"It has too many classes: with it the session would have more than {LARGEST_CLASS_ID}.")
        self._last_id = class_id
        taken = {one.colour for one in self._known.values()}
        colour = colour or next((one for one in DEFAULT_COLOURS if one not in taken), "#888888")
        return self._set(LabelClass(class_id, name or f"Class {class_id}", colour))

    def _set(self, label_class: LabelClass) -> int:
        self._known[label_class.id] = self.changed[label_class.id] = label_class
        return label_class.id


@dataclass
class Brought:
    """What a file brings: strokes by the hash of their image, classes, what is asked, and what is to be said."""

    name: str
    strokes: dict[str, list[Stroke]] = field(default_factory=dict)
    classes: Iterable[LabelClass] = ()
    questions: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def answer(self) -> dict[str, Any]:
        """``question``, or the fields of a ``strokes.add`` event and ``notes``.

        Raises:
            ValueError: with a sentence, if it brings nothing.
        """
        if self.questions:
            return {"question": self.questions | {"notes": self.notes}}
        if not any(self.strokes.values()):
            raise ValueError(" ".join(self.notes) or "It holds nothing that is drawn.")
        strokes = {image: [one.to_json() for one in drawn] for image, drawn in self.strokes.items() if drawn}
        event = {"name": self.name[:255], "classes": classes_to_json(self.classes), "strokes": strokes}
        return {"event": event, "notes": self.notes}


def read_brought(
    content: bytes,
    name: str,
    state: SessionState,
    answers: Answers,
    decoder: Decoder,
    *,
    max_pixels: int,
    hashes: Hashes = lambda image_hash: (),
) -> dict[str, Any]:
    """What a file brings into a session, or what is to be asked before.

    Args:
        content: the file.
        name: of the file; never used as a path.
        state: of the session.
        answers: to what was asked before.
        decoder: reads label images.
        max_pixels: that a label image may have.
        hashes: says by which hashes files may name an image, as :meth:`Images.hashes` does.

    Returns:
        ``{"question": ...}`` or ``{"event": fields of strokes.add, "notes": sentences}``.

    Raises:
        ValueError: with a sentence that says what the file is, or what would be accepted.
    """
    if content[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in (b"{", b"["):
        try:
            with TemporaryFile() as file:
                file.write(content)
                file.flush()
                labels = LabelFile(decoder, cast(BinaryIO, file), max_pixels)
                read = _labels if labels.pages == 1 else _labels_of_planes
                return read(labels, name, state, answers).answer()
        except ImageError as problem:
            raise ValueError(f"{problem} {ACCEPTED}") from problem
    if len(content) > MAX_JSON_BYTES:
        raise ValueError(f"It has more than {MAX_JSON_BYTES >> 20} MB of JSON: bring it in parts.")
    document = checks.parse_json(content, "The file")
    if isinstance(document, Mapping) and document.get("format") == FORMAT:
        return _strokes(document, name, state, answers, hashes).answer()
    if is_geojson(document):
        return _geojson(outlines_from_geojson(document), name, state, answers).answer()
    raise ValueError(f"It is JSON, but neither strokes of Squiggle nor GeoJSON. {ACCEPTED}")


def _strokes(document: Mapping[str, Any], name: str, state: SessionState, answers: Answers, hashes: Hashes) -> Brought:
    read = strokes_from_json(document)
    brought, classes, parts = Brought(name), Classes(state, answers.last_class_id), []
    used = {stroke.class_id for drawing in read.drawings for stroke in drawing.strokes}
    ids = {one.id: classes.find(one.name, one.colour) for one in read.classes if one.id in used}
    by_size = _by_size(state)
    by_hash = cache(partial(_by_hash, by_size, hashes))
    for number, drawing in enumerate(read.drawings):
        if not drawing.strokes:
            continue
        image_hash = drawing.image_hash
        if image_hash not in state.images:
            found = (by_hash(drawing.image_shape, page).get(image_hash) for page in (None, drawing.page))
            image_hash = next(filter(None, found), image_hash)
        if image_hash not in state.images:
            image_hash = answers.images.get(str(number), "")
            if str(number) not in answers.images:
                parts.append((str(number), drawing))
        if image_hash in state.images:
            moved = [
                Stroke(one.id, ids.get(one.class_id, one.class_id), one.kind, one.points, one.width, one.starts)
                for one in drawing.strokes
            ]
            brought.strokes.setdefault(image_hash, []).extend(moved)
    brought.classes = classes.changed.values()
    elsewhere = [(key, one, by_size[one.image_shape]) for key, one in parts if one.image_shape in by_size]
    if len(elsewhere) > MAX_PLACES:
        raise ValueError(
            f"It holds strokes on {len(elsewhere):,} images that are not in this session, and at most {MAX_PLACES} can "
            "be asked about: open these images first, or bring their strokes in several files."
        )
    brought.notes += _without_images([drawing for _, drawing in parts if drawing.image_shape not in by_size])
    if places := [_place_of_drawing(*one, answers, brought.name) for one in elsewhere]:
        brought.questions = {"places": places}
    return brought


def _place_of_drawing(
    key: str, drawing: Drawing, candidates: Mapping[str, Mapping[str, Any]], answers: Answers, name: str
) -> dict[str, Any]:
    """The question to which of some images strokes belong whose own is not there."""
    number = len(drawing.strokes)
    belong = "belongs" if number == 1 else "belong"
    text = f"{counted(number, 'stroke')} on {_named(drawing)}, whose pixels are not in this session, {belong} to"
    return _place(key, text, drawing.name or name, candidates, answers)


def _without_images(drawings: Sequence[Drawing]) -> list[str]:
    """What is said of strokes of which no image of the session could be theirs."""
    if len(drawings) > MAX_NOTES:
        number = counted(sum(len(drawing.strokes) for drawing in drawings), "stroke")
        return [f"{number} lie on {len(drawings):,} images of sizes that this session has none of: open these first."]
    return [
        f"{counted(number, 'stroke')} {'lies' if number == 1 else 'lie'} on {_named(one)} of {one.image_shape[1]} × "
        f"{one.image_shape[0]} pixels, and this session has no image of that size: open it, and bring this file again."
        for one, number in ((drawing, len(drawing.strokes)) for drawing in drawings)
    ]


def _named(drawing: Drawing) -> str:
    return f"“{drawing.name}”" if drawing.name else "an image"


def _labels(file: LabelFile, name: str, state: SessionState, answers: Answers) -> Brought:
    brought, classes, labels = Brought(name), Classes(state, answers.last_class_id), file.read(1)
    rows, columns = labels.shape
    candidates = _of_size(state, labels.shape)
    if not candidates:
        raise ValueError(
            f"It is a label image of {columns} × {rows} pixels, and this session has no image of that size: open its "
            "image first."
        )
    image_hash = answers.images.get("0")
    if image_hash not in candidates:
        places = [_place("0", f"The labels of {columns} × {rows} pixels belong to", name, candidates, answers)]
        brought.questions = {"places": places, "values": asked_values(labels.pixels, name, state.classes)}
        return brought
    meanings = Meanings(answers.values, (*state.classes, REGION), classes.add)
    brought.strokes[image_hash] = _outlined(labels, meanings, name)
    brought.classes = classes.changed.values()
    return brought


def _labels_of_planes(file: LabelFile, name: str, state: SessionState, answers: Answers) -> Brought:
    """Label images of the planes of a stack, each of the plane at its place."""
    brought, classes, first = Brought(name), Classes(state, answers.last_class_id), file.read(1)
    rows, columns = first.shape
    of_size = _of_size(state, first.shape)
    candidates = {
        key: {"hash": key, "name": stack["name"]}
        for key, stack in state.stacks.items()
        if len(stack["planes"]) == file.pages and all(plane in of_size for plane in stack["planes"])
    }
    if not candidates:
        raise ValueError(
            f"It holds {file.pages} label images of {columns} × {rows} pixels, and this session has no stack of as "
            "many planes of that size: open the stack first, or bring the labels of one image."
        )
    stack_key = answers.images.get("0")
    if stack_key not in candidates:
        pixels: Counter[int] = Counter()
        for page in range(1, file.pages + 1):
            pixels.update(file.read(page, first.shape).pixels)
        text = f"The labels of {file.pages} planes of {columns} × {rows} pixels belong to"
        seen = replace(answers, current=state.images.get(answers.current, {}).get("stack", ""))
        brought.questions = {
            "places": [_place("0", text, name, candidates, seen)],
            "values": asked_values(dict(sorted(pixels.items())), name, state.classes),
            "planes": file.pages,
        }
        return brought
    meanings = Meanings(answers.values, (*state.classes, REGION), classes.add)
    corners = 0
    for page, plane in enumerate(state.stacks[stack_key]["planes"], 1):
        drawn = _outlined(file.read(page, first.shape), meanings, name)
        corners += sum(len(stroke.points) for stroke in drawn)
        check_corners(corners)
        brought.strokes[plane] = drawn
    brought.classes = classes.changed.values()
    return brought


def _outlined(labels: LabelImage, meanings: Meanings, name: str) -> list[Stroke]:
    """The strokes that label what a label image labels."""
    stem = "".join(one for one in PurePath(name).stem if one.isascii() and one.isalnum())[:24]
    return outline_strokes(meanings.raster(labels), f"{stem}-{labels.digest}-")


def _geojson(outlines: Sequence[Outline], name: str, state: SessionState, answers: Answers) -> Brought:
    brought, classes = Brought(name), Classes(state, answers.last_class_id)
    image_hash = answers.images.get("0", "")
    if len(state.images) == 1:
        (image_hash,) = state.images
    if image_hash not in state.images:
        text = f"{counted(len(outlines), 'object')} belong{'s' if len(outlines) == 1 else ''} to"
        brought.questions = {"places": [_place("0", text, name, state.images, answers)]}
        return brought
    image = state.images[image_hash]
    drawn: list[Stroke] = []
    for number, one in enumerate(outlines, start=1):
        stroke = Stroke(f"geojson-{number}", 1, one.kind, one.points, 1.0, one.starts)
        if stroke_bounds(stroke, (image["rows"], image["columns"])) is None:
            continue
        class_id = classes.find(one.class_name[:LONGEST_NAME], one.colour)
        drawn.append(Stroke(stroke.id, class_id, one.kind, one.points, 1.0, one.starts))
    if len(drawn) < len(outlines):
        beside = counted(len(outlines) - len(drawn), "object")
        brought.notes.append(f"{beside} of {len(outlines):,} lie beside “{image['name']}”, and were left out.")
    brought.strokes[image_hash], brought.classes = drawn, classes.changed.values()
    return brought


def _by_size(state: SessionState) -> dict[tuple[int, int], dict[str, Mapping[str, Any]]]:
    """The images by their rows and columns."""
    images: dict[tuple[int, int], dict[str, Mapping[str, Any]]] = {}
    for key, one in state.images.items():
        images.setdefault((one["rows"], one["columns"]), {})[key] = one
    return images


def _by_hash(
    images: Mapping[tuple[int, int], Mapping[str, Mapping[str, Any]]],
    hashes: Hashes,
    shape: tuple[int, int],
    page: int | None,
) -> dict[str, str]:
    """Which images of a size files name by which hash: those of their own, or of stacks the planes of a page."""
    some = (one for one, facts in images.get(shape, {}).items() if page_in_file(facts) == page)
    return {known_as: one for one in some for known_as in hashes(one)}


def _of_size(state: SessionState, shape: tuple[int, int]) -> dict[str, Mapping[str, Any]]:
    return _by_size(state).get(shape, {})


def _called(facts: Mapping[str, Any]) -> str:
    return f"{facts['name']}, plane {facts['page']}" if "stack" in facts else str(facts["name"])


def _place(
    key: str, text: str, name: str, candidates: Mapping[str, Mapping[str, Any]], answers: Answers
) -> dict[str, Any]:
    """A question for the image of a part of a file; the one whose name is most like it is proposed."""
    stem = PurePath(name).stem.casefold()

    def likeness(image_hash: str) -> tuple[int, bool]:
        own = PurePath(candidates[image_hash]["name"]).stem.casefold()
        return (len(own) if own and own in stem else 0, image_hash == answers.current)

    images = [{"hash": one, "name": _called(facts)} for one, facts in candidates.items()]
    return {"key": key, "text": text, "images": images, "chosen": max(candidates, key=likeness)}
