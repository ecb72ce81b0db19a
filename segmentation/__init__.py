"""Squiggle's library: from an image and a few strokes to a segmentation, a classifier, and more images.

Usable without the page::

    import segmentation as seg

    image = seg.read_image("cells.tif")
    labels = seg.rasterise(strokes, image.shape)
    classifier = seg.PixelClassifier(seg.FeatureSpec(), n_estimators=100, random_state=0)
    segmentation = classifier.fit(image, labels).predict(image)
    classifier.save("cells.squiggle")
"""

from segmentation.classes import LabelClass
from segmentation.classifier import NotFittedError, PixelClassifier, load_classifier
from segmentation.features import FeatureSpec, compute_features
from segmentation.images import Image, ImageError, image_from_pixels, read_image, read_stack
from segmentation.modelfile import ModelContents, ModelFileError, load_model, save_model
from segmentation.quality import Scores, score
from segmentation.series import SeriesReport, apply_series
from segmentation.strokes import Stroke, rasterise
from segmentation.training import ForestSettings
from segmentation.version import __version__

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
