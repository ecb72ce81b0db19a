"""A classifier finds its channels by name in the images of a session."""

import io

import numpy as np
import pytest
import tifffile

import segmentation as seg
from tests.support.asking import Someone

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
