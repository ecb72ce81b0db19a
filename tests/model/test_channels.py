"""Channels: taken by their names, and which kinds of features are looked at in each."""

import io
import json

import numpy as np
import pytest
import tifffile
import zarr

import segmentation as seg
from segmentation.__main__ import main
from segmentation.assessment.leaving_out import importance_table
from segmentation.features.spec import KINDS
from segmentation.model.channels import channels_note
from segmentation.model.modelfile import ModelFileError
from tests.support.modelfiles import with_facts

NAMES = ("DAPI", "GFP", "Cy5")
RANDOM = np.random.default_rng(3)
PIXELS = RANDOM.integers(100, 3000, (40, 60, 4)).astype(np.uint16)
PIXELS[:, 30:, 0] += 3000
LABELS = np.zeros((40, 60), np.uint8)
LABELS[5:9, 5:25], LABELS[5:9, 35:55] = 1, 2


def image_of(*channels):
    """An image of some of the channels, which are called by their names; "extra" is the fourth."""
    order = [(*NAMES, "extra").index(name) for name in channels]
    return seg.image_from_pixels(PIXELS[..., order], {"channel_names": list(channels)})


def file_of(folder, name, *channels):
    pixels = np.moveaxis(image_of(*channels).stacked, -1, 0)
    with tifffile.TiffWriter(folder / name, ome=True) as writer:
        writer.write(pixels, photometric="minisblack", metadata={"axes": "CYX", "Channel": {"Name": list(channels)}})
    return folder / name


@pytest.fixture(scope="module")
def classifier():
    return seg.PixelClassifier(seg.FeatureSpec(sigma_max=2), n_estimators=20).fit(image_of(*NAMES), LABELS)


@pytest.mark.parametrize("channels", [("Cy5", "DAPI", "GFP"), ("extra", "GFP", "Cy5", "DAPI")])
def test_channels_in_another_order_and_further_ones_are_taken_by_name(classifier, channels):
    image = image_of(*channels)
    np.testing.assert_array_equal(classifier.predict(image), classifier.predict(image_of(*NAMES)))
    np.testing.assert_array_equal(classifier.predict_proba(image), classifier.predict_proba(image_of(*NAMES)))
    (note,) = classifier.value_notes(image)
    assert f"“DAPI” (number {channels.index('DAPI') + 1})" in note
    assert classifier.value_notes(image_of(*NAMES)) == []


def test_names_travel_in_the_file(classifier):
    file = io.BytesIO()
    classifier.save(file)
    opened = seg.load_classifier(file.getvalue())
    image = image_of("GFP", "DAPI", "extra", "Cy5")
    np.testing.assert_array_equal(opened.predict(image), classifier.predict(image))


def test_where_names_are_missing_or_others_the_number_must_fit(classifier):
    with pytest.raises(ValueError, match="channels that this image does not have: “Cy5”"):
        classifier.predict(image_of("DAPI", "GFP"))
    with pytest.raises(ValueError, match="trained on images with 3 channels, but this one has 4"):
        classifier.predict(PIXELS)
    unnamed = classifier.predict(image_of(*NAMES).pixels)
    np.testing.assert_array_equal(unnamed, classifier.predict(image_of(*NAMES)))
    twice = seg.image_from_pixels(PIXELS[..., :3], {"channel_names": ["GFP", "GFP", "DAPI"]})
    assert channels_note(twice, classifier.training_) is None
    np.testing.assert_array_equal(classifier.predict(twice), unnamed)


def nameless(classifier, **facts):
    """The file of a classifier that says neither how many channels it learnt from, nor their names."""
    file = io.BytesIO()
    classifier.save(file)
    return with_facts(file.getvalue(), lambda own: own.update({"channels": None, "training": {}} | facts))


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_a_file_without_the_number_of_channels_says_which_images_fit(classifier, engine):
    opened = seg.load_classifier(nameless(classifier), engine=engine)
    np.testing.assert_array_equal(opened.predict(PIXELS[..., :3]), classifier.predict(image_of(*NAMES)))
    for pixels, taken in ((PIXELS[..., 0], 1), (PIXELS, 4)):
        with pytest.raises(ValueError, match=f"those of images with 3 channels, but of this one {taken} would be"):
            opened.predict(pixels)
        with pytest.raises(ValueError, match=f"but those of images with {taken} channels? have"):
            seg.PixelClassifier(opened.spec).fit(pixels, LABELS, earlier=opened)


