"""A session's first event, and the images that events speak of."""

IMAGE = "a" * 64
OTHER_IMAGE = "b" * 64
THIRD_IMAGE = "c" * 64


def image(image_hash=IMAGE):
    return {"hash": image_hash, "name": "cells.png", "rows": 20, "columns": 30, "channels": 3, "dtype": "uint8"}


STACK = "d" * 56 + "0" * 8


def plane(page):
    return "d" * 56 + f"{page:08x}"


START = {
    "id": "start",
    "type": "session.start",
    "image": image(),
    "classes": [{"id": 1, "name": "Void", "colour": "#e69f00"}, {"id": 2, "name": "Matrix", "colour": "#0072b2"}],
}
