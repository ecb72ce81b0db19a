"""A large image of a session, all of which is segmented in the background."""

import io

import tifffile

import segmentation as seg
from segmentation.series.run import apply_series
from tests.support.asking import Someone

SHAPE = 300, 400
BLOCKS = 12
"""Of 100 x 100 pixels in such an image."""


class Whole:
    """A session on a large image with a stroke in each of two classes, and the segmentation of all of it."""

    def __init__(self, client, content, name):
        self.client, self.someone = client, Someone(client)
        url = f"/s/{self.someone.session}"
        if content is None:
            self.facts = client.post(f"{url}/addresses", json={"address": str(name)}).json
        else:
            self.facts = client.post(f"{url}/images?name={name}", data=content).json
        self.someone.does(type="image.open", image=self.facts)
        for class_id, path in {1: "M40,40L200,90", 2: "M200,200L320,260"}.items():
            self.someone.draws(f"s{class_id}", self.facts["hash"], class_id, path)
        self.url = f"/s/{self.someone.session}/wholes/{self.facts['hash']}"

    def begin(self):
        return self.client.post(self.url).json

    @property
    def state(self):
        return self.client.get(self.url).json

    def file(self, name):
        with self.client.get(f"{self.url}/{name}") as answer:
            assert answer.status_code == 200, answer.text
            return answer.data

    @property
    def ids(self):
        return tifffile.imread(io.BytesIO(self.file("segmentation.ome.tif")))


def applied(whole, image, folder, **more):
    """What the command line makes of an image with the classifier that the session has."""
    (folder / "a.squiggle").write_bytes(whole.someone.downloads("classifier.squiggle").data)
    assert not apply_series(folder / "a.squiggle", image, folder / "out", **more).failed
    return next((folder / "out").glob("cells.*"))


def classifier_of(whole):
    return seg.load_classifier(whole.someone.downloads("classifier.squiggle").data)


def raising(error):
    def fail(*given, **named):
        raise error

    return fail
