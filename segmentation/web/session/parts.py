"""Parts of a result, to be given to another class as a whole."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from segmentation.strokes.outlines import outline_strokes
from segmentation.strokes.stroke import Stroke
from segmentation.web.session.downloads import Downloads
from segmentation.web.session.scheduler import Scheduler
from segmentation.web.session.whole_results import until_gone

MOST_CORNERS = 50_000
"""Corners of the border of a part: its outline travels as text, and stays in the journal."""


class Parts:
    """Finds the parts of results, for all sessions.

    Args:
        downloads: segments whole images.
        scheduler: says whose turn it is to compute.
    """

    def __init__(self, downloads: Downloads, scheduler: Scheduler) -> None:
        self._downloads, self._scheduler = downloads, scheduler

    def outline(
        self,
        session_id: str,
        image_hash: str | None,
        row: int,
        column: int,
        has_gone: Callable[[], bool] = lambda: False,
    ) -> dict[str, Any]:
        """The connected part, with 8 neighbours, of its class that a pixel of a result lies in.

        Args:
            session_id: the session.
            image_hash: the image; None stands for the one that was opened last.
            row: of the pixel.
            column: of the pixel.
            has_gone: says whether nobody waits any more.

        Returns:
            ``kind`` and ``path`` of a stroke that labels just that part.

        Raises:
            NobodyWaitsError: if that is so.
            ValueError: with a sentence, if nothing is segmented, the pixel is beside the image or without a class, or
                the border of the part is too fine.
        """
        from skimage.segmentation import flood

        _, ids = self._downloads.segmented(session_id, image_hash, has_gone)
        rows, columns = ids.shape
        if not (0 <= row < rows and 0 <= column < columns):
            raise ValueError("That pixel lies beside the image.")
        if not ids[row, column]:
            raise ValueError("That pixel holds no data: it has no class.")
        with until_gone(partial(self._scheduler.whole_turn, session_id), has_gone)():
            part = flood(ids, (row, column), connectivity=2)
            pieces = outline_strokes(part.astype(np.uint8), "part")
        lengths = [len(piece.points) for piece in pieces]
        if sum(lengths) > MOST_CORNERS:
            raise ValueError(
                "The border of that part is too fine to be filled as a whole: paint it, or clean up first."
            )
        before = np.cumsum([0, *lengths])
        starts = [start + int(first) for piece, first in zip(pieces, before, strict=False) for start in piece.starts]
        points = np.concatenate([piece.points for piece in pieces])
        outline = Stroke("part", 1, "polygon", points, starts=tuple(starts)).to_json()
        return {key: outline[key] for key in ("kind", "path")}
