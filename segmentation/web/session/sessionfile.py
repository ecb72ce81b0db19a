"""A session as one file: a zip of its journal and its files, written and read part by part.

``docs/sessionfile.md`` describes it. What comes in is a stranger's: every event is checked as if a page had sent it,
images are decoded and known by what is in them, and nothing is kept unless all of it is in order.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, Any

from segmentation._shared import checks
from segmentation._shared.archive import Archive, ArchiveError, ZipParts, json_bytes
from segmentation.io.limits import ImageError
from segmentation.model.modelfile import ModelFileError
from segmentation.strokes.classes import LabelClass, classes_from_json, classes_to_json
from segmentation.version import __version__
from segmentation.web.session.classifiers import MAX_CLASSIFIER_BYTES, ClassifierFile, ClassifierFiles
from segmentation.web.session.events import MAX_NAME_LENGTH, check_event, check_settings
from segmentation.web.session.images import Images
from segmentation.web.session.journals import Journals
from segmentation.web.session.large_images import is_large
from segmentation.web.store import NewImage, Store
from segmentation.web.store.classifiers import Classifiers

SUFFIX = ".squiggle-session"
FORMAT = "squiggle session"
VERSION = 1
MAX_FILE_BYTES = 2**31
"""Bytes of the largest file that is written or read; a zip archive without extensions ends at twice that."""

MAX_JOURNAL_BYTES = 64 * 2**20
MAX_EVENTS = 500_000
MAX_JOURNAL_VALUES = 3_000_000
MAX_DESCRIPTION_BYTES = 2**20
MAX_IMAGES = 2_000
MAX_CLASSIFIERS = 100

_WRONG_VERSION = "It was written by another version of Squiggle, which this one cannot read."


class SessionFileError(ValueError):
    """The file is not that of a session, or not in order; says why in a sentence."""


class SessionFiles:
    """Writes sessions to files, and makes sessions of them.

    Args:
        store: where sessions are kept.
        journals: of the sessions.
        images: check the images of a file.
        classifiers: check the classifiers of a file.
        max_image_bytes: that an image file may have.
    """

    def __init__(
        self, store: Store, journals: Journals, images: Images, classifiers: ClassifierFiles, *, max_image_bytes: int
    ) -> None:
        self._store = store
        self._journals = journals
        self._images = images
        self._classifiers = classifiers
        self._stored_classifiers = Classifiers(store)
        self._largest_members = {
            "session.json": MAX_DESCRIPTION_BYTES,
            "journal.jsonl": MAX_JOURNAL_BYTES,
            **{_image_member(n): max_image_bytes for n in range(1, MAX_IMAGES + 1)},
            **{_classifier_member(n): MAX_CLASSIFIER_BYTES for n in range(1, MAX_CLASSIFIERS + 1)},
        }

    def write(self, session_id: str) -> Iterator[bytes]:
        """The file of a session, in parts of which the largest holds one image.

        Raises:
            UnknownSessionError: if there is no such session.
            SessionFileError: with a sentence, if it is too large for one file.
        """
        journal = b"".join(
            json.dumps(event.body, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
            for event in self._store.events(session_id)
        )
        images = self._store.images(session_id)
        classifiers = self._stored_classifiers.of_session(session_id)
        if len(journal) > MAX_JOURNAL_BYTES or len(images) > MAX_IMAGES or len(classifiers) > MAX_CLASSIFIERS:
            raise SessionFileError("This session is too long to be exported as one file.")
        if (
            len(journal) + sum(image.size for image in images) + len(classifiers) * MAX_CLASSIFIER_BYTES
            > MAX_FILE_BYTES
        ):
            raise SessionFileError(
                f"This session has more than {MAX_FILE_BYTES / 2**30:.0f} GB: too much for one file."
            )
        files = {_image_member(n): image for n, image in enumerate(images, 1)}
        forests = {_classifier_member(n): one for n, one in enumerate(classifiers, 1)}
        description = {
            "format": FORMAT,
            "version": VERSION,
            "written_by": f"Squiggle {__version__}",
            "name": self._journals.state(session_id).name,
            "images": [{"file": member, "hash": one.hash, "name": one.name} for member, one in files.items()],
            "classifiers": [{"file": member, "hash": one.hash, "name": one.name} for member, one in forests.items()],
        }

        def parts() -> Iterator[bytes]:
            target = ZipParts()
            with zipfile.ZipFile(target, "w") as archive:
                for name, content in (("session.json", json_bytes(description)), ("journal.jsonl", journal)):
                    archive.writestr(_member(name), content, zipfile.ZIP_DEFLATED)
                yield target.next_part()
                for member, image in files.items():
                    archive.writestr(_member(member), self._store.image(session_id, image.hash)[1])
                    yield target.next_part()
                for member, classifier in forests.items():
                    archive.writestr(_member(member), self._stored_classifiers.content(session_id, classifier.hash))
                    yield target.next_part()
            yield target.next_part()

        return parts()

    def read(self, file: IO[bytes], begun: Callable[[str], None] = lambda session_id: None) -> Iterator[dict[str, Any]]:
        """Make a session of a file; all of it appears at once, or nothing.

        Args:
            file: what was brought.
            begun: called with the id of the session before anything is kept in it.

        Yields:
            ``{"done": images, "of": images}`` as it goes on, and ``{"session": id}`` at last.

        Raises:
            SessionFileError: with a sentence, if the file is not in order.
            StoreError: with a sentence, if there is no room for it.
        """
        try:
            yield from self._read(file, begun)
        except ArchiveError as problem:
            raise SessionFileError(f"That is not a whole session file. {problem}") from problem

    def _read(self, file: IO[bytes], begun: Callable[[str], None]) -> Iterator[dict[str, Any]]:
        archive = Archive(file, self._largest_members, MAX_FILE_BYTES)
        description = _description(archive)
        bodies = _events(archive.read("journal.jsonl"))
        images = description["images"]
        facts: dict[str, dict[str, Any]] = {}
        session_id = self._store.create_session(name=description["name"])
        whole = False
        try:
            begun(session_id)
            for done, one in enumerate(images):
                yield {"done": done, "of": len(images)}
                new, facts[one["hash"]] = self._image(archive, one)
                self._store.put_image(session_id, new.hash, new.name, new.content)
                if is_large(facts[one["hash"]]):
                    self._images.large.want_levels(session_id, new.hash)
            opened = dict[str, ClassifierFile]()
            for one in description["classifiers"]:
                opened[one["hash"]] = self._open_classifier(archive, session_id, one)
            self._store.append(session_id, _checked(bodies, facts, opened))
            whole = True
        finally:
            if not whole:
                self._store.delete_session(session_id)
        yield {"session": session_id}

    def _image(self, archive: Archive, listed: Mapping[str, str]) -> tuple[NewImage, dict[str, Any]]:
        """An image of the archive and its facts; it must be the one that it is said to be."""
        content = archive.read(listed["file"])
        name = listed["name"][:200]
        try:
            facts = self._images.check(content, name, listed["hash"])
        except ImageError as problem:
            raise SessionFileError(f"Its image {name!r} cannot be opened: {problem}") from problem
        if facts["hash"] != listed["hash"]:
            raise SessionFileError(f"Its image {name!r} is not the one that the strokes belong to.")
        return NewImage(facts["hash"], name, content), facts

    def _open_classifier(self, archive: Archive, session_id: str, listed: Mapping[str, str]) -> ClassifierFile:
        """Keep a classifier of the archive."""
        try:
            file = self._classifiers.open(session_id, listed["name"][:200], archive.read(listed["file"]))
        except ModelFileError as problem:
            raise SessionFileError(f"Its classifier {listed['name'][:60]!r} cannot be opened: {problem}") from problem
        if file.hash != listed["hash"]:
            raise SessionFileError(f"Its classifier {listed['name'][:60]!r} is not the one that was opened.")
        return file


def _member(name: str) -> zipfile.ZipInfo:
    """A member that says nothing of the time, so that the same session always gives the same bytes."""
    return zipfile.ZipInfo(name)


def _description(archive: Archive) -> Mapping[str, Any]:
    values = checks.parse_json(archive.read("session.json"), "Its description")
    if not isinstance(values, Mapping) or values.get("format") != FORMAT:
        raise SessionFileError("That is not a session file of Squiggle.")
    if values.get("version") != VERSION:
        raise SessionFileError(_WRONG_VERSION)
    keys = ("format", "version", "name", "images", "classifiers")
    checks.mapping(values, "Its description", keys, ("written_by",))
    name = values["name"]
    if not isinstance(name, str) or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        raise SessionFileError("Its name is not one line of text.")
    for kind, most, member in (
        ("images", MAX_IMAGES, _image_member),
        ("classifiers", MAX_CLASSIFIERS, _classifier_member),
    ):
        listed = checks.sequence(values[kind], f"Its list of {kind}", most)
        for number, one in enumerate(listed, 1):
            checks.mapping(one, f"Number {number} of its {kind}", ("file", "hash", "name"))
            if one["file"] != member(number) or not all(isinstance(one[key], str) for key in ("hash", "name")):
                raise SessionFileError(f"Number {number} of its {kind} is not described as it should be.")
    return values


def _events(journal: bytes) -> list[dict[str, Any]]:
    """The events of a journal, which is bounded as a whole before its first line is read."""
    if journal.count(b"\n") + journal.count(b"\r") > MAX_EVENTS:
        raise SessionFileError(f"Its journal has more than {MAX_EVENTS:,} events.")
    try:
        checks.refuse_many_values(journal, MAX_JOURNAL_VALUES)
    except ValueError as problem:
        raise SessionFileError(f"Its journal is too long: {problem}.") from None
    events = []
    for line in journal.splitlines():
        event = checks.parse_json(line, "A line of its journal")
        if not isinstance(event, dict) or not isinstance(event.get("type"), str):
            raise SessionFileError("A line of its journal is not an event.")
        events.append(event)
    return events


def _checked(
    bodies: Sequence[dict[str, Any]], images: Mapping[str, dict[str, Any]], opened: Mapping[str, ClassifierFile]
) -> list[dict[str, Any]]:
    """The events of a journal, each checked, with the facts of the files that they name."""
    if not bodies or bodies[0].get("type") != "session.start":
        raise SessionFileError("Its journal does not begin with the start of a session.")
    start = _start(bodies[0], images)
    return [start, *(_checked_event(body, images, opened) for body in bodies[1:])]


def _start(body: Mapping[str, Any], images: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    checks.mapping(body, "The start of its journal", ("id", "type", "image", "classes"), ("features", "forest"))
    classes: tuple[LabelClass, ...] = classes_from_json(body["classes"])
    if not classes:
        raise SessionFileError("It does not start with any class.")
    start = {
        "id": "start",
        "type": "session.start",
        "image": _facts(body["image"], images),
        "classes": classes_to_json(classes),
        **{part: body[part] for part in ("features", "forest") if part in body},
    }
    try:
        check_settings(start)
    except ValueError as problem:
        raise SessionFileError(f"The start of its journal makes no sense. {problem}") from problem
    return start


def _checked_event(
    body: dict[str, Any], images: Mapping[str, dict[str, Any]], opened: Mapping[str, ClassifierFile]
) -> dict[str, Any]:
    if body.get("type") == "image.open":
        body = {**body, "image": {**_facts(body.get("image"), images), "name": body["image"].get("name")}}
    if body.get("type") == "classifier.open":
        facts = body.get("classifier")
        content_hash = facts.get("hash") if isinstance(facts, Mapping) else None
        if not isinstance(content_hash, str) or content_hash not in opened:
            raise SessionFileError("Its journal names a classifier that it does not hold.")
        file = opened[content_hash]
        body = {**body, **file.event(_places(file, body.get("strokes")))}
    try:
        return check_event(body)
    except ValueError as problem:
        raise SessionFileError(f"An event of its journal makes no sense. {problem}") from problem


def _places(file: ClassifierFile, told: Any) -> dict[str, str]:
    """What the planes are known by on which strokes of a classifier were put when it was opened."""
    drawn, places = file.event({})["strokes"], dict[str, str]()
    others = [key for key in told if key not in drawn] if isinstance(told, Mapping) else []
    for image_hash in (one for one in drawn if others and one not in told):
        plane = next((key for key in others if told[key] == drawn[image_hash]), None)
        if plane is not None:
            places[image_hash] = plane
            others.remove(plane)
    return places


def _facts(claimed: Any, images: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The facts of an image that an event names, whatever the event says of it."""
    image_hash = claimed.get("hash") if isinstance(claimed, Mapping) else None
    if not isinstance(image_hash, str) or image_hash not in images:
        raise SessionFileError("Its journal names an image that it does not hold.")
    return images[image_hash]


def _image_member(number: int) -> str:
    return f"images/{number:04}"


def _classifier_member(number: int) -> str:
    return f"classifiers/{number:04}"
