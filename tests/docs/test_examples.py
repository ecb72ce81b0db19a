"""The examples run as they stand, in an empty folder."""

import runpy
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.py"))
LEAVES = {
    "segment": {"glands.squiggle", "glands.png"},
    "series": {"sections", "segmented"},
    "features": set(),
}


def test_every_example_is_looked_at():
    assert {path.stem for path in EXAMPLES} == LEAVES.keys()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_cell_by_cell(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert path.read_text().count("\n# %% ") >= 5
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out
    assert {left.name for left in tmp_path.iterdir()} == LEAVES[path.stem]
