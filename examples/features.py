"""What the forest sees of a pixel: the features, which are scikit-image's, and a forest that is scikit-learn's.

Run it as it stands, or cell by cell in an editor that knows ``# %%``. Needs scikit-image, to compare with.
"""

# %% A part of the page's sample image.
import time

import numpy as np
from skimage.feature import multiscale_basic_features

import segmentation as seg
from segmentation.web.asset_files import FOLDER

image = seg.image_from_pixels(seg.read_image(FOLDER / "sample" / "colon_glands.png").pixels[:200, :300])
spec = seg.FeatureSpec(sigma_max=4, differences=False, colour=False)  # the kinds that scikit-image has

# %% Names and values of its features: float32, one plane each.
features = seg.compute_features(image.pixels, spec)
names = spec.names(image.channels)
print(features.shape, "features, such as", ", ".join(names[:4]))
for name, value in list(zip(names, features[100, 150], strict=True))[:8]:
    print(f"{name:>40} {value:+.4f}")

# %% Those of scikit-image, in the same order, and equal to the last bit.
begun = time.perf_counter()
theirs = multiscale_basic_features(image.pixels, sigma_min=spec.sigma_min, sigma_max=spec.sigma_max, channel_axis=-1)
between = time.perf_counter()
seg.compute_features(image.pixels, spec)
ended = time.perf_counter()
print(f"scikit-image {between - begun:.3f} s, here {ended - between:.3f} s")
assert np.array_equal(features, theirs)

# %% A classifier's forest, as a RandomForestClassifier, says the same of the features.
labels = np.zeros(image.shape, np.uint8)
labels[60:90, 240:262], labels[150:170, 20:60] = 1, 2
classifier = seg.PixelClassifier(spec, n_estimators=20).fit(image, labels)
forest = classifier.to_sklearn()
rows = features.reshape(-1, features.shape[-1])
assert np.array_equal(forest.predict(rows).reshape(image.shape), classifier.predict(image))

# %% Which features its trees compare most.
compared = np.concatenate([tree.tree_.feature for tree in forest.estimators_])
times = np.bincount(compared[compared >= 0], minlength=len(names))
for number in np.argsort(times)[::-1][:5]:
    print(f"{times[number]:>4} times  {names[number]}")
