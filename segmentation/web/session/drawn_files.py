"""The files of what is drawn in a session: strokes, corrections, labels, and where images are worked on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation.io.export import label_tiff
from segmentation.model.weights import weights_to_json
from segmentation.strokes.classes import LabelClass
from segmentation.strokes.document import Drawing, drawings_to_json, strokes_to_json
from segmentation.strokes.raster import region_of
from segmentation.strokes.stroke import Stroke
from segmentation.web.session.images import Images
from segmentation.web.session.journals import Journals
from segmentation.web.session.labels import Labels
from segmentation.web.session.stacks import page_in_file
from segmentation.web.session.state import SessionState

INSIDE = LabelClass(255, "Only here", "#ffffff")
"""What a mask of where an image is worked on holds there."""


class DrawnFiles:
    """Makes the files, each from what is drawn now; None as the image stands for the one that was opened last.

    Args:
        journals: of the sessions.
        labels: of their images.
        images: of the sessions.
    """

    def __init__(self, journals: Journals, labels: Labels, images: Images) -> None:
        self._journals, self._labels, self._images = journals, labels, images

    def of_image(self, session_id: str, image_hash: str | None) -> dict[str, bytes]:
        """All files of what is drawn, by their names; those that would hold nothing are left out."""
        state, labels = self._labels.drawn(session_id, image_hash)
        made = {"labels.tif": self._labels_tiff(session_id, state, labels)} if labels.any() else {}
        makers = {
            "strokes.json": (self.strokes, any(state.drawn.values())),
            "region.tif": (self.region, state.outlines),
            "corrections.json": (self.corrections, self.is_corrected(session_id)),
        }
        return made | {name: make(session_id, image_hash) for name, (make, holds) in makers.items() if holds}

    def is_corrected(self, session_id: str) -> bool:
        """Whether any pixel of the results of a session is: what is painted may be erased again."""
        with self._journals.locked(session_id) as state:
            return bool(self._labels.corrected_pixels(session_id, state))

    def labels(self, session_id: str, image_hash: str | None) -> bytes:
        """The label image of an image's strokes, as a TIFF."""
        return self._labels_tiff(session_id, *self._labels.drawn(session_id, image_hash))

    def _labels_tiff(self, session_id: str, state: SessionState, labels: NDArray[np.uint8]) -> bytes:
        image = self._images.get(session_id, state.image["hash"]).with_pixel_size(state.pixel_size)
        return label_tiff(labels, state.classes.values(), like=image)

    def region(self, session_id: str, image_hash: str | None) -> bytes:
        """A mask of where an image is worked on, which looks like one everywhere: 255 inside, 0 outside.

        Raises:
            ValueError: with a sentence, if all of it is worked on.
        """
        state = self._journals.state(session_id).with_image(image_hash)
        image = self._images.get(session_id, state.image["hash"]).with_pixel_size(state.pixel_size)
        region = region_of(state.outlines, image.shape)
        if region is None:
            raise ValueError("Nothing of this image is outlined with “Only here”: all of it is worked on.")
        return label_tiff(region * np.uint8(INSIDE.id), [INSIDE], like=image)

    def strokes(self, session_id: str, image_hash: str | None) -> bytes:
        """The strokes on all images; where a single one has any, the document is that of one image."""
        state = self._journals.state(session_id).with_image(image_hash)
        settings: dict[str, object] = {"features": state.features.to_json(), "forest": state.forest.to_json()}
        if state.weights:
            settings["class_weights"] = weights_to_json(state.weights)
        if state.clean_up:
            settings["clean_up"] = [step.to_json() for step in state.clean_up]
        return self._strokes_json(session_id, state, state.drawn, settings)

    def corrections(self, session_id: str, image_hash: str | None) -> bytes:
        """The corrections of all images, as a document of strokes."""
        state = self._journals.state(session_id).with_image(image_hash)
        return self._strokes_json(session_id, state, state.corrections)

    def _strokes_json(
        self,
        session_id: str,
        state: SessionState,
        strokes: Mapping[str, tuple[Stroke, ...]],
        settings: Mapping[str, object] | None = None,
    ) -> bytes:
        """A document of strokes; where a single image has any, it is that of one image."""
        classes = tuple(state.classes.values())
        drawn = [one for one in state.images if strokes.get(one)] or [state.image["hash"]]
        drawings = [self._drawing(session_id, state.images[one], strokes.get(one, ())) for one in drawn]
        (first, *others) = drawings
        if others or first.page:
            document = drawings_to_json(drawings, classes, settings)
        else:
            document = strokes_to_json(first.strokes, classes, first.image_hash, first.image_shape, settings)
        return json.dumps(document, indent=1).encode()

    def _drawing(self, session_id: str, facts: Mapping[str, Any], strokes: tuple[Stroke, ...]) -> Drawing:
        """Strokes on an image; a plane is known by the hash of its pixels, whatever the file that it lies in."""
        page = page_in_file(facts)
        known = (self._images.pixel_hash(session_id, facts["hash"]) if page else "") or facts["hash"]
        return Drawing(known, (facts["rows"], facts["columns"]), strokes, facts["name"], facts["channels"], page)