@pytest.mark.parametrize("channels", [None, (2, 0)])
def test_features_of_a_file_without_the_number_of_channels_are_called_and_matter_as_with_it(channels):
    spec = seg.FeatureSpec(sigma_max=2, learned=channels is None, channels=channels)
    whole = seg.PixelClassifier(spec, n_estimators=20).fit(PIXELS[..., :3], LABELS)
    opened = seg.load_classifier(nameless(whole))
    assert opened.channels_ is None
    assert opened.feature_names_ == whole.feature_names_
    assert seg.feature_importance(opened) == seg.feature_importance(whole)
    table, other = importance_table(opened), importance_table(whole)
    assert np.array_equal(table.kinds, other.kinds)
    assert np.array_equal(table.channels, other.channels)
    assert table.learned == other.learned


def test_features_of_no_image_are_numbered():
    rows = np.random.default_rng(0).random((20, 7))
    classifier = seg.PixelClassifier(seg.FeatureSpec(sigma_max=2)).fit_rows(rows, np.repeat([1, 2], 10))
    assert classifier.feature_names_ == [f"feature {number}" for number in range(1, 8)]
    assert seg.feature_importance(classifier).keys() == set(classifier.feature_names_)
    with pytest.raises(ValueError, match="features are those of no image"):
        importance_table(classifier)


def test_rows_of_no_image_and_names_of_fewer_channels_get_a_sentence(classifier):
    spec = seg.FeatureSpec(sigma_max=2)
    rows = np.random.default_rng(0).random((20, 7))
    with pytest.raises(ValueError, match=r"trees see 7 features, .* cannot segment images"):
        seg.PixelClassifier(spec).fit_rows(rows, np.repeat([1, 2], 10)).predict(PIXELS)
    fewer = nameless(classifier, training={"images": [dict(classifier.training_["images"][0], channel_names=["GFP"])]})
    with pytest.raises(ValueError, match="those of images with 3 channels, but of this one 1 would be taken"):
        seg.load_classifier(fewer).predict(image_of(*NAMES))


def test_learned_texture_without_the_number_of_channels_needs_its_ends_all_the_same():
    spec = seg.FeatureSpec(sigma_max=2, learned=True)
    classifier = seg.PixelClassifier(spec, n_estimators=5).fit(PIXELS[..., :3], LABELS)
    constants = classifier.spec_.constants.to_json()
    for ends in (None, constants["ends"][:1]):
        with pytest.raises(ModelFileError, match="needs the ends of each channel"):
            seg.load_classifier(nameless(classifier, constants=constants | {"ends": ends}))


@pytest.mark.parametrize("image", ["grey.tif", "grey.zarr"])
def test_the_command_line_says_which_images_such_a_file_fits(classifier, tmp_path, image, capsys):
    model = tmp_path / "model.squiggle"
    model.write_bytes(nameless(classifier))
    if image.endswith(".zarr"):
        zarr.save_array(tmp_path / image, PIXELS[..., 0])
    else:
        tifffile.imwrite(tmp_path / image, PIXELS[..., 0])
    assert main(["apply", str(model), str(tmp_path / image), "-o", str(tmp_path / "out")]) != 0
    assert "those of images with 3 channels, but of this one 1 would be taken" in capsys.readouterr().err


def test_several_images_are_learnt_from_in_the_order_of_the_first():
    first, other = image_of(*NAMES), image_of("Cy5", "extra", "DAPI", "GFP")
    mixed = seg.PixelClassifier(seg.FeatureSpec(sigma_max=2), n_estimators=20).fit(
        [first, other], [LABELS, LABELS.T.copy().reshape(40, 60)]
    )
    same = seg.PixelClassifier(seg.FeatureSpec(sigma_max=2), n_estimators=20).fit(
        [first, first], [LABELS, LABELS.T.copy().reshape(40, 60)]
    )
    np.testing.assert_array_equal(mixed.predict(first), same.predict(first))
    assert [one["hash"] for one in mixed.training_["images"]] == [first.hash, other.hash]


