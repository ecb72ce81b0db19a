"""Sessions as a whole: begun, listed, named, copied, and deleted."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from segmentation._shared.bounded_cache import BoundedCache
from segmentation.features.spec import FeatureSpec
from segmentation.forest.settings import ForestSettings
from segmentation.strokes.classes import DEFAULT_COLOURS
from segmentation.web.session.events import MAX_NAME_LENGTH
from segmentation.web.session.image_facts import describe_image
from segmentation.web.session.journal_fold import count
from segmentation.web.session.journals import Journals
from segmentation.web.session.sample import Sample
from segmentation.web.store import NewImage, SessionSummary, Store, UnknownSessionError
from segmentation.web.store.links import Links, is_looking_id

COPY = "Copy of "
MAX_COUNTED = 20_000
"""Sessions, and images in them, whose counts are remembered."""

UNTITLED = "Untitled session"


class Sessions:
    """All sessions of a store.

    Args:
        store: where they are kept.
        journals: of the sessions.
        sample: what a new session opens on.
        links: of the sessions.
    """

    def __init__(self, store: Store, journals: Journals, sample: Sample, links: Links) -> None:
        self._store = store
        self._journals = journals
        self._sample = sample
        self._links = links
        self._counts: BoundedCache[tuple[str, int], tuple[tuple[str, ...], int]] = BoundedCache(
            MAX_COUNTED, lambda counts: 1 + len(counts[0])
        )

    @property
    def begin_bytes(self) -> int:
        """Of the file that a new session has."""
        return len(self._sample.content)

    def begin(self) -> str:
        """Begin a session on the sample image with its classes; returns its id."""
        image, name = self._sample.image, self._sample.name
        colours = list(DEFAULT_COLOURS)
        start = {
            "id": "start",
            "type": "session.start",
            "image": describe_image(image, name),
            "classes": [
                {"id": number, "name": class_name, "colour": colours[number - 1]}
                for number, class_name in enumerate(self._sample.classes, start=1)
            ],
            "features": FeatureSpec().to_json(),
            "forest": ForestSettings().to_json(),
        }
        return self._store.create_session([start], images=[NewImage(image.hash, name, self._sample.content)])

    def listed(self, link_ids: Sequence[str]) -> list[dict[str, Any]]:
        """What a list shows of sessions, those used last first; those that are gone are left out.

        Args:
            link_ids: ids in their links, of either kind; of a session whose two links are there the one that lets
                look is left out.

        Returns:
            For each ``id`` (that in the link), ``looking`` (whether that only lets look), ``name``, ``used`` (seconds
            since 1970), ``images`` and ``strokes`` (that are there now; the sample does not count where there are
            others), ``bytes``, ``thumbnail`` (the hash of the image that came last) and ``untouched`` (nothing was
            done in it yet).
        """
        sample = self._sample.image.hash
        links: dict[str, str] = {}
        for link, session_id in self._links.sessions_behind(link_ids).items():
            if session_id not in links or is_looking_id(links[session_id]):
                links[session_id] = link
        entries = []
        for summary in sorted(self._store.summaries(list(links)), key=lambda one: -one.used):
            try:
                hashes, strokes = self._counted(summary)
            except UnknownSessionError:  # deleted just now
                continue
            own = [image_hash for image_hash in hashes if image_hash != sample]
            entries.append(
                {
                    "id": links[summary.id],
                    "looking": is_looking_id(links[summary.id]),
                    "name": summary.name,
                    "used": summary.used,
                    "images": len(own) or len(hashes),
                    "strokes": strokes,
                    "bytes": summary.size,
                    "thumbnail": (own or hashes)[-1] if hashes else None,
                    "untouched": not (own or summary.name or summary.strokes_drawn),
                }
            )
        return entries

    def _counted(self, summary: SessionSummary) -> tuple[tuple[str, ...], int]:
        key = (summary.id, summary.number)
        counts = self._counts.get(key)
        if counts is None:
            counts = count(event.body for event in self._store.events(summary.id, use=False))
            self._counts.put(key, counts)
        return counts

    def title(self, session_id: str) -> str:
        """The name of a session, or words for one that was not given any.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        return self._journals.state(session_id).name or UNTITLED.lower()

    def rename(self, session_id: str, name: Any) -> None:
        """Give a session a name.

        Raises:
            UnknownSessionError: if there is no such session.
            ValueError: with a sentence, if it cannot be a name.
        """
        event = {"id": secrets.token_urlsafe(12), "type": "session.rename", "name": name}
        _, refused = self._journals.record(session_id, [event], after=None)
        if refused:
            raise ValueError(refused[0]["reason"])

    def duplicate(self, session_id: str) -> str:
        """A session of its own with everything that another one has; returns its id.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        name = (COPY + self.title(session_id))[:MAX_NAME_LENGTH]
        copy_id = self._store.duplicate_session(session_id, name=name)
        self.rename(copy_id, name)
        return copy_id

    def delete(self, session_id: str) -> None:
        """Remove a session with its images, strokes and all, for everybody who has its link.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        self._store.delete_session(session_id)
        self._journals.forget(session_id)
