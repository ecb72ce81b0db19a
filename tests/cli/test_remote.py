"""Images at an address on the command line: the same bytes as from the disk, or a sentence, and the rest goes on."""

import numpy as np
import pytest
import zarr

from segmentation.__main__ import main
from tests.support.desk import textured
from tests.support.elsewhere import Elsewhere
from tests.support.objectstore import ObjectStore

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def image(desk):
    pixels = textured(seed=4)
    array = zarr.create_array(desk / "far.zarr", shape=pixels.shape, chunks=(32, 32, 3), dtype=pixels.dtype)
    array[:] = pixels
    return desk / "far.zarr"


@pytest.fixture(scope="module")
def elsewhere(desk):
    server = Elsewhere(desk)
    yield server
    server.stop()


def class_ids(path):
    return zarr.open(path, mode="r")[:]


def test_an_address_is_segmented_as_the_same_image_on_the_disk(desk, image, elsewhere, tmp_path, capsys):
    here, there, model = tmp_path / "here", tmp_path / "there", str(desk / "cells.squiggle")
    assert main(["apply", model, str(image), "-o", str(here)]) == 0
    assert main(["apply", model, f"{elsewhere.url}/far.zarr", "-o", str(there)]) == 0
    np.testing.assert_array_equal(class_ids(there / "far.zarr"), class_ids(here / "far.zarr"))
    assert len(np.unique(class_ids(there / "far.zarr"))) == 2
    asked = len(elsewhere.asked)
    capsys.readouterr()
    assert main(["apply", model, f"{elsewhere.url}/far.zarr", "-o", str(there)]) == 0
    assert not any("/c/" in path for path in elsewhere.asked[asked:]), "what is done is not done again"


def test_several_processes_read_the_same_address(desk, image, elsewhere, tmp_path):
    model = str(desk / "cells.squiggle")
    far = f"{elsewhere.url}/far.zarr"
    assert main(["apply", model, far, str(image), "-o", str(tmp_path), "--workers", "2"]) == 0
    first, second = sorted(tmp_path.glob("*.zarr"))
    np.testing.assert_array_equal(class_ids(first), class_ids(second))


def test_an_image_in_an_object_store_is_segmented(desk, image, tmp_path, monkeypatch):
    store = ObjectStore()
    try:
        for name, value in store.environment.items():
            monkeypatch.setenv(name, value)
        address = f"{store.new_bucket()}/far.zarr"
        array = zarr.create_array(address, shape=(60, 50, 3), chunks=(32, 32, 3), dtype=np.uint8)
        pixels = textured(seed=4)[:60, :50]
        array[: pixels.shape[0], : pixels.shape[1]] = pixels
        assert main(["apply", str(desk / "cells.squiggle"), address, "-o", str(tmp_path)]) == 0
    finally:
        store.stop()
    assert class_ids(tmp_path / "far.zarr").shape == (60, 50)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("{}/page/far.zarr", "a web page, and not a Zarr image"),
        ("{}/leads-elsewhere/far.zarr", "leads elsewhere, which is not followed"),
        ("{}/fails/far.zarr", "it answers 500"),
        ("{}/chunks-fail/far.zarr", "it answers 503"),
        ("{}/nothing.zarr", "cannot be opened"),
        ("https://user:word@host/far.zarr", "names a user"),
    ],
)
def test_an_address_that_cannot_be_opened_is_a_sentence_and_the_rest_is_segmented(
    desk, elsewhere, tmp_path, capsys, address, words
):
    where = address.format(elsewhere.url)
    status = main(["apply", str(desk / "cells.squiggle"), where, str(desk / "cells.tif"), "-o", str(tmp_path)])
    assert status == 1
    assert words in capsys.readouterr().err
    assert (tmp_path / "cells.tif").exists() or "@" in address
