"""Squiggle's library: from an image and a few strokes to a segmentation, a classifier, and more images.

Usable without the page::

    import segmentation as seg

    image = seg.read_image("cells.tif")
    labels = seg.rasterise(strokes, image.shape)
    classifier = seg.PixelClassifier(seg.FeatureSpec(), n_estimators=100, random_state=0)
    segmentation = classifier.fit(image, labels).predict(image)
    classifier.save("cells.squiggle")

The public names stand in ``__init__.pyi``; each is loaded when it is asked for, so that a process loads only what it
needs.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
