"""Learned texture in the shell."""

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

import segmentation as seg
from segmentation.__main__ import main
from segmentation.model.modelfile import load_model
from tests.support.desk import SMALL


@pytest.mark.slow
def test_learned_texture_is_that_of_python_and_is_told(desk, tmp_path, capsys):
    image = seg.read_image(desk / "cells.tif")
    labels = np.zeros(image.shape, np.uint8)
    labels[5:10, 10:40], labels[45:50, 10:40] = 1, 2
    PillowImage.fromarray(labels).save(tmp_path / "labels.png")
    typed = ["train", f"{desk}/cells.tif", "--labels", f"{tmp_path}/labels.png", "-o", f"{tmp_path}/typed.squiggle"]
    assert main([*typed, "--learned", *SMALL]) == 0
    classifier = seg.PixelClassifier(seg.FeatureSpec(sigma_max=2, learned=True), n_estimators=5).fit(image, labels)
    classifier.save(tmp_path / "python.squiggle", classes=load_model(tmp_path / "typed.squiggle").classes)
    assert (tmp_path / "python.squiggle").read_bytes() == (tmp_path / "typed.squiggle").read_bytes()
    assert main(["apply", f"{tmp_path}/typed.squiggle", f"{desk}/cells.tif", "-o", f"{tmp_path}/out"]) == 0
    assert np.array_equal(tifffile.imread(tmp_path / "out" / "cells.tif"), classifier.predict(image))
    capsys.readouterr()
    assert main(["info", f"{tmp_path}/typed.squiggle"]) == 0
    assert "and learned texture" in capsys.readouterr().out
