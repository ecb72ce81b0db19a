"""Squiggle's library: from an image and a few strokes to a segmentation, a classifier, and more images.

Usable without the page::

    import segmentation as seg

    image = seg.read_image("cells.tif")
    labels = seg.rasterise(strokes, image.shape)
    classifier = seg.PixelClassifier(seg.FeatureSpec(), n_estimators=100, random_state=0)
    segmentation = classifier.fit(image, labels).predict(image)
    classifier.save("cells.squiggle")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from segmentation.version import __version__

if TYPE_CHECKING:
    from segmentation.classes import LabelClass
    from segmentation.classifier import NotFittedError, PixelClassifier, load_classifier
    from segmentation.features import FeatureSpec, compute_features
    from segmentation.images import Image, ImageError, image_from_pixels, read_image, read_stack
    from segmentation.modelfile import ModelContents, ModelFileError, load_model, save_model
    from segmentation.quality import Scores, score
    from segmentation.series import SeriesReport, apply_series
    from segmentation.strokes import Stroke, rasterise
    from segmentation.training import ForestSettings

__all__ = [
    "FeatureSpec",
    "ForestSettings",
    "Image",
    "ImageError",
    "LabelClass",
    "ModelContents",
    "ModelFileError",
    "NotFittedError",
    "PixelClassifier",
    "Scores",
    "SeriesReport",
    "Stroke",
    "__version__",
    "apply_series",
    "compute_features",
    "image_from_pixels",
    "load_classifier",
    "load_model",
    "rasterise",
    "read_image",
    "read_stack",
    "save_model",
    "score",
]

_HOMES = {
    "FeatureSpec": "features",
    "ForestSettings": "training",
    "Image": "images",
    "ImageError": "images",
    "LabelClass": "classes",
    "ModelContents": "modelfile",
    "ModelFileError": "modelfile",
    "NotFittedError": "classifier",
    "PixelClassifier": "classifier",
    "Scores": "quality",
    "SeriesReport": "series",
    "Stroke": "strokes",
    "apply_series": "series",
    "compute_features": "features",
    "image_from_pixels": "images",
    "load_classifier": "classifier",
    "load_model": "modelfile",
    "rasterise": "strokes",
    "read_image": "images",
    "read_stack": "images",
    "save_model": "modelfile",
    "score": "quality",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for, so that a process which needs a part of this does not load all."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
