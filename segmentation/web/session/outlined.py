"""Where images of sessions are worked on, for those who know an image by its pixels: the series of the same session."""

from __future__ import annotations

from collections.abc import Sequence

from segmentation.strokes.classes import REGION
from segmentation.strokes.stroke import Stroke
from segmentation.web.session.images import Images
from segmentation.web.session.journals import Journals
from segmentation.web.session.stacks import page_in_file


class Outlines:
    """The outlines of “Only here” of all sessions.

    Args:
        journals: of the sessions.
        images: of the sessions.
    """

    def __init__(self, journals: Journals, images: Images) -> None:
        self._journals, self._images = journals, images

    def __call__(self, session_id: str) -> dict[str, Sequence[Stroke]]:
        """The outlines on each image of a session that has any, by the hash of its pixels.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        state, found = self._journals.state(session_id), dict[str, Sequence[Stroke]]()
        for one, drawn in state.drawn.items():
            outlines = [stroke for stroke in drawn if stroke.class_id == REGION]
            if outlines:
                known = self._images.pixel_hash(session_id, one) if page_in_file(state.images[one]) else one
                found[known] = outlines
        return found
