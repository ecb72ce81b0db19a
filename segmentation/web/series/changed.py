"""What people painted into results of a session, outlined and typed of its images, as a series counts it: what it
changes.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from segmentation.io.pixel_size import PixelSize
from segmentation.series.drawn import drawn_on
from segmentation.strokes.document import corrections_of, strokes_from_json
from segmentation.strokes.stroke import Stroke
from segmentation.web.store.files import content_hash
from segmentation.web.store.records import SeriesItem

CORRECTED, OUTLINED, MEASURED = "corrected", "outlined", "measured"
"""What the record of an image calls the digits of what was painted on it, those of the outlines that it is worked on
within, and the size of its pixels that was typed.
"""

Known = Mapping[str, Mapping[str, str]]
"""What was painted, outlined and typed, by the names above and by the hash of the image."""


def painted_key(document: bytes, class_ids: Collection[int]) -> dict[str, Any]:
    """What the key of a job holds of a file of corrections; of an empty one nothing.

    Raises:
        ValueError: if something is painted in a class that the classifier does not have.
    """
    return drawn_on((), [strokes_from_json(document)], class_ids) if document else {}


def known_of(document: bytes, outlines: Mapping[str, Sequence[Stroke]], sizes: Mapping[str, PixelSize]) -> Known:
    """What was painted on each image and outlined, told apart by digits, and the size of its pixels that was typed.

    Args:
        document: the file of corrections, empty if there are none.
        outlines: of where images are worked on, by the hash of the image.
        sizes: that were typed, in the same way.
    """
    painted = corrections_of([strokes_from_json(document)]) if document else {}
    return {
        CORRECTED: {one: _digits(strokes) for one, strokes in painted.items()},
        OUTLINED: {one: _digits(stroke.to_json() for stroke in drawn) for one, drawn in outlines.items()},
        MEASURED: {one: json.dumps(size.to_json(), sort_keys=True) for one, size in sizes.items()},
    }


def _digits(strokes: Iterable[Mapping[str, Any]]) -> str:
    return content_hash(json.dumps(list(strokes), sort_keys=True).encode())


def known_on(hashes: Collection[str], known: Known) -> dict[str, str]:
    """What the record of an image with these hashes holds of it; empty texts for nothing."""
    return {name: "".join(by_image.get(one, "") for one in hashes) for name, by_image in known.items()}


def changed(items: Collection[SeriesItem], known: Known) -> list[int]:
    """The numbers of the files with an image on which something else is painted or outlined now, or of which another
    size is typed.

    Args:
        items: of a series; what is being worked on may have any result, and is among them.
        known: as of now.
    """
    return [one.number for one in items if one.state == "working" or any(_changed(page, known) for page in one.pages)]


def _changed(page: Mapping[str, Any], known: Known) -> bool:
    now = known_on(page.get("hashes", ()), known)
    return any(page.get(name, "") != digits for name, digits in now.items())
