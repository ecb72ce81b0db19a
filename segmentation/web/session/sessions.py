"""Sessions as a whole: what a list shows of them, names, copies, and their end."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from segmentation.web.session.events import MAX_NAME_LENGTH
from segmentation.web.session.workbench import Workbench

COPY = "Copy of "
UNTITLED = "Untitled session"


def listed(workbench: Workbench, session_ids: Sequence[str]) -> list[dict[str, Any]]:
    """What a list shows of sessions, those used last first; those that are gone are left out.

    Returns:
        For each ``id``, ``name``, ``used`` (seconds since 1970), ``images`` (the sample does not count where there are
        others), ``strokes`` (ever drawn), ``bytes``, ``thumbnail`` (the hash of the image that came last) and
        ``untouched`` (nothing was done in it yet).
    """
    sample = workbench.sample.image.hash
    entries = []
    for summary in sorted(workbench.store.summaries(session_ids), key=lambda one: -one.used):
        hashes = [image.hash for image in workbench.store.images(summary.id)]
        own = [image_hash for image_hash in hashes if image_hash != sample]
        entries.append(
            {
                "id": summary.id,
                "name": summary.name,
                "used": summary.used,
                "images": len(own) or len(hashes),
                "strokes": summary.strokes_drawn,
                "bytes": summary.size,
                "thumbnail": (own or hashes)[-1] if hashes else None,
                "untouched": not (own or summary.name or summary.strokes_drawn),
            }
        )
    return entries


def rename(workbench: Workbench, session_id: str, name: Any) -> None:
    """Give a session a name.

    Raises:
        UnknownSessionError: if there is no such session.
        ValueError: with a sentence, if it cannot be a name.
    """
    event = {"id": secrets.token_urlsafe(12), "type": "session.rename", "name": name}
    for refusal in workbench.record(session_id, [event]):
        raise ValueError(refusal["reason"])


def duplicate(workbench: Workbench, session_id: str) -> str:
    """A session of its own with everything that another one has; returns its id.

    Raises:
        UnknownSessionError: if there is no such session.
    """
    name = (COPY + (workbench.state(session_id).name or UNTITLED.lower()))[:MAX_NAME_LENGTH]
    copy_id = workbench.store.duplicate_session(session_id, name=name)
    rename(workbench, copy_id, name)
    return copy_id


def delete(workbench: Workbench, session_id: str) -> None:
    """Remove a session with its images, strokes and all, for everybody who has its link.

    Raises:
        UnknownSessionError: if there is no such session.
    """
    workbench.store.delete_session(session_id)
    workbench.forget(session_id)
