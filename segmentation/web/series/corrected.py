"""What people painted into results of a session, as a series counts it: which images it changes."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from segmentation.series.drawn import drawn_on
from segmentation.strokes.document import corrections_of, strokes_from_json
from segmentation.web.store.files import content_hash
from segmentation.web.store.records import SeriesItem


def painted_key(document: bytes, class_ids: Collection[int]) -> dict[str, Any]:
    """What the key of a job holds of a file of corrections; of an empty one nothing.

    Raises:
        ValueError: if something is painted in a class that the classifier does not have.
    """
    return drawn_on((), [strokes_from_json(document)], class_ids) if document else {}


def digests(document: bytes) -> dict[str, str]:
    """What was painted on each image, told apart by digits, by the hash of the image; of an empty file nothing."""
    painted = corrections_of([strokes_from_json(document)]) if document else {}
    return {one: content_hash(json.dumps(strokes, sort_keys=True).encode()) for one, strokes in painted.items()}


def digest_of(hashes: Collection[str], known: Mapping[str, str]) -> str:
    """The digits of what was painted on an image with these hashes; empty for nothing."""
    return "".join(known.get(one, "") for one in hashes)


def painted_anew(items: Collection[SeriesItem], document: bytes) -> list[int]:
    """The numbers of the files with an image on which something else is painted now than in their results.

    Args:
        items: of a series; what is being worked on may have any result, and is among them.
        document: the file of corrections of now.
    """
    known = digests(document)
    return [one.number for one in items if one.state == "working" or any(_changed(page, known) for page in one.pages)]


def _changed(page: Mapping[str, Any], known: Mapping[str, str]) -> bool:
    return page.get("corrected", "") != digest_of(page.get("hashes", ()), known)
