"""What the tables of the benchmarks say is what was measured, and the README says the same."""

import json
import re
from pathlib import Path

from benchmarks import documents, results
from benchmarks.__main__ import PARTS, main

ROOT = Path(__file__).resolve().parents[2]
TABLES = (ROOT / "docs" / "benchmarks.md").read_text()
RUNS = {file.name: json.loads(file.read_text()) for file in results.RESULTS.glob("*.json")}


def between_marks(text, name):
    (inside,) = re.findall(rf"<!-- {name}: begin -->\n(.*?)\n<!-- {name}: end -->", text, re.DOTALL)
    return inside


def test_every_part_has_its_table():
    for part, (title, *_) in PARTS.items():
        assert between_marks(TABLES, part).startswith(f"**{title}.** ")


def test_the_readme_shows_five_figures_of_the_tables():
    assert between_marks((ROOT / "README.md").read_text(), "figures") == documents.headlines(TABLES)
    assert len(documents.HEADLINES) == 5


def test_kept_numbers_say_when_of_what_and_on_what():
    for file, run in RUNS.items():
        assert file.startswith(f"{run['part']}-{run['begun'][:10]}-{run['commit'][:9]}")
        assert run["part"] in PARTS
        assert {"processor", "cores", "load", "system", "python"} <= run["machine"].keys()
        assert run["rows"]


def test_a_table_whose_numbers_are_kept_is_made_of_the_newest():
    newest = {run["part"]: run for run in sorted(RUNS.values(), key=lambda run: run["begun"])}
    for part, run in newest.items():
        title, _, as_markdown = PARTS[part]
        assert between_marks(TABLES, part) == f"**{title}.** {results.sentence(run)}\n\n{as_markdown(run['rows'])}"


def test_a_run_leaves_its_numbers_and_its_tables(tmp_path, monkeypatch):
    documents_of_its_own = {"TABLES": tmp_path / "benchmarks.md", "README": tmp_path / "README.md"}
    for name, copy in documents_of_its_own.items():
        copy.write_text(getattr(documents, name).read_text())
        monkeypatch.setattr(documents, name, copy)
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results")
    figure = documents.HEADLINES[-1]
    rows = [{"figure": figure, "ours": 2.5, "reference": 0.25, "unit": "megapixels/s", "goal": "8x"}]
    monkeypatch.setitem(PARTS, "series", ("Series", lambda: rows, PARTS["series"][2]))
    main(["series"])
    (file,) = (tmp_path / "results").iterdir()
    run = json.loads(file.read_text())
    assert run["rows"] == rows
    assert re.fullmatch(r"[0-9a-f]{40}|", run["commit"])
    line = f"| {figure} | 2.50 megapixels/s | 0.25 megapixels/s | 10.0x | 8x |"
    tables, readme = (copy.read_text() for copy in documents_of_its_own.values())
    assert between_marks(tables, "series").splitlines()[0] == f"**Series.** {results.sentence(run)}"
    assert between_marks(tables, "series").splitlines()[-1] == line
    assert between_marks(tables, "engine") == between_marks(TABLES, "engine")
    assert between_marks(readme, "figures").splitlines()[-1] == line
