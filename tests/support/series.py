"""A series of images as a session has it, and what the command line makes of the same files."""

import io
import zipfile

import numpy as np

import segmentation as seg
from segmentation.series.run import apply_series
from tests.support.asking import Someone
from tests.support.classifiers import made
from tests.support.files import png, tiff
from tests.support.images import scene

FILES = {
    "day1/a.png": png(scene(1)),
    "day2/a.tif": tiff(scene(2)),
    "stack.tif": tiff(np.stack([scene(3), scene(4), scene(5)]), photometric="minisblack"),
    "large.tif": tiff(np.tile(scene(6), (12, 8))),
    "colour.png": png(scene(7, channels=3)),
    "letter.tif": b"Dear colleague",
}


class Series:
    """A series of a session on an image like those of the series."""

    def __init__(self, client):
        self.someone = Someone(client)
        self.client = client
        image = self.someone.open_image(scene(0))
        self.someone.opens(made(seg.image_from_pixels(scene(0))))
        self.session = self.someone.session
        self.url = f"/s/{self.session}/series"
        answer = client.post(self.url, json={"image": image}).json
        self.id = answer["series"]
        self.url += f"/{self.id}"

    def add(self, name, content):
        return self.client.post(f"{self.url}/files?name={name}", data=content).json

    @property
    def progress(self):
        return self.client.get(self.url).json

    def results(self):
        return contents_of(self.client.get(f"{self.url}/results.zip").data)


def contents_of(archive):
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        assert file.testzip() is None
        return {name: file.read(name) for name in file.namelist()}


def expected(classifier, files, folder, **more):
    """What the command line writes."""
    (folder / "in").mkdir(parents=True)
    (folder / "cells.squiggle").write_bytes(classifier)
    for name, content in files.items():
        path = folder / "in" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    images = [folder / "in" / name for name in files]
    apply_series(folder / "cells.squiggle", images, folder / "out", table=True, objects=True, **more)
    written = [path for path in (folder / "out").iterdir() if path.is_file() and ".objects." not in path.name]
    return {path.name: path.read_bytes() for path in written}


def work(bench):
    while bench.series_worker.work_on_one():
        pass
