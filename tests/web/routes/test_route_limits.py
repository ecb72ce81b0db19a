"""As many classes as labels can have, and results that would fill the memory."""

import io

import numpy as np
import tifffile
from PIL import Image

from segmentation.strokes.classes import DEFAULT_COLOURS
from segmentation.web.session import result_files
from tests.support.asking import converse, stroke_event, tile_request
from tests.support.images import HALVES


def test_as_many_classes_as_labels_can_have(client, session, halves):
    classes = [{"id": n, "name": f"C{n}", "colour": DEFAULT_COLOURS[n - 1]} for n in range(1, 256)]
    strokes = [stroke_event(f"s{n}", halves["hash"], n, f"M{n * 2},1L{n * 2},30", width=1) for n in range(1, 256)]
    converse(client, session, [{"id": "list", "type": "class.import", "classes": classes}, *strokes])
    messages = converse(client, session, segment=tile_request(*HALVES.shape[:2]))
    assert messages[-1]["kind"] == "done"
    assert len(messages[-1]["pixels"]) == 255
    ids = tifffile.imread(io.BytesIO(client.get(f"/s/{session}/download/segmentation.tif").data))
    assert ids.max() > 127  # which of the classes a pixel between so many takes is the forest's affair
    labels = tifffile.imread(io.BytesIO(client.get(f"/s/{session}/download/labels.tif").data))
    assert set(np.unique(labels)) == set(range(256))
    png = Image.open(io.BytesIO(client.get(f"/s/{session}/download/segmentation.png").data))
    assert (np.asarray(png) == ids).all()
    probabilities = tifffile.imread(io.BytesIO(client.get(f"/s/{session}/download/probabilities.tif").data))
    assert len(probabilities) == 255
    assert client.get(f"/s/{session}/download/shares.csv").text.count("\n") == 256


def test_probabilities_that_would_fill_the_memory_are_refused_with_a_sentence(client, session, halves, monkeypatch):
    monkeypatch.setattr(result_files, "MAX_PROBABILITY_BYTES", 1000)
    refused = client.get(f"/s/{session}/download/probabilities.tif")
    assert refused.status_code == 422
    assert "The command line writes them." in refused.json["error"]
