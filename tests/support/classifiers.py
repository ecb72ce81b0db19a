"""Small classifiers, trained on made-up images."""

import io

import numpy as np

import segmentation as seg

SPEC = seg.FeatureSpec(texture=False, sigma_max=2)
CLASSES = (seg.LabelClass(2, "Pore", "#112233"), seg.LabelClass(7, "Grain", "#445566"))


def trained(pixels, **features):
    labels = np.zeros(pixels.shape[:2], np.uint8)
    labels[5:10, 10:40], labels[30:35, 10:40] = 1, 2
    return seg.PixelClassifier(seg.FeatureSpec(sigma_max=2, **features), n_estimators=5).fit(pixels, labels)


def strokes_on(image, name="t"):
    return (
        seg.Stroke(f"{name}1", 2, "path", [[5, 10], [30, 40]], 5),
        seg.Stroke(f"{name}2", 7, "path", [[60, 10], [80, 40]], 5),
    )


def made(image, *, strokes=False, pixels=False, **forest):
    """The file of a classifier trained on an image."""
    drawn = strokes_on(image)
    classifier = seg.PixelClassifier(SPEC, n_estimators=9, **forest).fit(image, seg.rasterise(drawn, image.shape))
    file = io.BytesIO()
    contents = classifier.contents(
        CLASSES,
        strokes={image.hash: drawn} if strokes else None,
        pixels=classifier.pixels_ if pixels else None,
    )
    seg.save_model(file, contents)
    return file.getvalue()
