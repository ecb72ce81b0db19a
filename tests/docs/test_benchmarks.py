"""What the tables of the benchmarks say is what was measured, and the README says the same."""

import json
import re
from pathlib import Path

import pytest

from benchmarks import documents, results
from benchmarks.__main__ import PARTS

ROOT = Path(__file__).resolve().parents[2]
TABLES = (ROOT / "docs" / "benchmarks.md").read_text()
RUNS = sorted((ROOT / "benchmarks" / "results").glob("*.json"))


def between_marks(text, name):
    (inside,) = re.findall(rf"<!-- {name}: begin -->\n(.*?)\n<!-- {name}: end -->", text, re.DOTALL)
    return inside


def test_every_part_has_its_table():
    for part, (title, *_) in PARTS.items():
        assert between_marks(TABLES, part).startswith(f"**{title}.** ")


def test_the_readme_shows_five_figures_of_the_tables():
    assert between_marks((ROOT / "README.md").read_text(), "figures") == documents.headlines(TABLES)
    assert len(documents.HEADLINES) == 5


@pytest.mark.parametrize("file", RUNS, ids=lambda file: file.stem)
def test_kept_numbers_say_when_of_what_and_on_what(file):
    run = json.loads(file.read_text())
    assert file.name.startswith(f"{run['part']}-{run['begun'][:10]}-{run['commit'][:9]}")
    assert run["part"] in PARTS
    assert {"processor", "cores", "load", "system", "python"} <= run["machine"].keys()
    assert run["rows"]


@pytest.mark.parametrize("part", PARTS)
def test_a_table_whose_numbers_are_kept_is_made_of_the_newest(part):
    kept = [run for run in (json.loads(file.read_text()) for file in RUNS) if run["part"] == part]
    if not kept:
        pytest.skip("measured before numbers were kept")
    newest = max(kept, key=lambda run: run["begun"])
    title, _, as_markdown = PARTS[part]
    assert between_marks(TABLES, part) == f"**{title}.** {results.sentence(newest)}\n\n{as_markdown(newest['rows'])}"


def test_a_run_is_kept_with_its_date_commit_and_machine(tmp_path):
    rows = [{"figure": "fit", "ours": 1.5, "reference": None, "unit": "s", "goal": ""}]
    run = results.measured("engine", "The engine", lambda: rows)
    file = results.write(run, tmp_path)
    assert json.loads(file.read_text()) == run
    assert run["rows"] == rows
    assert re.fullmatch(r"[0-9a-f]{40}|", run["commit"])
