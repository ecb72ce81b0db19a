"""What sessions say of their images, for those who know an image by its pixels, or a stack by the digits of its file:
the series of the same session.
"""

from __future__ import annotations

from collections.abc import Sequence

from segmentation.io.pixel_size import PixelSize
from segmentation.strokes.classes import REGION
from segmentation.strokes.stroke import Stroke
from segmentation.web.session.images import Images
from segmentation.web.session.journals import Journals
from segmentation.web.session.stacks import page_in_file
from segmentation.web.session.state import SessionState


class KnownImages:
    """Where images of sessions are worked on, and how large their pixels are, by the hashes of these.

    Args:
        journals: of the sessions.
        images: of the sessions.
    """

    def __init__(self, journals: Journals, images: Images) -> None:
        self._journals, self._images = journals, images

    def outlines(self, session_id: str) -> dict[str, Sequence[Stroke]]:
        """The outlines of “Only here” on each image of a session that has any.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        state, found = self._journals.state(session_id), dict[str, Sequence[Stroke]]()
        for one, drawn in state.drawn.items():
            outlines = [stroke for stroke in drawn if stroke.class_id == REGION]
            if outlines:
                found[self._known_as(session_id, state, one)] = outlines
        return found

    def pixel_sizes(self, session_id: str) -> dict[str, PixelSize]:
        """The sizes of pixels that people have typed; that of a stack by its key, so that no plane is decoded for it.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        state, sizes = self._journals.state(session_id), dict[str, PixelSize]()
        for one, size in state.measured.items():
            image = state.images[one]
            known_as = image["stack"] if page_in_file(image) else one
            if known_as not in sizes:
                sizes[known_as] = PixelSize.from_json(size)
        return sizes

    def _known_as(self, session_id: str, state: SessionState, image_hash: str) -> str:
        """What a file with this image knows it by; a plane of a stack has a hash of its own in the session."""
        plane = page_in_file(state.images[image_hash])
        return self._images.pixel_hash(session_id, image_hash) if plane else image_hash
