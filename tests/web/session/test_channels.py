"""A classifier finds its channels by name in the images of a session."""

import io

import numpy as np
import pytest
import tifffile

import segmentation as seg
from segmentation.__main__ import main
from tests.support.asking import Someone
from tests.support.modelfiles import with_facts

PIXELS = np.random.default_rng(0).integers(100, 900, (4, 60, 90)).astype(np.uint16)
PIXELS[1, :, 45:] += 3000
LABELS = np.zeros((60, 90), np.uint8)
LABELS[5:9, 5:40], LABELS[5:9, 50:85] = 1, 2


def ome(pixels, names):
    file = io.BytesIO()
    with tifffile.TiffWriter(file, ome=True) as writer:
        writer.write(pixels, photometric="minisblack", metadata={"axes": "CYX", "Channel": {"Name": names}})
    return file.getvalue()


@pytest.fixture
def someone(client):
    return Someone(client)


def test_an_opened_classifier_takes_them_and_says_so(someone):
    learnt = seg.read_image(ome(PIXELS[:3], ["DAPI", "GFP", "Cy5"]))
    classifier = seg.PixelClassifier(seg.FeatureSpec(sigma_max=2), n_estimators=20).fit(learnt, LABELS)
    file = io.BytesIO()
    classifier.save(file)
    other = ome(PIXELS[[3, 1, 0, 2]], ["extra", "GFP", "DAPI", "Cy5"])
    facts = someone.client.post(f"/s/{someone.session}/images?name=other.ome.tif", data=other).json
    someone.does(type="image.open", image={key: one for key, one in facts.items() if key != "notes"})
    answer, _ = someone.opens(file.getvalue())
    assert answer["classifier"]["channel_names"] == ["DAPI", "GFP", "Cy5"]
    told = someone.asks(facts["hash"])
    assert "cannot" not in told
    assert "taken by their names: “DAPI” (number 3), “GFP” (number 2)" in told["learnt"]["notes"][0]
    np.testing.assert_array_equal(someone.segmentation(), classifier.predict(learnt))

    unlike = ome(PIXELS[[3, 1]], ["extra", "GFP"])
    facts = someone.client.post(f"/s/{someone.session}/images?name=unlike.ome.tif", data=unlike).json
    someone.does(type="image.open", image={key: one for key, one in facts.items() if key != "notes"})
    assert "was trained on images with 3 channels" in someone.asks(facts["hash"])["cannot"]["reason"]


def test_a_classifier_that_does_not_say_how_many_tells_which_images_fit(someone):
    classifier = seg.PixelClassifier(seg.FeatureSpec(sigma_max=2), n_estimators=20)
    classifier.fit(np.moveaxis(PIXELS[:3], 0, -1), LABELS)
    file = io.BytesIO()
    classifier.save(file)
    data = with_facts(file.getvalue(), lambda facts: facts.update(channels=None))
    grey = opens(someone, "grey", PIXELS[:1], ["GFP"])
    answer, _ = someone.opens(data)
    assert answer["classifier"]["channels"] == 3
    told = someone.asks(grey)
    assert "was trained on images with 3 channels, but this one has 1 channel" in told["cannot"]["reason"]
    refused = someone.client.get(f"/s/{someone.session}/download/probabilities.tif?image={grey}")
    assert refused.status_code == 422
    assert "trained on images with 3 channels" in refused.text
    opens(someone, "three", PIXELS[:3], ["A", "B", "C"])
    np.testing.assert_array_equal(someone.segmentation(), classifier.predict(np.moveaxis(PIXELS[:3], 0, -1)))


@pytest.mark.parametrize("learned", [False, True])
def test_features_of_a_channel_that_the_image_lacks_are_told_and_not_computed(someone, learned):
    image_hash = opens(someone, "three", PIXELS[:3], ["A", "B", "C"])
    someone.does(type="settings.change", features=seg.FeatureSpec(channels=(5,), learned=learned).to_json())
    assert "cannot" in someone.asks(image_hash)
    someone.draws("a", image_hash, 1, "M5,5L30,8")
    someone.draws("b", image_hash, 2, "M50,5L80,8")
    told = someone.asks(image_hash)
    assert told["cannot"]["reason"] == "The features need channel 6, but the image has 3."
    assert "failed" not in told


def opens(someone, name, pixels, names):
    facts = someone.client.post(f"/s/{someone.session}/images?name={name}.ome.tif", data=ome(pixels, names)).json
    someone.does(type="image.open", image={key: one for key, one in facts.items() if key != "notes"})
    return facts["hash"]


def test_images_of_a_session_share_strokes_by_the_names_of_their_channels(someone, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    few, many = ["GFP", "DAPI"], ["extra", "DAPI", "GFP"]
    first = opens(someone, "few", PIXELS[[1, 0]], few)
    more = opens(someone, "many", PIXELS[[3, 0, 1]] // 2, many)
    someone.draws("a", first, 1, "M5,5L30,50")
    someone.draws("b", first, 2, "M55,5L80,50")
    told = someone.asks(more)
    assert told["learnt"]["images"] == [first]
    assert "“GFP” (number 3), “DAPI” (number 2); 1 other channel is not looked at" in told["learnt"]["notes"][0]

    someone.draws("c", more, 2, "M60,30L85,55")
    both = [someone.asks(one)["learnt"] for one in (first, more)]
    assert [one["images"] for one in both] == [[first, more]] * 2
    assert [len(one["notes"]) for one in both] == [0, 1]
    (tmp_path / "few.ome.tif").write_bytes(ome(PIXELS[[1, 0]], few))
    (tmp_path / "many.ome.tif").write_bytes(ome(PIXELS[[3, 0, 1]] // 2, many))
    for name in ("strokes.json", "classifier.squiggle"):
        (tmp_path / name).write_bytes(someone.downloads(name, f"image={more}").data)
    train = ["train", "many.ome.tif", "few.ome.tif", "--strokes", "strokes.json", "-o", "typed.squiggle"]
    assert main(train) == 0
    assert (tmp_path / "typed.squiggle").read_bytes() == (tmp_path / "classifier.squiggle").read_bytes()
    assert someone.downloads("classifier.squiggle", f"image={first}").data == (tmp_path / "typed.squiggle").read_bytes()


def test_the_image_with_the_fewest_channels_says_which_are_learnt_from(someone):
    more = opens(someone, "many", PIXELS[[3, 0, 1]], ["extra", "DAPI", "GFP"])
    few = opens(someone, "few", PIXELS[[1, 0]] // 2, ["GFP", "DAPI"])
    unlike = opens(someone, "unlike", PIXELS[[2, 3]] // 3, ["Cy5", "extra"])
    someone.draws("a", more, 1, "M5,5L30,50")
    someone.draws("b", more, 2, "M55,5L80,50")
    assert "Draw a squiggle" in someone.asks(few)["cannot"]["reason"]
    someone.draws("c", few, 1, "M5,30L30,55")
    assert someone.asks(few)["learnt"]["images"] == [more, few]
    assert someone.asks(more)["learnt"]["images"] == [more, few]
    assert "number 3" in someone.asks(more)["learnt"]["notes"][0]
    assert "So far only" in someone.asks(unlike)["cannot"]["reason"]
