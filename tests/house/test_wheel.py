"""The wheel, installed where there is no checkout, does the main job from any working directory."""

import json
import re
import shlex
import subprocess
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import numpy as np
import pytest
import tifffile
from packaging.requirements import Requirement
from PIL import Image as PillowImage

from segmentation.io.read import read_image
from segmentation.version import __version__
from segmentation.web.asset_files import FOLDER, ROOT_SCRIPT, URL_PATH
from tests.support.asking import stroke_event
from tests.support.served import Served

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = FOLDER / "sample" / "colon_glands.png"
STROKES = {1: "M250,60L262,75L250,90", 2: "M60,250L75,262L90,250"}
GOLDEN = ROOT / "tests" / "golden"


@pytest.fixture(scope="module")
def page(installed, elsewhere, environment, tmp_path_factory):
    """What ``squiggle`` serves, with a browser that writes down what it is to open."""
    folder = tmp_path_factory.mktemp("page")
    browser = folder / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {shlex.quote(str(folder / "opened"))}\n')
    browser.chmod(0o755)
    command = [installed / "squiggle", "--data", folder / "data"]
    with Served(command, elsewhere, environment | {"BROWSER": str(browser)}) as page:
        page.read_address()
        page.opened = folder / "opened"
        yield page


def test_the_wheel_declares_the_dependencies_that_requirements_txt_names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = Parser().parsestr(archive.read(name).decode())
    assert metadata["Name"] == "squiggle"
    assert metadata["Version"] == __version__
    declared = [Requirement(line) for line in metadata.get_all("Requires-Dist")]
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    named = {Requirement(line) for line in lines if line and not line.startswith("#")}
    assert {requirement for requirement in declared if requirement.marker is None} == named
    assert metadata.get_all("Provides-Extra") == ["cluster", "formats", "remote"]


def test_the_wheel_has_every_file_of_the_package_and_of_the_page(wheel):
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    package = {
        path for path in (ROOT / "segmentation").rglob("*") if path.is_file() and "__pycache__" not in path.parts
    }
    assert {str(path.relative_to(ROOT)) for path in package} <= packed
    page = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.is_file()}
    assert {f"segmentation/web/assets/{name}" for name in page} <= packed
    assert not [name for name in packed if not name.startswith(("segmentation/", f"squiggle-{__version__}.dist-info/"))]


def test_the_citation_is_of_this_version():
    citation = (ROOT / "CITATION.cff").read_text()
    assert re.findall(r'^version: "?([^"\n]+)"?$', citation, re.MULTILINE) == [__version__]


def test_the_changelog_ends_with_this_version():
    headings = re.findall(r"^## (\d\S*)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == __version__


def test_the_version_is_said_in_one_place():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["hatch"]["version"]["path"] == "segmentation/version.py"


def test_the_library_is_imported_from_the_wheel(installed, tmp_path, environment):
    code = "import segmentation as seg; print(seg.__version__, seg.__file__); seg.PixelClassifier(seg.FeatureSpec())"
    version, file = run([installed / "python", "-c", code], tmp_path, environment).split()
    assert version == __version__
    assert Path(file).is_relative_to(installed.parent)


def test_the_page_is_ready_and_the_browser_opened(page):
    assert json.loads(page.ask("GET", "/ready"))["ready"] is True
    while not (page.opened.exists() and page.opened.read_text()):
        assert page.process.poll() is None
    assert page.opened.read_text() == f"http://{page.address}\n"


def test_the_page_and_every_file_that_it_names_or_that_ships_with_it_are_served(page):
    session = json.loads(page.ask("POST", "/sessions"))["session"]
    named = set(re.findall(r'(?:src|href)="(/[^"]+)"', page.ask("GET", f"/s/{session}").decode()))
    shipped = {f"{URL_PATH}/{path.relative_to(FOLDER)}" for path in FOLDER.rglob("*") if path.is_file()}
    assert {f"{URL_PATH}/style/base.css", f"{URL_PATH}/{ROOT_SCRIPT}"} <= {name.partition("?")[0] for name in named}
    for name in named | shipped:
        assert page.ask("GET", name), name


def test_two_strokes_give_tiles(page):
    session = json.loads(page.ask("POST", "/sessions"))["session"]
    wish = {"after": 0, "events": [], "segment": None, "window": "w"}
    said = page.ask("POST", f"/s/{session}/converse", wish).splitlines()
    image = json.loads(said[0])["events"][0]["body"]["image"]["hash"]
    events = [stroke_event(str(class_id), image, class_id, path) for class_id, path in STROKES.items()]
    segment = {"view": [0, 512, 0, 512], "known": {}}
    answer = page.ask("POST", f"/s/{session}/converse", wish | {"events": events, "segment": segment})
    kinds = [json.loads(line)["kind"] for line in answer.splitlines()]
    assert kinds[-1] == "done"
    assert "tile" in kinds


def run(arguments, cwd, environment):
    return subprocess.run(arguments, cwd=cwd, env=environment, capture_output=True, text=True, check=True).stdout


def test_train_and_info_on_the_command_line(installed, elsewhere, environment, tmp_path):
    labels = np.zeros(read_image(SAMPLE).shape, np.uint8)
    labels[60:90, 240:262], labels[240:270, 60:90] = 1, 2
    PillowImage.fromarray(labels).save(tmp_path / "labels.png")
    model, small = tmp_path / "glands.squiggle", ["--trees", "3", "--sigma-max", "2"]
    squiggle = installed / "squiggle"
    run([squiggle, "train", SAMPLE, "--labels", tmp_path / "labels.png", "-o", model, *small], elsewhere, environment)
    assert json.loads(run([squiggle, "info", model, "--json"], elsewhere, environment))["class_ids"] == [1, 2]


def test_apply_on_the_command_line_gives_the_bytes_of_the_golden_corpus(installed, elsewhere, environment, tmp_path):
    model, image = GOLDEN / "tissue_defaults.squiggle", GOLDEN / "tissue_defaults_image.tif"
    run([installed / "squiggle", "apply", model, image, "-o", tmp_path, "--workers", "2"], elsewhere, environment)
    expected = tifffile.imread(GOLDEN / "tissue_defaults_expected.tif")
    assert np.array_equal(tifffile.imread(tmp_path / image.name), expected)