def test_command_line_and_series_take_channels_by_name_and_say_so(classifier, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    file_of(tmp_path, "learnt.ome.tif", *NAMES)
    file_of(tmp_path, "other.ome.tif", "extra", "Cy5", "DAPI", "GFP")
    tifffile.imwrite("labels.tif", LABELS)
    train = ["train", "learnt.ome.tif", "--labels", "labels.tif", "--trees", "20", "--sigma-max", "2"]
    assert main([*train, "-o", "typed"]) == 0
    assert main(["apply", "typed", "other.ome.tif", "learnt.ome.tif", "-o", "out"]) == 0
    expected = classifier.predict(image_of(*NAMES))
    for stem in ("other.ome", "learnt.ome"):
        np.testing.assert_array_equal(tifffile.imread(f"out/{stem}.tif"), expected)
    assert "Its channels are taken by their names: “DAPI” (number 3)" in capsys.readouterr().err
    assert main(["info", "typed"]) == 0
    assert "with 3 channels: DAPI, GFP, Cy5" in capsys.readouterr().out

    assert main([*train, "--by-channel", "3=intensity,edges", "--by-channel", "2=", "-o", "table"]) == 0
    assert main(["info", "table"]) == 0
    told = capsys.readouterr().out
    assert "of GFP only none" in told
    assert "of Cy5 only intensity, edges" in told
    spec = seg.FeatureSpec(sigma_max=2, by_channel={1: (), 2: ("edges", "intensity")})
    seg.PixelClassifier(spec, n_estimators=20).fit(seg.read_image("learnt.ome.tif"), LABELS).save("python")
    assert (tmp_path / "table").read_bytes() == (tmp_path / "python").read_bytes()
    with pytest.raises(SystemExit):
        main([*train, "--by-channel", "3=hue", "-o", "never"])
    assert "is not like 3=intensity,edges" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["extra_trees", "random_forest"])
@pytest.mark.parametrize("fine_trees", [0, 0.5])
def test_trees_look_only_at_what_the_table_has(kind, fine_trees):
    table = {0: ("intensity", "colour"), 1: ("texture", "differences", "colour"), 2: ()}
    spec = seg.FeatureSpec(sigma_max=8, by_channel=table)
    fitted = seg.PixelClassifier(spec, kind=kind, n_estimators=30, fine_trees=fine_trees).fit(image_of(*NAMES), LABELS)
    names = [fitted.feature_names_[one] for one in np.unique(fitted.forest_.feature[fitted.forest_.feature >= 0])]
    assert names
    for name in names:
        assert not any(part in name for part in ("channel 3", "perceived", "and 3"))
        if name.startswith("channel 1,"):
            assert ", intensity," in name
        if name.startswith("channel 2,"):
            assert "texture" in name or "difference" in name
    planes = seg.compute_features(image_of(*NAMES).pixels, spec)
    assert planes.shape[-1] == seg.FeatureSpec(sigma_max=8).count(3)


def test_a_table_is_data_in_one_form():
    spec = seg.FeatureSpec(by_channel={2: ["edges", "intensity"], 0: KINDS})
    assert spec.by_channel == ((2, ("intensity", "edges")),)
    assert seg.FeatureSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    assert "by_channel" not in seg.FeatureSpec(by_channel={1: KINDS}).to_json()
    for wrong in ({"x": []}, {"1": "edges"}, {"1": ["hue"]}, {"-1": []}, {"1": [2]}, []):
        with pytest.raises(ValueError, match=r"by_channel|looks at in a channel"):
            seg.FeatureSpec.from_json({"by_channel": wrong})
    nothing = seg.FeatureSpec(sigma_max=2, by_channel=dict.fromkeys(range(3), ()))
    with pytest.raises(ValueError, match="No feature is left"):
        seg.PixelClassifier(nothing).fit(image_of(*NAMES), LABELS)
