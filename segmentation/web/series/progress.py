"""How far the series of sessions are, as the page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from segmentation._shared.bounded_cache import BoundedCache
from segmentation.model.modelfile import load_model
from segmentation.strokes.classes import classes_to_json
from segmentation.web.store.records import SeriesItem
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
            ``id``, ``classes``, ``created`` (seconds since 1970), ``running``, ``images`` (their number), of these the
            number that are ``waiting``, ``working``, ``done`` and ``failed``, and ``seconds_left`` (None: not known).

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
            "classes": self._classes_of(session_id, series_id),
            "created": facts.created,
            "running": facts.running,
            "images": len(items),
            **counts,
            "seconds_left": _seconds_left(items, left) if facts.running and left else None,
        }

    def items(self, session_id: str, series_id: str) -> list[dict[str, Any]]:
        """The images of a series: ``number``, ``name``, ``state``, ``reason`` (why one failed), ``notes`` (why it may
        not be what was meant), ``pages`` (how many it has), ``pixels`` by class id as text, and ``trust``, the least of
        its pages (None: not known).

        Raises:
            UnknownSeriesError: if the session has no such series.
        """
        return [_described(item) for item in self._store.items(session_id, series_id)]

    def _classes_of(self, session_id: str, series_id: str) -> list[dict[str, Any]]:
        """The classes of a series' classifier, which never change."""
        classes = self._classes.get(series_id)
        if classes is None:
            classes = classes_to_json(load_model(self._store.classifier(session_id, series_id)).classes)
            self._classes.put(series_id, classes)
        return classes


def _seconds_left(items: Sequence[SeriesItem], left: int) -> float | None:
    """How long it still takes, going by the images that ended last."""
    ended = sorted(item.ended for item in items if item.ended)[-RATE_ITEMS:]
    if len(ended) < 2:
        return None
    return float(round(left * (ended[-1] - ended[0]) / (len(ended) - 1), 1))


def _described(item: SeriesItem) -> dict[str, Any]:
    pixels: dict[str, int] = {}
    for page in item.pages:
        for class_id, count in page["pixels"].items():
            pixels[class_id] = pixels.get(class_id, 0) + count
    return {
        "number": item.number,
        "name": item.name,
        "state": item.state,
        "reason": item.reason,
        "notes": list(dict.fromkeys(note for page in item.pages for note in page.get("notes", ()))),
        "pages": len(item.pages),
        "pixels": pixels,
        "trust": min((page["trust"]["trust"] for page in item.pages if page.get("trust")), default=None),
    }
