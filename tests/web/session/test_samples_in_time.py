"""How images that are read part by part are shown is told by their pixels, not by means of these."""

import threading

import numpy as np
import pytest

from segmentation.io.image import image_from_pixels
from segmentation.io.limits import PassingError
from segmentation.web.session import samples_in_time
from segmentation.web.session.samples_in_time import SamplesInTime
from tests.support.pyramids import write_pyramid, zipped

SAMPLE = image_from_pixels(np.zeros((4, 4), np.uint8))


class Slow:
    """An image whose sample comes once it may."""

    hash = "slow"

    def __init__(self, error=None):
        self.may, self.error, self.asked = threading.Event(), error, 0

    @property
    def sample(self):
        self.asked += 1
        self.may.wait()
        if self.error:
            raise self.error
        return SAMPLE


def seen(client, session, facts, query=""):
    asked = client.get(f"/s/{session}/images/{facts['hash']}/about{query}")
    return asked.json["channels"][0]


def opened(client, session, pixels, folder):
    content = zipped(write_pyramid(folder / "a.zarr", pixels, chunks=256))
    return client.post(f"/s/{session}/images?name=a.ozx", data=content).json


def noise(dtype, low, high):
    return np.random.default_rng(0).integers(low, high, (1100, 1300)).astype(dtype)


def test_noise_is_not_shown_as_its_means_are(client, session, tmp_path):
    facts = opened(client, session, noise(np.uint8, 0, 256), tmp_path)
    about = seen(client, session, facts)
    assert (about["low"], about["high"], about["smallest"], about["largest"]) == (0, 255, 0, 255)
    counts = np.array(about["histogram"])
    assert counts[:16].sum() > counts.sum() / 10


def test_what_no_block_of_the_sample_shows_is_told_by_the_coarsest_level(client, session, tmp_path):
    pixels = noise(np.uint16, 100, 120)
    pixels[:60] = 9000
    about = seen(client, session, opened(client, session, pixels, tmp_path))
    assert about["low"] < 110
    assert about["high"] > 8000


def test_late_samples_change_no_view_but_one_that_begins_anew(monkeypatch):
    monkeypatch.setattr(samples_in_time, "SECONDS", 0.01)
    samples, slow = SamplesInTime(), Slow()
    assert samples.of(slow, anew=True) is None
    slow.may.set()
    samples._ask(slow.hash, slow).wait()
    assert samples.of(slow, anew=False) is None
    assert samples.of(slow, anew=True) is SAMPLE
    assert samples.of(slow, anew=False) is SAMPLE


def test_a_sample_that_did_not_come_this_time_is_asked_for_again():
    samples, slow = SamplesInTime(), Slow(PassingError("Not now."))
    slow.may.set()
    assert samples.of(slow, anew=True) is None
    slow.error = None
    assert samples.of(slow, anew=True) is SAMPLE


def test_who_needs_a_sample_that_is_being_read_waits_for_it():
    samples, slow = SamplesInTime(), Slow()
    samples.wait_for(slow)
    samples.begin(slow)
    threading.Timer(0.1, slow.may.set).start()
    samples.wait_for(slow)
    assert samples.of(slow, anew=True) is SAMPLE
    assert slow.asked == 1


@pytest.mark.parametrize("anew", [True, False])
def test_what_is_shown_without_the_sample_is_not_kept(client, session, tmp_path, monkeypatch, anew):
    facts = opened(client, session, noise(np.uint8, 0, 256), tmp_path)
    monkeypatch.setattr(SamplesInTime, "of", lambda self, pyramid, anew: None if not anew else SAMPLE)
    query = "rows=0,1100&columns=0,1300&step=4" + "&anew=1" * anew
    answer = client.get(f"/s/{session}/images/{facts['hash']}/view?{query}")
    assert ("immutable" in answer.headers["Cache-Control"]) is anew
