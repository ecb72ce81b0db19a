"""A classifier over a series of images: results as files, shares as a table, and what to do after an interruption.

Run it as it stands, or cell by cell in an editor that knows ``# %%``. It writes into the working directory.
"""

# %% Four images: quarters of the page's sample, as if they were four sections.
import csv
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage

import segmentation as seg
from segmentation.web.asset_files import FOLDER

whole = seg.read_image(FOLDER / "sample" / "colon_glands.png")
rows, columns = (length // 2 for length in whole.shape)
Path("sections").mkdir(exist_ok=True)
for number in range(4):
    top, left = number // 2 * rows, number % 2 * columns
    quarter = whole.pixels[top : top + rows, left : left + columns]
    PillowImage.fromarray(quarter).save(f"sections/section{number + 1}.png")

# %% A classifier, learnt on the whole image.
strokes = [
    {"class_id": 1, "kind": "path", "path": "M250,60L262,75L250,90", "width": 5},
    {"class_id": 2, "kind": "path", "path": "M60,250L75,262L90,250", "width": 5},
]
classifier = seg.PixelClassifier(seg.FeatureSpec(sigma_max=8)).fit(whole, seg.rasterise(strokes, whole.shape))

# %% Over all images: class ids as TIFF, the image with the classes painted over it, and a table of shares.
report = seg.apply_series(classifier, "sections/*.png", "segmented", overlay=True, table=True)
print(len(report.outputs), "segmented;", report.failed or "none failed")

# %% The table, as a spreadsheet would read it.
with open("segmented/shares.csv", newline="", encoding="utf-8") as file:
    for line in csv.DictReader(file):
        print(f"{line['image']}: {line['percent']} % of class {line['class_id']}")

# %% Again, as after an interruption: what is finished is not made again.
made = {path: path.stat().st_mtime_ns for path in Path("segmented").glob("*.tif")}
seg.apply_series(classifier, "sections/*.png", "segmented", overlay=True, table=True)
assert made == {path: path.stat().st_mtime_ns for path in Path("segmented").glob("*.tif")}

# %% What is in the files are the classifier's own classes.
first = seg.read_image("sections/section1.png")
assert np.array_equal(seg.read_image("segmented/section1.tif").pixels, classifier.predict(first))
