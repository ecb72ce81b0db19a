"""A Dask cluster gives the bytes of a local run, also when a worker dies."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import tifffile
import zarr

from segmentation.series.run import apply_series
from tests.support import ROOT
from tests.support.classifiers import trained
from tests.support.files import files_in
from tests.support.images import textured

pytestmark = pytest.mark.slow

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def classifier():
    return trained(textured())


@pytest.fixture(scope="module")
def client():
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(12):
        tifffile.imwrite(folder / f"{number:02}.tif", textured(200, 250, seed=number))
    (folder / "13.png").write_bytes(b"not an image")
    pixels = np.tile(textured(300, 300), (1, 14))
    array = zarr.create_array(folder / "wide.zarr", shape=pixels.shape, chunks=(300, 512), dtype=np.uint8)
    array[:] = pixels
    return folder


def test_a_cluster_writes_the_bytes_of_a_local_run(client, classifier, images, tmp_path):
    local = apply_series(classifier, images, tmp_path / "local", probabilities=True, table=True)
    spread = apply_series(classifier, images, tmp_path / "spread", probabilities=True, table=True, client=client)
    assert len(local.outputs) == len(spread.outputs) == 13
    assert local.failed == spread.failed
    assert files_in(tmp_path / "local") == files_in(tmp_path / "spread")
    assert len(apply_series(classifier, images, tmp_path / "spread", probabilities=True).finished_before) == 13


def test_each_image_is_taken_relative_to_itself_on_a_cluster_too(client, images, tmp_path):
    """The statistics are those of the whole image, whichever of its tiles a worker has."""
    relative = trained(textured(), standardise=True)
    local = apply_series(relative, images, tmp_path / "local", table=True)
    spread = apply_series(relative, images, tmp_path / "spread", table=True, client=client)
    assert len(local.outputs) == len(spread.outputs) == 13
    assert files_in(tmp_path / "local") == files_in(tmp_path / "spread")


def test_learned_texture_is_that_of_the_whole_image_on_a_cluster_too(client, images, tmp_path):
    learned = trained(textured(), learned=True)
    local = apply_series(learned, images, tmp_path / "local", probabilities=True)
    spread = apply_series(learned, images, tmp_path / "spread", probabilities=True, client=client)
    assert len(local.outputs) == len(spread.outputs) == 13
    assert files_in(tmp_path / "local") == files_in(tmp_path / "spread")
    wide = zarr.open(tmp_path / "spread/wide.zarr", mode="r")[:]
    assert np.array_equal(wide, learned.predict(np.tile(textured(300, 300), (1, 14))))


def test_a_worker_that_dies_costs_a_retry(client, classifier, images, tmp_path):
    apply_series(classifier, images, tmp_path / "undisturbed")
    killed = []

    def kill_a_worker(event):
        if event.kind == "segmented" and not killed:
            killed.append(next(iter(client.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)

    report = apply_series(classifier, images, tmp_path / "out", client=client, on_event=kill_a_worker)
    assert killed
    assert list(report.failed) == [str(images / "13.png")]
    assert files_in(tmp_path / "out") == files_in(tmp_path / "undisturbed")
    assert not list((tmp_path / "out").rglob("*.partial"))


def test_the_command_line_finds_the_scheduler(client, classifier, images, tmp_path):
    classifier.save(tmp_path / "cells.squiggle")
    arguments = ["apply", tmp_path / "cells.squiggle", images / "00.tif", "-o", tmp_path / "out", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-m", "segmentation", *arguments, "--scheduler", client.scheduler.address], cwd=ROOT
    )
    assert done.returncode == 0
    assert np.array_equal(tifffile.imread(tmp_path / "out/00.tif"), classifier.predict(textured(200, 250)))


def test_without_dask_a_sentence_says_what_to_install(classifier, images, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ValueError, match=r"Install dask\[distributed\] to run on a cluster"):
        apply_series(classifier, images, tmp_path / "out", client="tcp://127.0.0.1:1")


def test_a_scheduler_that_is_not_there_is_told(classifier, images, tmp_path):
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        pytest.raises(ValueError, match="There is no Dask scheduler at tcp://127"),
    ):
        apply_series(classifier, images, tmp_path / "out", client="tcp://127.0.0.1:1")
