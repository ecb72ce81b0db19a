"""Asking the server what a page asks it, without a page."""

import base64
import io
import json
import zlib

import numpy as np
import tifffile

from tests.support.files import png


def stroke_of(name, class_id, path, width=5):
    return {"id": name, "class_id": class_id, "kind": "path", "path": path, "width": width}


def stroke_event(name, image_hash, class_id, path, width=5):
    stroke = stroke_of(name, class_id, path, width)
    return {"id": f"event-{name}", "type": "stroke.add", "image": image_hash, "stroke": stroke}


def converse(client, session, events=(), *, after=0, segment=None, window="w"):
    body = {"after": after, "events": list(events), "segment": segment, "window": window}
    response = client.post(f"/s/{session}/converse", json=body)
    assert response.status_code == 200, response.text
    return [json.loads(line) for line in response.text.splitlines()]


def tile_request(rows, columns, known=()):
    return {"view": [0, rows, 0, columns], "known": dict(known)}


def unpacked(message):
    """The class ids of a tile."""
    (top, bottom), (left, right) = message["rows"], message["columns"]
    packed = np.frombuffer(zlib.decompress(base64.b64decode(message["ids"])), np.uint8)
    planes = packed.reshape(message["digits"], bottom - top, -1)
    digits = np.unpackbits(planes, axis=2, count=right - left)
    values = digits << np.arange(message["digits"], dtype=np.uint8)[:, np.newaxis, np.newaxis]
    return values.sum(axis=0, dtype=np.uint8) + np.uint8(message["lowest"])


class Someone:
    """A session in which files are opened and strokes drawn."""

    def __init__(self, client):
        self.client = client
        self.session = client.post("/sessions").json["session"]
        self.number = 0

    def open_image(self, pixels):
        facts = self.client.post(f"/s/{self.session}/images?name=mine.png", data=png(pixels)).json
        self.does(type="image.open", image=facts)
        return facts["hash"]

    def removes_the_sample(self):
        """Take away the image that the session began with."""
        (journal,) = converse(self.client, self.session)
        self.does(type="image.remove", image=journal["events"][0]["body"]["image"]["hash"])

    def does(self, **event):
        self.number += 1
        (journal,) = converse(self.client, self.session, [{"id": f"e{self.number}", **event}])
        assert journal["refused"] == []
        return f"e{self.number}"

    def opens(self, content, name="theirs.squiggle", **how):
        answer = self.client.post(f"/s/{self.session}/classifiers?name={name}", data=content).json
        assert "error" not in answer, answer
        return answer, self.does(type="classifier.open", **answer, **how)

    def draws(self, name, image_hash, class_id, path):
        converse(self.client, self.session, [stroke_event(name, image_hash, class_id, path)])

    def asks(self, image_hash=None):
        tiles = {"image": image_hash, "view": [0, 60, 0, 90], "known": {}}
        return {message["kind"]: message for message in converse(self.client, self.session, segment=tiles)}

    def downloads(self, name, query=""):
        return self.client.get(f"/s/{self.session}/download/{name}?{query}")

    def segmentation(self):
        return tifffile.imread(io.BytesIO(self.downloads("segmentation.tif").data))
