"""How the golden corpus was made: ``python -m tests.golden.make_golden NAME...``.

Every later version of Squiggle must give the expected segmentations from the classifier files here, to the last bit.
So nothing here is ever made anew; a new kind of classifier gets a new name, and this script refuses those that exist.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

import segmentation as seg
from segmentation.io.export import label_tiff

HERE = Path(__file__).parent
DATA = HERE.parent / "data"


def tissue() -> np.ndarray:
    """Stained tissue, 8-bit RGB."""
    return seg.read_image(DATA / "histology_purple.png").pixels[40:168, 60:200]


def nuclei() -> np.ndarray:
    """Fluorescent nuclei, 16-bit grey."""
    return seg.read_image(DATA / "nuclei_fluo_u16.tif").pixels


def waves() -> np.ndarray:
    """Waves under noise, float32, two channels, values below 0 too."""
    rows, columns = np.mgrid[:90, :110].astype(np.float32)
    noise = np.random.default_rng(7).normal(0, 0.4, (90, 110, 2)).astype(np.float32)
    return np.dstack([np.sin(columns / 5), np.sign(np.cos(rows / 9)) * columns / 50]) + noise


CASES: dict[str, tuple[Any, dict[str, Any], dict[str, Any], dict[int, tuple[slice, slice]]]] = {
    "tissue_defaults": (tissue, {}, {}, {1: np.s_[8:14, 10:50], 2: np.s_[60:66, 70:110]}),
    "nuclei_random_forest": (
        nuclei,
        {"intensity": False, "sigma_min": 1.0, "sigma_max": 8.0},
        {"kind": "random_forest", "n_estimators": 30, "max_depth": 8, "max_samples": 0.5, "random_state": 3},
        {2: np.s_[20:26, 20:60], 7: np.s_[90:96, 40:90]},
    ),
    "waves_second_channel": (
        waves,
        {"texture": False, "num_sigma": 3, "sigma_max": 5.5, "channels": (1,)},
        {"n_estimators": 200, "random_state": 2**32 - 1},
        {1: np.s_[3:8, 5:60], 2: np.s_[20:26, 60:100], 255: np.s_[50:56, 5:40]},
    ),
    "tissue_with_strokes_and_pixels": (tissue, {"sigma_max": 4.0}, {"n_estimators": 20}, {}),
    "bins_tissue_defaults": (tissue, {}, {}, {1: np.s_[8:14, 10:50], 2: np.s_[60:66, 70:110]}),
    "bins_nuclei_shallow": (
        nuclei,
        {"sigma_max": 4.0},
        {"max_depth": 3},
        {2: np.s_[20:50, 20:60], 7: np.s_[90:96, 40:90]},
    ),
    "bins_nuclei_random_forest": (
        nuclei,
        {"intensity": False, "sigma_min": 1.0, "sigma_max": 8.0},
        {"kind": "random_forest", "n_estimators": 30, "max_samples": 0.5, "random_state": 3},
        {2: np.s_[20:26, 20:60], 7: np.s_[90:96, 40:90]},
    ),
    "bins_waves_second_channel": (
        waves,
        {"texture": False, "num_sigma": 3, "sigma_max": 5.5, "channels": (1,)},
        {"n_estimators": 200, "random_state": 2**32 - 1},
        {1: np.s_[3:8, 5:60], 2: np.s_[20:26, 60:100], 255: np.s_[50:56, 5:40]},
    ),
    "bins_tissue_with_strokes_and_pixels": (tissue, {"sigma_max": 4.0}, {"n_estimators": 20}, {}),
    "bins_pointwise_tissue": (tissue, {}, {}, {1: np.s_[8:14, 10:50], 2: np.s_[60:66, 70:110]}),
    "bins_pointwise_waves": (
        waves,
        {"edges": False, "sigma_max": 5.5, "num_sigma": 3},
        {"n_estimators": 60},
        {1: np.s_[3:8, 5:60], 2: np.s_[20:26, 60:100], 255: np.s_[50:56, 5:40]},
    ),
}

DRAWN = (
    seg.Stroke("a", 1, "path", [[10, 11], [49.5, 12.25]], 5),
    seg.Stroke("b", 3, "polygon", [[70, 60], [110, 60], [100, 66]]),
    seg.Stroke("c", 1, "circle", [[20, 80], [30, 88]]),
)
STROKES = {name: DRAWN for name in CASES if name.endswith("tissue_with_strokes_and_pixels")}
"""What was drawn, where it travels along, and with it the training pixels."""


def make(name: str) -> None:
    """Makes an image, a classifier file and the expected segmentation, which are not to be changed any more."""
    picture, features, forest, labelled = CASES[name]
    paths = [HERE / f"{name}{ending}" for ending in ("_image.tif", ".squiggle", "_expected.tif")]
    if any(path.exists() for path in paths):
        sys.exit(f"{name} exists: what is golden stays as it is.")
    image = seg.image_from_pixels(picture())
    labels = np.zeros(image.shape, np.uint8)
    for class_id, place in labelled.items():
        labels[place] = class_id
    strokes = STROKES.get(name, ())
    labels = np.where(labels > 0, labels, seg.rasterise(strokes, image.shape))
    classifier = seg.PixelClassifier(seg.FeatureSpec(**features), **forest).fit(image, labels)
    photometric = "rgb" if image.channels == 3 else "minisblack"
    options = {"planarconfig": "contig"} if image.channels > 1 else {}
    tifffile.imwrite(paths[0], image.pixels, photometric=photometric, compression="zlib", metadata=None, **options)
    along = {"strokes": {image.hash: strokes}, "pixels": classifier.pixels_} if strokes else {}
    seg.save_model(paths[1], classifier.contents(**along))
    paths[2].write_bytes(label_tiff(classifier.predict(image), classifier.label_classes_))
    print(name, json.dumps(classifier.contents().versions))


if __name__ == "__main__":
    for given in sys.argv[1:]:
        make(given)
