"""From two squiggles to a segmentation: what the page does, in a notebook's cells.

Run it as it stands, or cell by cell in an editor that knows ``# %%``. It writes into the working directory.
"""

# %% An image: the page's own sample, a section of colon; any PNG, JPEG, TIFF, BMP or WebP will do.
import numpy as np
from PIL import Image as PillowImage

import segmentation as seg
from segmentation.web.asset_files import FOLDER

image = seg.read_image(FOLDER / "sample" / "colon_glands.png")
print(f"{image.shape[0]} x {image.shape[1]} pixels, {image.channels} channels, {image.pixels.dtype}")

# %% Two squiggles, in pixels of the image: one on a gland, one on the tissue between glands.
classes = [seg.LabelClass(1, "Gland", "#e69f00"), seg.LabelClass(2, "Other tissue", "#0072b2")]
strokes = [
    {"class_id": 1, "kind": "path", "path": "M250,60L262,75L250,90", "width": 5},
    {"class_id": 2, "kind": "path", "path": "M60,250L75,262L90,250", "width": 5},
]
labels = seg.rasterise(strokes, image.shape)
print({one.name: np.count_nonzero(labels == one.id) for one in classes}, "labelled pixels")

# %% Learn from them, and segment the whole image.
classifier = seg.PixelClassifier(seg.FeatureSpec(sigma_max=8)).fit(image, labels)
segmentation = classifier.predict(image)  # (rows, columns), uint8 class ids
for one in classes:
    print(f"{one.name}: {(segmentation == one.id).mean():.1%} of the image")

# %% Where is it least sure? There a further squiggle teaches most.
probabilities = classifier.predict_proba(image)  # (rows, columns, classes), float32
row, column = np.unravel_index(np.abs(probabilities[..., 0] - 0.5).argmin(), image.shape)
print(f"Draw next at row {row}, column {column}: {probabilities[row, column, 0]:.0%} {classes[0].name}.")

# %% What stays: the classifier, for the rest of the series, and a picture.
classifier.save("glands.squiggle", classes=classes)
PillowImage.fromarray(np.where(segmentation == 1, 255, 0).astype(np.uint8)).save("glands.png")
assert np.array_equal(seg.load_classifier("glands.squiggle").predict(image), segmentation)
