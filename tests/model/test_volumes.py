import numpy as np
import pytest

import segmentation as seg


def volume(planes=5, rows=40, columns=52, channels=1, seed=0):
    """Two materials, whose places change from plane to plane."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 90, (planes, rows, columns, channels)).astype(np.uint8)
    for z in range(planes):
        pixels[z, :, 15 + 3 * z :] += 70
    return pixels.squeeze()


def labels_on(planes, pixels):
    labels = np.zeros(pixels.shape[:3], np.uint8)
    for z in planes:
        labels[z, 3:30, 2:6], labels[z, 3:30, 44:50] = 1, 2
    return labels


SPECS = [
    seg.FeatureSpec(dimensions=3, sigma_max=2),
    seg.FeatureSpec(dimensions=3, sigma_max=4, plane_distance=4),
    seg.FeatureSpec(planes_around=1, sigma_max=2),
]


@pytest.fixture(params=SPECS, ids=["3-D", "anisotropic", "planes around"])
def classifier(request):
    pixels = volume()
    return seg.PixelClassifier(request.param, n_estimators=10).fit(pixels, labels_on([1, 3], pixels))


def test_a_volume_is_learnt_and_segmented(classifier):
    found = classifier.predict(volume(seed=1))
    assert found.shape == (5, 40, 52)
    assert (found[:, :, :12] == 1).mean() > 0.95
    assert (found[:, :, 40:] == 2).mean() > 0.95
    probabilities = classifier.predict_proba(volume(seed=1))
    assert np.allclose(probabilities.sum(axis=-1), 1)
    assert np.array_equal(classifier.classes_[probabilities.argmax(axis=-1)], found)


def test_the_reference_learns_and_finds_the_same(classifier):
    pixels = volume()
    slow = seg.PixelClassifier(classifier.spec, n_estimators=10, engine="reference")
    slow.fit(pixels, labels_on([1, 3], pixels))
    assert np.array_equal(slow.predict(pixels[:, :20]), classifier.predict(pixels[:, :20]))


def test_the_file_keeps_what_is_seen_of_planes(classifier, tmp_path):
    classifier.save(tmp_path / "volume.squiggle")
    loaded = seg.load_classifier(tmp_path / "volume.squiggle")
    assert loaded.spec == classifier.spec
    assert np.array_equal(loaded.predict(volume()), classifier.predict(volume()))


def test_the_result_does_not_depend_on_threads(classifier):
    classifier.threads = 1
    once = classifier.predict(volume(3, 300, 270))
    classifier.threads = 3
    assert np.array_equal(classifier.predict(volume(3, 300, 270)), once)


def test_several_volumes_are_learnt_from_together():
    several = [volume(seed=0), volume(3, seed=1)]
    classifier = seg.PixelClassifier(SPECS[0], n_estimators=5)
    classifier.fit(several, [labels_on([2], several[0]), labels_on([0, 1], several[1])])
    assert len(classifier.training_["images"]) == 3
    assert [image["page"] for image in classifier.training_["images"]] == [3, 1, 2]


def test_channels_and_colour_of_volumes():
    pixels = volume(4, channels=3)
    classifier = seg.PixelClassifier(seg.FeatureSpec(dimensions=3, sigma_max=2), n_estimators=5)
    classifier.fit(pixels, labels_on([1, 2], pixels))
    assert classifier.channels_ == 3
    assert (classifier.predict(pixels)[:, :, 44:] == 2).all()


def test_an_image_is_no_volume_and_a_volume_no_image(classifier):
    with pytest.raises(ValueError, match="several planes of a stack along z, but this is a single image"):
        classifier.predict(seg.image_from_pixels(volume()[0]))
    with pytest.raises(ValueError, match="A volume has planes, rows, columns"):
        classifier.predict(volume()[0])
    with pytest.raises(ValueError, match="several planes of a stack along z, but this is a single image"):
        classifier.predict(volume()[:1])
    pixels = volume()[0]
    flat = seg.PixelClassifier(seg.FeatureSpec(sigma_max=2), n_estimators=5).fit(pixels, labels_on([0], volume())[0])
    with pytest.raises(ValueError, match="4 dimensions"):
        flat.predict(volume(channels=2))


def test_labels_that_do_not_fit_a_volume_are_refused():
    pixels = volume()
    with pytest.raises(ValueError, match="there are 5 planes, and labels of the shape"):
        seg.PixelClassifier(SPECS[0]).fit(pixels, labels_on([0], pixels)[:3])


def test_importance_counts_all_features(classifier):
    shares = seg.feature_importance(classifier)
    assert len(shares) == classifier.spec.count(1)
