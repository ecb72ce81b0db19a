"""Images of any size with strokes that a careful person would draw on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.scribbles import Annotator
from segmentation.features.spec import FeatureSpec
from segmentation.strokes.stroke import Stroke

DATA = Path(__file__).resolve().parent / "data"
SAME_KINDS = FeatureSpec(differences=False, colour=False)
"""The features that scikit-image has too: 72 of an RGB image, 24 of a grey one."""


def mirrored(side: int) -> tuple[np.ndarray, np.ndarray]:
    """A colour image of ``side`` x ``side`` pixels with its mask, mirrored from the manuscript of the test data."""
    pixels = np.asarray(Image.open(DATA / "images" / "document_2john.png").convert("RGB"))
    mask = np.asarray(Image.open(DATA / "masks" / "document_2john.png"))
    rows, columns = (-(-side // size) for size in mask.shape)
    wide = [np.concatenate([[a, a[:, ::-1]][i % 2] for i in range(columns)], axis=1) for a in (pixels, mask)]
    tall = [np.concatenate([[a, a[::-1]][i % 2] for i in range(rows)], axis=0) for a in wide]
    return tall[0][:side, :side].copy(), tall[1][:side, :side].copy()


def careful_strokes(mask: np.ndarray, count: int) -> list[Stroke]:
    """Strokes of a simulated annotator, the classes in turn."""
    return Annotator(mask).draw(count, seed=0)
