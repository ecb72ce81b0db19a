"""Asking the server what a page asks it, without a page."""

import json

import numpy as np

HALVES = np.full((40, 600), 40, np.uint8)
HALVES[:, 300:] = 200
HALVES[::3, ::5] += 9


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
