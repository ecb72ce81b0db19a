"""What a browser window asks for when it asks for a segmentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from segmentation.assessment.strokes import StrokeKey
from segmentation.live.layers import Layer
from segmentation.objects.steps import CleanUpStep


@dataclass(frozen=True)
class ScoresRequest:
    """A browser window's request for scores.

    Attributes:
        newest: the stroke that was drawn last of all, if it may be pointed at.
    """

    newest: StrokeKey | None = None


@dataclass(frozen=True)
class TileRequest:
    """A browser window's request for the segmentation of an image.

    Attributes:
        image_hash: the image; None asks for the one that was opened last.
        view: the part of it that is on screen: first row, row after the last, first column, column after the last.
        known: checksums of the tiles that the window has, by the tile's index as text.
        scores: whether it wants to know, once all is segmented, how good that is; None for no.
        clean_up: steps that are tried out; None takes those of the session.
        layer: what is to come along with the class ids; None for nothing.
    """

    image_hash: str | None
    view: tuple[int, int, int, int]
    known: Mapping[str, int]
    scores: ScoresRequest | None = None
    clean_up: tuple[CleanUpStep, ...] | None = None
    layer: Layer | None = None
