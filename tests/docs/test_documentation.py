"""The examples of the documentation run as they stand."""

import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

from segmentation.cli.arguments import parser
from tests.support.classifiers import trained

DOCS = Path(__file__).resolve().parents[2] / "docs"
EXAMPLES = re.findall(r"```python\n(.*?)```", (DOCS / "python.md").read_text(), re.DOTALL)


def picture(seed):
    pixels = np.random.default_rng(seed).integers(100, 200, (60, 80)).astype(np.uint8)
    pixels[:30] //= 2
    return pixels


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("desk")
    (folder / "images").mkdir()
    (folder / "assets").symlink_to(DOCS.parent / "assets")
    for day in (1, 2):
        tifffile.imwrite(folder / f"images/day{day}.tif", picture(day))
    mask = np.full((60, 80), 2, np.uint8)
    mask[:30] = 1
    PillowImage.fromarray(mask).save(folder / "mask.png")
    trained(picture(1)).save(folder / "cells.squiggle")
    return folder


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_the_python_examples_run_in_their_order(number, desk, monkeypatch, capsys):
    monkeypatch.chdir(desk)
    exec(compile(EXAMPLES[number], f"example {number + 1} of python.md", "exec"), {})
    printed = capsys.readouterr().out
    if number == 0:
        assert printed == "2 segmented; none failed\n"
        assert (desk / "out/shares.csv").is_file()


def test_the_commands_of_the_documentation_are_understood():
    text = (DOCS / "command-line.md").read_text()
    lines = [line.strip() for line in re.findall(r"^    python -m segmentation (.*)$", text, re.MULTILINE)]
    assert len(lines) > 7
    for line in lines:
        words = [word.strip("'") for word in re.sub(r"\[.*?\]", "", line).split()]
        assert parser().parse_args(words).command == words[0]


def test_every_option_of_apply_that_writes_something_is_documented():
    text = (DOCS / "command-line.md").read_text()
    for option in ("--png", "--overlay", "--probabilities", "--csv", "--workers", "--scheduler", "--axes", "--json"):
        assert f"`{option}" in text


def test_every_attack_of_the_documentation_has_its_test():
    named = re.findall(r"`(tests/[^`]*\.py)::(\w+)`", (DOCS / "security.md").read_text())
    assert len(named) > 30
    for path, name in named:
        assert f"def {name}(" in (DOCS.parent / path).read_text(), (path, name)


def test_every_promise_of_security_names_the_tests_that_hold_it():
    promised = (DOCS / "security.md").read_text().partition("## What is promised")[2].partition("\n## ")[0]
    promises = re.split(r"\n- ", promised)[1:]
    assert len(promises) > 40
    for promise in promises:
        assert re.search(r"`tests/[^`]*\.py::\w+`", promise), promise
