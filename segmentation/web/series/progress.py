"""How far the series of sessions are, as the page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from segmentation._shared.bounded_cache import BoundedCache
from segmentation.io.stacks import image_in_words
from segmentation.model.modelfile import load_model
from segmentation.strokes.classes import classes_to_json
from segmentation.web.series.changed import CORRECTED, MEASURED, OUTLINED
from segmentation.web.store.records import SeriesFacts, SeriesItem
from segmentation.web.store.series import SeriesStore

MAX_CACHED_SERIES = 1_000
RATE_ITEMS = 20
"""Images, the latest, from which the time left is estimated."""


class SeriesProgress:
    """Describes series.

    Args:
        store: where they are.
    """

    def __init__(self, store: SeriesStore) -> None:
        self._store = store
        self._classes: BoundedCache[str, list[dict[str, Any]]] = BoundedCache(MAX_CACHED_SERIES)

    def summaries(self, session_id: str) -> list[dict[str, Any]]:
        """All series of a session, the latest first, each as :meth:`summary` has it."""
        return [self.summary(session_id, one.id) for one in self._store.of_session(session_id)]

    def summary(self, session_id: str, series_id: str) -> dict[str, Any]:
        """A series as a whole.

        Returns:
            ``id``, ``classes``, ``classifier`` (as ``made_by`` of its items), ``created`` (seconds since 1970),
            ``running``, ``images`` (their number), of these the number that are ``waiting``, ``working``, ``done`` and
            ``failed``, ``under_way``, the sum of the parts that are done of those that are read part by part,
            ``latest``, when the last of them ended, and ``seconds_left`` (None: not known).

        Raises:
            UnknownSeriesError: if the session has no such series.
        """
        facts = self._store.facts(session_id, series_id)
        items = self._store.items(session_id, series_id)
        counts = dict.fromkeys(("waiting", "working", "done", "failed"), 0)
        for item in items:
            counts[item.state] += 1
        left = counts["waiting"] + counts["working"]
        return {
            "id": facts.id,
            "classes": self._classes_of(session_id, facts),
            "classifier": facts.classifier,
            "created": facts.created,
            "running": facts.running,
            "images": len(items),
            **counts,
            "under_way": sum(item.part for item in items if item.state in ("waiting", "working")),
            "latest": max((item.ended for item in items), default=0.0),
            "seconds_left": _seconds_left(items, left) if facts.running and left else None,
        }

    def items(self, session_id: str, series_id: str) -> list[dict[str, Any]]:
        """The files of a series: ``number``, ``name``, ``state``, ``reason`` (why one failed), ``notes`` (why it may
        not be what was meant), ``made_by`` (which classifier its results come from) and its ``images``, each with
        ``page``, ``called``, what it is called, as in reports,
        ``pixels`` and ``margins`` of the shares by class id as text, ``trust`` (None: not known),
        ``objects``, as :func:`~segmentation.series.objects.describe_objects` tells of them (None: there are too many),
        ``channels``, the names that the file has for them, ``hashes``, by which sessions know it, ``corrected``,
        digits of what was painted into its result, ``outlined``, digits of the outlines that it was worked on within,
        and ``measured``, the size of its pixels as it was typed in the session (empty for nothing).
        ``picture`` tells small pictures apart; ``left_out`` says why others of its images failed. A file
        that is done again has its former results until then.

        Raises:
            UnknownSeriesError: if the session has no such series.
        """
        return [_described(item) for item in self._store.items(session_id, series_id)]

    def _classes_of(self, session_id: str, facts: SeriesFacts) -> list[dict[str, Any]]:
        """The classes of a series' classifier."""
        classes = self._classes.get(facts.classifier)
        if classes is None:
            classes = classes_to_json(load_model(self._store.classifier(session_id, facts.id)).classes)
            self._classes.put(facts.classifier, classes)
        return classes


def _seconds_left(items: Sequence[SeriesItem], left: int) -> float | None:
    """How long it still takes, going by the images that ended last."""
    ended = sorted(item.ended for item in items if item.ended)[-RATE_ITEMS:]
    if len(ended) < 2:
        return None
    return float(round(left * (ended[-1] - ended[0]) / (len(ended) - 1), 1))


def _described(item: SeriesItem) -> dict[str, Any]:
    done = item.pages if item.result_is_there else []
    return {
        "number": item.number,
        "name": item.name,
        "state": item.state,
        "reason": item.reason,
        "notes": list(dict.fromkeys(note for page in done for note in page.get("notes", ()))),
        "images": [
            _described_image(item.name, number, len(done), page)
            for number, page in enumerate(done, start=1)
            if not page["reason"]
        ],
        "left_out": [page["reason"] for page in done if page["reason"]],
        "made_by": item.made_by,
        "picture": item.picture,
    }


def _described_image(name: str, number: int, pages: int, page: dict[str, Any]) -> dict[str, Any]:
    trust = page.get("trust") or {}
    return {
        "page": number,
        "called": image_in_words(name, number, pages, page.get("place") or {}),
        "pixels": page["pixels"],
        "margins": trust.get("margins", {}),
        "trust": trust.get("trust"),
        "objects": _in_squares(page.get("objects")),
        "channels": page.get("channel_names", ()),
        "hashes": page.get("hashes", ()),
        **{name: page.get(name, "") for name in (CORRECTED, OUTLINED, MEASURED)},
    }


def _in_squares(objects: dict[str, Any] | None) -> dict[str, Any] | None:
    """What is told of objects; versions before called the square of a pixel a pixel."""
    return {**objects, "unit": "px²"} if objects and objects["unit"] == "px" else objects
