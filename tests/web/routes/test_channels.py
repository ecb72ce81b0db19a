"""What a browser asks of the channels of an image."""

import io

import numpy as np
import pytest
import tifffile

from tests.support.asking import Someone

PIXELS = np.random.default_rng(0).integers(0, 60_000, (40, 50, 2)).astype(np.uint16)


@pytest.fixture
def there(client):
    """The address of an image with two channels."""
    someone = Someone(client)
    file = io.BytesIO()
    tifffile.imwrite(file, PIXELS, photometric="minisblack", planarconfig="contig")
    facts = client.post(f"/s/{someone.session}/images?name=a.tif", data=file.getvalue()).json
    return f"/s/{someone.session}/images/{facts['hash']}"


def test_levels_are_the_values(client, there):
    channels = client.get(f"{there}/about").json["channels"]
    assert [one["bits"] for one in channels] == [16, 16]
    answer = client.get(f"{there}/levels?rows=3,20&columns=10,41&step=1&channels=1,0")
    found = np.frombuffer(answer.data, "<u2").reshape(2, 17, 31)
    np.testing.assert_array_equal(found[0], PIXELS[3:20, 10:41, 1])
    np.testing.assert_array_equal(found[1], PIXELS[3:20, 10:41, 0])


def test_values_are_the_values(client, there):
    found = np.frombuffer(client.get(f"{there}/values?rows=0,40&columns=0,50").data, "<f8").reshape(40, 50, 2)
    np.testing.assert_array_equal(found, PIXELS)


@pytest.mark.parametrize(
    "asked",
    [
        "levels?rows=0,4&columns=0,4&step=1&channels=2",
        "levels?rows=0,4&columns=0,4&step=1&channels=1,0,1",
        "levels?rows=0,4&columns=0,4&step=1&channels=",
        "levels?rows=0,4&columns=0,4&step=1&channels=-1",
        "levels?rows=0,4&columns=0,4&step=1&channels=0,²",
        "levels?rows=0,41&columns=0,4&step=1&channels=0",
        "levels?rows=0,4&columns=0,4&step=0&channels=0",
        "values?rows=4,0&columns=0,4",
    ],
)
def test_nonsense_is_refused_with_a_sentence(client, there, asked):
    answer = client.get(f"{there}/{asked}")
    assert answer.status_code == 422
    assert answer.json["error"].endswith(".")
